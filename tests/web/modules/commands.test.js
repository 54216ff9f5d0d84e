import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { COMMANDS, holdsToken, lineOf, parseLine } from '../../../crates/server/web/commands.js';
import { Completion } from '../../../crates/server/web/completion.js';

const TOKEN = 'glop_0123456789abcdef';
const say = (text) => ({ kind: 'say', text });

test('every command of the terminal client is there or left out on purpose', () => {
  const source = readFileSync(new URL('../../../crates/wire/src/commands.rs', import.meta.url), 'utf8');
  const names = [...source.matchAll(/by_\w+\(Id::\w+, "(\w+)"/g)].map(([, name]) => name);
  assert.ok(names.length > 25, String(names.length));
  // A page scrolls instead, shows the time always, has no screen to clear, and was opened already.
  const left = new Set(['older', 'more', 'timestamps', 'clear', 'qr']);
  const here = new Set(COMMANDS.flatMap((command) => command.names));
  assert.deepEqual(names.filter((name) => !here.has(name) && !left.has(name)), []);
});

test('texts are said, doubled slashes escape', () => {
  assert.deepEqual(parseLine('hi / there'), say('hi / there'));
  assert.deepEqual(parseLine('//me waves'), say('/me waves'));
  assert.deepEqual(parseLine('<script>alert(1)</script>'), say('<script>alert(1)</script>'));
});

test('commands have their arguments', () => {
  const parsed = (line) => { const { kind, id, args } = parseLine(line); return kind === 'error' ? 'error' : [id, ...args]; };
  assert.deepEqual(parsed('/me waves at you'), ['action', 'waves at you']);
  assert.deepEqual(parsed('/msg bob  two  spaces'), ['direct', 'bob', 'two  spaces']);
  assert.deepEqual(parsed('/JOIN den'), ['join', 'den']);
  assert.deepEqual(parsed('/kick bob be nice').slice(0, 1), ['operate']);
  for (const line of ['/me', '/msg', '/nick two words', '/nosuch', '/', '/join a b']) assert.equal(parsed(line), 'error', line);
  assert.match(parseLine('/jion den').text, /\/join/);
});

test('a message becomes the line that says it again', () => {
  assert.equal(lineOf({ text: 'dances', action: true }), '/me dances');
  for (const line of ['hi', '//me waves', '///x', 'a\n/b', '/me dances']) {
    const { kind, text, args } = parseLine(line);
    assert.equal(lineOf(kind === 'say' ? { text } : { text: args[0], action: true }), line);
  }
});

test('O1 no secret is said: tokens, hidden slashes, later lines', () => {
  const lines = [`my token is ${TOKEN}`, `/me ${TOKEN}`, `/msg bob ${TOKEN}`, ` /op ${TOKEN}`, `\u200b/op secret`, '／op secret',
    'hi\n/op secret', 'hi\n/msg bob psst', ' /msg bob psst', '/\u200bop secret'];
  for (const line of lines) assert.equal(parseLine(line).kind, 'error', JSON.stringify(line));
  assert.deepEqual(parseLine(`/op ${TOKEN}`).args, [TOKEN]);
  assert.ok(holdsToken(TOKEN.toUpperCase()) && !holdsToken('glop_012'));
});

test('completion goes round the candidates and keeps the rest', () => {
  const sources = { names: ['bob', 'bobby', 'Zoë'], rooms: ['den', 'lobby'] };
  const all = (text, cursor = text.length) => {
    const completion = Completion.start(text, cursor, sources);
    return completion && completion.candidates.map(() => completion.next().text);
  };
  assert.deepEqual(all('bo'), ['bob: ', 'bobby: ']);
  assert.deepEqual(all('hi bo'), ['hi bob ', 'hi bobby ']);
  assert.deepEqual(all('hi zo'), ['hi Zoë ']);
  assert.deepEqual(all('/join d'), ['/join den']);
  assert.deepEqual(all('/msg bobb'), ['/msg bobby ']);
  assert.deepEqual(all('bo there', 2), ['bob: there', 'bobby: there']);
  assert.equal(all(''), null);
  assert.equal(all('nobody'), null);
});
