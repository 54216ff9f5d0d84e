import assert from 'node:assert/strict';
import test from 'node:test';

import { Room } from '../../../crates/server/web/room.js';
import { rowsOf } from '../../../crates/server/web/rows.js';
import { SEED, below } from './random.js';

const message = (seq, { isCounted = true, epoch = 0 } = {}) => ({
  kind: 'message', epoch, seq, at: 0, from: 'bob', text: `text ${seq}`, action: false, isSealed: false, isMine: !isCounted,
  isMention: false, isCounted,
});
const room = (newest, read = newest) => Object.assign(new Room('room', 'lobby'), { newest, read });
const numbers = (of) => of.entries.filter(({ kind }) => kind === 'message').map(({ seq }) => seq);

test('messages stand once and in order, however they come', () => {
  const random = below();
  for (let round = 0; round < 200; round += 1) {
    const one = room(0);
    const came = Array.from({ length: 40 }, () => 1 + random(30));
    for (const seq of came) one.add(message(seq));
    assert.deepEqual(numbers(one), [...new Set(came)].sort((left, right) => left - right), `SEED=${SEED}`);
    assert.equal(one.newest, Math.max(...came), `SEED=${SEED}`);
  }
});

test('unread counts what others said after the last read one', () => {
  const one = room(10);
  assert.equal(one.unread, 0);
  one.add(message(11));
  one.add(message(12, { isCounted: false }));
  one.add(message(13));
  assert.equal(one.unread, 2);
  one.markRead(11);
  assert.equal(one.unread, 1);
  one.markRead(5);
  assert.equal(one.read, 11, 'reading does not go back');
  one.markAllRead();
  assert.equal(one.unread, 0);
});

test('what is behind the mark is counted as what is unread', () => {
  const one = room(13, 10);
  one.add(message(11, { isCounted: false }));
  one.enter();
  assert.deepEqual([one.newCount, one.unread], [2, 2]);
  one.markRead(13);
  assert.deepEqual([one.newCount, one.unread], [2, 0]);
  one.markAllRead();
  assert.equal(one.newCount, 0);
});

test('the mark stands before the first unread of another', () => {
  const one = room(13, 10);
  one.add(message(11, { isCounted: false }));
  one.add(message(12));
  one.add(message(13));
  one.enter();
  assert.equal(one.firstUnread, 12);
  for (let seq = 1; seq <= 10; seq += 1) one.add(message(seq));
  assert.equal(one.firstUnread, 12, 'older messages do not move it');
  one.markRead(13);
  assert.equal(one.firstUnread, 12, 'reading does not move it');
  one.markAllRead();
  assert.equal(one.firstUnread, null);
});

test('a mark whose message is not loaded yet is told from none', () => {
  const one = room(200, 100);
  for (let seq = 150; seq <= 200; seq += 1) one.add(message(seq));
  one.enter();
  assert.equal(one.isDividerLoaded, false);
  one.addPage(Array.from({ length: 49 }, (_, at) => message(101 + at)), { after: 100, to: 149 }, true);
  assert.equal(one.isDividerLoaded, true);
  assert.equal(one.firstUnread, 101);
});

test('numbers that a page leaves out are gone, not missing', () => {
  const one = room(10, 0);
  one.addPage([2, 3, 7, 10].map((seq) => message(seq)), { before: 11 }, false);
  assert.deepEqual(one.holesIn(1, 10), []);
  assert.equal(one.isComplete, true);
  assert.equal(one.unread, 4);
});

test('an older page stays, however much is loaded', () => {
  const one = room(21000);
  for (let seq = 1001; seq <= 21000; seq += 1) one.add(message(seq));
  one.addPage(Array.from({ length: 200 }, (_, at) => message(801 + at)), { before: 1001 }, true);
  assert.equal(one.oldest, 801);
  assert.equal(one.gone.countIn(1, 21000), 0);
  assert.ok(one.entries.length <= 20000);
  const { kind, from, to } = rowsOf(one, 0, 0).at(-1);
  assert.deepEqual({ kind, from, to }, { kind: 'hole', from: 19001, to: 21000 }, 'the end can be loaded again');
  one.add(message(21001));
  assert.equal(one.message(21001)?.seq, 21001, 'behind what was forgotten');
  assert.deepEqual(one.holesIn(801, 21001), [{ from: 19001, to: 21000 }]);
});

test('a server that counts anew begins a new epoch behind the old', () => {
  const one = room(5);
  one.add(message(5));
  assert.equal(one.noteNewest(0), true);
  one.add(message(1, { epoch: one.epoch }));
  assert.deepEqual(numbers(one), [5, 1]);
  assert.equal(one.unread, 1);
  assert.equal(one.noteNewest(1), false);
});

test('notes stay behind the message that they followed', () => {
  const one = room(0);
  one.add(message(5));
  one.addNote({ text: 'note', tone: 'plain' });
  one.add(message(6));
  one.add(message(4));
  assert.deepEqual(one.entries.map(({ seq }) => seq), [4, 5, 5.5, 6]);
});

test('a page of stored messages brings none but those asked for', () => {
  const room = new Room('room', 'lobby');
  for (const seq of [100, 101]) room.add(message(seq));
  room.addPage([50, 150, 99].map((seq) => message(seq)), { before: 100 }, true);
  assert.deepEqual(room.entries.map(({ seq }) => seq), [50, 99, 100, 101]);
  room.addPage([], { before: 50 }, true);
  assert.equal(room.isComplete, false, 'there are more, as the server says');
  room.addPage([60, 98], { after: 50, before: 60, to: 59 }, false);
  assert.deepEqual(room.holesIn(1, 60), [{ from: 1, to: 49 }], 'what a page leaves out is gone');
});
