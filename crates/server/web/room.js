/**
 * A conversation: a room, or direct messages with one person. What was read, what is missing and what is a repetition
 * follows from the numbers (`seq`) of the messages alone. No DOM, no clock, no network.
 */
import { RangeSet } from './ranges.js';

/** Entries kept; past it the oldest are forgotten, and can be loaded again. */
const ENTRIES_MAX = 20000;
const FORGOTTEN_AT_ONCE = 2000;

/**
 * `epoch` counts how often the numbers of a room began anew: without a history a server forgets them. `isCounted` is false
 * for messages that are never unread. A note stands half a number behind the message that it follows.
 * @typedef {{kind: 'message', epoch: number, seq: number, at: number, from: string, text: string, action: boolean,
 *   isSealed: boolean, isMine: boolean, isMention: boolean, isCounted: boolean}} Message
 * @typedef {{kind: 'note', epoch: number, seq: number, id: number, at: number, text: string, tone: string, visits?: object}} Note
 */

export class Room {
  /** @type {any[]} messages and notes, in order */
  entries = [];
  /** Changes with each change of the entries but an addition at the end. */
  revision = 0;
  epoch = 0;
  /** Number of the newest message that the server has named. */
  newest = 0;
  /** Number up to which everything was seen. */
  read = 0;
  /** Number behind which the mark "new" stands. @type {number | null} */
  divider = null;
  /** Messages that are not stored, and those that the server could not deliver (E7). */
  gone = new RangeSet();
  missed = new RangeSet();
  /** True once nothing older is stored. */
  isComplete = false;
  hasHistory = true;
  isSealed = false;
  isJoined = true;
  /** @type {Set<string>} those who are here, as far as they are known by name */
  members = new Set();
  count = 0;
  #notes = 0;

  /** @param {'room' | 'direct'} kind @param {string} name of the room or the person */
  constructor(kind, name) {
    this.kind = kind;
    this.name = name;
  }

  get key() {
    return keyOf(this.kind, this.name);
  }

  /** Takes a message in its place; returns whether it is no repetition. @param {Message} message */
  add(message) {
    const at = this.#placeOf(message.epoch, message.seq);
    const before = this.entries[at - 1];
    const isSameEpoch = before?.epoch === message.epoch;
    if (isSameEpoch && before.seq === message.seq) return false;
    if (message.epoch === this.epoch) this.newest = Math.max(this.newest, message.seq);
    if (at < this.entries.length || (isSameEpoch && before.seq + 1 < message.seq)) this.revision += 1;
    this.entries.splice(at, 0, message);
    this.#forget();
    return true;
  }

