/**
 * State of the chat as the events of the server make it: conversations, members, names. Pure: no
 * DOM, no clock, no network. What an event asks of the rest of the page is returned as effects.
 */
import { NameColours } from './colours.js';
import { mentionsOf } from './links.js';
import { Room, keyOf } from './room.js';
import { noVisits, withVisit } from './visits.js';

/** Arrivals within this time of each other share a line. */
const VISITS_MS = 60000;
/** A rename is announced once for each shared room within this time (E3). */
const RENAME_MS = 2000;
/** Notices this soon after a welcome are its greeting: shown again only if they have changed. */
const GREETING_MS = 2000;

/**
 * @typedef {{kind: 'ask', request: object}
 *   | {kind: 'entered', key: string}
 *   | {kind: 'left', key: string}
 *   | {kind: 'arrived', room: Room, message: import('./room.js').Message}} Effect
 *   `arrived` is a new message of another person
 */

export class Chat {
  me = '';
  /** @type {Map<string, Room>} by key, in the order of the list */
  rooms = new Map();
  /** Key of the conversation on the screen. */
  current = '';
  colours = new NameColours();
  isOperator = false;
  /** Reason of being away, or `null`. @type {string | null} */
  away = null;
  /** @type {Set<string>} names in lower case whose messages are hidden */
  ignored = new Set();
  /** Last person that wrote to the reader alone. */
  lastWriter = '';
  /** Changes with everything that the list of people shows. */
  peopleRevision = 0;
  /** True while the reader sees what arrives in the current conversation. */
  isAttended = true;
  /** Numbers read before the page was loaded, by key. @type {Record<string, number>} */
  #readBefore;
  /** @type {Set<string>} ids of direct messages that have come */
  #directIds = new Set();
  /** @type {Set<string>} persons that have written on this connection, in lower case */
  #writers = new Set();
  #lastRename = { from: '', to: '', at: 0 };
  #welcomedAt = 0;
  #greeting = new Set();

  /** @param {Record<string, number>} [readBefore] */
  constructor(readBefore = {}) {
    this.#readBefore = readBefore;
  }

  /** Conversation on the screen. @returns {Room | undefined} */
  get room() {
    return this.rooms.get(this.current);
  }

  /** Rooms that the reader is in. */
  get joined() {
    return [...this.rooms.values()].filter((room) => room.kind === 'room' && room.isJoined);
  }

  /** Names of the rooms to be in: those that a reconnect enters again. */
  get wantedRooms() {
    return [...this.rooms.values()].filter((room) => room.kind === 'room').map((room) => room.name);
  }

  /** Returns whether members have sealed a room: what this page sent there would be readable (S7). */
  isSealed(name) {
    return this.rooms.get(keyOf('room', name))?.isSealed ?? false;
  }

  /** What a reconnect needs to get only what was missed (E7). */
  get since() {
    const rooms = [...this.rooms.values()].filter((room) => room.kind === 'room');
    return Object.fromEntries(rooms.filter((room) => room.newest > 0).map((room) => [room.name, room.newest]));
  }

