/** State of the chat as the events of the server make it. Pure: what an event asks of the page is returned as effects. */
import { NameColours } from './colours.js';
import { timeOfDay } from './format.js';
import { mentionsOf } from './links.js';
import { Room, keyOf } from './room.js';

/** Arrivals within this time share a line; a rename is shown once, though each shared room announces it (E3). */
const VISITS_MS = 60000;
const RENAME_MS = 2000;
/** Notices this soon after a welcome are its greeting, shown again only where it has changed. */
const GREETING_MS = 2000;
/** Writers that are remembered, to answer them; a server remembers fewer (E3). */
const WRITERS_MAX = 256;
/** Conversations that others have begun and the reader has not answered; past it the oldest is closed. */
const UNANSWERED_MAX = 100;
const CROWDED = 'Too many people write to you alone: the oldest conversations are closed.';
const ANEW = 'The server counts this room anew: it has no history. What was said meanwhile may be missing.';

/**
 * `arrived` is a new message of somebody else.
 * @typedef {{kind: 'ask' | 'left' | 'arrived', request?: object, room?: Room, message?: object}} Effect
 */

export class Chat {
  me = '';
  /** Conversations by key, and the one on the screen. @type {Map<string, Room>} */
  rooms = new Map();
  current = '';
  colours = new NameColours();
  isOperator = false;
  /** Reason why the server takes no message of members, as far as it is known. @type {'' | 'muted' | 'frozen' | 'none'} */
  silence = '';
  /** Reason of being away. @type {string | null} */
  away = null;
  /** Names in lower case whose messages are hidden. @type {Set<string>} */
  ignored = new Set();
  /** Last person that wrote to the reader alone. */
  lastWriter = '';
  /** True while the reader sees what arrives in the current conversation. */
  isAttended = true;
  #readBefore;
  #isCrowded = false;
  #writers = new Set();
  #lastRename = { key: '', at: 0 };
  #welcomedAt = 0;
  #greeting = new Set();

  /** @param {Record<string, number>} [readBefore] numbers read before the page was loaded, by key */
  constructor(readBefore = {}) {
    this.#readBefore = readBefore;
  }

  /** @returns {Room | undefined} */
  get room() {
    return this.rooms.get(this.current);
  }

  /** Conversations in the order of the list: rooms, then persons. */
  get list() {
    return [...this.rooms.values()].sort((one, other) => other.kind.localeCompare(one.kind));
  }

  /** Names of the rooms to be in. */
  get wantedRooms() {
    return this.list.filter(({ kind }) => kind === 'room').map(({ name }) => name);
  }

  /** Newest numbers by room, with which a reconnect gets only what was missed (E7). */
  get since() {
    const rooms = this.list.filter(({ kind, newest }) => kind === 'room' && newest > 0);
    return Object.fromEntries(rooms.map(({ name, newest }) => [name, newest]));
  }

