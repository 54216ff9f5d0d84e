/**
 * The log on the screen: rows of one room, added without moving what the reader looks at. Rows stand
 * in chunks, so that the browser lays out and draws only those near the screen.
 */
import { element, reconcile } from './dom.js';
import { pendingElement, rowElement, showFate } from './message.js';
import { rowsOf } from './rows.js';

/** Rows of a chunk. */
const CHUNK_ROWS = 100;
/** Entries of a room that are shown at first, and added at a time. */
const FIRST_ENTRIES = 150;
const MORE_ENTRIES = 100;
/** Distance from the end within which the log follows what arrives. */
const FOLLOW_PX = 40;
/** Distance from the top at which older messages are loaded. */
const NEAR_TOP_PX = 400;
/** Space above the mark where the log is scrolled to it. */
const ABOVE_MARK_PX = 48;

export class LogView {
  /** True while the end of the log is on the screen and stays there. */
  isFollowing = true;
  #log;
  #rows;
  #pendings;
  #room = null;
  #revision = -1;
  /** First entry that is shown, and how many there are in all. */
  #firstEntry = null;
  #shown = 0;
  /** @type {Map<string, any>} elements by the key of their row */
  #elements = new Map();
  #handlers;
  /** @type {Map<string, {isFollowing: boolean, seq?: number, offset?: number}>} */
  #positions = new Map();
  /** Place to return to after a jump. */
  #returnTo = null;
  #quietTimer = 0;
  /** Element of the mark "new". @type {any} */
  #mark = null;

