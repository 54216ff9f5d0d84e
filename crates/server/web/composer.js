/**
 * The line that is typed: sending, completion, earlier lines, and a draft for each conversation.
 */
import { isSecretLine } from './commands.js';
import { Completion } from './completion.js';
import { setText } from './dom.js';

/** Earlier lines that ArrowUp brings back. */
const SENT_LINES_MAX = 100;
/** Candidates that the hint lists. */
const HINTS_MAX = 8;

export class Composer {
  #line;
  #hint;
  #handlers;
  #storage;
  #key = '';
  /** @type {Record<string, string>} by conversation */
  #drafts;
  /** @type {Completion | null} */
  #completion = null;
  #sent = [];
  #recalled = 0;
  /** After Esc a Tab moves the focus, so that the keyboard is not caught in the line. */
  #isTabFree = false;

  /**
   * @param {{line: HTMLTextAreaElement, hint: HTMLElement, form: HTMLFormElement}} parts
   * @param {import('./storage.js').TabStorage} storage
   * @param {{send: (text: string) => boolean, sources: () => import('./completion.js').Sources}} handlers
   *     `send` returns whether the line was taken
   */
  constructor({ line, hint, form }, storage, handlers) {
    this.#line = line;
    this.#hint = hint;
    this.#storage = storage;
    this.#handlers = handlers;
    this.#drafts = storage.get('drafts', {});
    line.addEventListener('keydown', (event) => this.#keyDown(event));
    line.addEventListener('input', () => this.#edited());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Goes to another conversation, with what was typed there. */
  open(key) {
    if (key === this.#key) return;
    this.#keep();
    this.#key = key;
    this.#set(this.#drafts[key] ?? '');
    this.#recalled = this.#sent.length;
  }

  /** Puts a text into the line, in front of what is there. */
  bring(text) {
    const { value } = this.#line;
    this.#set(value === '' ? text : `${text}\n${value}`);
    this.#keep();
    this.#line.focus();
  }

  /** Writes at the cursor. */
  insert(text) {
    this.#line.focus();
    this.#line.setRangeText(text, this.#line.selectionStart, this.#line.selectionEnd, 'end');
    this.#edited();
  }

  /** The next Tab moves the focus, or completes another word. */
  leaveCompletion() {
    this.#completion = null;
    this.#isTabFree = true;
    this.tell('');
  }

  /** Says something about the line, until the next key. */
  tell(text) {
    setText(this.#hint, text);
  }

  #keyDown(event) {
    // While an IME composes, its keys are its own: the Enter that ends a composition sends nothing.
    // WebKit reports that Enter behind the end, with key code 229.
    if (event.isComposing || event.keyCode === 229) return;
    const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (event.key === 'Enter' && isPlain) {
      event.preventDefault();
      this.#send();
    } else if (event.key === 'Tab' && isPlain) {
      if (!this.#isTabFree && this.#complete()) event.preventDefault();
    } else if (event.key === 'ArrowUp' && isPlain) {
      if (this.#recall(-1)) event.preventDefault();
    } else if (event.key === 'ArrowDown' && isPlain) {
      if (this.#recall(1)) event.preventDefault();
    } else if (event.key.length === 1 || event.key === 'Backspace') {
      this.#completion = null;
    }
    this.#isTabFree = false;
  }

  #send() {
    const { value } = this.#line;
    if (value.trim() === '' || !this.#handlers.send(value)) return;
    if (!isSecretLine(value)) this.#sent = [...this.#sent, value].slice(-SENT_LINES_MAX);
    this.#recalled = this.#sent.length;
    this.#set('');
    this.#keep();
  }

  /** Completes the word before the cursor; returns false if there is nothing to complete. */
  #complete() {
    const { value, selectionStart, selectionEnd } = this.#line;
    if (selectionStart !== selectionEnd) return false;
    this.#completion ??= Completion.start(value, selectionStart, this.#handlers.sources());
    if (!this.#completion) return false;
    const { text, cursor } = this.#completion.next();
    this.#line.value = text;
    this.#line.setSelectionRange(cursor, cursor);
    this.#keep();
    this.#grow();
    this.#tellCandidates();
    return true;
  }

  #tellCandidates() {
    const { candidates, shown } = this.#completion;
    if (candidates.length < 2) return this.tell('');
    const first = Math.floor(shown / HINTS_MAX) * HINTS_MAX;
    const words = candidates.slice(first, first + HINTS_MAX)
      .map(({ word }, index) => (first + index === shown ? `[${word}]` : word));
    const more = candidates.length - first - words.length;
    this.tell(`Tab: ${words.join(' ')}${more > 0 ? ` and ${more} more` : ''}`);
  }

  /** Brings back an earlier line; only from an empty line, or one that was brought back. */
  #recall(step) {
    const { value } = this.#line;
    const isRecalled = value === (this.#sent[this.#recalled] ?? '');
    const next = this.#recalled + step;
    if (!isRecalled || next < 0 || next > this.#sent.length) return false;
    this.#recalled = next;
    this.#set(this.#sent[next] ?? '');
    return true;
  }

  #edited() {
    this.#completion = null;
    this.tell('');
    this.#keep();
    this.#grow();
  }

  #set(text) {
    this.#completion = null;
    this.#line.value = text;
    this.#line.setSelectionRange(text.length, text.length);
    this.#grow();
  }

  /** Keeps the draft; one that may hold a secret is not stored. */
  #keep() {
    const { value } = this.#line;
    const { [this.#key]: _, ...others } = this.#drafts;
    this.#drafts = value === '' ? others : { ...others, [this.#key]: value };
    const stored = Object.entries(this.#drafts).filter(([, text]) => !isSecretLine(text));
    this.#storage.set('drafts', Object.fromEntries(stored));
  }

  /** Makes the field as high as its text, where the browser does not do so by itself. */
  #grow() {
    if (CSS.supports('field-sizing', 'content')) return;
    this.#line.style.height = 'auto';
    this.#line.style.height = `${this.#line.scrollHeight + 2}px`;
  }
}
