/**
 * Form of the events of a server (spec/events.schema.json): nothing else of the page sees an event
 * whose fields have other types than it expects.
 */

const isString = (value) => typeof value === 'string';
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isSeq = (value) => Number.isSafeInteger(value) && value >= 1;
const isTime = (value) => isString(value) && !Number.isNaN(Date.parse(value));
const isNames = (value) => Array.isArray(value) && value.every(isString);
const listOf = (fields) => (value) =>
  Array.isArray(value) && value.every((item) => item !== null && hasForm(item, fields));
/** Marks a field that may be absent. */
const maybe = (check) => (value) => value === undefined || check(value);

const MESSAGE = {
  room: isString, from: isString, text: isString, seq: isSeq, at: isTime,
  action: maybe((value) => typeof value === 'boolean'), id: maybe(isString), sealed: maybe(isString),
};
const PRESENCE = { room: isString, names: isNames, count: isCount, seq: maybe(isCount), sealed: maybe(isString) };

/** Fields of each type, and what each must be. Unknown fields are ignored. */
const FORMS = {
  welcome: {
    name: isString, token: isString, server: isString,
    rooms: listOf({ room: isString, seq: isCount, count: isCount, sealed: maybe(isString) }),
  },
  message: MESSAGE,
  direct: { from: isString, to: isString, text: isString, at: maybe(isTime), id: maybe(isString) },
  joined: PRESENCE,
  left: PRESENCE,
  renamed: { from: isString, to: isString },
  members: { room: isString, names: isNames, count: isCount },
  history: { room: isString, messages: listOf(MESSAGE), more: maybe((value) => typeof value === 'boolean') },
  whois: {
    name: isString, since: isTime, idle_s: isCount, dialect: isString, link: isString, rooms: isNames,
    away: maybe(isString), key: maybe(isString),
  },
  rooms: { rooms: listOf({ room: isString, count: isCount }), count: isCount },
  away: { name: isString, text: maybe(isString) },
  act: {
    at: isTime, by: isString, act: isString, who: maybe(isString), until: maybe(isTime), text: maybe(isString),
  },
  notice: { text: isString },
  error: { code: isString, text: isString },
  ping: {},
  pong: {},
  gap: { room: isString, from: isSeq, to: isSeq },
  bye: { text: isString },
};

function hasForm(value, fields) {
  return Object.entries(fields).every(([name, check]) => check(value[name]));
}

/**
 * Returns whether an event has the form of its type. One of an unknown type has none.
 * @param {{type: string, ref?: unknown}} event
 */
export function isWellFormed(event) {
  return Object.hasOwn(FORMS, event.type) && hasForm(event, { ...FORMS[event.type], ref: maybe(isString) });
}
