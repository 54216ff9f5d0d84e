import assert from 'node:assert/strict';
import test from 'node:test';

import { FrameError, FrameReader, PAYLOAD_BYTES_MAX, encodeFrame } from '../../../crates/server/web/frames.js';
import { bytes, specified } from './vectors.js';

const framed = (text) => Buffer.from(String(Buffer.byteLength(text)).padEnd(10) + text);

test('T1 headers of the vectors are written and read', () => {
  for (const { header, length } of specified('vectors/headers.json').accepted) {
    if (length > PAYLOAD_BYTES_MAX) continue;
    const event = { type: 'x', text: 'y'.repeat(Math.max(0, length - 22)) };
    const text = JSON.stringify(event).slice(0, -1).padEnd(length - 1) + '}';
    if (text.length !== length) continue;
    assert.deepEqual(new FrameReader().push(Buffer.from(header + text)), [event], header);
  }
  const frame = Buffer.from(encodeFrame({ type: 'say', text: '漢字 ☕' }));
  assert.deepEqual(frame, framed('{"type":"say","text":"漢字 ☕"}'));
});

test('T2 headers of the vectors that are refused are errors', () => {
  for (const { header, name } of specified('vectors/headers.json').refused) {
    assert.throws(() => new FrameReader().push(bytes(header)), FrameError, name);
  }
});

test('a frame of another length than it may have is an error', () => {
  assert.throws(() => new FrameReader().push(Buffer.from('102401    ')), FrameError);
  const longest = JSON.stringify({ type: 'x', text: '' }).length;
  const text = JSON.stringify({ type: 'x', text: 'y'.repeat(PAYLOAD_BYTES_MAX - longest) });
  assert.equal(new FrameReader().push(framed(text)).length, 1);
});

test('frames are the same however their bytes are cut', () => {
  const events = [{ type: 'a', text: 'ä漢☕' }, { type: 'b' }, { type: 'c', text: '5         {"type":"x"}' }];
  const stream = Buffer.concat(events.map((event) => framed(JSON.stringify(event))));
  for (let size = 1; size <= stream.length; size += 1) {
    const reader = new FrameReader();
    const came = [];
    for (let at = 0; at < stream.length; at += size) came.push(...reader.push(stream.subarray(at, at + size)));
    assert.deepEqual(came, events, `pieces of ${size} bytes`);
  }
});

test('payloads that are no event are errors', () => {
  for (const text of ['', 'null', '5', '[]', '{}', '{"type":5}', '{"type":"x"', '"type"']) {
    assert.throws(() => new FrameReader().push(framed(text)), FrameError, text);
  }
  assert.throws(() => new FrameReader().push(Buffer.from('3         "\xff"', 'latin1')), FrameError);
});

/** Events as the specification shows them, on the wire; those of `join --json` alone left out. */
const EXAMPLES = Object.entries(specified('events.schema.json').$defs)
  .filter(([name]) => name.startsWith('event_'))
  .flatMap(([, { examples }]) => examples ?? [])
  .filter(({ type, seq }) => type !== 'message' || seq !== undefined);

const isTaken = (event) => {
  try {
    return new FrameReader().push(framed(JSON.stringify(event))).length === 1;
  } catch (error) {
    assert.ok(error instanceof FrameError, error);
    return false;
  }
};

test('E1 every event of the specification is one, with more fields too', () => {
  assert.ok(EXAMPLES.length > 20, `${EXAMPLES.length} examples`);
  for (const event of EXAMPLES) assert.ok(isTaken({ ...event, newer: [1] }), JSON.stringify(event));
  for (const type of ['newer', 'constructor', '__proto__']) assert.ok(isTaken({ type, text: 5 }), type);
});

test('an event whose fields the page cannot show is none', () => {
  const shown = ['room', 'from', 'to', 'text', 'name', 'names', 'messages', 'rooms', 'seq', 'at', 'count', 'code', 'since', 'until', 'by'];
  for (const event of EXAMPLES) {
    for (const field of Object.keys(event).filter((key) => shown.includes(key))) {
      if (event.type === 'act' && field === 'at') continue;
      for (const value of [-1, 1.5, 2 ** 60, { length: 1 }, [null], null]) {
        assert.ok(!isTaken({ ...event, [field]: value }), JSON.stringify({ ...event, [field]: value }));
      }
    }
  }
  const said = { room: 'lobby', seq: 1, at: '2026-01-02T03:04:05.678Z', from: 'bob', text: 'hi' };
  for (const wrong of [{ at: 'soon' }, { at: '275760-09-13T00:00:00.001Z' }, { seq: '7' }, { text: undefined }]) {
    assert.ok(!isTaken({ type: 'message', ...said, ...wrong }), JSON.stringify(wrong));
    assert.ok(!isTaken({ type: 'history', room: 'lobby', messages: [said, { ...said, ...wrong }] }), JSON.stringify(wrong));
  }
});
