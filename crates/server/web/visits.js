/** Arrivals and departures of a while as one line: who came, who went, who did both. */

const NAMES_SHOWN = 3;
const WORDS = { came: 'joined', went: 'left', both: 'came and went' };

/** @typedef {Record<'came' | 'went' | 'both', string[]> & {unnamed: {came: number, went: number}}} Visits */

/** Visits with an announcement more; those given are not changed. @param {Visits | undefined} visits @returns {Visits} */
export function withVisit(visits, direction, names, unnamed) {
  const next = structuredClone(visits ?? { came: [], went: [], both: [], unnamed: { came: 0, went: 0 } });
  const take = (group, name) => next[group].includes(name) && (next[group] = next[group].filter((other) => other !== name), true);
  for (const name of names) {
    if (direction === 'went') next[take('came', name) ? 'both' : 'went'].push(name);
    // Who went and came back is here as before.
    else if (!take('went', name)) next.came.push(name), take('both', name);
  }
  next.unnamed[direction] += unnamed;
  return next;
}

/** Pieces of text, names apart; none if everybody is as before. @param {Visits} visits @returns {(string | {name: string})[]} */
export function describeVisits(visits) {
  const parts = Object.keys(WORDS).map((group) => {
    const shown = visits[group].slice(0, NAMES_SHOWN);
    const others = visits[group].length - shown.length + (visits.unnamed[group] ?? 0);
    const list = shown.flatMap((name, at) => (at === 0 ? [{ name }] : [', ', { name }]));
    if (others > 0) list.push(shown.length > 0 ? ` and ${others} more` : `${others} people`);
    return list.length > 0 ? [...list, ` ${WORDS[group]}`] : [];
  }).filter(({ length }) => length > 0);
  return parts.flatMap((part, at) => (at === 0 ? part : ['; ', ...part]));
}
