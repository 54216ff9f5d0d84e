/**
 * State of the chat as the events of the server make it. Pure: what an event asks of the rest of the page is returned as
 * effects.
 */
import { NameColours } from './colours.js';
import { mentionsOf } from './links.js';
import { Room, keyOf } from './room.js';
import { withVisit } from './visits.js';

/** Arrivals within this time share a line. */
const VISITS_MS = 60000;
/** A rename is announced once for each shared room (E3), and shown once. */
const RENAME_MS = 2000;
/** Notices this soon after a welcome are its greeting, shown again only where it has changed. */
const GREETING_MS = 2000;

/**
 * `arrived` is a new message of somebody else.
 * @typedef {{kind: 'ask', request: object} | {kind: 'entered' | 'left', key: string}
 *   | {kind: 'arrived', room: Room, message: import('./room.js').Message}} Effect
 */

export class Chat {
  me = '';
  /** @type {Map<string, Room>} by key, in the order of the list */
  rooms = new Map();
  /** Key of the conversation on the screen. */
  current = '';
  colours = new NameColours();
  isOperator = false;
  /** Reason of being away. @type {string | null} */
  away = null;
  /** @type {Set<string>} names in lower case whose messages are hidden */
  ignored = new Set();
  /** Last person that wrote to the reader alone. */
  lastWriter = '';
  /** Changes with what the list of people shows. */
  peopleRevision = 0;
  /** True while the reader sees what arrives in the current conversation. */
  isAttended = true;
  #readBefore;
  #directIds = new Set();
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

  /** Names of the rooms to be in. */
  get wantedRooms() {
    return [...this.rooms.values()].filter(({ kind }) => kind === 'room').map(({ name }) => name);
  }

  /** What a reconnect needs to get only what was missed (E7). */
  get since() {
    const newest = this.wantedRooms.map((name) => [name, this.rooms.get(keyOf('room', name)).newest]);
    return Object.fromEntries(newest.filter(([, seq]) => seq > 0));
  }

