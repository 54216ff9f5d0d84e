/**
 * Pieces of a text: links, mentions of the reader's name, hits of a search. Texts are other people's: nothing but what
 * `linksIn` returns becomes an address.
 */

/** http or https, then everything up to a space, a quote, a bracket of HTML or an unseen character. */
const LINK = /\bhttps?:\/\/[^\s<>"“”„«»`\p{Cc}\p{Cf}]+/giu;
const OPENED_BY = { ')': '(', ']': '[', '}': '{' };

/** Places are UTF-16 units. @typedef {{start: number, end: number, href?: string}} Range */

/** Finds links; none that hides its host behind a user name (`https://bank@evil.example`). @returns {Range[]} */
export function linksIn(text) {
  return [...text.matchAll(LINK)].flatMap(({ 0: whole, index }) => {
    const shown = withoutPunctuation(whole);
    const url = URL.canParse(shown) ? new URL(shown) : null;
    const isLink = url && /^https?:$/.test(url.protocol) && url.hostname && !url.username && !url.password;
    return isLink ? [{ start: index, end: index + shown.length, href: url.href }] : [];
  });
}

/** Cuts what ends a sentence, and brackets that were opened before the link. */
function withoutPunctuation(link) {
  const left = {};
  for (const sign of link) left[sign] = (left[sign] ?? 0) + 1;
  let end = link.length;
  for (;;) {
    const last = link[end - 1];
    const isUnopened = OPENED_BY[last] && left[last] > (left[OPENED_BY[last]] ?? 0);
    if (!isUnopened && !/[.,;:!?'’…。，、！？]/.test(last)) return link.slice(0, end);
    left[last] -= 1;
    end -= 1;
  }
}

/** Scripts without spaces between words: a name may stand anywhere in them. */
const UNSPACED = String.raw`\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tibt}\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}`;
const IN_WORD = String.raw`[[\p{L}\p{M}\p{N}_]--[${UNSPACED}]]`;
const isInWord = (sign) => new RegExp(`^${IN_WORD}`, 'v').test(sign);

/** Finds a name: whole words in any case (`alice-2` is not `alice`), none in a link, an address or a path. @returns {Range[]} */
export function mentionsOf(name, text) {
  if (name === '') return [];
  const [first, last] = [[...name][0], [...name].at(-1)];
  const before = isInWord(first) ? `(?<!${IN_WORD}-?)` : '';
  const after = isInWord(last) ? `(?!-?${IN_WORD})` : '';
  const outside = String.raw`(?<![\/\\]|[\p{L}\p{N}][@]|www\.)`;
  const until = String.raw`(?!\p{M}|@[\p{L}\p{N}]|\.[\p{L}\p{N}]+[.\/@])`;
  const escaped = name.replace(/[^\p{L}\p{N}\p{M}]/gu, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);
  const found = text.matchAll(new RegExp(outside + before + escaped + after + until, 'giv'));
  const ranges = [...found].map(({ 0: { length }, index }) => ({ start: index, end: index + length }));
  const links = ranges.length > 0 ? linksIn(text) : [];
  return ranges.filter(({ start }) => !links.some((link) => link.start <= start && start < link.end));
}

const fold = (text) => text.normalize('NFC').toLowerCase();

/** Finds a text in any case and either normalisation form. @returns {Range[]} */
export function rangesOf(wanted, text) {
  const needle = fold(wanted);
  let folded = '';
  const starts = [];
  // A letter and its marks are one piece, because they may be one character in the other form.
  for (const { 0: letter, index } of text.matchAll(/\P{M}\p{M}*|\p{M}+/gu)) {
    const piece = fold(letter);
    folded += piece;
    for (let unit = 0; unit < piece.length; unit += 1) starts.push(index);
  }
  starts.push(text.length);
  const ranges = [];
  for (let at = needle === '' ? -1 : folded.indexOf(needle); at >= 0; at = folded.indexOf(needle, at + needle.length)) {
    ranges.push({ start: starts[at], end: starts[at + needle.length] });
  }
  return ranges;
}

/**
 * Cuts a text into pieces; together they are the text.
 * @returns {{text: string, href?: string, mention?: boolean, found?: boolean}[]}
 */
export function piecesOf(text, { me = '', query = '' } = {}) {
  const kinds = [text.includes('://') ? linksIn(text) : [], mentionsOf(me, text), query === '' ? [] : rangesOf(query, text)];
  const cuts = [...new Set([0, text.length, ...kinds.flat().flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const next = [0, 0, 0];
  return cuts.slice(0, -1).map((start, at) => {
    const [link, mention, found] = kinds.map((ranges, kind) => {
      while (ranges[next[kind]]?.end <= start) next[kind] += 1;
      const range = ranges[next[kind]];
      return range && range.start <= start ? range : null;
    });
    return { text: text.slice(start, cuts[at + 1]), ...(link && { href: link.href }), ...(mention && { mention: true }), ...(found && { found: true }) };
  });
}
