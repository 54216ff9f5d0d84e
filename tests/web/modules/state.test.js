import assert from 'node:assert/strict';
import test from 'node:test';

import { colourOf, NAME_COLOURS } from '../../../crates/server/web/colours.js';
import { Chat } from '../../../crates/server/web/state.js';

const AT = '2026-01-02T03:04:05.678Z';
const welcome = (seq = 0, name = 'alice') => ({ type: 'welcome', name, token: '', server: '', rooms: [{ room: 'lobby', seq, count: 1 }] });
const message = (seq, { from = 'bob', text = `t${seq}`, ...rest } = {}) => ({ type: 'message', room: 'lobby', seq, at: AT, from, text, ...rest });

function chat(events, readBefore) {
  const one = new Chat(readBefore);
  for (const [at, event] of events.entries()) {
    one.receive(event, { now: 10000 + at });
    if (event.type === 'welcome') one.show('#lobby');
  }
  return one;
}

test('messages arrive once; the copy of the sender is their own', () => {
  const one = chat([welcome(), message(1), message(1), message(2, { from: 'alice' })]);
  assert.deepEqual(one.room.entries.map(({ seq, isMine }) => [seq, isMine]), [[1, false], [2, true]]);
});

test('after a reload what came meanwhile is unread, and no more', () => {
  const one = chat([welcome(12), { type: 'history', room: 'lobby', messages: [10, 11, 12].map((seq) => message(seq)) }], { '#lobby': 10 });
  assert.equal(one.room.unread, 2);
  assert.equal(one.room.firstUnread, 11);
  assert.equal(chat([welcome(12)]).room.unread, 0, 'a first visit has nothing unread');
});

test('a reconnect asks for what came after the newest number', () => {
  const one = chat([welcome(), message(1), message(2)]);
  assert.deepEqual(one.since, { lobby: 2 });
});

test('mentions are of the present name, ignored people count nothing', () => {
  const one = chat([welcome()]);
  one.ignored.add('eve');
  one.isAttended = false;
  one.receive(message(1, { text: 'Alice?' }), { now: 0 });
  one.receive(message(2, { from: 'Eve', text: 'alice' }), { now: 0 });
  assert.equal(one.room.unread, 1);
  assert.equal(one.room.unreadMentions, 1);
  one.receive({ type: 'renamed', from: 'alice', to: 'alicia' }, { now: 0 });
  assert.equal(one.me, 'alicia');
});

test('ignoring and its end reach what was said before', () => {
  const one = chat([welcome(), message(1), message(2, { from: 'Eve', text: 'alice' })]);
  const revision = one.room.revision;
  one.setIgnored('EVE', true);
  assert.deepEqual([one.room.unread, one.room.unreadMentions], [1, 0]);
  assert.ok(one.room.revision > revision, 'it is drawn anew');
  one.setIgnored('eve', false);
  assert.deepEqual([one.room.unread, one.room.unreadMentions], [2, 1]);
});

test('the list has rooms first, then persons', () => {
  const one = chat([welcome()]);
  one.directWith('zoe');
  one.receive({ type: 'joined', room: 'attic', names: ['alice'], seq: 0 }, { now: 0, isOwn: true });
  assert.deepEqual(one.list.map(({ key }) => key), ['#lobby', '#attic', '@zoe']);
});

test('a reload keeps who wrote, how many are unread, and no text', () => {
  const before = chat([welcome()]);
  for (const [number, from] of ['zoe', 'zoe', 'bob'].entries()) {
    before.receive({ type: 'direct', from, to: 'alice', text: 'psst', at: AT, id: `${number}`.repeat(32) }, { now: 0 });
  }
  before.directWith('bob').markAllRead();
  assert.ok(!JSON.stringify(before.directs).includes('psst'));
  const one = chat([]);
  one.restoreDirects(JSON.parse(JSON.stringify(before.directs)), new Date('2026-01-02T14:05').getTime());
  assert.deepEqual(one.list.map(({ name, unread }) => [name, unread]), [['zoe', 2], ['bob', 0]]);
  assert.deepEqual(one.list.map(({ entries }) => entries[0].text),
    ['messages before 14:05 are not kept; 2 of them unread', 'messages before 14:05 are not kept']);
  one.receive({ type: 'direct', from: 'zoe', to: 'alice', text: 'again', at: AT, id: '9'.repeat(32) }, { now: 0 });
  assert.equal(one.directWith('zoe').unread, 3);
  one.show('@zoe');
  assert.equal(one.room.unread, 1, 'those that are lost are read once they are told of');
});

test('a direct message that comes twice is shown once', () => {
  const one = chat([welcome()]);
  const direct = { type: 'direct', from: 'bob', to: 'alice', text: 'psst', at: AT, id: '0'.repeat(32) };
  one.receive(direct, { now: 0 });
  one.receive(direct, { now: 0 });
  assert.equal(one.directWith('BOB').entries.length, 1);
  assert.ok(one.isReply('bob'));
});

test('a sealed message is told from its text', () => {
  const one = chat([welcome(), message(1, { text: '', sealed: 'AAAA' })]);
  assert.equal(one.room.entries[0].isSealed, true);
});

test('people who come and go are those of the list', () => {
  const one = chat([welcome(), { type: 'members', room: 'lobby', names: ['alice', 'bob'], count: 2 },
    { type: 'joined', room: 'lobby', names: ['eve'], count: 1 }, { type: 'left', room: 'lobby', names: ['bob'], count: 1 }]);
  assert.deepEqual([...one.room.members].sort(), ['alice', 'eve']);
});

test('notes are bounded as messages are', () => {
  const one = chat([welcome()]);
  for (let at = 0; at < 30000; at += 1) one.note(`note ${at}`, 0);
  assert.ok(one.room.entries.length <= 20000);
  assert.equal(one.room.entries.at(-1).text, 'note 29999');
});

test('the colour of a name is forgotten after many others', () => {
  const { colours } = chat([welcome()]);
  const names = Array.from({ length: 300 }, (_, at) => `name${at}`);
  const other = names.find((name) => name !== 'name0' && colourOf(name) === colourOf('name0'));
  for (const name of ['name0', other]) colours.assign(name);
  assert.notEqual(colours.of(other), colourOf(other), 'its own colour is taken');
  for (const name of names) colours.assign(`${name}-later`);
  assert.equal(colours.of(other), colourOf(other));
});

test('two people who are present have different colours', () => {
  const one = chat([welcome()]);
  const names = Array.from({ length: NAME_COLOURS }, (_, at) => `name${at}`);
  one.receive({ type: 'members', room: 'lobby', names, count: names.length }, { now: 0 });
  assert.equal(new Set(names.map((name) => one.colours.of(name))).size, NAME_COLOURS);
  assert.equal(colourOf('Alice'), colourOf('alice'));
});

test('people who write alone fill neither the page nor its memory', () => {
  const one = chat([welcome()]);
  const direct = (from, to, number) => one.receive({ type: 'direct', from, to, text: 'hi', id: String(number).padStart(32, '0') }, { now: number });
  direct('bob', 'alice', 1);
  direct('alice', 'bob', 2);
  for (let number = 3; number < 9000; number += 1) direct(`stranger-${number}`, 'alice', number);
  const directs = [...one.rooms.values()].filter(({ kind }) => kind === 'direct');
  assert.ok(directs.length < 200, `${directs.length} conversations`);
  assert.equal(directs[0].name, 'bob', 'who was answered stays');
  assert.equal(directs.at(-1).name, 'stranger-8999', 'the newest is shown');
  assert.equal(one.room.entries.filter(({ tone }) => tone === 'warning').length, 1, 'it is said once');
});