  /**
   * @param {HTMLElement} log
   * @param {{wantOlder: () => void, scrolled: () => void}} handlers
   */
  constructor(log, handlers) {
    this.#log = log;
    this.#handlers = handlers;
    this.#rows = element('div', { class: 'rows', role: 'list' });
    this.#pendings = element('div', { class: 'pendings', role: 'list', 'aria-live': 'off', 'aria-label': 'Unsent messages', hidden: true });
    log.append(this.#rows, this.#pendings);
    log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(log);
  }

  get hasReturn() {
    return this.#returnTo !== null;
  }

  /**
   * Shows the present state of a room. @param {import('./message.js').Context} context
   * @param {boolean} isAttended false while nobody looks: then the mark stays on the screen
   */
  show(context, isAttended) {
    if (context.room !== this.#room) this.#open(context);
    else if (context.room.revision !== this.#revision || this.#shown === 0) this.#keepPlace(() => this.#update(context), isAttended);
    else if (context.room.entries.length > this.#shown) this.#keepPlace(() => this.#append(context), isAttended);
  }

  /** Shows the messages that the server does not have yet. */
  showPending(pending, { me, colourOf }, isOnline) {
    if (pending.length === 0 && this.#pendings.hidden) return;
    this.#keepPlace(() => {
      reconcile(this.#pendings, pending, ({ id }) => id, (one) => pendingElement(one, me, colourOf),
        (made, one) => showFate(made, one, isOnline));
      this.#pendings.hidden = pending.length === 0;
    }, true);
  }

  /** Highest number whose message is wholly on the screen, with everything before it; 0 for none. */
  get seen() {
    const bottom = this.#log.getBoundingClientRect().bottom + 1;
    for (let chunk = this.#rows.lastElementChild; chunk; chunk = chunk.previousElementSibling) {
      if (chunk.getBoundingClientRect().top > bottom) continue;
      for (let row = chunk.lastElementChild; row; row = row.previousElementSibling) {
        if (row.dataset.seq && row.getBoundingClientRect().bottom <= bottom) return Number(row.dataset.seq);
      }
    }
    return 0;
  }

  /** Where the mark is: `null` if it is not shown. @returns {'above' | 'here' | 'below' | null} */
  get markPlace() {
    const mark = this.#mark;
    if (!mark) return null;
    const [at, frame] = [mark.getBoundingClientRect(), this.#log.getBoundingClientRect()];
    if (at.bottom < frame.top) return 'above';
    return at.top > frame.bottom ? 'below' : 'here';
  }

  /** Scrolls to the end and follows it. */
  toEnd() {
    this.#returnTo = null;
    this.isFollowing = true;
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** Scrolls to the mark; returns false if it is not loaded. @param {import('./message.js').Context} context */
  toMark(context) {
    const seq = context.room.firstUnread;
    if (seq === null) return false;
    this.#reach(seq, context);
    if (!this.#mark) return false;
    this.#remember();
    this.#scrollTo(this.#mark, ABOVE_MARK_PX);
    return true;
  }

  /** Scrolls to a message and marks it for a moment; returns false if it is not loaded. */
  toMessage(seq, context) {
    if (!context.room.message(seq)) return false;
    this.#reach(seq, context);
    const row = this.#rowOf(seq);
    if (!row) return false;
    this.#remember();
    this.#scrollTo(row, this.#log.clientHeight / 3);
    row.classList.remove('flash');
    void row.offsetWidth;
    row.classList.add('flash');
    return true;
  }

  /** Scrolls to where the reader was before the last jump. */
  back() {
    const place = this.#returnTo;
    this.#returnTo = null;
    if (place) this.#restore(place);
    this.#handlers.scrolled();
  }

  /** Shows older entries that are loaded; asks for others if there are none. */
  showOlder(context) {
    const start = this.#start(context.room);
    if (start === 0) return this.#handlers.wantOlder();
    this.#firstEntry = context.room.entries[Math.max(0, start - MORE_ENTRIES)];
    this.#keepPlace(() => this.#update(context), true);
  }

  scrollByPages(pages) {
    this.#log.scrollBy({ top: pages * this.#log.clientHeight * 0.9 });
  }

  /** Shows a room that was not on the screen. The log is filled before it is a live region again. */
  #open(context) {
    if (this.#room) this.#positions.set(this.#room.key, this.#place());
    this.#log.removeAttribute('role');
    this.#room = context.room;
    this.#returnTo = null;
    this.#rows.replaceChildren();
    this.#elements.clear();
    this.#mark = null;
    this.#firstEntry = this.#firstToShow(context.room);
    this.#update(context);
    this.#begin(context);
    requestAnimationFrame(() => this.#log.setAttribute('role', 'log'));
  }

  #firstToShow(room) {
    const { entries } = room;
    const position = this.#positions.get(room.key)?.seq ?? Infinity;
    const wanted = Math.min(position, room.divider ?? Infinity);
    const at = entries.findIndex((entry) => entry.epoch === room.epoch && entry.seq >= wanted);
    const latest = entries.length - FIRST_ENTRIES;
    return entries[Math.max(0, at < 0 ? latest : Math.min(latest, at - 30))] ?? null;
  }

  /** Place at which a room is shown: where reading stopped, else where it was left, else its end. */
  #begin({ room }) {
    this.isFollowing = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    const mark = this.#mark;
    const position = this.#positions.get(room.key);
    if (mark && this.markPlace === 'above') this.#scrollTo(mark, ABOVE_MARK_PX);
    else if (!mark && position && !position.isFollowing) this.#restore(position);
  }

  #start(room) {
    return Math.max(0, room.entries.indexOf(this.#firstEntry));
  }

  /** Extends what is shown up to a message. */
  #reach(seq, context) {
    const { room } = context;
    const at = room.entries.findIndex((entry) => entry.kind === 'message' && entry.epoch === room.epoch && entry.seq >= seq);
    if (at < 0 || at >= this.#start(room)) return;
    this.#firstEntry = room.entries[Math.max(0, at - 30)];
    this.#keepPlace(() => this.#update(context), true);
  }

  /** Adds the rows behind those that are shown. */
  #append(context) {
    const { room } = context;
    const start = this.#start(room);
    const rows = rowsOf(room, Math.max(this.#shown, start), start);
    for (const row of rows) this.#insert(row, this.#rows.lastElementChild?.lastElementChild ?? null, context);
    this.#shown = room.entries.length;
  }

  /** Brings all rows up to date. Rows never change their order. */
  #update(context) {
    const { room } = context;
    const start = this.#start(room);
    const rows = rowsOf(room, start, start);
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, made] of this.#elements) if (!wanted.has(key)) this.#remove(key, made);
    let previous = null;
    this.#quietly(() => {
      for (const row of rows) {
        const known = this.#elements.get(row.key);
        if (known && row.kind === 'message') known.classList.toggle('grouped', row.isGrouped);
        previous = known ?? this.#insert(row, previous, context);
      }
    });
    this.#shown = room.entries.length;
    this.#revision = room.revision;
    this.#firstEntry = room.entries[start] ?? null;
  }

  /** Builds a row behind another one, or before all of them. */
  #insert(row, previous, context) {
    const made = rowElement(row, context);
    this.#elements.set(row.key, made);
    if (row.kind === 'unread') this.#mark = made;
    const chunk = previous?.parentElement;
    if (!chunk) this.#chunkAtFront().prepend(made);
    else if (previous.nextElementSibling || chunk.childElementCount < CHUNK_ROWS) previous.after(made);
    else if (chunk.nextElementSibling && chunk.nextElementSibling.childElementCount < CHUNK_ROWS) chunk.nextElementSibling.prepend(made);
    else {
      const next = element('div', { class: 'chunk' }, [made]);
      chunk.after(next);
      this.#settle(chunk);
    }
    return made;
  }

  #chunkAtFront() {
    const first = this.#rows.firstElementChild;
    if (first && first.childElementCount < CHUNK_ROWS) return first;
    const chunk = element('div', { class: 'chunk' });
    this.#rows.prepend(chunk);
    this.#settle(chunk);
    return chunk;
  }

  /** Lets the browser leave a chunk out once it has been laid out, and its height is known. */
  #settle(chunk) {
    requestAnimationFrame(() => requestAnimationFrame(() => chunk.classList.add('settled')));
  }

