/** Line that is typed: sending, completion, and a draft for each conversation. */
import { isSecretLine } from './commands.js';
import { Completion } from './completion.js';
import { byId, setText } from './dom.js';

/** Further candidates that the hint lists. */
const HINTS_MAX = 8;

export class Composer {
  #line = byId('line');
  #storage;
  #onSend;
  #sources;
  #key = '';
  /** @type {Record<string, string>} by conversation */
  #drafts;
  /** @type {Completion | null} */
  #completion = null;
  /** After Esc a Tab moves the focus, so that the keyboard is not caught here. */
  #isTabFree = false;

  /**
   * @param {import('./storage.js').TabStorage} storage
   * @param {(text: string) => boolean} onSend returns whether the line was taken
   * @param {() => {names: string[], rooms: string[]}} sources
   */
  constructor(storage, onSend, sources) {
    this.#storage = storage;
    this.#onSend = onSend;
    this.#sources = sources;
    this.#drafts = storage.get('drafts', {});
    this.#line.addEventListener('keydown', (event) => this.#keyDown(event));
    this.#line.addEventListener('input', () => {
      this.release(false);
      this.#changed();
    });
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
      this.#line.focus();
    });
    // A press of the button leaves the focus in the line, so that the keyboard of a phone stays.
    byId('send').addEventListener('mousedown', (event) => event.preventDefault());
  }

  /** Goes to another conversation, with what was typed there. */
  open(key) {
    this.#key = key;
    this.#set(this.#drafts[key] ?? '');
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

  /** Ends a completion; with `isTabFree` the next Tab moves the focus. Returns whether there was one. */
  release(isTabFree) {
    const hadCompletion = this.#completion !== null;
    this.#completion = null;
    this.#isTabFree = isTabFree;
    this.tell('');
    return hadCompletion;
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
    if (value.trim() === '') return;
    // Empty first: what is sent may show another conversation, whose draft stays.
    this.#set('');
    if (this.#onSend(value)) return;
    this.#line.value = value;
    this.#changed();
  }

  #complete() {
    const { value, selectionStart, selectionEnd } = this.#line;
    if (selectionStart !== selectionEnd) return false;
    const completion = this.#completion ?? Completion.start(value, selectionStart, this.#sources());
    if (!completion) return false;
    const { text, cursor } = completion.next();
    this.#set(text, cursor);
    this.#completion = completion;
    const { candidates, shown } = completion;
    const next = candidates.slice(shown + 1, shown + 1 + HINTS_MAX).map(({ word }) => word);
    if (next.length > 0) this.tell(`Tab: ${next.join(' ')}`);
    return true;
  }

  #set(text, cursor = text.length) {
    this.#line.value = text;
    this.#line.setSelectionRange(cursor, cursor);
    this.release(false);
    this.#changed();
  }

  /** Keeps the draft, but stores none that may hold a secret; fits the field. */
  #changed() {
    this.#drafts[this.#key] = this.#line.value || undefined;
    const kept = Object.entries(this.#drafts).filter(([, text]) => text && !isSecretLine(text));
    this.#storage.set('drafts', Object.fromEntries(kept));
    this.#line.style.height = 'auto';
    this.#line.style.height = `${this.#line.scrollHeight + 2}px`;
  }
}
