/**
 * Rows of the log: messages and notes, and between them the days, the mark "new", and what is not
 * shown. Pure.
 */
import { dayOf } from './format.js';

/** Messages of one person within this time form a group with one name. */
const GROUP_MS = 300000;

/**
 * `older` asks for earlier messages; `start` says that there are none; `hole` stands for messages
 * that can be loaded, `gone` for those that are not stored.
 * @typedef {{key: string, kind: 'message', entry: import('./room.js').Message, isGrouped: boolean}
 *   | {key: string, kind: 'note', entry: import('./room.js').Note}
 *   | {key: string, kind: 'day', at: number}
 *   | {key: string, kind: 'unread', at: number}
 *   | {key: string, kind: 'hole', from: number, to: number, count: number, isMissed: boolean}
 *   | {key: string, kind: 'gone', count: number}
 *   | {key: string, kind: 'older' | 'start'}} Row
 */

/**
 * Returns the rows of a room's entries from one index on, where those before it are shown already.
 * @param {import('./room.js').Room} room
 * @param {number} from index of the first entry
 * @param {number} start index of the first entry that the log shows
 * @returns {Row[]}
 */
export function rowsOf(room, from, start) {
  const { entries } = room;
  const rows = from === start && start === 0 ? headOf(room) : [];
  let previous = from > start ? entries[from - 1] : undefined;
  let message = from > start ? lastMessage(entries, from, start) : undefined;
  const mark = room.isDividerLoaded ? room.firstUnread : null;
  for (let at = from; at < entries.length; at += 1) {
    const entry = entries[at];
    if (entry.isIgnored) continue;
    const isMessage = entry.kind === 'message';
    if (isMessage && message) rows.push(...absentBetween(room, message, entry));
    if (isMessage && (!message || dayOf(message.at) !== dayOf(entry.at))) {
      rows.push({ key: `day/${entry.epoch}/${entry.seq}`, kind: 'day', at: entry.at });
    }
    const isMarked = isMessage && entry.epoch === room.epoch && entry.seq === mark;
    if (isMarked) rows.push({ key: `unread/${entry.epoch}/${entry.seq}`, kind: 'unread', at: entry.at });
    rows.push(isMessage ? messageRow(entry, previous, isMarked) : noteRow(entry));
    previous = entry;
    if (isMessage) message = entry;
  }
  return [...rows, ...missedBehind(room, message)];
}

function lastMessage(entries, from, start) {
  for (let at = from - 1; at >= start; at -= 1) if (entries[at].kind === 'message') return entries[at];
  return undefined;
}

function messageRow(entry, previous, isMarked) {
  const isGrouped = !isMarked && previous?.kind === 'message' && previous.from === entry.from
    && !previous.action && !entry.action && entry.at - previous.at < GROUP_MS && dayOf(previous.at) === dayOf(entry.at)
    && previous.epoch === entry.epoch && previous.seq + 1 === entry.seq;
  return { key: `message/${entry.epoch}/${entry.seq}`, kind: 'message', entry, isGrouped };
}

function noteRow(entry) {
  return { key: `note/${entry.id}`, kind: 'note', entry };
}

function headOf(room) {
  if (room.kind === 'direct') return [];
  const isFirst = room.oldest === 1 || room.isComplete || !room.hasHistory || room.newest === 0;
  return [isFirst ? { key: 'start', kind: 'start' } : { key: 'older', kind: 'older' }];
}

/** What is between two messages whose numbers do not follow each other. */
function absentBetween(room, before, after) {
  if (before.epoch !== after.epoch || before.epoch !== room.epoch || before.seq + 1 >= after.seq) return [];
  const [from, to] = [before.seq + 1, after.seq - 1];
  const holes = room.gone.missingIn(from, to);
  if (holes.length === 0) return [{ key: `gone/${from}/${to}`, kind: 'gone', count: to - from + 1 }];
  return [holeRow(room, holes)];
}

/** Messages at the end that the server could not deliver. */
function missedBehind(room, message) {
  if (message?.epoch !== room.epoch) return [];
  const holes = room.missed.within(message.seq + 1, room.newest)
    .flatMap(({ from, to }) => room.gone.missingIn(from, to));
  return holes.length === 0 ? [] : [holeRow(room, holes)];
}

function holeRow(room, holes) {
  const [from, to] = [holes[0].from, holes.at(-1).to];
  const count = holes.reduce((sum, hole) => sum + hole.to - hole.from + 1, 0);
  const isMissed = room.missed.countIn(from, to) > 0;
  return { key: `hole/${from}/${to}/${count}/${isMissed}/${room.hasHistory}`, kind: 'hole', from, to, count, isMissed };
}
