import assert from 'node:assert/strict';
import test from 'node:test';

import { linksIn, mentionsOf, piecesOf, rangesOf } from '../../../crates/server/web/links.js';
import { SEED, below } from './random.js';

const shown = (text) => linksIn(text).map(({ start, end }) => text.slice(start, end));

test('only http and https are links, whatever their case', () => {
  assert.deepEqual(shown('http://a.example and HTTPS://B.example/x?y#z'), ['http://a.example', 'HTTPS://B.example/x?y#z']);
  const others = ['javascript:alert(1)', 'JavaScript://a.example/%0aalert(1)', 'data:text/html,x', 'ftp://a.example',
    'file:///etc/passwd', 'vbscript:x', 'www.a.example', 'a.example', 'http:/a.example', 'http:a', 'xhttp://', 'http://',
    'blob:http://a.example/x', 'view-source:http:'];
  for (const text of others) {
    for (const { href } of linksIn(text)) assert.match(href, /^https?:\/\//, text);
    if (!text.includes('http://a')) assert.deepEqual(shown(text), [], text);
  }
});

test('a link that hides its host behind a user name is text', () => {
  assert.deepEqual(shown('https://bank.example@evil.example/'), []);
  assert.deepEqual(shown('https://bank.example:x@evil.example/'), []);
});

test('punctuation that ends a sentence is not in the link', () => {
  const cases = [['see http://a.example/x.', 'http://a.example/x'], ['(http://a.example/x)', 'http://a.example/x'],
    ['http://a.example/x_(y)', 'http://a.example/x_(y)'], ['"http://a.example/"', 'http://a.example/'],
    ['<http://a.example/>', 'http://a.example/'], ['http://a.example/x, or', 'http://a.example/x'],
    ['http://a.example/漢字。', 'http://a.example/漢字'], ['http://a.example/?q=1&r=2!', 'http://a.example/?q=1&r=2'],
    ['http://[2001:db8::1]:80/x]', 'http://[2001:db8::1]:80/x']];
  for (const [text, link] of cases) assert.deepEqual(shown(text), [link], text);
});

test('characters that change the direction end a link', () => {
  assert.deepEqual(shown('http://a.example/\u202egpj.exe'), ['http://a.example/']);
  assert.deepEqual(shown('http://a.example/\u0000x'), ['http://a.example/']);
});

test('mentions are whole words in any case, and none in links', () => {
  const found = (text, name = 'alice') => mentionsOf(name, text).map(({ start }) => start);
  assert.deepEqual(found('Alice: hi alice!'), [0, 10]);
  assert.deepEqual(found('malice alice-2 alices http://a.example/alice alice@a.example'), []);
  assert.deepEqual(found('(alice) alice\u2019s'), [1, 8]);
  assert.deepEqual(found('田中さん、どうぞ', '田中'), [0]);
  assert.deepEqual(found('anything', ''), []);
});

test('a search finds either normalisation form, in any case', () => {
  assert.deepEqual(rangesOf('É', 'cafe\u0301 CAFÉ'), [{ start: 3, end: 5 }, { start: 9, end: 10 }]);
  assert.deepEqual(rangesOf('', 'x'), []);
});

test('pieces together are the text', () => {
  const parts = ['http://a.example/', 'alice', ' ', '(', ')', '.', 'é', 'e\u0301', '\u202e', '👩‍👩‍👧', '\ud800', 'javascript:', 'İ', 'ß', '<b>', '&amp;'];
  const random = below();
  for (let round = 0; round < 500; round += 1) {
    const text = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join('');
    const pieces = piecesOf(text, { me: 'alice', query: 'e' });
    assert.equal(pieces.map((piece) => piece.text).join(''), text, `SEED=${SEED}`);
    for (const { href } of pieces) assert.ok(href === undefined || /^https?:\/\//.test(href), `SEED=${SEED}`);
  }
});

test('a long text of anything takes no long time', () => {
  const slow = [];
  for (const part of ['http://a.example/', 'http://', '((((', 'alice', 'alice ', 'alice/', '@alice', 'a@', '/', 'e\u0301']) {
    const text = part.repeat(16384 / part.length);
    const measure = () => {
      const started = process.hrtime.bigint();
      piecesOf(text, { me: 'alice', query: part });
      return Number(process.hrtime.bigint() - started) / 1e6;
    };
    // A busy machine may pause one of them.
    const ms = Math.min(measure(), measure(), measure());
    if (ms >= 250) slow.push(`${JSON.stringify(part)} repeated took ${ms} ms`);
  }
  assert.deepEqual(slow, []);
});
