/**
 * The log on the screen: rows of one room, added without moving what the reader looks at. They stand in chunks, so that
 * the browser lays out and draws only those near the screen.
 */
import { element, reconcile } from './dom.js';
import { pendingElement, rowElement, showStatus } from './message.js';
import { rowsOf } from './rows.js';

const CHUNK_ROWS = 100;
/** Entries that are shown at first, and added at a time above them. */
const FIRST_ENTRIES = 150;
const MORE_ENTRIES = 100;
/** Entries shown above a place that is gone to. */
const ABOVE_ENTRIES = 30;
/** Distance from the end within which the log follows what arrives, and from the top at which older messages are loaded. */
const FOLLOW_PX = 40;
const NEAR_TOP_PX = 400;
/** More new rows than these at once were loaded, and did not just arrive. */
const QUIET_ROWS = 3;
const QUIET_MS = 300;
/** Space left above the mark "new". */
const ABOVE_MARK_PX = 48;

export class LogView {
  /** True while the end is on the screen and stays there. */
  isFollowing = true;
  /** True where older messages should be loaded. */
  isNearTop = true;
  #log;
  #rows = element('div');
  #pendings = element('div', { 'aria-live': 'off', hidden: '' });
  #onScroll;
  /** @type {import('./room.js').Room | null} */
  #room = null;
  #revision = -1;
  /** First entry that is shown, and how many there are behind and before it. */
  #first = null;
  #shown = 0;
  /** @type {Map<string, any>} elements by the key of their row */
  #elements = new Map();
  #mark = null;
  /** Places in other rooms, by key, and the one before the last jump: `seq` stands `offset` below the top. */
  #places = new Map();
  #returnTo = null;
  #quietTimer = 0;
  /** Place of the last scrolling. */
  #top = 0;

