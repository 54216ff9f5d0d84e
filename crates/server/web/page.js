/**
 * The page in use: joins the session, the state of the chat and the screen. Whatever happens marks the page as changed, and
 * one drawing a frame shows it.
 */
import { Actions } from './actions.js';
import { Composer } from './composer.js';
import { byId } from './dom.js';
import { isWellFormed } from './events.js';
import { actInWords } from './format.js';
import { Link } from './frames.js';
import { LogView } from './log.js';
import { notify } from './notify.js';
import { Outbox } from './outbox.js';
import * as render from './render.js';
import { Requests } from './requests.js';
import { Results } from './results.js';
import { Session } from './session.js';
import { Chat } from './state.js';
import { restoreDirects, savedDirects } from './storage.js';

const PAGE_MESSAGES = 100;
/** A drawing comes at the latest after this time: hidden pages have no frames. */
const DRAW_MS = 200;
const TICK_MS = 1000;
/** A tick that is so late says that the page was asleep. */
const ASLEEP_MS = 20000;

export class Page {
  now = Date.now();
  #storage;
  #preferences;
  #onRefused;
  #isDrawing = false;
  #isLoading = false;
  /** False while the mark has not been on the screen: nothing behind it counts as read. */
  #hasSeenMark = true;
  #wanted = '';
  #savedRead = '';