  get readNumbers() {
    return { ...this.#readBefore, ...Object.fromEntries(this.list.map(({ key, read }) => [key, read])) };
  }

  /** Names and unread counts of the conversations with persons. */
  get directs() {
    return this.list.filter(({ kind }) => kind === 'direct').map(({ name, unread }) => [name, unread]);
  }

  /** Restores them after a reload, which loses their messages. */
  restoreDirects(directs, now) {
    for (const [name, unread] of directs) {
      const room = Object.assign(this.directWith(name), { lostUnread: unread });
      this.note(`messages before ${timeOfDay(now)} are not kept${unread > 0 ? `; ${unread} of them unread` : ''}`, now, 'plain', room);
    }
  }

  /** Returns whether members have sealed a room: what a page sent there would be readable (S7). */
  isSealed(name) {
    return this.rooms.get(keyOf('room', name))?.isSealed ?? false;
  }

  /** Returns whether a message to a person answers one of this connection (E3, `reply`). */
  isReply(person) {
    return this.#writers.has(person.toLowerCase());
  }

  show(key) {
    if (!this.rooms.has(key) || key === this.current) return;
    this.room?.setDivider(null);
    this.current = key;
    this.room.enter();
  }

  /** Conversation with a person; it begins if there is none. */
  directWith(person) {
    const key = keyOf('direct', person);
    if (!this.rooms.has(key)) this.rooms.set(key, new Room('direct', person));
    return this.rooms.get(key);
  }

  /** Hides what somebody has said and says, or shows it again. */
  setIgnored(name, isIgnored) {
    const ignored = name.toLowerCase();
    this.ignored[isIgnored ? 'add' : 'delete'](ignored);
    for (const room of this.rooms.values()) {
      for (const entry of room.entries) if (entry.from?.toLowerCase() === ignored) this.#classify(entry);
      room.revision += 1;
    }
  }

  /** Adds a line of the page's own. */
  note(text, at, tone = 'plain', room = this.room) {
    room?.addNote({ at, text, tone });
  }

  /** @param {any} event well-formed @param {{now: number, isOwn?: boolean}} context `isOwn`: it answers this page @returns {Effect[]} */
  receive(event, { now, isOwn = false }) {
    const { type } = event;
    const room = this.rooms.get(keyOf('room', event.room ?? ''));
    if (type === 'welcome') return this.#welcome(event, now);
    if (type === 'direct') return this.#direct(event, isOwn, now);
    if (type === 'joined') return this.#joined(room, event, isOwn, now);
    if (type === 'message' && room) return this.#message(room, event, isOwn);
    if (type === 'left' && room) return this.#left(room, event, isOwn, now);
    if (type === 'renamed') this.#renamed(event, now);
    if (type === 'notice') this.#notice(event.text, now);
    if (type === 'act') this.silence = { freeze: 'frozen', thaw: 'none' }[event.act] ?? this.silence;
    if (type === 'away' && event.name === this.me) this.away = event.text ?? null;
    if (type === 'act' && event.act === 'op' && isOwn) this.isOperator = true;
    if (type === 'members' && room) this.#members(room, event);
    if (type === 'history') this.addPage(event.room, event.messages, {}, true);
    if (type === 'gap') room?.noteGap(event.from, event.to);
    return [];
  }

  /** Takes stored messages. Returns whether there are new ones among them. */
  addPage(name, messages, range, hasMore) {
    const room = this.rooms.get(keyOf('room', name));
    return room?.addPage(messages.map((said) => this.#toMessage(room, said, false)), range, hasMore);
  }

  #welcome({ name, rooms }, now) {
    Object.assign(this, { me: name, isOperator: false, silence: '' });
    this.#welcomedAt = now;
    this.#writers.clear();
    for (const room of this.rooms.values()) room.isJoined = room.kind === 'direct';
    return rooms.flatMap((state) => this.#enter(state, now));
  }

  /** Enters a room, or finds it again after a reconnect. */
  #enter({ room: name, seq, count, sealed }, now) {
    const key = keyOf('room', name);
    const isNew = !this.rooms.has(key);
    if (isNew) this.rooms.set(key, new Room('room', name));
    const room = this.rooms.get(key);
    Object.assign(room, { isJoined: true, isSealed: sealed !== undefined, hasHistory: true, count });
    if (room.noteNewest(seq)) this.note(ANEW, now, 'warning', room);
    if (isNew) {
      // What is there counts as read, but for what came since the page was left.
      const before = this.#readBefore[key] ?? seq;
      room.read = before > seq ? 0 : before;
      if (this.current === key) room.enter();
    }
    return [{ kind: 'ask', request: { type: 'members', room: name } }];
  }

  #message(room, said, isOwn) {
    this.colours.assign(said.from);
    if (said.seq > room.newest) room.isSealed = said.sealed !== undefined;
    return this.#arrive(room, this.#toMessage(room, said, isOwn));
  }

  #direct(event, isOwn, now) {
    const isMine = isOwn || event.from === this.me;
    const other = isMine ? event.to : event.from;
    if (!isMine && !this.rooms.has(keyOf('direct', other))) this.#closeUnanswered(now);
    const room = Object.assign(this.directWith(other), { name: other });
    // The server does not remember these ids: what was sent twice arrives twice (E3).
    if (event.id !== undefined && room.entries.some(({ from, id }) => from === event.from && id === event.id)) return [];
    if (!isMine) {
      this.lastWriter = other;
      this.#writers.add(other.toLowerCase());
      if (this.#writers.size > WRITERS_MAX) this.#writers.delete(this.#writers.keys().next().value);
    }
    this.colours.assign(event.from);
    const message = this.#toMessage(room, { ...event, at: event.at ?? now, seq: room.newest + 1 }, isMine);
    return this.#arrive(room, { ...message, id: event.id });
  }

  /** Makes room for one more conversation, so that nobody fills the page with names. */
  #closeUnanswered(now) {
    const unanswered = [...this.rooms.values()].filter((room) => room.kind === 'direct' && room !== this.room && !room.entries.some(({ isMine }) => isMine));
    if (unanswered.length < UNANSWERED_MAX) return;
    this.rooms.delete(unanswered[0].key);
    if (!this.#isCrowded) this.note(CROWDED, now, 'warning');
    this.#isCrowded = true;
  }

  #arrive(room, message) {
    if (message.isCounted && message.seq > room.newest && !this.isAttended && room === this.room) room.noteUnseen();
    return room.add(message) && message.isCounted ? [{ kind: 'arrived', room, message }] : [];
  }