  /** @param {HTMLElement} log @param {() => void} onScroll */
  constructor(log, onScroll) {
    this.#log = log;
    this.#onScroll = onScroll;
    log.append(this.#rows, this.#pendings);
    log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    const observer = new ResizeObserver(() => {
      if (this.isFollowing) this.toEnd();
      if (!this.isFollowing || this.#mark) onScroll();
    });
    for (const part of [log, this.#rows, this.#pendings]) observer.observe(part);
  }

  get hasReturn() {
    return this.#returnTo !== null;
  }

  /** Shows the state of a room. @param {import('./message.js').Context} context @param {boolean} isAttended someone looks */
  show(context, isAttended) {
    const { room } = context;
    if (room !== this.#room) this.#open(context);
    else if (room.revision !== this.#revision || this.#shown === 0) this.#keepPlace(() => this.#update(context), isAttended);
    else if (room.entries.length > this.#shown) this.#keepPlace(() => this.#append(context), isAttended);
  }

  showPending(pending, { me, colourOf }, isOnline) {
    if (pending.length === 0 && this.#pendings.hidden) return;
    this.#keepPlace(() => {
      reconcile(this.#pendings, pending, ({ id }) => id, (one) => pendingElement(one, me, colourOf), (made, one) => showStatus(made, one, isOnline));
      this.#pendings.hidden = pending.length === 0;
    }, true);
  }

  /** Number of the last message that is wholly on the screen or above it. */
  get seen() {
    const isSeen = (row) => this.#topOf(row) + row.offsetHeight <= this.#log.clientHeight + 1;
    const chunks = [...this.#rows.children].filter((chunk) => this.#topOf(chunk) < this.#log.clientHeight);
    const rows = chunks.slice(-2).flatMap(({ children }) => [...children]);
    return Number(rows.findLast((row) => row.dataset.seq && isSeen(row))?.dataset.seq ?? 0);
  }

  /** Place of the mark. @returns {'above' | 'here' | 'below' | null} */
  get markPlace() {
    if (!this.#mark) return null;
    const top = this.#topOf(this.#mark);
    return top < -this.#mark.offsetHeight ? 'above' : top > this.#log.clientHeight ? 'below' : 'here';
  }

  toEnd() {
    this.#returnTo = null;
    this.isFollowing = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#top = this.#log.scrollTop;
  }

  /** Scrolls to a message, or to the mark before it; returns whether it is loaded. */
  to(seq, context, isMark) {
    if (!context.room.message(seq)) return false;
    const place = this.#place();
    const at = this.#room.entries.indexOf(this.#room.message(seq));
    if (at < this.#start) this.#showFrom(at - ABOVE_ENTRIES, context);
    const row = isMark && this.#mark ? this.#mark : this.#rowOf(seq);
    if (!row) return false;
    this.#scrollTo(row, isMark ? ABOVE_MARK_PX : this.#log.clientHeight / 3);
    this.#returnTo ??= place;
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    return true;
  }

  /** Scrolls to where the reader was before a jump. */
  back() {
    const place = this.#returnTo;
    this.#returnTo = null;
    this.#restore(place);
  }

  /** Shows older entries that are loaded; returns false if there are none. */
  showOlder(context) {
    const start = this.#start;
    if (start > 0) this.#showFrom(start - MORE_ENTRIES, context);
    return start > 0;
  }

  scrollByPage(direction) {
    this.#log.scrollBy({ top: direction * this.#log.clientHeight * 0.9 });
  }

  /** Shows another room. */
  #open(context) {
    this.isNearTop = false;
    if (this.#room) this.#places.set(this.#room.key, this.#place());
    const { room } = context;
    const place = this.#places.get(room.key);
    this.#log.removeAttribute('role');
    this.#rows.replaceChildren();
    this.#elements.clear();
    this.#room = room;
    this.#mark = this.#returnTo = null;
    const latest = room.entries.length - FIRST_ENTRIES;
    const wanted = Math.min(place?.seq || Infinity, room.divider ?? Infinity);
    const at = room.entries.findIndex(({ seq, epoch }) => epoch === room.epoch && seq >= wanted);
    this.#first = room.entries[Math.max(0, at < 0 ? latest : Math.min(latest, at - ABOVE_ENTRIES))];
    this.#update(context);
    this.toEnd();
    if (this.markPlace === 'above') this.#scrollTo(this.#mark, ABOVE_MARK_PX);
    else if (!this.#mark && place) this.#restore(place);
  }

  get #start() {
    return Math.max(0, this.#room.entries.indexOf(this.#first));
  }

  #showFrom(at, context) {
    this.#first = this.#room.entries[Math.max(0, at)];
    this.#keepPlace(() => this.#update(context), true);
  }

  /** Adds rows behind those that are shown. */
  #append(context) {
    for (const row of rowsOf(this.#room, this.#shown, this.#start)) this.#insert(row, this.#rows.lastChild?.lastChild ?? null, context);
    this.#shown = this.#room.entries.length;
  }

  /** Brings all rows up to date. Rows never change their order. */
  #update(context) {
    const start = this.#start;
    const rows = rowsOf(this.#room, start, start);
    const wanted = new Set(rows.map(({ key }) => key));
    const fresh = rows.filter(({ key }) => !this.#elements.has(key)).length;
    if (fresh > QUIET_ROWS || !this.#log.hasAttribute('role')) this.#quieten();
    for (const key of this.#elements.keys()) if (!wanted.has(key)) this.#remove(key);
    let previous = null;
    for (const row of rows) {
      const known = this.#elements.get(row.key);
      known?.classList.toggle('grouped', row.isGrouped === true);
      previous = known ?? this.#insert(row, previous, context);
    }
    this.#shown = this.#room.entries.length;
    this.#revision = this.#room.revision;
    this.#first = this.#room.entries[start];
  }

  /** Keeps screen readers from announcing what is loaded: it is there before the log is a live region. */
  #quieten() {
    this.#log.setAttribute('aria-live', 'off');
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => {
      this.#log.removeAttribute('aria-live');
      this.#log.setAttribute('role', 'log');
      this.#log.setAttribute('aria-label', 'Messages');
    }, QUIET_MS);
  }

  /** Builds a row behind another one, or before all. */
  #insert(row, previous, context) {
    const made = rowElement(row, context);
    this.#elements.set(row.key, made);
    if (row.kind === 'unread') this.#mark = made;
    const chunk = previous?.parentElement;
    const neighbour = chunk ? chunk.nextElementSibling : this.#rows.firstElementChild;
    const isFull = (one) => one.childElementCount >= CHUNK_ROWS;
    if (chunk && (previous.nextSibling || !isFull(chunk))) previous.after(made);
    else if (neighbour && !isFull(neighbour)) neighbour.prepend(made);
    else {
      const next = element('div', { class: 'chunk' }, [made]);
      if (chunk) chunk.after(next);
      else this.#rows.prepend(next);
      // The browser may leave a chunk out once it has been laid out, and its height is known.
      const settled = chunk ?? next;
      requestAnimationFrame(() => requestAnimationFrame(() => settled.classList.add('settled')));
    }
    return made;
  }

  #remove(key) {
    const made = this.#elements.get(key);
    const chunk = made.parentElement;
    made.remove();
    if (chunk.childElementCount === 0) chunk.remove();
    this.#elements.delete(key);
    if (this.#mark === made) this.#mark = null;
  }

  /** Changes rows, and leaves those on the screen where they are; at the end it follows. */
  #keepPlace(change, isAttended) {
    const wasFollowing = this.isFollowing;
    const anchor = wasFollowing ? null : this.#anchor();
    change();
    if (wasFollowing) this.#follow(isAttended);
    else if (anchor?.row.isConnected) this.#log.scrollTop += this.#topOf(anchor.row) - anchor.offset;
  }

  /** The end stays on the screen (see the observer), but while nobody looks only as long as the mark does. */
  #follow(isAttended) {
    if (isAttended || !this.#mark) return;
    const end = this.#log.scrollHeight - this.#log.clientHeight;
    const limit = this.#log.scrollTop + this.#topOf(this.#mark) - ABOVE_MARK_PX;
    this.#log.scrollTop = Math.min(end, limit);
    this.isFollowing = limit >= end;
  }

  #topOf(row) {
    return row.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
  }

  /** First message on the screen, and where it stands. */
  #anchor() {
    const isBelow = (one) => this.#topOf(one) + one.offsetHeight > 0;
    const rows = [...this.#rows.children].filter(isBelow).slice(0, 2).flatMap(({ children }) => [...children]);
    const row = rows.find((one) => one.dataset.seq && isBelow(one));
    return row ? { row, offset: this.#topOf(row) } : null;
  }

  #place() {
    const anchor = this.isFollowing ? null : this.#anchor();
    return { seq: Number(anchor?.row.dataset.seq), offset: anchor?.offset };
  }

  #restore(place) {
    const row = this.#rowOf(place.seq);
    if (row) this.#scrollTo(row, place.offset);
    else this.toEnd();
  }

  #rowOf(seq) {
    return this.#elements.get(`message/${this.#room.epoch}/${seq}`);
  }

  #scrollTo(row, offset) {
    this.#top = -1;
    this.#log.scrollTop += this.#topOf(row) - offset;
    this.#scrolled();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.isNearTop = scrollTop < NEAR_TOP_PX;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
    // The log's own scrolling to the end is reported late, when there may be more below. What it shows is drawn already.
    const isOwn = scrollTop === this.#top;
    if (!isOwn) this.isFollowing = isAtEnd;
    this.#top = scrollTop;
    if (isAtEnd) this.#returnTo = null;
    if (!isOwn || this.#mark || this.isNearTop) this.#onScroll();
  }
}
