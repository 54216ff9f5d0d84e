/** The line that is typed: sending, completion, and a draft for each conversation. */
import { isSecretLine } from './commands.js';
import { Completion } from './completion.js';
import { byId, setText } from './dom.js';

/** Candidates that the hint lists. */
const HINTS_MAX = 8;

export class Composer {
  #line = byId('line');
  #storage;
  #handlers;
  #key = '';
  /** @type {Record<string, string>} by conversation */
  #drafts;
  /** @type {Completion | null} */
  #completion = null;
  /** After Esc a Tab moves the focus, so that the keyboard is not caught here. */
  #isTabFree = false;

  /**
   * @param {import('./storage.js').TabStorage} storage
   * @param {{send: (text: string) => boolean, sources: () => {names: string[], rooms: string[]}}} handlers `send` returns
   *   whether the line was taken
   */
  constructor(storage, handlers) {
    this.#storage = storage;
    this.#handlers = handlers;
    this.#drafts = storage.get('drafts', {});
    this.#line.addEventListener('keydown', (event) => this.#keyDown(event));
    this.#line.addEventListener('input', () => {
      this.release(false);
      this.#changed();
    });
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Goes to another conversation, with what was typed there. */
  open(key) {
    this.#key = key;
    this.#set(this.#drafts[key] ?? '');
  }

  hasDraft(key) {
    return this.#drafts[key] !== undefined;
  }

  /** Puts a text before what is typed. */
  bring(text) {
    this.#set([text, this.#line.value].filter(Boolean).join('\n'));
    this.#line.focus();
  }

  /** Says something about the line, until it changes. */
  tell(text) {
    setText(byId('hint'), text);
  }

  /** Ends a completion; with `isTabFree` the next Tab moves the focus. */
  release(isTabFree) {
    this.#completion = null;
    this.#isTabFree = isTabFree;
    this.tell('');
  }

  #keyDown(event) {
    // The Enter that ends a composition of an IME sends nothing. WebKit reports it behind the end, with key code 229.
    if (event.isComposing || event.keyCode === 229) return;
    const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (event.key === 'Enter' && isPlain) {
      event.preventDefault();
      this.#send();
    } else if (event.key === 'Tab' && isPlain && !this.#isTabFree && this.#complete()) {
      event.preventDefault();
    }
  }

  #send() {
    const { value } = this.#line;
    if (value.trim() !== '' && this.#handlers.send(value)) this.#set('');
  }

  #complete() {
    const { value, selectionStart, selectionEnd } = this.#line;
    if (selectionStart !== selectionEnd) return false;
    const completion = this.#completion ?? Completion.start(value, selectionStart, this.#handlers.sources());
    if (!completion) return false;
    const { text, cursor } = completion.next();
    this.#set(text, cursor);
    this.#completion = completion;
    const { candidates, shown } = completion;
    const first = shown - (shown % HINTS_MAX);
    const words = candidates.slice(first, first + HINTS_MAX).map(({ word }, at) => (first + at === shown ? `[${word}]` : word));
    const more = candidates.length - first - words.length;
    if (candidates.length > 1) this.tell(`${words.join(' ')}${more > 0 ? ` and ${more} more` : ''}`);
    return true;
  }

  #set(text, cursor = text.length) {
    this.#line.value = text;
    this.#line.setSelectionRange(cursor, cursor);
    this.release(false);
    this.#changed();
  }

  /** Keeps the draft, but stores none that may hold a secret; fits the field where the browser does not. */
  #changed() {
    this.#drafts[this.#key] = this.#line.value || undefined;
    const kept = Object.entries(this.#drafts).filter(([, text]) => text && !isSecretLine(text));
    this.#storage.set('drafts', Object.fromEntries(kept));
    if (CSS.supports('field-sizing', 'content')) return;
    this.#line.style.height = 'auto';
    this.#line.style.height = `${this.#line.scrollHeight + 2}px`;
  }
}
