/**
 * The page in use: joins the session, the state of the chat and what is on the screen. Everything
 * that arrives or is done marks the page as changed, and one drawing a frame shows it.
 */
import { Actions } from './actions.js';
import { Composer } from './composer.js';
import { openHelp, openPerson, openRoomList, openSettings } from './dialogs.js';
import { byId } from './dom.js';
import { isWellFormed } from './events.js';
import { actInWords, readersInWords } from './format.js';
import { Link } from './frames.js';
import { LogView } from './log.js';
import { askPermission, notify } from './notify.js';
import { Outbox } from './outbox.js';
import * as render from './render.js';
import { Requests } from './requests.js';
import { Results } from './results.js';
import { Session } from './session.js';
import { Chat } from './state.js';
import { restoreDirects, savedDirects } from './storage.js';

/** Messages of a page of the history. */
const PAGE_MESSAGES = 100;
/** A drawing comes at the latest after this time: hidden pages have no frames. */
const DRAW_MS = 200;
/** Time between two ticks; one that comes much later says that the page was asleep. */
const TICK_MS = 1000;
const ASLEEP_MS = 20000;

export class Page {
  #storage;
  #preferences;
  #isDrawing = false;
  #isLoading = false;
  /** The mark was on the screen: what is read from there on counts. */
  #hasSeenMark = true;
  #savedRead = '';
  #tickedAt = Date.now();
  #wanted = '';
  #onRefused;

