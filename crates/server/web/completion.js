/** Completion of the word before the cursor, one candidate after the other, as in the terminal client. Pure. */
import { COMMANDS, commandOf } from './commands.js';

/** What a name may follow within a word. */
const OPENED = /^(.*[([{<"',;:/+&=*~`|“”„‘‚’«»‹›¿¡…–—（「『【《、，：；。])([^]+)$/u;

export class Completion {
  /** @type {{word: string, end: string}[]} replacements, and what separates each from the next word */
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

function candidatesFor(kept, word, sources) {
  if (/^\/(?!\/)/.test(kept)) return ofArguments(kept.slice(1), word, sources);
  if (kept === '' && word.startsWith('/')) {
    const names = [...COMMANDS.map(({ names: [name] }) => name).sort(), ...COMMANDS.flatMap(({ names }) => names.slice(1))];
    return matching(word.slice(1), names, (name) => `/${name}`, (name) => (commandOf(name).usage ? ' ' : ''));
  }
  // A Tab in an empty line or after a space moves the focus.
  return word === '' ? [] : ofNames(word, sources.names, kept === '' ? ': ' : ' ');
}

function ofArguments(line, word, { names, rooms }) {
  const [name, ...before] = line.trim().split(/\s+/);
  const takes = commandOf(name)?.takes ?? [];
  // What follows the last argument belongs to it, if it is text.
  const argument = takes[before.length] ?? (takes.at(-1) === 'text' ? 'text' : '');
  const end = before.length + 1 < takes.length ? ' ' : '';
  if (argument === 'name') return ofNames(word, names, end);
  if (argument === 'text') return word === '' ? [] : ofNames(word, names, ' ');
  const words = { room: rooms, level: ['off', 'mentions', 'all'] }[argument] ?? [];
  return matching(word, words, (option) => option, () => end);
}

/** Names, also after an `@`, a bracket, a quote or a comma, which stays. */
function ofNames(word, names, end) {
  const space = end === '' ? '' : ' ';
  if (word.startsWith('@')) return matching(word.slice(1), names, (name) => `@${name}`, () => space);
  const whole = matching(word, names, (name) => name, () => end);
  const [, opened, rest] = OPENED.exec(word) ?? [];
  return whole.length > 0 || !rest ? whole : ofNames(rest, names, space).map((candidate) => ({ ...candidate, word: opened + candidate.word }));
}

/** Words that begin with a prefix in any case; exact ones come first. */
function matching(prefix, words, written, ended) {
  const lower = prefix.toLowerCase();
  const rank = (word) => (word === prefix ? 0 : word.toLowerCase() === lower ? 1 : 2);
  return words.filter((word) => word.toLowerCase().startsWith(lower)).sort((one, other) => rank(one) - rank(other))
    .map((word) => ({ word: written(word), end: ended(word) }));
}
