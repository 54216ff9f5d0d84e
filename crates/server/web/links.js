/**
 * Pieces of a text: links, mentions of the reader's name, and hits of a search. Texts are other
 * people's: a piece is shown as text only, and the one thing that may become an address is what
 * `linksIn` returns.
 */

/** A scheme, then everything up to a space, a quote, a bracket of HTML or an unseen character. */
const LINK = /\bhttps?:\/\/[^\s<>"“”„«»`\p{Cc}\p{Cf}]+/giu;
const CLOSING = { ')': '(', ']': '[', '}': '{' };

/**
 * Part of a text from `start` to `end`, in UTF-16 units.
 * @typedef {{start: number, end: number}} Range
 * @typedef {Range & {href: string, host: string}} LinkRange
 * @typedef {{text: string, href?: string, host?: string, mention?: boolean, found?: boolean}} Piece
 */

/**
 * Finds the links of a text. Only http and https count, and none that hides its host behind a user
 * name (`https://bank.example@evil.example`).
 * @param {string} text
 * @returns {LinkRange[]}
 */
export function linksIn(text) {
  const links = [];
  for (const match of text.matchAll(LINK)) {
    const shown = withoutPunctuation(match[0]);
    const url = parsed(shown);
    if (url) links.push({ start: match.index, end: match.index + shown.length, href: url.href, host: url.host });
  }
  return links;
}

function parsed(text) {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  return isWeb && !url.username && !url.password && url.hostname ? url : null;
}

/** Cuts what ends a sentence, and brackets that were opened before the link. */
function withoutPunctuation(link) {
  let end = link.length;
  for (;;) {
    const last = link[end - 1];
    const isUnopened = CLOSING[last] && count(link, last, end) > count(link, CLOSING[last], end);
    if (!isUnopened && !/[.,;:!?'’…。，、！？]/u.test(last)) return link.slice(0, end);
    end -= 1;
  }
}

function count(text, sign, end) {
  return text.slice(0, end).split(sign).length - 1;
}

/** Letters and marks that make a word longer. Scripts without spaces between words are left out. */
const IN_WORD = /[\p{L}\p{M}\p{N}_]/u;
const WITHOUT_SPACES = /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tibt}\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}]/u;

/**
 * Finds a name in a text: whole words, in any case, and none inside a link or an address.
 * @param {string} name
 * @param {string} text
 * @returns {Range[]}
 */
export function mentionsOf(name, text) {
  if (name === '') return [];
  const found = rangesOf(name, text).filter(({ start, end }) => isWholeWord(text, start, end));
  return found.length === 0 ? found : found.filter((range) => !isInAddress(text, range));
}

function isWholeWord(text, start, end) {
  const [first, last] = [charBefore(text, start + 1), text[end - 1]];
  const before = charBefore(text, start);
  const after = text.slice(end, end + 2);
  return !joins(before, first, charBefore(text, start - before.length))
    && !/^\p{M}/u.test(after) && !joins(String.fromCodePoint(after.codePointAt(0) ?? 32), last, after[1] ?? '');
}

/** Returns whether a neighbour continues a word, also over a hyphen: `alice-2` is not `alice`. */
function joins(neighbour, edge, beyond) {
  const isLetter = (c) => IN_WORD.test(c) && !WITHOUT_SPACES.test(c);
  const reached = neighbour === '-' ? beyond : neighbour;
  return isLetter(reached) && isLetter(edge);
}

function charBefore(text, at) {
  return at > 0 ? [...text.slice(Math.max(0, at - 2), at)].at(-1) : '';
}

/** Returns whether a range is in a link, a mail address, a host name or a path. */
function isInAddress(text, { start, end }) {
  if (linksIn(text).some((link) => link.start <= start && start < link.end)) return true;
  const before = /[^\s,;:(<"']*$/u.exec(text.slice(0, start))[0];
  const after = /^[^\s,;:)>"']*/u.exec(text.slice(end))[0];
  const isMail = /[\p{L}\p{N}]@$|[\p{L}\p{N}.+-]+@[^@]*$/u.test(before) || /^[\p{L}\p{N}.+-]*@[\p{L}\p{N}]/u.test(after);
  const isHost = /\w\.\w*$/u.test(before) && /^\.\w/u.test(after) || /^\.\w+[./]\w/u.test(after);
  const isPath = /^[~.]?[/\\]|\\|\w\/[~\w]|\/.*\//u.test(before) || /^www\./iu.test(before);
  return isMail || isHost || isPath;
}

/**
 * Finds a text in another one, in any case and in either normalisation form.
 * @param {string} wanted
 * @param {string} text
 * @returns {Range[]}
 */
export function rangesOf(wanted, text) {
  const needle = fold(wanted);
  if (needle === '') return [];
  const { folded, starts } = folding(text);
  const ranges = [];
  for (let at = folded.indexOf(needle); at >= 0; at = folded.indexOf(needle, at + needle.length)) {
    ranges.push({ start: starts[at], end: starts[at + needle.length] });
  }
  return ranges;
}

function fold(text) {
  return text.normalize('NFC').toLowerCase();
}

/** A text in lower case, and for each unit of that its place in the text as written. */
function folding(text) {
  let folded = '';
  const starts = [];
  // A letter and its marks are one piece, because they may be one character in the other form.
  for (const match of text.matchAll(/\P{M}\p{M}*|\p{M}+/gu)) {
    const piece = fold(match[0]);
    folded += piece;
    for (let unit = 0; unit < piece.length; unit += 1) starts.push(match.index);
  }
  starts.push(text.length);
  return { folded, starts };
}

/**
 * Cuts a text into pieces to be shown one after the other; together they are the text.
 * @param {string} text
 * @param {{me?: string, query?: string}} [marks] name to mark as mentioned, text to mark as found
 * @returns {Piece[]}
 */
export function piecesOf(text, { me = '', query = '' } = {}) {
  const links = text.includes('://') ? linksIn(text) : [];
  const mentions = me ? mentionsOf(me, text) : [];
  const found = query ? rangesOf(query, text) : [];
  const all = [...links, ...mentions, ...found];
  if (all.length === 0) return text === '' ? [] : [{ text }];
  const bounds = new Set([0, text.length, ...all.flatMap(({ start, end }) => [start, end])]);
  const cuts = [...bounds].sort((one, other) => one - other);
  const holds = (ranges, at) => ranges.find(({ start, end }) => start <= at && at < end);
  return cuts.slice(0, -1).map((start, index) => {
    const link = holds(links, start);
    return {
      text: text.slice(start, cuts[index + 1]),
      ...(link && { href: link.href, host: link.host }),
      ...(holds(mentions, start) && { mention: true }),
      ...(holds(found, start) && { found: true }),
    };
  });
}
