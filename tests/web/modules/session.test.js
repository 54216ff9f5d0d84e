import assert from 'node:assert/strict';
import test from 'node:test';

import { Outbox } from '../../../crates/server/web/outbox.js';
import { Session } from '../../../crates/server/web/session.js';
import { Chat } from '../../../crates/server/web/state.js';
import { SEED, below } from './random.js';

const AT = '2026-01-02T03:04:05.678Z';
const TOKEN = '0123456789abcdef'.repeat(2);
const id = (number) => String(number).padStart(32, '0');

/** A server as E2 and E4 specify it, and the link to it; `now` is its clock and the session's. */
class World {
  now = 0;
  log = [];
  hellos = [];
  #isOpen = false;
  #inbox = [];
  #outbox = new Outbox();

  constructor(random) {
    this.chat = new Chat();
    this.session = new Session({
      link: { open: () => this.#reset(), close: () => this.#reset(), write: (request) => this.#inbox.push(request), bufferedBytes: 0 },
      outbox: this.#outbox,
      chat: this.chat,
      random: () => random(1000) / 1000,
      listener: (event) => this.#hear(event),
    });
    this.session.start({ name: 'alice' }, 0);
  }

  /** The page types a message. */
  say(number) {
    this.#outbox.add(id(number), '#lobby', { type: 'send', room: 'lobby', text: `t${number}` }, this.now);
    this.session.pump();
  }

  get unsent() {
    return this.#outbox.unsent;
  }

  /** The connection comes to be, when it is wanted. */
  open() {
    if (this.session.phase.kind !== 'connecting') return;
    this.#isOpen = true;
    this.session.opened(this.now);
  }

  /** The server handles one request; the connection may be lost before its answer arrives. */
  serve(isLost = false) {
    if (!this.#isOpen) return;
    const request = this.#inbox.shift();
    const events = request ? this.#answer(request) : [];
    if (isLost) this.lose();
    else for (const event of events) this.session.received(event, this.now);
  }

  lose() {
    this.#reset();
    this.session.closed(this.now);
  }

  pass(ms) {
    this.now += ms;
    this.session.tick(this.now);
  }

  #reset() {
    this.#isOpen = false;
    this.#inbox = [];
  }

  #hear(event) {
    if (event.type === 'message') this.#outbox.acknowledge(event.id);
    this.chat.receive(event, { now: this.now, isOwn: event.ref !== undefined });
  }

  #answer(request) {
    if (request.type === 'hello') {
      this.hellos.push(request);
      const missed = request.since ? this.log.slice(request.since.lobby ?? 0) : [];
      return [{ type: 'welcome', name: 'alice', token: TOKEN, server: '', limits: {}, rooms: [{ room: 'lobby', seq: this.log.length, count: 1 }] }, ...missed];
    }
    if (request.type === 'send') {
      const known = this.log.find((message) => message.id === request.id);
      if (known) return [{ ...known, ref: request.ref }];
      this.log.push({ type: 'message', room: 'lobby', seq: this.log.length + 1, at: AT, from: 'alice', text: request.text, id: request.id });
      return [{ ...this.log.at(-1), ref: request.ref }];
    }
    return request.type === 'ping' ? [{ type: 'pong', ref: request.ref }] : [];
  }
}

test('E4 whenever the link is lost, nothing is lost, doubled or moved', () => {
  const random = below();
  for (let round = 0; round < 200; round += 1) {
    const world = new World(random);
    let said = 0;
    for (let step = 0; step < 120; step += 1) {
      const what = random(10);
      if (what === 0) world.lose();
      else if (what <= 2 && said < 20) world.say((said += 1));
      else if (what <= 4) world.open();
      else if (what === 5) world.pass(random(20000));
      else world.serve(what === 6);
    }
    for (let step = 0; step < 400 && (world.unsent > 0 || world.session.phase.kind !== 'online'); step += 1) {
      world.open();
      world.serve();
      world.pass(200);
    }
    const wanted = Array.from({ length: said }, (_, at) => `t${at + 1}`);
    assert.deepEqual(world.log.map(({ text }) => text), wanted, `SEED=${SEED}`);
    const shown = world.chat.rooms.get('#lobby').entries.filter(({ kind }) => kind === 'message').map(({ text }) => text);
    assert.deepEqual(shown, wanted, `SEED=${SEED}: what is shown`);
  }
});

test('E2 a reconnect presents the token and what is known', () => {
  const world = new World(below());
  world.open();
  world.serve();
  world.say(1);
  world.serve();
  world.serve();
  assert.equal(world.hellos[0].token, undefined);
  world.lose();
  world.pass(60000);
  world.open();
  world.serve();
  assert.equal(world.hellos[1].token, TOKEN);
  assert.deepEqual(world.hellos[1].since, { lobby: 1 });
});

test('a silent server is asked, then given up', () => {
  const world = new World(below());
  world.open();
  world.serve();
  for (let step = 0; step < 3; step += 1) world.serve();
  const due = world.session.nextDeadline;
  world.pass(due - world.now);
  assert.equal(world.session.phase.kind, 'online');
  world.pass(20000);
  assert.equal(world.session.phase.kind, 'waiting');
  assert.ok(world.session.offlineSince !== null);
});

test('a message that nobody answers makes the connection doubtful', () => {
  const world = new World(below());
  world.open();
  world.serve();
  for (let step = 0; step < 3; step += 1) world.serve();
  world.say(1);
  for (let second = 0; second < 4; second += 1) world.pass(1000);
  assert.equal(world.session.isChecking, true);
  assert.equal(world.session.phase.kind, 'online');
  for (let step = 0; step < 2; step += 1) world.serve();
  assert.equal(world.session.isChecking, false, 'an answer ends it');
  for (let second = 0; second < 9; second += 1) world.pass(1000);
  assert.equal(world.session.isChecking, false, 'silence alone is none yet');
  for (let second = 0; second < 5; second += 1) world.pass(1000);
  assert.equal(world.session.isChecking, true, 'a ping without an answer');
  world.pass(15000);
  assert.equal(world.session.phase.kind, 'waiting');
});

test('attempts wait longer and longer, up to half a minute', () => {
  const world = new World(() => 999);
  world.open();
  world.serve();
  const delays = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    world.lose();
    delays.push(world.session.phase.until - world.now);
    world.pass(delays.at(-1));
  }
  assert.deepEqual(delays, [...delays].sort((one, other) => one - other));
  assert.ok(delays[0] <= 500 && delays.at(-1) > 20000 && delays.at(-1) <= 30000, String(delays));
});

test('O4 who is kicked or banned does not come back by itself', () => {
  for (const code of ['kicked', 'banned']) {
    const world = new World(below());
    world.open();
    world.serve();
    world.session.received({ type: 'error', code, text: 'out' }, world.now);
    world.session.received({ type: 'bye', text: 'goodbye' }, world.now);
    world.lose();
    world.pass(3600000);
    assert.deepEqual(world.session.phase, { kind: 'ended', why: 'out' });
  }
});