  /** Numbers read, by key. */
  get readNumbers() {
    const rooms = [...this.rooms.values()];
    return { ...this.#readBefore, ...Object.fromEntries(rooms.map((room) => [room.key, room.read])) };
  }

  /** Returns whether a direct message to a person answers one of this connection (E3, `reply`). */
  isReply(person) {
    return this.#writers.has(person.toLowerCase());
  }

  /** Puts a conversation on the screen. */
  show(key) {
    const room = this.rooms.get(key);
    if (!room || key === this.current) return;
    if (this.room) this.room.setDivider(null);
    this.current = key;
    room.enter();
  }

  /** Conversation with one person, which begins if there is none. */
  directWith(person) {
    const key = keyOf('direct', person);
    if (!this.rooms.has(key)) this.rooms.set(key, new Room('direct', person));
    return this.rooms.get(key);
  }

  /** Adds a line of the page's own to a conversation, else to the current one. */
  note(text, { tone = 'plain', at, room = this.room }) {
    room?.addNote({ at, text, tone });
  }

  /**
   * Processes an event.
   * @param {any} event well-formed
   * @param {{now: number, isOwn?: boolean}} context `isOwn`: it answers a request of this page
   * @returns {Effect[]}
   */
  receive(event, { now, isOwn = false }) {
    if (event.type !== 'message') this.peopleRevision += 1;
    switch (event.type) {
      case 'welcome': return this.#welcome(event, now);
      case 'message': return this.#message(event, isOwn);
      case 'direct': return this.#direct(event, isOwn, now);
      case 'joined': return this.#joined(event, isOwn, now);
      case 'left': return this.#left(event, isOwn, now);
      case 'renamed': return this.#renamed(event, now);
      case 'members': return this.#members(event);
      case 'history': return this.#context(event);
      case 'gap': return this.#gap(event);
      case 'notice': return this.#notice(event, now);
      case 'away': return this.#away(event);
      case 'act': return this.#act(event, isOwn);
      default: return [];
    }
  }

  /** Takes a page of stored messages that was asked for. */
  addPage(name, messages, range, hasMore) {
    const room = this.rooms.get(keyOf('room', name));
    room?.addPage(messages.map((said) => this.#toMessage(room, said, false)), range, hasMore);
  }

  #welcome(event, now) {
    this.me = event.name;
    this.isOperator = false;
    this.#welcomedAt = now;
    this.#writers.clear();
    const present = new Set(event.rooms.map((state) => state.room));
    for (const room of this.joined) if (!present.has(room.name)) room.isJoined = false;
    return event.rooms.flatMap((state) => this.#enter(state, now));
  }

  /** Enters a room, or finds it again after a reconnect. */
  #enter({ room: name, seq, count, sealed }, now) {
    const key = keyOf('room', name);
    const isNew = !this.rooms.has(key);
    if (isNew) this.rooms.set(key, new Room('room', name));
    const room = this.rooms.get(key);
    room.isJoined = true;
    room.isSealed = sealed !== undefined;
    room.hasHistory = true;
    if (count !== undefined) room.count = count;
    if (room.noteNewest(seq)) {
      this.note('The server counts the messages of this room anew: it keeps no history, or has lost it. '
        + 'What was said meanwhile may be missing.', { tone: 'warning', at: now, room });
    }
    if (isNew) this.#resumeReading(room);
    return [{ kind: 'ask', request: { type: 'members', room: name } }];
  }

  /** Everything in a room that is new to the page counts as read, but for what came since a reload. */
  #resumeReading(room) {
    const before = this.#readBefore[room.key];
    const isAnew = before > room.newest;
    room.read = before === undefined ? room.newest : isAnew ? 0 : before;
    if (this.current === room.key) room.enter();
  }

  #message(said, isOwn) {
    const room = this.rooms.get(keyOf('room', said.room));
    if (!room) return [];
    const message = this.#toMessage(room, said, isOwn);
    const isNewest = said.seq > room.newest;
    this.colours.assign(said.from);
    const effects = this.#arrive(room, message);
    if (isNewest) room.isSealed = message.isSealed;
    return effects;
  }

  #direct(event, isOwn, now) {
    const isMine = isOwn || event.from === this.me;
    const mark = `${event.from}/${event.id}`;
    // The server does not remember these ids: a message that was sent twice arrives twice (E3).
    if (event.id !== undefined && this.#directIds.has(mark)) return [];
    if (event.id !== undefined) this.#directIds.add(mark);
    const room = this.directWith(isMine ? event.to : event.from);
    room.name = isMine ? event.to : event.from;
    if (!isMine) {
      this.lastWriter = event.from;
      this.#writers.add(event.from.toLowerCase());
    }
    this.colours.assign(event.from);
    const at = event.at ?? new Date(now).toISOString();
    return this.#arrive(room, this.#toMessage(room, { ...event, at, seq: room.newest + 1 }, isMine));
  }

