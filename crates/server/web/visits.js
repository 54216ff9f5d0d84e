/**
 * Arrivals and departures of a while as one line: who came, who went, and who did both. Counts may
 * include people without names (T11).
 */

/** Names that a group of the line lists; more are counted. */
const NAMES_SHOWN = 3;

/**
 * @typedef {{names: string[], unnamed: number}} Group
 * @typedef {{came: Group, went: Group, cameAndWent: Group}} Visits
 */

/** @returns {Visits} */
export function noVisits() {
  const group = () => ({ names: [], unnamed: 0 });
  return { came: group(), went: group(), cameAndWent: group() };
}

/**
 * Adds an announcement. The visits given are not changed.
 * @param {Visits} visits
 * @param {'came' | 'went'} direction
 * @param {string[]} names
 * @param {number} unnamed further people
 * @returns {Visits}
 */
export function withVisit(visits, direction, names, unnamed) {
  const next = structuredClone(visits);
  for (const name of names) {
    if (direction === 'came') {
      // Who went and came back is here as before.
      if (!take(next.went, name)) next.came.names.push(name);
      take(next.cameAndWent, name);
    } else {
      (take(next.came, name) ? next.cameAndWent : next.went).names.push(name);
    }
  }
  next[direction].unnamed += unnamed;
  return next;
}

function take(group, name) {
  const at = group.names.indexOf(name);
  if (at >= 0) group.names.splice(at, 1);
  return at >= 0;
}

/**
 * Describes visits: pieces of text, names apart, so that each can be shown in its own direction.
 * @param {Visits} visits
 * @returns {(string | {name: string})[]} empty if everybody is as before
 */
export function describeVisits({ came, went, cameAndWent }) {
  const parts = [[came, 'joined'], [went, 'left'], [cameAndWent, 'came and went']]
    .filter(([group]) => group.names.length + group.unnamed > 0)
    .map(([group, did]) => [...listed(group), ` ${did}`]);
  return parts.flatMap((part, index) => (index === 0 ? part : ['; ', ...part]));
}

function listed({ names, unnamed }) {
  const shown = names.slice(0, NAMES_SHOWN);
  const others = names.length - shown.length + unnamed;
  const list = shown.flatMap((name, index) => (index === 0 ? [{ name }] : [', ', { name }]));
  if (others === 0) return list;
  return shown.length === 0 ? [`${others} people`] : [...list, ` and ${others} more`];
}
