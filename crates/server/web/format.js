/** Times, counts and states in words. Pure, but for the time zone. */

const written = (at, options) => new Date(at).toLocaleDateString('en-GB', options);
const local = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60000).toISOString();

/** Local time of day, as `14:05:09`, and day, as `2026-11-29`. @param {number} at milliseconds */
export const exactTime = (at) => local(at).slice(11, 19);
export const timeOfDay = (at) => local(at).slice(11, 16);
export const dayOf = (at) => local(at).slice(0, 10);

/** Local day for people, as `Sunday 29 November 2026`. */
export const dayInWords = (at) => written(at, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

/** Day and time, as `29 November, 14:05`; today the time alone. */
export function moment(at, now) {
  return (dayOf(at) === dayOf(now) ? '' : `${written(at, { day: 'numeric', month: 'long' })}, `) + timeOfDay(at);
}

/** A number and its noun, as `1,234 messages`. */
export function counted(number, noun, plural = `${noun}s`) {
  return `${number.toLocaleString('en-GB')} ${number === 1 ? noun : plural}`;
}

/** Answer of `whois` in words. */
export function whoisInWords({ since, idle_s, away, rooms, link }, now) {
  const idle = idle_s < 60 ? 'active now' : idle_s < 3600 ? `idle for ${Math.floor(idle_s / 60)} min` : `idle for ${Math.floor(idle_s / 3600)} h`;
  const where = rooms.length > 0 ? `in ${rooms.join(', ')}` : 'in no room';
  const facts = [`here since ${moment(Date.parse(since), now)}`, idle, away && `away (${away})`, where, `${link} connection`];
  return facts.filter(Boolean).join(', ');
}

/** State of the connection; `countdown` changes every second. @param {import('./session.js').Session} session */
export function connectionInWords({ phase, offlineSince, isChecking }, now) {
  const since = offlineSince === null ? '' : `offline since ${exactTime(offlineSince)}`;
  switch (phase.kind) {
    case 'online': return isChecking ? { tone: 'busy', text: 'checking the connection' } : { tone: 'good', text: 'online' };
    case 'waiting': return { tone: 'bad', text: since, countdown: `retrying in ${Math.max(0, Math.ceil((phase.until - now) / 1000))} s` };
    case 'ended': return { tone: 'bad', text: `disconnected: ${phase.why}` };
    default: return since ? { tone: 'bad', text: since, countdown: 'connecting' } : { tone: 'busy', text: 'connecting' };
  }
}

/** Gives the times in a text of the server as local ones. */
export function inLocalTime(event, now) {
  const moved = (utc) => moment(Date.parse(utc.replace(' ', 'T').replace(' UTC', 'Z')), now);
  const isOwnText = ['error', 'notice', 'bye'].includes(event.type);
  return isOwnText ? { ...event, text: event.text?.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, moved) } : event;
}

/** Readers of what passes, by the scheme of the page's address. */
export function readersInWords(protocol) {
  return protocol === 'https:' ? 'TLS: the server can read the chat' : 'plaintext: anyone on the way can read the chat';
}

const DONE = { __proto__: null, op: 'became an operator', kick: 'kicked', mute: 'muted', unmute: 'unmuted', ban: 'banned', unban: 'unbanned',
  freeze: 'froze the rooms', thaw: 'ended the freeze', motd: 'set the message of the day' };

/** An operator's act. */
export function actInWords({ act, by, who, until, text }, now) {
  const end = until && `until ${moment(Date.parse(until), now)}`;
  return [by, DONE[act] ?? act, who, end].filter(Boolean).join(' ') + (text ? `: ${text}` : '');
}

/** Order in which people look for names: `student-2` before `student-10`. */
export const compareNames = new Intl.Collator('en', { numeric: true }).compare;