  /**
   * @param {import('./storage.js').TabStorage} storage of this tab
   * @param {import('./storage.js').TabStorage} preferences of the browser
   * @param {(why: string) => void} onRefused the server takes nobody of this name
   */
  constructor(storage, preferences, onRefused) {
    this.#storage = storage;
    this.#preferences = preferences;
    this.#onRefused = onRefused;
    this.chat = new Chat(storage.get('read', {}));
    restoreDirects(this.chat, storage.get('directs', []));
    this.outbox = new Outbox(storage.get('outbox', []));
    const link = new Link(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, {
      opened: () => this.change(() => this.session.opened(this.now)),
      received: (events) => this.change(() => events.filter(isWellFormed).forEach((event) => this.session.received(event, this.now))),
      closed: (why) => this.change(() => {
        this.requests.drop();
        this.session.closed(why, this.now);
      }),
    });
    this.session = new Session({ link, outbox: this.outbox, chat: this.chat, random: Math.random, listener: (event) => this.#on(event) });
    this.requests = new Requests((request) => this.session.request(request));
    this.view = new LogView(byId('log'), () => this.refresh());
    this.results = new Results(this);
    this.actions = new Actions(this);
    this.composer = new Composer(storage, {
      send: (text) => this.change(() => this.actions.line(text)),
      sources: () => this.#sources(),
    });
  }

  /** Connects as a person. @param {any} identity name, and after a reload token, rooms, current conversation and away */
  start(identity) {
    this.#wanted = identity.current ?? '';
    this.chat.away ??= identity.away ?? null;
    this.change(() => this.session.start(identity, this.now));
    setInterval(() => this.change(() => this.#tick()), TICK_MS);
  }

  /** Connects again after the end. */
  restart(name) {
    this.change(() => this.session.start({ name, token: this.session.token, rooms: this.chat.wantedRooms }, this.now));
  }

  /** Does something, and shows it with the next frame. */
  change(act) {
    this.now = Date.now();
    const result = act();
    this.refresh();
    return result;
  }

  refresh() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    const draw = () => {
      if (this.#isDrawing) this.draw();
      clearTimeout(timer);
    };
    const timer = setTimeout(draw, DRAW_MS);
    requestAnimationFrame(draw);
  }

  /** Adds a line of the page's own to the log. */
  tell(text, tone) {
    this.change(() => this.chat.note(text, { tone, at: this.now }));
  }

  newId() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Shows a conversation; a private one that was not begun goes when it is left. */
  go(key) {
    const { chat, composer, outbox } = this;
    const left = chat.room;
    if (!chat.rooms.has(key)) return false;
    if (byId('side').matches(':popover-open')) byId('side').hidePopover();
    if (left?.key === key) return true;
    chat.show(key);
    const isIdle = left?.kind === 'direct' && left.entries.length === 0 && !composer.hasDraft(left.key) && outbox.of(left.key).length === 0;
    if (isIdle) chat.rooms.delete(left.key);
    composer.open(key);
    this.#hasSeenMark = chat.room.divider === null;
    if (chat.room.kind === 'direct') this.#ask(chat.room);
    this.#save();
    this.refresh();
    return true;
  }

  /** Shows some conversation after the current one was left. */
  goAnywhere() {
    if (!this.chat.room && !this.go([...this.chat.rooms.keys()][0])) this.chat.current = '';
    this.#save();
  }

  /** Goes to the next conversation of the list in a direction; with `isUnread` to one that has something new. */
  goNext(step, isUnread) {
    const keys = [...this.chat.rooms.keys()];
    const at = keys.indexOf(this.chat.current);
    const others = keys.map((_, distance) => keys[(at + step * distance + keys.length * distance) % keys.length]).slice(1);
    const next = others.find((key) => !isUnread || this.chat.rooms.get(key).unread > 0);
    if (next) this.go(next);
  }

  /** A message was put into the outbox. */
  posted() {
    const { room } = this.chat;
    this.saveOutbox();
    if (room.unread === 0) room.setDivider(null);
    this.view.toEnd();
    this.session.pump();
  }

  search(query) {
    byId('search').value = query;
    if (this.chat.room?.kind !== 'room') return false;
    this.results.start(this.chat.room, query);
    return true;
  }

  /** Shows a message, or the mark before it; loads what is around it where that is needed. */
  async jump(room, seq, isMark = false) {
    this.go(room.key);
    this.draw();
    const show = () => (!isMark || room.isDividerLoaded) && this.view.to(isMark ? room.firstUnread : seq, this.#context, isMark);
    if (show()) return;
    await this.load(room, { around: seq });
    this.draw();
    if (!show() && !this.view.to(room.message(seq) ? seq : room.firstUnread ?? 0, this.#context, false)) this.tell(`message ${seq} is not stored any more`, 'warning');
  }

  markRead() {
    this.#hasSeenMark = true;
    this.chat.room?.markAllRead();
    this.refresh();
  }

  /** Loads stored messages. @param {{before?: number, after?: number, around?: number, to?: number}} range */
  async load(room, { to, ...range }) {
    if (room?.kind !== 'room' || this.#isLoading) return;
    this.#isLoading = true;
    const answer = await this.requests.ask({ type: 'history', room: room.name, limit: PAGE_MESSAGES, ...range });
    this.#isLoading = false;
    if (answer?.type === 'history') this.chat.addPage(room.name, answer.messages, { ...range, to }, answer.more === true);
    else if (answer?.code === 'no_history') Object.assign(room, { hasHistory: false, revision: room.revision + 1 });
    else if (answer) this.tell(`error: ${answer.text}`, 'warning');
    this.refresh();
  }

  /** Shows older messages; asks the server where the page has none. */
  older() {
    const { room } = this.chat;
    if (this.view.showOlder(this.#context) || room.isComplete || !room.hasHistory || !room.isJoined || room.oldest === 1) return;
    this.load(room, { before: room.oldest ?? room.newest + 1 });
  }

  /** Leaves; nothing of the person stays in the tab. */
  quit() {
    this.session.leave();
    this.#storage.dropPerson();
    location.reload();
    return true;
  }

  get level() {
    return this.#preferences.get('level', 'off');
  }

  set level(level) {
    this.#preferences.set('level', level);
  }

  saveOutbox() {
    this.#storage.set('outbox', this.outbox.all);
  }

  draw() {
    this.#isDrawing = false;
    const { chat, view, outbox, session } = this;
    const { room } = chat;
    byId('log').hidden = !room;
    if (room) {
      view.show(this.#context, this.#isFocused);
      view.showPending(outbox.of(room.key), this.#context, session.isOnline);
      this.#noteSeen(room);
      if (view.isNearTop && room.entries.length > 0) this.older();
    }
    for (const show of Object.values(render)) show(this);
  }

  get #isFocused() {
    return document.visibilityState === 'visible' && document.hasFocus();
  }

  get #context() {
    const { chat } = this;
    return { me: chat.me, room: chat.room, colourOf: (name) => chat.colours.of(name), now: this.now };
  }

  /** Names and rooms for completion: last speakers first. */
  #sources() {
    const { room, rooms, me, wantedRooms } = this.chat;
    const speakers = (room?.entries ?? []).slice(-500).filter(({ kind }) => kind === 'message').map(({ from }) => from).reverse();
    const persons = [...rooms.values()].filter(({ kind }) => kind === 'direct').map(({ name }) => name);
    return { names: [...new Set([...speakers, ...room?.members ?? [], ...persons])].filter((name) => name !== me), rooms: wantedRooms };
  }

  /** What is on the screen is read, once the place where reading stopped was there too. */
  #noteSeen(room) {
    if (this.view.markPlace === 'here') this.#hasSeenMark = true;
    if (!this.#isFocused || !this.#hasSeenMark) return;
    room.markRead(this.view.isFollowing ? room.newest : this.view.seen);
    const read = JSON.stringify(this.chat.readNumbers);
    if (read !== this.#savedRead) this.#storage.set('read', this.chat.readNumbers);
    this.#savedRead = read;
  }

  /** Asks who a person is. */
  async #ask(room) {
    const answer = await this.requests.ask({ type: 'whois', name: room.name });
    if (answer?.type === 'whois') room.whois = answer;
    this.refresh();
  }

  /** Takes what the session has for the page. */
  #on(event) {
    const { chat, now } = this;
    const { type, ref } = event;
    if (type === 'outbox') return this.saveOutbox();
    if (type === 'ended') return chat.me === '' && this.#onRefused(this.session.phase.why);
    const isAnswer = this.requests.take(event);
    if (type === 'error') return isAnswer || this.#refused(event);
    if (isAnswer && ['history', 'whois', 'rooms'].includes(type)) return undefined;
    if (type === 'act') this.tell(actInWords(event, now), 'server');
    if (type === 'bye' && ref === undefined) this.tell(event.text, 'server');
    if (type === 'away' && event.name !== chat.me) this.tell(`${event.name} is away (${event.text})`);
    chat.isAttended = this.#isFocused && this.view.isFollowing;
    for (const effect of chat.receive(event, { now, isOwn: this.#isOwn(event) })) this.#effect(effect);
    if (type === 'welcome') this.go(chat.current) || this.go(this.#wanted) || this.goAnywhere();
    if (['welcome', 'renamed', 'away'].includes(type)) this.#save();
    if (type === 'direct' || type === 'renamed') this.#storage.set('directs', savedDirects(chat));
    return undefined;
  }

  /** Returns whether an event answers this page; its own message leaves the outbox. */
  #isOwn({ type, ref, id, text }) {
    if (type !== 'message' && type !== 'direct') return ref !== undefined;
    // Another client may use the same id (E4); only this one's message has this text as well.
    const isOwn = this.outbox.all.some((pending) => pending.id === id && pending.wasSent && pending.request.text === text);
    if (isOwn && this.outbox.acknowledge(id)) this.saveOutbox();
    return isOwn;
  }

  #refused({ code, text, ref }) {
    const refused = ref && this.outbox.refuse(ref, { code, text });
    if (!refused) return this.tell(`error: ${text}`, 'warning');
    if (code === 'room_sealed') this.chat.rooms.get(refused.key).isSealed = true;
    this.saveOutbox();
  }

  #effect({ kind, request, key, room, message }) {
    if (kind === 'ask') this.session.request({ ...request, ref: 'who' });
    if (kind === 'left') this.goAnywhere();
    // Rooms of a reconnect are entered again where the reader is elsewhere.
    if (kind === 'entered' && this.actions.isAwaited(key)) this.go(key);
    if (kind !== 'arrived') return;
    if (room === this.chat.room && room.divider === room.read) this.#hasSeenMark = true;
    if (!this.#isFocused || room !== this.chat.room) notify(room, message, this.level, () => this.go(room.key));
  }

  #tick() {
    if (this.now - this.#tickedAt > ASLEEP_MS) this.session.wake(this.now);
    this.#tickedAt = this.now;
    this.session.tick(this.now);
  }

  #tickedAt = Date.now();

  #save() {
    const { session: { name, token }, chat: { wantedRooms, current, away } } = this;
    this.#storage.set('session', { name, token, rooms: wantedRooms, current, away });
  }
}
