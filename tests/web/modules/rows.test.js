import assert from 'node:assert/strict';
import test from 'node:test';

import { rowsOf } from '../../../crates/server/web/rows.js';
import { Chat } from '../../../crates/server/web/state.js';

const AT = '2026-01-02T03:04:05.678Z';
const kinds = (room, from = 0) => rowsOf(room, from, 0).map(({ kind, entry }) => entry?.seq ?? kind);

/** A chat in whose lobby bob and eve speak in turn. */
function talk(count) {
  const chat = new Chat();
  chat.receive({ type: 'welcome', name: 'alice', rooms: [{ room: 'lobby', seq: 0, count: 1 }] }, { now: 10000 });
  chat.show('#lobby');
  for (let seq = 1; seq <= count; seq += 1) {
    chat.receive({ type: 'message', room: 'lobby', seq, at: AT, from: seq % 3 === 1 ? 'bob' : 'eve', text: `t${seq}` }, { now: 10000 });
  }
  return chat;
}

test('ignored messages leave no hole, and come back', () => {
  const chat = talk(7);
  const { room } = chat;
  assert.deepEqual(kinds(room), ['start', 'day', 1, 2, 3, 4, 5, 6, 7]);
  chat.setIgnored('Eve', true);
  assert.deepEqual(kinds(room), ['start', 'day', 1, 4, 7]);
  assert.deepEqual(kinds(room, 6), [7], 'what is added at the end');
  assert.deepEqual(kinds(room, 5), [7], 'an ignored one, and what is added behind it');
  chat.setIgnored('eve', false);
  assert.deepEqual(kinds(room), ['start', 'day', 1, 2, 3, 4, 5, 6, 7]);
});

test('a hole beside an ignored message counts what is missing', () => {
  const chat = talk(3);
  chat.setIgnored('eve', true);
  chat.receive({ type: 'message', room: 'lobby', seq: 6, at: AT, from: 'bob', text: 't6' }, { now: 10000 });
  const hole = rowsOf(chat.room, 0, 0).find(({ kind }) => kind === 'hole');
  assert.deepEqual([hole.from, hole.to, hole.count], [4, 5, 2]);
});