  /**
   * @param {import('./storage.js').TabStorage} storage of the person in this tab
   * @param {import('./storage.js').TabStorage} preferences of the browser
   * @param {(why: string) => void} onRefused the server takes no session under this name
   */
  constructor(storage, preferences, onRefused) {
    this.#storage = storage;
    this.#preferences = preferences;
    this.#onRefused = onRefused;
    this.chat = new Chat(storage.get('read', {}));
    restoreDirects(this.chat, storage.get('directs', []));
    this.outbox = new Outbox(storage.get('outbox', []));
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.link = new Link(`${scheme}://${location.host}/ws`, {
      opened: () => this.#change(() => this.session.opened(Date.now())),
      received: (events) => this.#change(() => events.forEach((event) => this.#receive(event))),
      closed: (why) => this.#change(() => {
        this.requests.drop();
        this.session.closed(why, Date.now());
      }),
    });
    this.session = new Session({
      link: this.link, outbox: this.outbox, chat: this.chat, random: Math.random, listener: (event) => this.#on(event),
    });
    this.requests = new Requests((request) => this.session.request(request));
    this.view = new LogView(byId('log'), { wantOlder: () => this.#loadOlder(), scrolled: () => this.refresh() });
    this.results = new Results(this.requests, (room, seq) => this.jump(room, seq));
    this.actions = new Actions(this);
    this.composer = new Composer({ line: byId('line'), hint: byId('hint'), form: byId('composer') }, storage, {
      send: (text) => this.#change(() => this.actions.line(text)),
      sources: () => this.#sources(),
    });
    byId('readers').textContent = readersInWords(location.protocol);
  }

  /** Connects as this person. */
  start(identity) {
    this.#wanted = identity.current ?? '';
    if (typeof identity.away === 'string') this.chat.away = identity.away;
    this.#change(() => this.session.start(identity, Date.now()));
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** Connects again after the end, under a name. */
  restart(name) {
    this.#change(() => this.session.start({ name, token: this.session.token, rooms: this.chat.wantedRooms }, Date.now()));
  }

  /** Shows what has changed, with the next frame. */
  refresh() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    const draw = () => {
      if (!this.#isDrawing) return;
      this.#isDrawing = false;
      clearTimeout(timer);
      this.#draw();
    };
    const timer = setTimeout(draw, DRAW_MS);
    requestAnimationFrame(draw);
  }

  /** A line of the page's own in the current conversation. */
  tell = (text, tone = 'plain') => {
    this.chat.note(text, { tone, at: Date.now() });
    this.refresh();
  };

  newId() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Shows a conversation. */
  go(key) {
    if (!this.chat.rooms.has(key)) return false;
    document.body.classList.remove('side-open');
    this.chat.show(key);
    this.composer.open(key);
    this.#hasSeenMark = this.chat.room.divider === null;
    this.#save();
    this.refresh();
    return true;
  }

  goAnywhere() {
    const next = this.chat.rooms.keys().next().value;
    if (next === undefined) this.chat.current = '';
    else if (!this.chat.rooms.has(this.chat.current)) this.go(next);
    this.#save();
    this.refresh();
  }

  /** Goes to the next conversation in the list; with `unread` to the next that has something new. */
  goNext(step, isUnread) {
    const keys = [...this.chat.rooms.keys()];
    const at = keys.indexOf(this.chat.current);
    for (let distance = 1; distance < keys.length; distance += 1) {
      const key = keys[(at + step * distance + keys.length * distance) % keys.length];
      if (!isUnread || this.chat.rooms.get(key).unread > 0) return this.go(key);
    }
    return false;
  }

  /** A message was put into the outbox. */
  posted(key) {
    this.#saveOutbox();
    const { room } = this.chat;
    if (room?.key !== key) return;
    if (room.unread === 0) room.setDivider(null);
    this.view.toEnd();
  }

  search(query) {
    const { room } = this.chat;
    if (!room || query.trim() === '') return false;
    byId('search').value = query;
    this.results.search(room, query, (name) => this.chat.colours.of(name));
    return true;
  }

  /** Shows a message, and loads what is around it where that is needed. */
  async jump(room, seq) {
    this.go(room.key);
    this.#draw();
    if (this.view.toMessage(seq, this.#context())) return;
    await this.#load(room, { around: seq });
    this.#draw();
    if (!this.view.toMessage(seq, this.#context())) this.tell(`message ${seq} is not stored any more`, 'warning');
  }

  async jumpToMark() {
    const { room } = this.chat;
    if (!room.isDividerLoaded) {
      await this.#load(room, { around: room.divider + 1 });
      this.#draw();
    }
    if (!this.view.toMark(this.#context()) && room.firstUnread !== null) this.view.toMessage(room.firstUnread, this.#context());
    this.refresh();
  }

  markRead() {
    this.chat.room?.markAllRead();
    this.#hasSeenMark = true;
    this.refresh();
  }

  loadOlder() {
    if (this.chat.room) this.view.showOlder(this.#context());
  }

  /** Loads messages that are missing between others. */
  loadHole(from, to) {
    const { room } = this.chat;
    return this.#load(room, to - from < PAGE_MESSAGES ? { after: from - 1, before: to + 1, to } : { before: to + 1 });
  }

  openHelp() {
    openHelp();
  }

  openSettings() {
    openSettings({
      name: this.chat.me, away: this.chat.away, level: this.#level, readers: readersInWords(location.protocol),
      rename: (name) => this.actions.rename(name), setAway: (text) => this.actions.setAway(text),
      setLevel: (level) => this.setLevel(level), quit: () => this.quit(),
    });
  }

  async setLevel(level) {
    const isAllowed = level === 'off' || await askPermission();
    this.#preferences.set('level', isAllowed ? level : 'off');
    if (byId('settings').open) this.openSettings();
    else this.tell(isAllowed ? `notifications: ${level}` : 'the browser does not allow notifications here; the settings (your name, bottom left) say why');
  }

  showPerson(name, whois) {
    const shown = whois?.type === 'whois' ? whois.name : name;
    openPerson(shown, whois, {
      now: Date.now(), isMe: shown === this.chat.me, isOperator: this.chat.isOperator,
      isIgnored: this.chat.ignored.has(shown.toLowerCase()), colour: this.chat.colours.of(shown),
      act: (what) => this.#change(() => this.#actOn(shown, what)),
    });
  }

  showRoomList(answer) {
    openRoomList(answer, (room) => this.#change(() => this.actions.join(room)));
  }

  /** Leaves the chat; nothing of the person stays in the tab. */
  quit() {
    this.session.leave();
    this.#storage.dropPerson();
    location.reload();
    return true;
  }

  /** The page was asleep or out of sight, or the network has changed. */
  wake() {
    this.#change(() => this.session.wake(Date.now()));
  }

  /** Forgets a message of the outbox, or sends it once more. */
  pending(action, id) {
    this.#change(() => {
      if (action === 'again') this.outbox.sendAgain(id, this.newId(), Date.now());
      else {
        const removed = this.outbox.remove(id);
        if (action === 'edit' && removed) this.composer.bring(removed.request.text);
      }
      this.#saveOutbox();
      this.session.pump();
    });
  }

  #actOn(name, what) {
    if (what === 'direct') this.actions.direct(name);
    else if (what === 'mention') this.composer.insert(byId('line').value === '' ? `${name}: ` : `${name} `);
    else if (what === 'ignore') this.actions.ignore(name);
    else if (what === 'unignore') this.actions.unignore(name);
    else this.actions.operate(what);
    byId('line').focus();
  }

  #change(change) {
    const result = change();
    this.refresh();
    return result;
  }

  #receive(event) {
    if (isWellFormed(event)) this.session.received(event, Date.now());
    else console.warn('an event of the server that this page does not know', event.type);
  }

  /** Takes what the session has for the page. */
  #on(event) {
    const now = Date.now();
    switch (event.type) {
      case 'outbox': return this.#saveOutbox();
      case 'ended': return this.#ended();
      case 'error': return this.#refused(event);
      case 'act': this.tell(actInWords(event, now), 'server'); break;
      case 'bye': return event.ref === undefined && this.tell(event.text, 'server');
      default:
    }
    const isOwn = this.#isOwn(event);
    const isAnswer = event.ref !== undefined && this.requests.take(event);
    const isHandled = isAnswer && ['history', 'members', 'whois', 'rooms'].includes(event.type);
    if (isHandled && event.type !== 'members') return;
    this.chat.isAttended = this.#isFocused && this.view.isFollowing;
    for (const effect of this.chat.receive(event, { now, isOwn })) this.#effect(effect);
    if (event.type === 'welcome') this.#welcomed();
    if (event.type === 'renamed' || event.type === 'away') this.#save();
    if (event.type === 'away' && event.name !== this.chat.me) this.tell(`${event.name} is away (${event.text ?? 'no reason given'})`);
    if (event.type === 'direct' || event.type === 'renamed') this.#saveDirects();
  }

  /** Returns whether an event is the answer to something that this page sent. */
  #isOwn(event) {
    if (event.type !== 'message' && event.type !== 'direct') return event.ref !== undefined;
    const pending = this.outbox.all.find(({ id }) => id === event.id);
    // Another client may use the same id (E4); only this one's message has this text as well.
    const isOwn = pending?.wasSent === true && pending.request.text === event.text;
    if (isOwn && this.outbox.acknowledge(event.id)) this.#saveOutbox();
    return isOwn;
  }

  #refused(event) {
    if (event.ref !== undefined && this.requests.take(event)) return;
    const refused = event.ref === undefined ? undefined : this.outbox.refuse(event.ref, { code: event.code, text: event.text });
    if (!refused) return this.tell(`error: ${event.text}`, 'warning');
    if (event.code === 'room_sealed') this.chat.rooms.get(refused.key).isSealed = true;
    this.#saveOutbox();
  }

  #ended() {
    if (this.chat.me === '') this.#onRefused(this.session.phase.why);
  }

  #effect(effect) {
    if (effect.kind === 'ask') this.session.request({ ...effect.request, ref: 'who' });
    if (effect.kind === 'entered') this.go(effect.key);
    if (effect.kind === 'left') this.goAnywhere();
    if (effect.kind === 'arrived') this.#arrived(effect);
  }

  #arrived({ room, message }) {
    if (room.key === this.chat.current && room.divider === room.read) this.#hasSeenMark = true;
    if (!this.#isFocused) notify(room, message, this.#level, () => this.go(room.key));
  }

  #welcomed() {
    const { chat } = this;
    if (!chat.room) this.go(chat.rooms.has(this.#wanted) ? this.#wanted : chat.rooms.keys().next().value ?? '');
    this.#save();
  }

  get #level() {
    return this.#preferences.get('level', 'off');
  }

  get #isFocused() {
    return document.visibilityState === 'visible' && document.hasFocus();
  }

  #context() {
    const { chat } = this;
    return { me: chat.me, room: chat.room, colourOf: (name) => chat.colours.of(name), now: Date.now() };
  }

  #sources() {
    const { chat } = this;
    const speakers = (chat.room?.entries ?? []).slice(-500).filter(({ kind }) => kind === 'message').map(({ from }) => from).reverse();
    const names = new Set([...speakers, ...(chat.room?.members ?? []), ...(chat.room?.kind === 'direct' ? [chat.room.name] : [])]);
    names.delete(chat.me);
    const rooms = [...chat.rooms.values()].filter(({ kind }) => kind === 'room').map(({ name }) => name);
    return { names: [...names], rooms };
  }

  #draw() {
    const { chat, view } = this;
    const model = { chat, session: this.session, outbox: this.outbox, now: Date.now() };
    const context = this.#context();
    if (context.room) {
      view.show(context, this.#isFocused);
      view.showPending(this.outbox.of(chat.current), context, this.session.isOnline);
      this.#noteSeen();
      if (view.isNearTop && !this.#isLoading && chat.room.entries.length > 0) view.showOlder(context);
    }
    byId('log').hidden = !context.room;
    render.renderSide(model);
    render.renderPeople(model);
    render.renderTop(model);
    render.renderEmpty(model);
    render.renderConnection(model);
    render.renderJumps(model, view);
    render.renderTitle(model);
  }

  /** Messages on the screen are read, but only once the place where reading stopped was there too. */
  #noteSeen() {
    const { room } = this.chat;
    if (this.view.markPlace === 'here') this.#hasSeenMark = true;
    if (!this.#isFocused || !this.#hasSeenMark) return;
    room.markRead(this.view.isFollowing ? room.newest : this.view.seen);
    const read = JSON.stringify(this.chat.readNumbers);
    if (read !== this.#savedRead) this.#storage.set('read', this.chat.readNumbers);
    this.#savedRead = read;
  }

  #loadOlder() {
    const { room } = this.chat;
    if (room.kind !== 'room' || room.isComplete || !room.hasHistory || !room.isJoined || room.oldest === 1) return;
    this.#load(room, { before: room.oldest ?? room.newest + 1 });
  }

  /** Asks for a page of stored messages, and takes it in. */
  async #load(room, range) {
    if (room.kind !== 'room' || this.#isLoading) return;
    this.#isLoading = true;
    const { to: _, ...asked } = range;
    const answer = await this.requests.ask({ type: 'history', room: room.name, limit: PAGE_MESSAGES, ...asked });
    if (answer?.type === 'history') this.chat.addPage(room.name, answer.messages, range, answer.more === true);
    else if (answer?.code === 'no_history') this.#noHistory(room);
    else if (answer) this.tell(`error: ${answer.text}`, 'warning');
    this.#isLoading = false;
    this.refresh();
  }

  #noHistory(room) {
    room.hasHistory = false;
    room.revision += 1;
  }

  #tick() {
    const now = Date.now();
    const wasAsleep = now - this.#tickedAt > ASLEEP_MS;
    this.#tickedAt = now;
    if (wasAsleep) this.session.wake(now);
    this.session.tick(now);
    this.refresh();
  }

  #save() {
    const { session, chat } = this;
    const rooms = chat.wantedRooms;
    this.#storage.set('session', { name: session.name, token: session.token, rooms, current: chat.current, away: chat.away });
  }

  #saveOutbox() {
    this.#storage.set('outbox', this.outbox.all);
  }

  #saveDirects() {
    this.#storage.set('directs', savedDirects(this.chat));
  }
}
