/**
 * A conversation as a list of entries: a room, or direct messages with one person. Everything
 * about what was read, what is missing and what is a repetition follows from the numbers (`seq`)
 * of its messages. No DOM, no clock, no network.
 */
import { RangeSet } from './ranges.js';

/** Entries kept; past it the oldest are forgotten, and can be loaded again. */
export const ENTRIES_MAX = 20000;
/** Entries forgotten at once. */
const FORGOTTEN_AT_ONCE = 2000;

/**
 * A message. `epoch` counts the times that a room's numbers began anew: a server without a history
 * forgets them when it stops.
 * @typedef {{kind: 'message', epoch: number, seq: number, at: number, from: string, text: string,
 *            action: boolean, isSealed: boolean, isMine: boolean, isMention: boolean, isCounted: boolean}} Message
 *     `isCounted` is false for messages that are never unread: the reader's own, and ignored ones
 * @typedef {{kind: 'note', epoch: number, seq: number, id: number, at: number, text: string, tone: string,
 *            visits?: object}} Note entry of the page's own, half a number behind the message that
 *     it follows
 * @typedef {Message | Note} Entry
 */

export class Room {
  /** @type {Entry[]} in order */
  entries = [];
  /** Number of the newest message that the server has named. */
  newest = 0;
  /** Number up to which the reader has seen everything. */
  read = 0;
  /** Number behind which the mark "new" stands; `null` for no mark. @type {number | null} */
  divider = null;
  epoch = 0;
  /** Messages that are not stored any more. */
  gone = new RangeSet();
  /** Messages that the server could not deliver (E7). */
  missed = new RangeSet();
  /** True once nothing older is stored. */
  isComplete = false;
  hasHistory = true;
  isSealed = false;
  isJoined = true;
  /** @type {Set<string>} names of those who are here, as far as they are known */
  members = new Set();
  count = 0;
  #nextNoteId = 1;
  /** Changes with each change of the entries, but not where one was only added at the end. */
  revision = 0;

  /**
   * @param {'room' | 'direct'} kind
   * @param {string} name name of the room, or of the person
   */
  constructor(kind, name) {
    this.kind = kind;
    this.name = name;
  }

  /** Key among all conversations. */
  get key() {
    return keyOf(this.kind, this.name);
  }

  /**
   * Takes a message in its place; returns whether it is not a repetition.
   * @param {Message} message
   */
  add(message) {
    const at = this.#placeOf(message);
    const before = this.entries[at - 1];
    if (before?.epoch === message.epoch && before.seq === message.seq) return false;
    if (message.epoch === this.epoch) this.newest = Math.max(this.newest, message.seq);
    const isNext = at === this.entries.length
      && (!before || before.epoch !== message.epoch || before.seq + 1 >= message.seq);
    this.entries.splice(at, 0, message);
    if (!isNext) this.revision += 1;
    this.#forgetOldest();
    return true;
  }

