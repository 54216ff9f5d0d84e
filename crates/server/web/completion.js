/** Completion of the word before the cursor, one candidate after the other, as in the terminal client. */
import { COMMANDS, commandOf } from './commands.js';

/** Signs after which a name may begin within a word. */
const OPENS = /[([{<"',;:/+&=*~`|“„”‘‚’«»‹›¿¡…–—（「『【《、，：；。]/u;

/**
 * @typedef {{names: string[], rooms: string[]}} Sources names, the last speaker first
 * @typedef {{word: string, end: string}} Candidate replacement of the word, and what separates it
 *     from the next one
 */

export class Completion {
  /** @type {Candidate[]} */
  candidates;
  /** Place of the candidate that is shown. */
  shown = -1;
  #before;
  #after;

  constructor(before, after, candidates) {
    this.#before = before;
    this.#after = after;
    this.candidates = candidates;
  }

  /**
   * Starts at a cursor; `null` if nothing completes the word before it.
   * @param {string} text
   * @param {number} cursor
   * @param {Sources} sources
   */
  static start(text, cursor, sources) {
    const [before, after] = [text.slice(0, cursor), text.slice(cursor)];
    const [, kept, word] = /^([\s\S]*?)(\S*)$/u.exec(before);
    const candidates = candidatesFor(kept, word, sources);
    return candidates.length === 0 ? null : new Completion(kept, after, candidates);
  }

  /** The text and the cursor with the next candidate. */
  next() {
    this.shown = (this.shown + 1) % this.candidates.length;
    const { word, end } = this.candidates[this.shown];
    // A space that is there already need not be put there.
    const separator = /^\s/u.test(this.#after) ? end.trimEnd() : end;
    const before = this.#before + word + separator;
    return { text: before + this.#after, cursor: before.length };
  }
}

function candidatesFor(kept, word, sources) {
  if (/^\/(?!\/)/u.test(kept)) return ofArguments(kept.slice(1), word, sources);
  if (kept === '' && word.startsWith('/')) return ofCommands(word);
  // A Tab in an empty line or after a space moves the focus.
  return word === '' ? [] : ofNames(word, sources, kept === '' ? ': ' : ' ');
}

function ofCommands(word) {
  const names = COMMANDS.flatMap((command) => command.names.map((name, index) => ({ name, isAlias: index > 0, command })));
  names.sort((one, other) => one.isAlias - other.isAlias || (one.name < other.name ? -1 : 1));
  const options = names.map(({ name, command }) => ({ word: `/${name}`, key: name, end: command.usage ? ' ' : '' }));
  return matching(word.slice(1), options);
}

function ofArguments(line, word, sources) {
  const [name, ...before] = line.split(/\s+/u).filter((part) => part !== '');
  const takes = commandOf(name ?? '')?.takes ?? [];
  // What follows the last argument belongs to it, if it is text.
  const argument = takes[before.length] ?? (takes.at(-1) === 'text' ? 'text' : undefined);
  const end = before.length + 1 < takes.length ? ' ' : '';
  const plain = (words) => matching(word, words.map((option) => ({ word: option, key: option, end })));
  switch (argument) {
    case 'name': return ofNames(word, sources, end);
    case 'text': return word === '' ? [] : ofNames(word, sources, ' ');
    case 'room': return plain(sources.rooms);
    case 'command': return plain(COMMANDS.flatMap(({ names }) => names).sort());
    case 'level': return plain(['off', 'mentions', 'all']);
    default: return [];
  }
}

/** Names, also after a bracket, a quote or a comma, and after an `@`; what stands before them stays. */
function ofNames(word, sources, end) {
  const whole = ofBareNames(word, sources, end);
  const opened = [...word].findLastIndex((sign) => OPENS.test(sign)) + 1;
  if (whole.length > 0 || opened === 0) return whole;
  const units = [...word].slice(0, opened).join('').length;
  const rest = word.slice(units);
  if (rest === '') return [];
  const names = ofBareNames(rest, sources, end === '' ? '' : ' ');
  return names.map((candidate) => ({ ...candidate, word: word.slice(0, units) + candidate.word }));
}

function ofBareNames(word, { names }, end) {
  const isAt = word.startsWith('@');
  const options = names.map((name) => ({ word: isAt ? `@${name}` : name, key: name, end: isAt && end !== '' ? ' ' : end }));
  return matching(isAt ? word.slice(1) : word, options);
}

/** Of the options those that begin with the prefix, in any case; exact ones come first. */
function matching(prefix, options) {
  const lower = prefix.toLowerCase();
  const rank = ({ key }) => (key === prefix ? 0 : key.toLowerCase() === lower ? 1 : 2);
  return options
    .filter(({ key }) => key.toLowerCase().startsWith(lower))
    .sort((one, other) => rank(one) - rank(other))
    .map(({ word, end }) => ({ word, end }));
}