  get readNumbers() {
    return { ...this.#readBefore, ...Object.fromEntries([...this.rooms].map(([key, { read }]) => [key, read])) };
  }

  /** Returns whether members have sealed a room: what this page sent there would be readable (S7). */
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

  /** Adds a line of the page's own. */
  note(text, { tone = 'plain', at, room = this.room }) {
    room?.addNote({ at, text, tone });
  }

  /**
   * @param {any} event well-formed
   * @param {{now: number, isOwn?: boolean}} context `isOwn`: it answers this page
   * @returns {Effect[]}
   */
  receive(event, { now, isOwn = false }) {
    if (event.type !== 'message') this.peopleRevision += 1;
    const room = event.room === undefined ? undefined : this.rooms.get(keyOf('room', event.room));
    switch (event.type) {
      case 'welcome': return this.#welcome(event, now);
      case 'direct': return this.#direct(event, isOwn, now);
      case 'joined': return this.#joined(room, event, isOwn, now);
      case 'renamed': this.#renamed(event, now); break;
      case 'notice': this.#notice(event.text, now); break;
      case 'away': if (event.name === this.me) this.away = event.text ?? null; break;
      case 'act': if (event.act === 'op' && isOwn) this.isOperator = true; break;
      default:
    }
    if (!room) return [];
    switch (event.type) {
      case 'message': return this.#message(room, event, isOwn);
      case 'left': return this.#left(room, event, isOwn, now);
      case 'members': this.#members(room, event); break;
      case 'history': this.addPage(room.name, event.messages, {}, true); break;
      case 'gap': room.noteGap(event.from, event.to); break;
      default:
    }
    return [];
  }

  /** Takes a page of stored messages that was asked for. */
  addPage(name, messages, range, hasMore) {
    const room = this.rooms.get(keyOf('room', name));
    room?.addPage(messages.map((said) => this.#toMessage(room, said, false)), range, hasMore);
  }

  #welcome({ name, rooms }, now) {
    this.me = name;
    this.isOperator = false;
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
    Object.assign(room, { isJoined: true, isSealed: sealed !== undefined, hasHistory: true, count: count ?? room.count });
    if (room.noteNewest(seq)) {
      this.note('The server counts the messages of this room anew: it keeps no history, or has lost it. What was said meanwhile '
        + 'may be missing.', { tone: 'warning', at: now, room });
    }
    if (isNew) {
      // What is there at first counts as read, but for what came since a reload.
      const before = this.#readBefore[key];
      room.read = before === undefined ? seq : before > seq ? 0 : before;
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
    // The server does not remember these ids: what was sent twice arrives twice (E3).
    const mark = `${event.from}/${event.id}`;
    if (event.id !== undefined && this.#directIds.has(mark)) return [];
    this.#directIds.add(mark);
    const room = this.directWith(other);
    room.name = other;
    if (!isMine) {
      this.lastWriter = other;
      this.#writers.add(other.toLowerCase());
    }
    this.colours.assign(event.from);
    return this.#arrive(room, this.#toMessage(room, { ...event, at: event.at ?? now, seq: room.newest + 1 }, isMine));
  }

  #arrive(room, message) {
    const isUnseen = message.isCounted && message.seq > room.newest && !this.isAttended;
    if (isUnseen && room.key === this.current) room.noteUnseen();
    return room.add(message) && message.isCounted ? [{ kind: 'arrived', room, message }] : [];
  }

  #toMessage({ epoch }, { seq, at, from, text, action, sealed }, isOwn) {
    const isMine = isOwn || from === this.me;
    const isIgnored = this.ignored.has(from.toLowerCase());
    const isCounted = !isMine && !isIgnored;
    return {
      kind: 'message', epoch, seq, at: new Date(at).getTime(), from, text, action: action === true, isSealed: sealed !== undefined,
      isMine, isIgnored, isCounted, isMention: isCounted && mentionsOf(this.me, text).length > 0,
    };
  }

  #joined(room, event, isOwn, now) {
    // Only the answer to the one who joined has the number (E3).
    if (event.seq !== undefined && (isOwn || event.names.includes(this.me))) {
      return [...this.#enter({ ...event, count: undefined }, now), { kind: 'entered', key: keyOf('room', event.room) }];
    }
    if (!room) return [];
    const names = event.names.filter((name) => name !== this.me && !room.members.has(name));
    for (const name of names) {
      room.members.add(name);
      this.colours.assign(name);
    }
    return this.#visit(room, 'came', names, event, now);
  }

  #left(room, event, isOwn, now) {
    if (isOwn) {
      this.rooms.delete(room.key);
      return [{ kind: 'left', key: room.key }];
    }
    // A `left` of the reader's own name is about an earlier connection (E3).
    const names = event.names.filter((name) => name !== this.me && room.members.delete(name));
    for (const name of names) this.colours.release(name);
    return this.#visit(room, 'went', names, event, now);
  }

  #visit(room, direction, names, event, now) {
    const unnamed = Math.max(0, event.count - event.names.length);
    const people = names.length + unnamed;
    room.count = Math.max(room.members.size, room.count + (direction === 'came' ? people : -people));
    if (people > 0) {
      const last = room.entries.at(-1);
      const goesOn = last?.visits && now - last.at < VISITS_MS;
      if (goesOn) {
        room.entries.pop();
        room.revision += 1;
      }
      room.addNote({ at: now, text: '', tone: 'visits', visits: withVisit(goesOn ? last.visits : undefined, direction, names, unnamed) });
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
      if ((isHere || (isMe && room === this.room)) && !isAgain) this.note(isMe ? `you are now ${to}` : `${from} is now ${to}`, { at: now, room });
    }
  }

  /** A conversation goes on under the person's new name, unless there is another one with it. */
  #moveDirect(from, to) {
    const [before, after] = [keyOf('direct', from), keyOf('direct', to)];
    const room = this.rooms.get(before);
    if (!room || (this.rooms.has(after) && before !== after)) return;
    this.rooms.delete(before);
    room.name = to;
    this.rooms.set(after, room);
    if (this.current === before) this.current = after;
  }

  #members(room, { names, count }) {
    for (const name of room.members) if (!names.includes(name)) this.colours.release(name);
    for (const name of names) this.colours.assign(name);
    Object.assign(room, { members: new Set(names), count });
  }

  #notice(text, now) {
    if (now - this.#welcomedAt < GREETING_MS) {
      if (this.#greeting.has(text)) return;
      this.#greeting.add(text);
    }
    this.note(text, { tone: 'server', at: now });
  }
}