  /** Adds a line of the page's own behind everything that is there. */
  addNote(note) {
    const last = this.entries.at(-1) ?? { seq: this.newest, epoch: this.epoch };
    const seq = Math.floor(last.seq) + 0.5;
    const entry = { kind: 'note', epoch: last.epoch, seq, id: this.#nextNoteId, ...note };
    this.#nextNoteId += 1;
    this.entries.push(entry);
    this.#forgetOldest();
    return entry;
  }

  /** The server has named its newest message; numbers that go back have begun anew. */
  noteNewest(seq) {
    const isAnew = seq < this.newest;
    if (isAnew) this.#beginAnew();
    this.newest = Math.max(this.newest, seq);
    return isAnew;
  }

  /** Records messages that the server could not deliver. */
  noteGap(from, to) {
    this.missed.add(from, to);
    this.newest = Math.max(this.newest, to);
    this.revision += 1;
  }

  /**
   * Takes a page of stored messages.
   * @param {Message[]} messages in order
   * @param {{before?: number, after?: number, around?: number, to?: number}} range what was asked
   *     for; `to` is the last number that was wanted behind `after`
   * @param {boolean} hasMore there are others in that direction
   */
  addPage(messages, range, hasMore) {
    for (const message of messages) this.add(message);
    const [first, last] = [messages[0]?.seq, messages.at(-1)?.seq];
    if (messages.length > 0) this.#noteGone(first, last);
    if (range.before !== undefined) {
      this.#noteGone(hasMore ? first ?? range.before : 1, range.before - 1);
      this.isComplete ||= !hasMore;
    }
    if (range.after !== undefined && range.to !== undefined) {
      this.#noteGone(range.after + 1, hasMore ? last ?? range.after : range.to);
    }
    this.revision += 1;
  }

  /** Messages after the last one read, but for the reader's own and those that are gone. */
  get unread() {
    let uncounted = 0;
    for (const message of this.#after(this.read)) uncounted += message.isCounted ? 0 : 1;
    return Math.max(0, this.newest - this.read - uncounted - this.gone.countIn(this.read + 1, this.newest));
  }

  /** Unread messages that mention the reader; of direct messages all. */
  get unreadMentions() {
    if (this.kind === 'direct') return this.unread;
    let mentions = 0;
    for (const message of this.#after(this.read)) mentions += message.isMention ? 1 : 0;
    return mentions;
  }

  /** Everything up to a number was seen. Returns whether that is news. */
  markRead(seq) {
    const read = Math.max(this.read, Math.min(seq, this.newest));
    const isNews = read !== this.read;
    this.read = read;
    return isNews;
  }

  /** The reader says that everything was seen. */
  markAllRead() {
    this.read = this.newest;
    this.setDivider(null);
  }

  /** The reader comes here: a mark stands before what is unread, and one from before goes. */
  enter() {
    this.setDivider(this.unread > 0 ? this.read : null);
  }

  /** A message has come that nobody looks at. A mark whose messages are all read moves to it. */
  noteUnseen() {
    if (this.divider === null || this.divider < this.read) this.setDivider(this.read);
  }

  setDivider(divider) {
    if (this.divider !== divider) this.revision += 1;
    this.divider = divider;
  }

  /** Number of the message before which the mark stands; `null` if it is not loaded or there is none. */
  get firstUnread() {
    if (this.divider === null) return null;
    for (const message of this.#after(this.divider)) if (message.isCounted) return message.seq;
    return null;
  }

  /** Returns whether the message behind the mark is loaded, or there is no mark. */
  get isDividerLoaded() {
    if (this.divider === null) return true;
    const first = this.firstUnread;
    return first !== null && this.holesIn(this.divider + 1, first - 1).length === 0;
  }

  /** Ranges of numbers that neither are loaded nor are known to be gone. */
  holesIn(from, to) {
    const known = new RangeSet();
    let start = null;
    let last = null;
    for (const message of this.#after(from - 1)) {
      if (message.seq > to) break;
      if (last !== null && message.seq === last + 1) {
        last = message.seq;
        continue;
      }
      if (start !== null) known.add(start, last);
      [start, last] = [message.seq, message.seq];
    }
    if (start !== null) known.add(start, last);
    return known.missingIn(from, to).flatMap((hole) => this.gone.missingIn(hole.from, hole.to));
  }

  /** Returns the message of this number, if it is loaded. */
  message(seq) {
    const at = this.#indexOf(this.epoch, seq);
    return at < 0 ? undefined : this.entries[at];
  }

  /** Number of the oldest loaded message of the present count, or `undefined`. */
  get oldest() {
    return this.entries.find((entry) => entry.kind === 'message' && entry.epoch === this.epoch)?.seq;
  }

  /** Messages of the present count above a number, in order. */
  * #after(seq) {
    let at = this.entries.length;
    while (at > 0 && this.entries[at - 1].epoch === this.epoch && this.entries[at - 1].seq > seq) at -= 1;
    for (; at < this.entries.length; at += 1) if (this.entries[at].kind === 'message') yield this.entries[at];
  }

  /** Place behind every entry that does not come after this one. */
  #placeOf({ epoch, seq }) {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.entries[middle];
      if (entry.epoch < epoch || (entry.epoch === epoch && entry.seq <= seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #indexOf(epoch, seq) {
    const at = this.#placeOf({ epoch, seq }) - 1;
    const isThere = at >= 0 && this.entries[at].epoch === epoch && this.entries[at].seq === seq;
    return isThere ? at : -1;
  }

  /** Numbers from `from` to `to` that are not loaded are not stored. */
  #noteGone(from, to) {
    for (const hole of this.holesIn(from, to)) this.gone.add(hole.from, hole.to);
  }

  #beginAnew() {
    this.epoch += 1;
    this.newest = 0;
    this.read = 0;
    this.divider = null;
    this.gone = new RangeSet();
    this.missed = new RangeSet();
    this.isComplete = false;
    this.revision += 1;
  }

  #forgetOldest() {
    if (this.entries.length <= ENTRIES_MAX) return;
    this.entries.splice(0, FORGOTTEN_AT_ONCE);
    this.isComplete = false;
    this.revision += 1;
  }
}

/**
 * Key of a conversation. Names of persons match in any case.
 * @param {'room' | 'direct'} kind
 * @param {string} name
 */
export function keyOf(kind, name) {
  return kind === 'room' ? `#${name}` : `@${name.toLowerCase()}`;
}
