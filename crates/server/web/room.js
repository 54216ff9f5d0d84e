/** Conversation: a room, or direct messages with one person. What is read, missing or a repetition follows from `seq` alone. */
import { RangeSet } from './ranges.js';

/** Entries kept; past it those at the end that is not read are forgotten, and can be loaded again. */
const ENTRIES_MAX = 20000;
const FORGOTTEN_AT_ONCE = 2000;

/**
 * `epoch` counts how often the numbers began anew, as they do on a server without a history. `isCounted`: it can be unread.
 * @typedef {{kind: 'message', epoch: number, seq: number, at: number, from: string, text: string, action: boolean,
 *   isSealed: boolean, isMine: boolean, isMention: boolean, isCounted: boolean}} Message
 */

export class Room {
  /** Messages, and notes half a number behind the message that they follow. @type {any[]} */
  entries = [];
  /** Changes with every change of the entries but an addition at the end. */
  revision = 0;
  epoch = 0;
  /** Numbers: the newest that the server has named, up to which all was seen, and behind which the mark "new" stands. */
  newest = 0;
  read = 0;
  divider = null;
  /** Unread messages that a reload has lost, until the reader comes. */
  lostUnread = 0;
  /** Numbers that are not stored, and those that the server could not deliver (E7). */
  gone = new RangeSet();
  missed = new RangeSet();
  /** True once nothing older is stored. */
  isComplete = false;
  /** True once newer messages than those that are loaded were forgotten. */
  isEndForgotten = false;
  hasHistory = true;
  isSealed = false;
  isJoined = true;
  /** Names of those who are here, as far as they are known. @type {Set<string>} */
  members = new Set();
  count = 0;
  #notes = 0;

  /** @param {'room' | 'direct'} kind @param {string} name of the room or the person */
  constructor(kind, name) {
    Object.assign(this, { kind, name });
  }

  get key() {
    return keyOf(this.kind, this.name);
  }

  /** Takes a message in its place; returns whether it is no repetition. @param {Message} message */
  add(message) {
    const at = this.#placeOf(message.epoch, message.seq);
    const before = this.entries[at - 1];
    const follows = before?.epoch === message.epoch;
    if (follows && before.seq === message.seq) return false;
    if (message.epoch === this.epoch) this.newest = Math.max(this.newest, message.seq);
    if (at < this.entries.length || (follows && before.seq + 1 < message.seq)) this.revision += 1;
    this.#insert(at, message);
    return true;
  }

  /** Adds a line of the page's own. @param {{at: number, tone: string, text?: string, names?: string[], unnamed?: number}} note */
  addNote(note) {
    const { epoch, seq } = this.entries.at(-1) ?? { epoch: this.epoch, seq: this.newest };
    this.#insert(this.entries.length, { ...note, kind: 'note', id: this.#notes += 1, epoch, seq: Math.floor(seq) + 0.5 });
  }

  /** Takes the number of the newest message at the server. Returns whether the numbers have begun anew. */
  noteNewest(seq) {
    const isAnew = seq < this.newest;
    if (isAnew) {
      const { epoch, revision } = this;
      Object.assign(this, { epoch: epoch + 1, revision: revision + 1, read: 0, divider: null, isComplete: false, gone: new RangeSet(), missed: new RangeSet() });
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
   * Takes stored messages, in order; numbers that they leave out are not stored, and others than asked for are left out.
   * Returns whether there are new ones among them.
   * @param {{before?: number, after?: number, around?: number, to?: number}} range asked for; `to` ends what `after` begins
   */
  addPage(page, { before = Infinity, after = 0, to }, hasMore) {
    const messages = page.filter(({ seq }) => seq > after && seq < before);
    const isNews = messages.filter((message) => this.add(message)).length > 0;
    const [first, last] = [messages[0]?.seq, messages.at(-1)?.seq];
    this.#noteGone(first, last);
    if (to !== undefined) this.#noteGone(after + 1, hasMore ? last : to);
    else if (before < Infinity) {
      this.#noteGone(hasMore ? first : 1, before - 1);
      this.isComplete ||= !hasMore;
    }
    this.revision += 1;
    return isNews;
  }

  /** Messages of others after the last one read. */
  get unread() {
    return this.lostUnread + this.#countAfter(this.read);
  }

  /** Messages of others behind the mark. */
  get newCount() {
    return this.divider === null ? 0 : this.#countAfter(this.divider);
  }

  /** Unread messages that are meant for the reader. */
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

  /** Puts the mark before what is unread, as the reader opens the conversation. */
  enter() {
    this.lostUnread = 0;
    this.setDivider(this.unread > 0 ? this.read : null);
  }

  /** Notes that a message comes which nobody sees: a mark whose messages are all read moves to it. */
  noteUnseen() {
    if (this.divider === null || this.divider < this.read) this.setDivider(this.read);
  }

  setDivider(divider) {
    if (this.divider !== divider) this.revision += 1;
    this.divider = divider;
  }

  /** Number of the message before which the mark stands, among those that are loaded. */
  get firstUnread() {
    return this.divider === null ? null : this.#after(this.divider).find(({ isCounted }) => isCounted)?.seq ?? null;
  }

  /** Returns whether nothing is missing between the mark and that message. */
  get isDividerLoaded() {
    const first = this.firstUnread;
    return this.divider === null || (first !== null && this.holesIn(this.divider + 1, first - 1).length === 0);
  }

  /** Ranges of numbers that neither are loaded nor known to be gone. */
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
    return this.#after(0)[0]?.seq;
  }

  #countAfter(seq) {
    if (seq === this.newest) return 0;
    const uncounted = this.#after(seq).filter(({ isCounted }) => !isCounted).length;
    return Math.max(0, this.newest - seq - uncounted - this.gone.countIn(seq + 1, this.newest));
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

  /** Inserts an entry; past the bound it forgets the entries at the other end. */
  #insert(at, entry) {
    this.entries.splice(at, 0, entry);
    if (this.entries.length <= ENTRIES_MAX) return;
    const isOld = at < ENTRIES_MAX / 2;
    this.entries.splice(isOld ? -FORGOTTEN_AT_ONCE : 0, FORGOTTEN_AT_ONCE);
    this.isComplete &&= isOld;
    this.isEndForgotten ||= isOld;
    this.revision += 1;
  }

  #noteGone(from, to) {
    for (const hole of this.holesIn(from, to)) this.gone.add(hole.from, hole.to);
  }
}

/** Key of a conversation; names of persons match in any case. */
export const keyOf = (kind, name) => (kind === 'room' ? `#${name}` : `@${name.toLowerCase()}`);
