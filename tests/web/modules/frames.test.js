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
