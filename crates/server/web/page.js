/** Page in use: joins session, chat and screen. All changes of a frame are shown by one drawing. */
import { Actions } from './actions.js';
import { Composer } from './composer.js';
import { byId } from './dom.js';
import { actInWords, inLocalTime } from './format.js';
import { Link } from './frames.js';
import { LogView } from './log.js';
import { notify } from './notify.js';
import { Outbox } from './outbox.js';
import * as render from './render.js';
import { Requests } from './requests.js';
import { search } from './results.js';
import { Session } from './session.js';
import { Chat } from './state.js';

const PAGE_MESSAGES = 200;
/** Pages that a jump to the mark loads; the rest stays a hole. */
const PAGES_MAX = 10;
/** A drawing comes at the latest after this time: hidden pages have no frames. */
const DRAW_MS = 200;
/** Time between two drawings of what arrives, so that most frames are free for what is typed. */
const ARRIVALS_MS = 100;
const TICK_MS = 1000;
/** A tick that is so late says that the page was asleep. */
const ASLEEP_MS = 20000;
/** The head of direct messages is at most so old. */
const WHO_MS = 30000;

export class Page {
  now = Date.now();
  #storage;
  #preferences;
  #onRefused;
  #isDrawing = false;
  #timer = 0;
  #drawnAt = -ARRIVALS_MS;
  #isLoading = false;
  /** False once a request for stored messages brought none: the next one is the reader's, or comes with the next visit of the top. */
  #mayLoad = true;
  /** False while the mark has not been on the screen: nothing behind it counts as read. */
  #hasSeenMark = true;
  #wanted = '';
  #savedRead = '';
  #askedWho = 0;

