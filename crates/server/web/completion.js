/** Completion of the word before the cursor, one candidate after the other. Pure. */
import { COMMANDS, commandOf } from './commands.js';

export class Completion {
  /** Replacements, and what separates each from the next word. @type {{word: string, end: string}[]} */
  candidates;
  shown = -1;
  #before;
  #after;

  /** Starts at a cursor; `null` if nothing completes the word before it. @param {{names: string[], rooms: string[]}} sources */
  static start(text, cursor, sources) {
    const [, kept, word] = /^([^]*?)(\S*)$/.exec(text.slice(0, cursor));
    const made = new Completion();
    made.#before = kept;
    made.#after = text.slice(cursor);
    made.candidates = candidatesFor(kept, word, sources);
    return made.candidates.length === 0 ? null : made;
  }

  /** The text and the cursor with the next candidate. */
  next() {
    this.shown = (this.shown + 1) % this.candidates.length;
    const { word, end } = this.candidates[this.shown];
    // A space that is there already need not be put there.
    const before = this.#before + word + (/^\s/.test(this.#after) ? end.trimEnd() : end);
    return { text: before + this.#after, cursor: before.length };
  }
}

function candidatesFor(kept, word, { names, rooms }) {
  if (kept === '' && /^\/(?!\/)/.test(word)) {
    const commands = [...COMMANDS.map((command) => command.names[0]).sort(), ...COMMANDS.flatMap((command) => command.names.slice(1))];
    return matching(word.slice(1), commands, '/', (name) => (commandOf(name).usage ? ' ' : ''));
  }
  const [name, ...before] = kept.trim().split(/\s+/);
  const takes = name.startsWith('/') && !name.startsWith('//') ? commandOf(name.slice(1))?.takes ?? [] : ['text'];
  // What follows the last argument belongs to it, if it is text.
  const kind = takes[before.length] ?? (takes.at(-1) === 'text' ? 'text' : '');
  // A Tab in an empty line or after a space moves the focus.
  if (kind === 'text' && word === '') return [];
  const end = kept === '' ? ': ' : kind === 'text' || before.length + 1 < takes.length ? ' ' : '';
  if (kind !== 'name' && kind !== 'text') return matching(word, kind === 'room' ? rooms : [], '', () => end);
  // A name may follow an `@` or a bracket, which stays.
  const [, opened, rest] = /^([@([{"'„“«（「]*)([^]*)$/.exec(word);
  return matching(rest, names, opened, () => (opened ? end.replace(':', '') : end));
}

/** Words that begin with a prefix in any case; exact ones come first. */
function matching(prefix, words, opened, endOf) {
  const lower = prefix.toLowerCase();
  const rank = (word) => (word === prefix ? 0 : word.toLowerCase() === lower ? 1 : 2);
  return words.filter((word) => word.toLowerCase().startsWith(lower)).sort((one, other) => rank(one) - rank(other))
    .map((word) => ({ word: opened + word, end: endOf(word) }));
}
