import assert from 'node:assert/strict';
import test from 'node:test';

import { Outbox } from '../../../crates/server/web/outbox.js';

const id = (number) => String(number).padStart(32, '0');
const say = (outbox, number, type = 'send') =>
  outbox.add(id(number), '#lobby', type === 'send' ? { type, room: 'lobby', text: `t${number}` } : { type, to: 'bob', text: 't' }, 0);
const written = (outbox, newest) => {
  const requests = [];
  for (let next = outbox.nextToSend(() => newest, () => false); next; next = outbox.nextToSend(() => newest, () => false)) requests.push(next);
  return requests;
};

test('E4 what is not acknowledged goes out again, in order, unchanged', () => {
  const outbox = new Outbox();
  for (let number = 1; number <= 3; number += 1) say(outbox, number);
  const first = written(outbox, 7);
  assert.deepEqual(first.map((request) => request.id), [id(1), id(2), id(3)]);
  assert.ok(first.every((request) => request.after === 7));
  assert.ok(outbox.acknowledge(id(2)));
  assert.ok(!outbox.acknowledge(id(2)), 'only once');
  outbox.connectionLost();
  say(outbox, 4);
  const again = written(outbox, 9);
  assert.deepEqual(again.slice(0, 2), [first[0], first[2]], 'the same id and the same after');
  assert.equal(again[2].after, 9);
  assert.equal(outbox.unsent, 3);
});

test('E4 a message that never knew a number has none later', () => {
  const outbox = new Outbox();
  say(outbox, 1);
  assert.ok(!('after' in written(outbox, undefined)[0]));
  outbox.connectionLost();
  assert.ok(!('after' in written(outbox, 9)[0]));
});

test('a reload keeps order, ids and what was written', () => {
  const outbox = new Outbox();
  say(outbox, 1);
  const first = written(outbox, 7);
  say(outbox, 2);
  const loaded = new Outbox(JSON.parse(JSON.stringify(outbox.all)));
  assert.deepEqual(loaded.all.map(({ state }) => state), ['waiting', 'waiting']);
  assert.deepEqual(written(loaded, 9).map((request) => [request.id, request.after]), [[id(1), first[0].after], [id(2), 9]]);
});

test('E3 a direct message on a lost connection is the reader\'s to decide', () => {
  const outbox = new Outbox();
  say(outbox, 1, 'direct');
  written(outbox, 7);
  outbox.connectionLost();
  assert.deepEqual(written(outbox, 7), []);
  assert.equal(outbox.all[0].state, 'doubtful');
  outbox.sendAgain(id(1), id(2), 5);
  assert.deepEqual(written(outbox, 7).map((request) => request.id), [id(2)]);
});

test('a refusal is of what was written, and keeps its reason', () => {
  const outbox = new Outbox();
  say(outbox, 1);
  assert.equal(outbox.refuse(id(1), { code: 'muted', text: 'x' }), undefined);
  written(outbox, 7);
  assert.equal(outbox.refuse(id(1), { code: 'muted', text: 'x' }).state, 'refused');
  outbox.connectionLost();
  assert.deepEqual(written(outbox, 7), [], 'it is not sent again by itself');
  assert.equal(outbox.unsent, 0);
});
