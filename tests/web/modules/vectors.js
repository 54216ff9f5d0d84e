/** Test vectors of the protocol (spec/vectors), whose bytes are texts, `{hex}`, `{repeat, times}` or lists of these. */

import { readFileSync } from 'node:fs';

/** @param {string} name file in spec */
export function specified(name) {
  return JSON.parse(readFileSync(new URL(`../../../spec/${name}`, import.meta.url), 'utf8'));
}

/** @returns {Uint8Array} */
export function bytes(value) {
  if (typeof value === 'string') return Buffer.from(value);
  if (Array.isArray(value)) return Buffer.concat(value.map(bytes));
  if (value.hex !== undefined) return Buffer.from(value.hex, 'hex');
  return Buffer.from(value.repeat.repeat(value.times));
}