  /** @param {(why: string) => void} onRefused the server takes nobody of this name */
  constructor(storage, preferences, onRefused) {
    this.#storage = storage;
    this.#preferences = preferences;
    this.#onRefused = onRefused;
    this.chat = new Chat(storage.get('read', {}));
    this.chat.restoreDirects(storage.get('directs', []), this.now);
    this.outbox = new Outbox(storage.get('outbox', []));
    for (const { request: { to } } of this.outbox.all) if (to) this.chat.directWith(to);
    const link = new Link(`${location.protocol.replace('http', 'ws')}//${location.host}/ws`, {
      opened: () => this.change(() => this.session.opened(this.now)),
      received: (events) => this.#receive(events),
      closed: () => this.change(() => this.session.closed(this.now)),
    });
    this.session = new Session({ link, outbox: this.outbox, chat: this.chat, random: Math.random, listener: (event) => this.#on(event) });
    this.requests = new Requests((request) => this.session.request(request));
    this.view = new LogView(byId('log'), () => this.refresh());
    this.actions = new Actions(this);
    this.composer = new Composer(storage, (text) => this.change(() => this.actions.line(text)), () => this.#sources());
  }

  /** Connects as a person; after a reload the identity has more than a name. */
  start(identity) {
    this.#wanted = identity.current ?? '';
    this.chat.away = identity.away ?? null;
    this.change(() => this.session.start(identity, this.now));
    let ticked = this.now;
    setInterval(() => this.change(() => {
      if (this.now - ticked > ASLEEP_MS) this.session.wake(this.now);
      ticked = this.now;
      this.session.tick(this.now);
      this.#saveRead();
      if (this.#isFocused && this.now - this.#askedWho >= WHO_MS) this.#askWho();
    }), TICK_MS);
    addEventListener('pagehide', () => this.#saveRead());
  }

  /** Connects again after the end. */
  restart(name) {
    this.change(() => this.session.start({ name, token: this.session.token, rooms: this.chat.wantedRooms }, this.now));
  }

  /** Runs a change, and shows it with the next frame. */
  change(act) {
    this.now = Date.now();
    const result = act();
    this.refresh();
    return result;
  }

  /** Takes events, and shows them at once or, where many come, soon. */
  #receive(events) {
    this.now = Date.now();
    for (const event of events) this.session.received(inLocalTime(event, this.now), this.now);
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#drawnAt = performance.now();
      this.refresh();
    }, this.#drawnAt + ARRIVALS_MS - performance.now());
  }

  refresh() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    const draw = () => this.#isDrawing && this.draw();
    setTimeout(draw, DRAW_MS);
    requestAnimationFrame(draw);
  }

  /** Adds a line of the page's own to the log. */
  tell(text, tone) {
    this.change(() => this.chat.note(text, this.now, tone));
  }

  newId() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Shows a conversation. */
  go(key) {
    const { chat } = this;
    if (!chat.rooms.has(key)) return false;
    document.querySelector(':popover-open')?.hidePopover();
    if (chat.current === key) return true;
    chat.show(key);
    this.composer.open(key);
    this.#hasSeenMark = chat.room.divider === null;
    this.#askWho();
    this.#save();
    return true;
  }

  /** Shows some conversation after the current one was left. */
  goAnywhere() {
    if (!this.chat.room && !this.go(this.chat.list[0]?.key)) this.chat.current = '';
    this.#save();
    return true;
  }

  /** Goes to the next conversation of the list; with `isUnread` to the next that has something new. */
  goNext(step, isUnread) {
    const { list, room } = this.chat;
    const at = list.indexOf(room);
    const others = [...list.slice(at + 1), ...list.slice(0, at)];
    if (step < 0) others.reverse();
    this.go(others.find(({ unread }) => !isUnread || unread > 0)?.key);
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
    if (this.chat.room?.kind === 'room') search(this, this.chat.room, query);
    else this.composer.tell('direct messages are not stored');
    return true;
  }

  /** Shows a message, or the mark before it; loads what is around it where that is needed. */
  async jump(room, seq, isMark = false) {
    this.go(room.key);
    this.draw();
    if (!isMark && this.view.to(seq, this.#context)) return;
    if (!isMark) await this.load(room, { around: seq });
    for (let page = 0; isMark && page < PAGES_MAX; page += 1) {
      const [hole] = room.holesIn(seq, room.newest);
      if (!hole) break;
      await this.load(room, { after: hole.from - 1, before: hole.to + 1, to: hole.to });
    }
    this.draw();
    if (this.view.to(isMark ? room.firstUnread : seq, this.#context, isMark)) return;
    const why = room.message(seq)?.isIgnored ? 'is of somebody you ignore' : this.session.isOnline ? 'is not stored any more' : 'is not loaded, and you are offline';
    this.tell(`message ${seq} ${why}`, 'warning');
  }

  markRead() {
    this.#hasSeenMark = true;
    this.chat.room?.markAllRead();
  }

  /** Loads stored messages. @param {{before?: number, after?: number, around?: number, to?: number}} range */
  async load(room, { to, ...range }) {
    if (room.kind !== 'room' || this.#isLoading) return;
    this.#isLoading = true;
    const answer = await this.requests.ask({ type: 'history', room: room.name, limit: PAGE_MESSAGES, ...range });
    this.#isLoading = false;
    this.#mayLoad = answer?.type === 'history' && answer.room === room.name && this.chat.addPage(room.name, answer.messages, { ...range, to }, answer.more === true);
    if (answer?.code === 'no_history') Object.assign(room, { hasHistory: false, revision: room.revision + 1 });
    else if (answer?.type === 'error') this.tell(`error: ${answer.text}`, 'warning');
    this.refresh();
  }

  /** Loads what is missing between two numbers; without them, what is older. */
  loadMissing(from, to) {
    const { room } = this.chat;
    // The end of a longer hole is loaded: from there the reader comes.
    if (from) this.load(room, to - from < PAGE_MESSAGES ? { after: from - 1, before: to + 1, to } : { before: to + 1 });
    else if (!this.view.showOlder(this.#context) && !room.isComplete && room.hasHistory && room.isJoined && room.oldest !== 1) {
      this.load(room, { before: room.oldest ?? room.newest + 1 });
    }
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
    const { room } = this.chat;
    byId('log').hidden = !room;
    if (room) {
      this.view.show(this.#context, this.#isFocused);
      this.view.showPending(this.outbox.of(room.key), this.#context, this.session.isOnline);
      this.#noteSeen(room);
      if (!this.view.isNearTop) this.#mayLoad = true;
      else if (this.#mayLoad && room.entries.length > 0) this.loadMissing();
    }
    for (const show of Object.values(render)) show(this);
  }

  get #isFocused() {
    return document.visibilityState === 'visible' && document.hasFocus();
  }

  get #context() {
    const { me, room, colours } = this.chat;
    return { me, room, colourOf: (name) => colours.of(name), now: this.now };
  }

  /** Names, those first who are here, the last speakers before the others; and rooms. */
  #sources() {
    const { room, directs, me, wantedRooms } = this.chat;
    const speakers = (room?.entries ?? []).slice(-500).flatMap(({ from }) => from ?? []).reverse();
    const here = room?.members ?? new Set();
    const names = new Set([...speakers.filter((name) => here.has(name)), ...here, ...speakers, ...directs.map(([name]) => name)]);
    return { names: [...names].filter((name) => name !== me), rooms: wantedRooms };
  }

  /** Marks what is on the screen as read, once the mark where reading stopped was there too. */
  #noteSeen(room) {
    if (this.view.markPlace === 'here') this.#hasSeenMark = true;
    if (!this.#isFocused || !this.#hasSeenMark) return;
    room.markRead(this.view.isFollowing ? room.newest : this.view.seen);
  }

  /** Keeps what was read; the browser is slow at that. */
  #saveRead() {
    const { readNumbers: read, directs } = this.chat;
    const saved = JSON.stringify([read, directs]);
    // Who has left leaves nothing behind.
    if (saved === this.#savedRead || this.session.phase.kind === 'ended') return;
    this.#storage.set('read', read);
    this.#storage.set('directs', directs);
    this.#savedRead = saved;
  }

  /** Asks about the person at the other end; `null` says that nobody has the name. */
  async #askWho({ room } = this.chat) {
    if (room?.kind !== 'direct') return;
    this.#askedWho = this.now;
    const answer = await this.requests.ask({ type: 'whois', name: room.name });
    if (answer) room.whois = answer.type === 'whois' ? answer : null;
    this.refresh();
  }

  /** Takes what the session has for the page. */
  #on(event) {
    const { chat, now } = this;
    const { type, ref, text } = event;
    if (type === 'lost') this.requests.drop();
    if (type === 'outbox' || type === 'lost') return this.saveOutbox();
    if (type === 'ended') return chat.me === '' && this.#onRefused(this.session.phase.why);
    const isAnswer = this.requests.take(event);
    if (type === 'error') return isAnswer || this.#refused(event);
    if (isAnswer && ['history', 'whois', 'rooms'].includes(type)) return undefined;
    if (type === 'act') this.tell(actInWords(event, now), 'server');
    if (type === 'bye' && ref === undefined) this.tell(text, 'server');
    if (type === 'away' && event.name !== chat.me) this.tell(`${event.name} is away (${text})`);
    chat.isAttended = this.#isFocused && this.view.isFollowing;
    for (const effect of chat.receive(event, { now, isOwn: this.#isOwn(event) })) this.#effect(effect);
    this.#mayLoad ||= type === 'welcome';
    if (type === 'welcome') chat.room || this.go(this.#wanted) || this.goAnywhere();
    if (['welcome', 'renamed', 'away', 'joined'].includes(type)) this.#save();
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
    if (code === 'muted' || code === 'frozen') this.chat.silence = code;
    const refused = ref && this.outbox.refuse(ref, { code, text });
    if (!refused) return this.tell(`error: ${text}`, 'warning');
    if (code === 'room_sealed') this.chat.rooms.get(refused.key).isSealed = true;
    return this.saveOutbox();
  }

  #effect({ kind, request, room, message }) {
    if (kind === 'ask') this.session.request({ ...request, ref: 'who' });
    if (kind === 'left') this.goAnywhere();
    if (kind !== 'arrived') return;
    if (room === this.chat.room && room.divider === room.read) this.#hasSeenMark = true;
    if (!this.#isFocused || room !== this.chat.room) notify(room, message, this.level, () => this.change(() => this.go(room.key)));
  }

  #save() {
    const { session: { name, token }, chat: { wantedRooms, current, away } } = this;
    this.#storage.set('session', { name, token, rooms: wantedRooms, current, away });
  }
}