  #arrive(room, message) {
    const isUnseen = message.isCounted && !(this.isAttended && room.key === this.current);
    if (isUnseen && room.key === this.current && message.seq > room.newest) room.noteUnseen();
    if (!room.add(message) || !message.isCounted) return [];
    return [{ kind: 'arrived', room, message }];
  }

  #toMessage(room, said, isOwn) {
    const isMine = isOwn || said.from === this.me;
    const isIgnored = this.ignored.has(said.from.toLowerCase());
    return {
      kind: 'message', epoch: room.epoch, seq: said.seq, at: Date.parse(said.at), from: said.from, text: said.text,
      action: said.action === true, isSealed: said.sealed !== undefined, isMine, isIgnored,
      isMention: !isMine && mentionsOf(this.me, said.text).length > 0,
      isCounted: !isMine && !isIgnored,
    };
  }

  #joined(event, isOwn, now) {
    const room = this.rooms.get(keyOf('room', event.room));
    // Only the answer to the one who joined has the number (E3).
    if (event.seq !== undefined && (isOwn || event.names.includes(this.me))) {
      const effects = this.#enter({ ...event, count: room?.count }, now);
      return [...effects, { kind: 'entered', key: keyOf('room', event.room) }];
    }
    if (!room) return [];
    const names = event.names.filter((name) => name !== this.me && !room.members.has(name));
    for (const name of names) {
      room.members.add(name);
      this.colours.assign(name);
    }
    return this.#visit(room, 'came', names, event, now);
  }

  #left(event, isOwn, now) {
    const room = this.rooms.get(keyOf('room', event.room));
    if (!room) return [];
    if (isOwn) {
      this.rooms.delete(room.key);
      return [{ kind: 'left', key: room.key }];
    }
    // A `left` of the reader's own name is about an earlier connection (E3).
    const names = event.names.filter((name) => name !== this.me && room.members.has(name));
    for (const name of names) {
      room.members.delete(name);
      this.colours.release(name);
    }
    return this.#visit(room, 'went', names, event, now);
  }

  #visit(room, direction, names, event, now) {
    const unnamed = Math.max(0, event.count - event.names.length);
    room.count = Math.max(room.members.size, room.count + (direction === 'came' ? 1 : -1) * (names.length + unnamed));
    if (names.length + unnamed > 0) this.#noteVisit(room, direction, names, unnamed, now);
    // Whom an announcement does not name is known from the list only (T11).
    return unnamed > 0 ? [{ kind: 'ask', request: { type: 'members', room: room.name } }] : [];
  }

  #noteVisit(room, direction, names, unnamed, now) {
    const last = room.entries.at(-1);
    const goesOn = last?.visits !== undefined && now - last.at < VISITS_MS;
    const visits = withVisit(goesOn ? last.visits : noVisits(), direction, names, unnamed);
    if (goesOn) {
      room.entries.pop();
      room.revision += 1;
    }
    room.addNote({ at: now, text: '', tone: 'visits', visits });
  }

  #renamed({ from, to }, now) {
    const isAgain = this.#lastRename.from === from && this.#lastRename.to === to && now - this.#lastRename.at < RENAME_MS;
    this.#lastRename = { from, to, at: now };
    const isMe = from === this.me;
    if (isMe) this.me = to;
    this.colours.release(from);
    this.colours.assign(to);
    this.#moveDirect(from, to);
    for (const room of this.rooms.values()) {
      const isHere = room.members.delete(from);
      if (isHere) room.members.add(to);
      const isShown = isHere || (isMe && room.key === this.current);
      if (isShown && !isAgain) this.note(isMe ? `you are now ${to}` : `${from} is now ${to}`, { at: now, room });
    }
    return [];
  }

  /** A conversation goes on under the person's new name, unless there is another one with it. */
  #moveDirect(from, to) {
    const [before, after] = [keyOf('direct', from), keyOf('direct', to)];
    const room = this.rooms.get(before);
    if (!room || this.rooms.has(after)) return;
    this.rooms.delete(before);
    room.name = to;
    this.rooms.set(after, room);
    if (this.current === before) this.current = after;
  }

  #members(event) {
    const room = this.rooms.get(keyOf('room', event.room));
    if (!room) return [];
    for (const name of room.members) if (!event.names.includes(name)) this.colours.release(name);
    room.members = new Set(event.names);
    room.count = event.count;
    for (const name of event.names) this.colours.assign(name);
    return [];
  }

  #context(event) {
    this.addPage(event.room, event.messages, {}, true);
    return [];
  }

  #gap({ room: name, from, to }) {
    this.rooms.get(keyOf('room', name))?.noteGap(from, to);
    return [];
  }

  #notice({ text }, now) {
    const isGreeting = now - this.#welcomedAt < GREETING_MS;
    if (isGreeting && this.#greeting.has(text)) return [];
    if (isGreeting) this.#greeting.add(text);
    this.note(text, { tone: 'server', at: now });
    return [];
  }

  #away(event) {
    if (event.name === this.me) this.away = event.text ?? null;
    return [];
  }

  #act({ act, by }, isOwn) {
    if (act === 'op' && isOwn && by === this.me) this.isOperator = true;
    return [];
  }
}
