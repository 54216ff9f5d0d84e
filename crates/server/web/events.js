/** Form of the events of a server (spec/events.schema.json): the page sees no others. */

const isObject = (value) => typeof value === 'object' && value !== null;
const CHECKS = {
  string: (value) => typeof value === 'string',
  flag: (value) => typeof value === 'boolean',
  count: (value) => Number.isSafeInteger(value) && value >= 0,
  seq: (value) => Number.isSafeInteger(value) && value >= 1,
  time: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  names: (value) => Array.isArray(value) && value.every(CHECKS.string),
  states: (value) => isList(value, 'room seq:count count:count sealed?'),
  counts: (value) => isList(value, 'room count:count'),
  messages: (value) => isList(value, MESSAGE),
};
const MESSAGE = 'room from text seq:seq at:time action?:flag id? sealed?';
const PRESENCE = 'room names:names count:count seq?:count sealed?';

/** Fields of each type: name, `?` where it may be absent, and what it is if not a string. */
const FORMS = {
  welcome: 'name token server rooms:states', message: MESSAGE, direct: 'from to text at?:time id?',
  joined: PRESENCE, left: PRESENCE, renamed: 'from to', members: 'room names:names count:count',
  history: 'room messages:messages more?:flag', rooms: 'rooms:counts count:count', away: 'name text?',
  whois: 'name since:time idle_s:count dialect link rooms:names away? key?', act: 'at:time by act who? until?:time text?',
  notice: 'text', error: 'code text', ping: '', pong: '', gap: 'room from:seq to:seq', bye: 'text',
};

function isList(value, form) {
  return Array.isArray(value) && value.every((item) => isObject(item) && hasForm(item, form));
}

function hasForm(value, form) {
  return form.split(' ').filter(Boolean).every((field) => {
    const [, name, mark, check = 'string'] = /^(\w+)(\??):?(\w+)?$/.exec(field);
    return (mark === '?' && value[name] === undefined) || CHECKS[check](value[name]);
  });
}

/** Returns whether an event has the form of its type. @param {any} event */
export function isWellFormed(event) {
  return Object.hasOwn(FORMS, event.type) && hasForm(event, `${FORMS[event.type]} ref?`);
}