  /** Adds a line of the page's own behind everything. @param {{at: number, text: string, tone: string, visits?: object}} note */
  addNote(note) {
    const { epoch, seq } = this.entries.at(-1) ?? { epoch: this.epoch, seq: this.newest };
    this.entries.push({ ...note, kind: 'note', id: this.#notes += 1, epoch, seq: Math.floor(seq) + 0.5 });
    this.#forget();
  }

  /** The server names its newest message. Numbers that go back have begun anew: then it returns true. */
  noteNewest(seq) {
    const isAnew = seq < this.newest;
    if (isAnew) {
      Object.assign(this, { epoch: this.epoch + 1, read: 0, divider: null, isComplete: false, gone: new RangeSet(), missed: new RangeSet() });
      this.revision += 1;
    }
    this.newest = seq;
    return isAnew;
  }

  noteGap(from, to) {
    this.missed.add(from, to);
    this.newest = Math.max(this.newest, to);
    this.revision += 1;
  }

  /**
   * Takes a page of stored messages, in order. Numbers that it leaves out are not stored.
   * @param {Message[]} messages
   * @param {{before?: number, after?: number, around?: number, to?: number}} range what was asked for; `to` is the last
   *   number that was wanted behind `after`
   */
  addPage(messages, range, hasMore) {
    for (const message of messages) this.add(message);
    const [first, last] = [messages[0]?.seq, messages.at(-1)?.seq];
    if (first !== undefined) this.#noteGone(first, last);
    if (range.before !== undefined && range.after === undefined) {
      this.#noteGone(hasMore ? first ?? range.before : 1, range.before - 1);
      this.isComplete ||= !hasMore;
    }
    if (range.to !== undefined) this.#noteGone(range.after + 1, hasMore ? last ?? range.after : range.to);
    this.revision += 1;
  }

  /** Messages of others after the last one read. */
  get unread() {
    const uncounted = this.#after(this.read).filter(({ isCounted }) => !isCounted).length;
    return Math.max(0, this.newest - this.read - uncounted - this.gone.countIn(this.read + 1, this.newest));
  }

  /** Those of them that are meant for the reader. */
  get unreadMentions() {
    return this.kind === 'direct' ? this.unread : this.#after(this.read).filter(({ isMention }) => isMention).length;
  }

  markRead(seq) {
    this.read = Math.max(this.read, Math.min(seq, this.newest));
  }

  markAllRead() {
    this.read = this.newest;
    this.setDivider(null);
  }

  /** The reader comes here: a mark stands before what is unread. */
  enter() {
    this.setDivider(this.unread > 0 ? this.read : null);
  }

  /** A message comes that nobody looks at: a mark whose messages are all read moves to it. */
  noteUnseen() {
    if (this.divider === null || this.divider < this.read) this.setDivider(this.read);
  }

  setDivider(divider) {
    if (this.divider !== divider) this.revision += 1;
    this.divider = divider;
  }

  /** Number of the message before which the mark stands, as far as messages are loaded. */
  get firstUnread() {
    return this.divider === null ? null : this.#after(this.divider).find(({ isCounted }) => isCounted)?.seq ?? null;
  }

  /** Returns whether the mark's place is known: nothing is missing behind it. */
  get isDividerLoaded() {
    const first = this.firstUnread;
    return this.divider === null || (first !== null && this.holesIn(this.divider + 1, first - 1).length === 0);
  }

  /** Ranges of numbers that neither are loaded nor are known to be gone. */
  holesIn(from, to) {
    const bounds = [from - 1, ...this.#after(from - 1).map(({ seq }) => seq).filter((seq) => seq <= to), to + 1];
    return bounds.slice(1).flatMap((seq, at) => (seq - bounds[at] > 1 ? this.gone.missingIn(bounds[at] + 1, seq - 1) : []));
  }

  /** Returns the message of a number, if it is loaded. */
  message(seq) {
    const entry = this.entries[this.#placeOf(this.epoch, seq) - 1];
    return entry?.epoch === this.epoch && entry.seq === seq ? entry : undefined;
  }

  /** Number of the oldest loaded message. */
  get oldest() {
    return this.entries.find(({ kind, epoch }) => kind === 'message' && epoch === this.epoch)?.seq;
  }

  #after(seq) {
    return this.entries.slice(this.#placeOf(this.epoch, seq)).filter(({ kind }) => kind === 'message');
  }

  /** Place behind every entry that does not come after this number. */
  #placeOf(epoch, seq) {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.entries[middle];
      if (entry.epoch < epoch || (entry.epoch === epoch && entry.seq <= seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #noteGone(from, to) {
    for (const hole of this.holesIn(from, to)) this.gone.add(hole.from, hole.to);
  }

  #forget() {
    if (this.entries.length <= ENTRIES_MAX) return;
    this.entries.splice(0, FORGOTTEN_AT_ONCE);
    this.isComplete = false;
    this.revision += 1;
  }
}

/** Key of a conversation. Names of persons match in any case. @param {'room' | 'direct'} kind @param {string} name */
export function keyOf(kind, name) {
  return kind === 'room' ? `#${name}` : `@${name.toLowerCase()}`;
}
