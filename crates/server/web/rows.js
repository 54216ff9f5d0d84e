/** Rows of the log: messages and notes, and between them days, the mark "new", and what is missing. Pure. */
import { dayOf } from './format.js';

/**
 * A name and a time stand above the messages of one person, and again where the clock passes a multiple of this time or the
 * number one of `GROUP_ROWS`, so that every screen shows one. Neither depends on what is loaded.
 */
const GROUP_MS = 300000;
const GROUP_ROWS = 10;

/**
 * `older` asks for earlier messages, `start` says that there are none; a `hole` can be loaded, what is `gone` is not stored.
 * @typedef {{key: string, kind: 'message' | 'note' | 'day' | 'unread' | 'hole' | 'gone' | 'older' | 'start', entry?: any,
 *   isGrouped?: boolean, at?: number, from?: number, to?: number, count?: number, isMissed?: boolean}} Row
 */

/** Rows of a room's entries from one index on; those from `start` to there are shown already. @returns {Row[]} */
export function rowsOf(room, from, start) {
  const { entries, epoch, hasHistory } = room;
  const isFirst = room.isComplete || !hasHistory || room.newest === 0 || (from === 0 && room.oldest === 1);
  const head = isFirst ? 'start' : 'older';
  const rows = from === 0 && room.kind === 'room' ? [{ key: `${head}/${hasHistory}`, kind: head }] : [];
  const mark = room.isDividerLoaded ? room.firstUnread : null;
  const shown = entries.slice(start, from);
  // Ignored messages are hidden, and not missing.
  let last = shown.findLast(({ kind }) => kind === 'message');
  let previous = shown.findLast(({ isIgnored }) => !isIgnored);
  const message = shown.findLast(({ kind, isIgnored }) => kind === 'message' && !isIgnored);
  let day = [previous, message].map((entry) => (entry ? dayOf(entry.at) : '')).sort()[1];
  for (const entry of entries.slice(from)) {
    const isMessage = entry.kind === 'message';
    const place = isMessage ? `${entry.epoch}/${entry.seq}` : `note/${entry.id}`;
    const isCurrent = isMessage && entry.epoch === epoch;
    if (isCurrent && last?.epoch === epoch) rows.push(...absent(room, last.seq + 1, entry.seq - 1));
    if (isMessage) last = entry;
    if (entry.isIgnored) continue;
    // A note has the time of this machine: if its clock is slow, the note begins no day.
    const today = dayOf(entry.at);
    if (isMessage ? today !== day : today > day) {
      rows.push({ key: `day/${place}`, kind: 'day', at: entry.at });
      day = today;
    }
    if (isMessage) {
      if (isCurrent && entry.seq === mark) rows.push({ key: `unread/${place}`, kind: 'unread', at: entry.at });
      const isGrouped = entry.seq !== mark && goesOn(previous, entry);
      rows.push({ key: `message/${place}`, kind: 'message', entry, isGrouped });
    } else rows.push({ key: place, kind: 'note', entry });
    previous = entry;
  }
  // Messages at the end that the server could not deliver, or that were forgotten.
  const end = last?.epoch === epoch ? { from: last.seq + 1, to: room.newest } : { from: 1, to: 0 };
  const gaps = room.isEndForgotten ? [end] : room.missed.within(end.from, end.to);
  rows.push(...gaps.flatMap((gap) => absent(room, gap.from, gap.to)));
  return rows;
}

function goesOn(previous, entry) {
  return previous?.kind === 'message' && previous.from === entry.from && !previous.action && !entry.action
    && previous.seq + 1 === entry.seq && entry.seq % GROUP_ROWS > 0 && period(previous) === period(entry);
}

const period = ({ at }) => Math.floor(at / GROUP_MS);

function absent(room, from, to) {
  if (from > to) return [];
  const count = to - from + 1 - room.gone.countIn(from, to);
  if (count === 0) return [{ key: `gone/${from}/${to}`, kind: 'gone', count: to - from + 1 }];
  const isMissed = room.missed.countIn(from, to) > 0;
  return [{ key: `hole/${from}/${to}/${count}/${isMissed}/${room.hasHistory}`, kind: 'hole', from, to, count, isMissed }];
}