  #remove(key, made) {
    const chunk = made.parentElement;
    made.remove();
    if (chunk?.childElementCount === 0) chunk.remove();
    this.#elements.delete(key);
    if (this.#mark === made) this.#mark = null;
  }

  /** Changes rows in places that a screen reader should not read out. */
  #quietly(change) {
    this.#log.setAttribute('aria-live', 'off');
    change();
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => this.#log.removeAttribute('aria-live'), 150);
  }

  /** Changes rows, and leaves those on the screen where they are; at the end it follows. */
  #keepPlace(change, isAttended) {
    const wasFollowing = this.isFollowing;
    const anchor = wasFollowing ? null : this.#anchor();
    change();
    if (wasFollowing) this.#follow(isAttended);
    else if (anchor) this.#hold(anchor);
    this.#handlers.scrolled();
  }

  /** Scrolls to the end, but while nobody looks only as far as the mark stays on the screen. */
  #follow(isAttended) {
    const log = this.#log;
    const mark = isAttended ? null : this.#mark;
    const end = log.scrollHeight - log.clientHeight;
    const limit = mark ? this.#topOf(mark) + log.scrollTop - ABOVE_MARK_PX : Infinity;
    log.scrollTop = Math.min(end, limit);
    this.isFollowing = limit >= end;
  }

  #topOf(row) {
    return row.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
  }

  /** First row on the screen, and where it stands. */
  #anchor() {
    const top = this.#log.getBoundingClientRect().top;
    for (const chunk of this.#rows.children) {
      if (chunk.getBoundingClientRect().bottom <= top) continue;
      for (const row of chunk.children) {
        const box = row.getBoundingClientRect();
        if (box.bottom > top && row.dataset.seq) return { row, offset: box.top - top };
      }
    }
    return null;
  }

  #hold({ row, offset }) {
    if (!row.isConnected) return;
    const moved = this.#topOf(row) - offset;
    if (Math.abs(moved) >= 0.5) this.#log.scrollTop += moved;
  }

  #place() {
    const anchor = this.isFollowing ? null : this.#anchor();
    return anchor ? { isFollowing: false, seq: Number(anchor.row.dataset.seq), offset: anchor.offset } : { isFollowing: true };
  }

  #remember() {
    this.#returnTo ??= this.#place();
  }

  #restore({ isFollowing, seq, offset }) {
    const row = isFollowing ? null : this.#rowOf(seq);
    if (row) this.#scrollTo(row, offset);
    else this.toEnd();
  }

  #rowOf(seq) {
    return this.#elements.get(`message/${this.#room.epoch}/${seq}`) ?? null;
  }

  #scrollTo(row, offset) {
    this.#log.scrollTop += this.#topOf(row) - offset;
    this.isFollowing = this.#isAtEnd();
  }

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
  }

  #scrolled() {
    this.isFollowing = this.#isAtEnd();
    if (this.isFollowing) this.#returnTo = null;
    this.#handlers.scrolled();
  }

  /** True where older messages should be loaded. */
  get isNearTop() {
    return this.#log.scrollTop < NEAR_TOP_PX;
  }

  #resized() {
    if (this.isFollowing) this.#log.scrollTop = this.#log.scrollHeight;
    this.#handlers.scrolled();
  }
}
