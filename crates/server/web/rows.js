/** Rows of the log: messages and notes, and between them days, the mark "new", and what is missing. Pure. */
import { dayOf } from './format.js';

/** Messages of one person within this time form a group with one name. */
const GROUP_MS = 300000;

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
  let previous = shown.at(-1);
  let message = shown.findLast(({ kind }) => kind === 'message');
  for (const entry of entries.slice(from)) {
    if (entry.isIgnored) continue;
    const place = `${entry.epoch}/${entry.seq}`;
    if (entry.kind === 'note') rows.push({ key: `note/${entry.id}`, kind: 'note', entry });
    else {
      const isCurrent = entry.epoch === epoch;
      if (isCurrent && message?.epoch === epoch) rows.push(...absent(room, message.seq + 1, entry.seq - 1));
      if (!message || dayOf(message.at) !== dayOf(entry.at)) rows.push({ key: `day/${place}`, kind: 'day', at: entry.at });
      if (isCurrent && entry.seq === mark) rows.push({ key: `unread/${place}`, kind: 'unread', at: entry.at });
      const isGrouped = entry.seq !== mark && goesOn(previous, entry);
      rows.push({ key: `message/${place}`, kind: 'message', entry, isGrouped });
      message = entry;
    }
    previous = entry;
  }
  // Messages at the end that the server could not deliver, or that were forgotten.
  const end = message?.epoch === epoch ? { from: message.seq + 1, to: room.newest } : { from: 1, to: 0 };
  const gaps = room.isEndForgotten ? [end] : room.missed.within(end.from, end.to);
  rows.push(...gaps.flatMap((gap) => absent(room, gap.from, gap.to)));
  return rows;
}

function goesOn(previous, entry) {
  return previous?.kind === 'message' && previous.from === entry.from && !previous.action && !entry.action
    && previous.seq + 1 === entry.seq && entry.at - previous.at < GROUP_MS && dayOf(previous.at) === dayOf(entry.at);
}

function absent(room, from, to) {
  if (from > to) return [];
  const count = to - from + 1 - room.gone.countIn(from, to);
  if (count === 0) return [{ key: `gone/${from}/${to}`, kind: 'gone', count: to - from + 1 }];
  const isMissed = room.missed.countIn(from, to) > 0;
  return [{ key: `hole/${from}/${to}/${count}/${isMissed}/${room.hasHistory}`, kind: 'hole', from, to, count, isMissed }];
}
