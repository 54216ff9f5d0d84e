/**
 * The log on the screen: rows of one room, added without moving what the reader looks at. They stand in chunks, so that
 * the browser lays out and draws only those near the screen.
 */
import { element, reconcile } from './dom.js';
import { pendingElement, rowElement, showFate } from './message.js';
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
/** Space left above the mark "new". */
const ABOVE_MARK_PX = 48;

export class LogView {
  /** True while the end is on the screen and stays there. */
  isFollowing = true;
  #log;
  #rows = element('div', { role: 'list' });
  #pendings = element('div', { role: 'list', 'aria-live': 'off', 'aria-label': 'Unsent messages', hidden: '' });
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

  /** @param {HTMLElement} log @param {() => void} onScroll */
  constructor(log, onScroll) {
    this.#log = log;
    this.#onScroll = onScroll;
    log.append(this.#rows, this.#pendings);
    log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => {
      if (this.isFollowing) this.toEnd();
      onScroll();
    }).observe(log);
  }

  get hasReturn() {
    return this.#returnTo !== null;
  }

  get isNearTop() {
    return this.#log.scrollTop < NEAR_TOP_PX;
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
      reconcile(this.#pendings, pending, ({ id }) => id, (one) => pendingElement(one, me, colourOf), (made, one) => showFate(made, one, isOnline));
      this.#pendings.hidden = pending.length === 0;
    }, true);
  }

  /** Number of the last message that is wholly on the screen or above it. */
  get seen() {
    const bottom = this.#log.getBoundingClientRect().bottom + 1;
    for (const chunk of [...this.#rows.children].reverse()) {
      if (chunk.getBoundingClientRect().top > bottom) continue;
      const row = [...chunk.children].findLast((row) => row.dataset.seq && row.getBoundingClientRect().bottom <= bottom);
      if (row) return Number(row.dataset.seq);
    }
    return 0;
  }

  /** Where the mark is. @returns {'above' | 'here' | 'below' | null} */
  get markPlace() {
    if (!this.#mark) return null;
    const top = this.#topOf(this.#mark);
    return top < -this.#mark.offsetHeight ? 'above' : top > this.#log.clientHeight ? 'below' : 'here';
  }

  toEnd() {
    this.#returnTo = null;
    this.isFollowing = true;
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** Scrolls to a message, or to the mark before it; returns whether it is loaded. */
  to(seq, context, isMark) {
    if (!context.room.message(seq)) return false;
    const place = this.#place();
    this.#reach(seq, context);
    const row = isMark && this.#mark ? this.#mark : this.#rowOf(seq);
    if (!row) return false;
    this.#scrollTo(row, isMark ? ABOVE_MARK_PX : this.#log.clientHeight / 3);
    this.#returnTo ??= place;
    row.getAnimations().forEach((animation) => animation.cancel());
    row.classList.add('flash');
    row.onanimationend = () => row.classList.remove('flash');
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
    if (start > 0) this.#showFrom(Math.max(0, start - MORE_ENTRIES), context);
    return start > 0;
  }

  scrollByPage(direction) {
    this.#log.scrollBy({ top: direction * this.#log.clientHeight * 0.9 });
  }

  /** Shows another room. The log is filled before it is a live region. */
  #open(context) {
    if (this.#room) this.#places.set(this.#room.key, this.#place());
    const { room } = context;
    const place = this.#places.get(room.key);
    this.#log.removeAttribute('role');
    this.#rows.replaceChildren();
    this.#elements.clear();
    this.#room = room;
    this.#mark = this.#returnTo = null;
    const latest = room.entries.length - FIRST_ENTRIES;
    const wanted = Math.min(place?.seq ?? Infinity, room.divider ?? Infinity);
    const at = room.entries.findIndex(({ seq, epoch }) => epoch === room.epoch && seq >= wanted);
    this.#first = room.entries[Math.max(0, at < 0 ? latest : Math.min(latest, at - ABOVE_ENTRIES))];
    this.#update(context);
    this.toEnd();
    if (this.markPlace === 'above') this.#scrollTo(this.#mark, ABOVE_MARK_PX);
    else if (!this.#mark && place) this.#restore(place);
    requestAnimationFrame(() => this.#log.setAttribute('role', 'log'));
  }

  get #start() {
    return Math.max(0, this.#room.entries.indexOf(this.#first));
  }

  #showFrom(at, context) {
    this.#first = this.#room.entries[at];
    this.#keepPlace(() => this.#update(context), true);
  }

  /** Shows everything from a message on. */
  #reach(seq, context) {
    const at = this.#room.entries.indexOf(this.#room.message(seq));
    if (at < this.#start) this.#showFrom(Math.max(0, at - ABOVE_ENTRIES), context);
  }

  /** Adds rows behind those that are shown. */
  #append(context) {
    for (const row of rowsOf(this.#room, this.#shown, this.#start)) this.#insert(row, this.#rows.lastChild?.lastChild ?? null, context);
    this.#shown = this.#room.entries.length;
  }

  /** Brings all rows up to date, unheard. Rows never change their order. */
  #update(context) {
    const start = this.#start;
    const rows = rowsOf(this.#room, start, start);
    const wanted = new Set(rows.map(({ key }) => key));
    this.#log.setAttribute('aria-live', 'off');
    for (const key of this.#elements.keys()) if (!wanted.has(key)) this.#remove(key);
    let previous = null;
    for (const row of rows) {
      const known = this.#elements.get(row.key);
      known?.classList.toggle('grouped', row.isGrouped === true);
      previous = known ?? this.#insert(row, previous, context);
    }
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => this.#log.removeAttribute('aria-live'), 150);
    this.#shown = this.#room.entries.length;
    this.#revision = this.#room.revision;
    this.#first = this.#room.entries[start];
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

  /** Scrolls to the end, but while nobody looks only as far as the mark stays on the screen. */
  #follow(isAttended) {
    const end = this.#log.scrollHeight - this.#log.clientHeight;
    const limit = this.#mark && !isAttended ? this.#log.scrollTop + this.#topOf(this.#mark) - ABOVE_MARK_PX : Infinity;
    this.#log.scrollTop = Math.min(end, limit);
    this.isFollowing = limit >= end;
  }

  #topOf(row) {
    return row.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
  }

  /** First message on the screen, and where it stands. */
  #anchor() {
    for (const chunk of this.#rows.children) {
      if (this.#topOf(chunk) + chunk.offsetHeight <= 0) continue;
      const row = [...chunk.children].find((one) => one.dataset.seq && this.#topOf(one) + one.offsetHeight > 0);
      if (row) return { row, offset: this.#topOf(row) };
    }
    return null;
  }

  #place() {
    const anchor = this.isFollowing ? null : this.#anchor();
    return anchor && { seq: Number(anchor.row.dataset.seq), offset: anchor.offset };
  }

  #restore(place) {
    const row = place && this.#rowOf(place.seq);
    if (row) this.#scrollTo(row, place.offset);
    else this.toEnd();
  }

  #rowOf(seq) {
    return this.#elements.get(`message/${this.#room.epoch}/${seq}`);
  }

  #scrollTo(row, offset) {
    this.#log.scrollTop += this.#topOf(row) - offset;
    this.#scrolled();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.isFollowing = scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
    if (this.isFollowing) this.#returnTo = null;
    this.#onScroll();
  }
}
