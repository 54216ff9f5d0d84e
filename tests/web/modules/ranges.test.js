import assert from 'node:assert/strict';
import test from 'node:test';

import { RangeSet } from '../../../crates/server/web/ranges.js';
import { SEED, below } from './random.js';

test('ranges hold what a set of numbers would', () => {
  const random = below();
  for (let round = 0; round < 300; round += 1) {
    const ranges = new RangeSet();
    const numbers = new Set();
    for (let step = 0; step < 12; step += 1) {
      const [from, length] = [1 + random(40), random(8) - 1];
      ranges.add(from, from + length);
      for (let number = from; number <= from + length; number += 1) numbers.add(number);
      const [low, high] = [1 + random(30), 10 + random(40)];
      const expected = [];
      for (let number = low; number <= high; number += 1) if (numbers.has(number)) expected.push(number);
      const listed = (all) => all.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
      assert.deepEqual(listed(ranges.within(low, high)), expected, `SEED=${SEED}`);
      assert.equal(ranges.countIn(low, high), expected.length, `SEED=${SEED}`);
      const whole = [...expected, ...listed(ranges.missingIn(low, high))].sort((one, other) => one - other);
      assert.deepEqual(whole, Array.from({ length: Math.max(0, high - low + 1) }, (_, at) => low + at), `SEED=${SEED}`);
    }
  }
});