  #toMessage({ epoch }, { seq, at, from, text, action, sealed }, isOwn) {
    return this.#classify({ kind: 'message', epoch, seq, at: new Date(at).getTime(), from, text, action, isSealed: sealed !== undefined, isMine: isOwn || from === this.me });
  }

  /** Sets what a message is for the reader. */
  #classify(message) {
    const isIgnored = this.ignored.has(message.from.toLowerCase());
    const isCounted = !message.isMine && !isIgnored;
    return Object.assign(message, { isIgnored, isCounted, isMention: isCounted && mentionsOf(this.me, message.text).length > 0 });
  }

  #joined(room, event, isOwn, now) {
    // Only the answer to the one who joined has the number (E3).
    if (event.seq !== undefined && (isOwn || event.names.includes(this.me))) {
      return this.#enter({ ...event, count: room?.count ?? 0 }, now);
    }
    const names = event.names.filter((name) => room && name !== this.me && !room.members.has(name));
    for (const name of names) {
      room.members.add(name);
      this.colours.assign(name);
    }
    return room ? this.#visit(room, 'joined', names, event, now) : [];
  }

  #left(room, event, isOwn, now) {
    if (isOwn) {
      this.rooms.delete(room.key);
      return [{ kind: 'left' }];
    }
    // A `left` of the reader's own name is about an earlier connection (E3).
    const names = event.names.filter((name) => name !== this.me && room.members.delete(name));
    for (const name of names) this.colours.release(name);
    return this.#visit(room, 'left', names, event, now);
  }

  #visit(room, direction, names, event, now) {
    const unnamed = Math.max(0, event.count - event.names.length);
    const people = names.length + unnamed;
    room.count = Math.max(room.members.size, room.count + (direction === 'joined' ? people : -people));
    if (people > 0) {
      const last = room.entries.at(-1);
      const goesOn = last?.tone === direction && now - last.at < VISITS_MS;
      if (goesOn) room.entries.pop();
      room.revision += 1;
      room.addNote({ at: now, tone: direction, names: goesOn ? [...last.names, ...names] : names, unnamed: unnamed + (goesOn ? last.unnamed : 0) });
    }
    // Whom an announcement does not name is known from the list only (T11).
    return unnamed > 0 ? [{ kind: 'ask', request: { type: 'members', room: room.name } }] : [];
  }

  #renamed({ from, to }, now) {
    const key = `${from}\n${to}`;
    const isAgain = this.#lastRename.key === key && now - this.#lastRename.at < RENAME_MS;
    this.#lastRename = { key, at: now };
    const isMe = from === this.me;
    if (isMe) this.me = to;
    this.colours.release(from);
    this.colours.assign(to);
    this.#moveDirect(from, to);
    for (const room of this.rooms.values()) {
      const isHere = room.members.delete(from);
      if (isHere) room.members.add(to);
      if (!isAgain && (isHere || (isMe && room === this.room))) this.note(isMe ? `you are now ${to}` : `${from} is now ${to}`, now, 'plain', room);
    }
  }

  /** Moves a conversation to the person's new name, unless there is another one with it. */
  #moveDirect(from, to) {
    const [before, after] = [keyOf('direct', from), keyOf('direct', to)];
    const room = this.rooms.get(before);
    if (!room || this.rooms.has(after)) return;
    this.rooms.delete(before);
    this.rooms.set(after, Object.assign(room, { name: to }));
    if (this.current === before) this.current = after;
  }

  #members(room, { names, count }) {
    for (const name of room.members) if (!names.includes(name)) this.colours.release(name);
    for (const name of names) this.colours.assign(name);
    Object.assign(room, { members: new Set(names), count });
  }

  #notice(text, now) {
    // It may be the end of the silence; an operator is told of that by an act.
    if (!this.isOperator) this.silence = '';
    const isGreeting = now - this.#welcomedAt < GREETING_MS;
    if (isGreeting && this.#greeting.has(text)) return;
    if (isGreeting) this.#greeting.add(text);
    this.note(text, now, 'server');
  }
}
