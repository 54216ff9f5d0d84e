import assert from 'node:assert/strict';
import test from 'node:test';

import { isWellFormed } from '../../../crates/server/web/events.js';
import { specified } from './vectors.js';

const kinds = Object.entries(specified('events.schema.json').$defs).filter(([name]) => name.startsWith('event_'));

test('every example of an event in the schema is well-formed', () => {
  assert.ok(kinds.length >= 18);
  for (const [name, { examples }] of kinds) {
    // Without numbers and times are those of a tutorial server only, which no page reaches (E1).
    const seen = examples.filter((event) => event.type !== 'message' || event.seq !== undefined);
    for (const event of seen) assert.ok(isWellFormed(event), `${name}: ${JSON.stringify(event)}`);
  }
});

test('every event of the recorded conversations is well-formed', () => {
  const { steps } = specified('vectors/conversation-event.json');
  const events = steps.flatMap((step) => (step.gets ? [step.gets] : []));
  assert.ok(events.length > 20);
  for (const event of events) assert.ok(isWellFormed(event), JSON.stringify(event));
});

test('a field that is missing or of another type is a fault', () => {
  for (const [name, { examples, required }] of kinds) {
    for (const field of required.filter((field) => field !== 'type')) {
      for (const wrong of [undefined, null, {}]) {
        // Fields that the page never reads may be anything.
        if (name === 'event_welcome' && field === 'limits') continue;
        if (name === 'event_error' || (name === 'event_direct' && field === 'at')) continue;
        if (['id', 'more', 'at'].includes(field) && wrong === undefined) continue;
        assert.ok(!isWellFormed({ ...examples[0], [field]: wrong }), `${name}.${field} = ${JSON.stringify(wrong)}`);
      }
    }
  }
});

test('names of JavaScript are no types of events', () => {
  for (const type of ['constructor', '__proto__', 'toString', 'unknown', '']) assert.ok(!isWellFormed({ type }));
});
