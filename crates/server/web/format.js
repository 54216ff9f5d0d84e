/** Times, counts and states in words. Pure, but for the time zone. */

const two = (number) => String(number).padStart(2, '0');

/** Local time of day, as `14:05`. @param {number} at milliseconds */
export function timeOfDay(at) {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

export const exactTime = (at) => `${timeOfDay(at)}:${two(new Date(at).getSeconds())}`;

/** Local day, as `2026-11-29`. */
export function dayOf(at) {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Local day for people, as `Today, Sunday, 29 November 2026`. */
export function dayInWords(at, now) {
  const written = new Date(at).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  const near = { [dayOf(now)]: 'Today, ', [dayOf(yesterday.getTime())]: 'Yesterday, ' }[dayOf(at)] ?? '';
  return near + written;
}

/** Day and time, as `29 November, 14:05`; today the time alone. */
export function moment(at, now) {
  const day = new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });
  return dayOf(at) === dayOf(now) ? timeOfDay(at) : `${day}, ${timeOfDay(at)}`;
}

/** A number and its noun, as `1,234 messages`. */
export function counted(number, noun, plural = `${noun}s`) {
  return `${number.toLocaleString('en-GB')} ${number === 1 ? noun : plural}`;
}

export function idleInWords(idle_s) {
  const [minutes, hours, days] = [60, 3600, 86400].map((unit_s) => Math.floor(idle_s / unit_s));
  if (days > 0) return `idle for ${days} d ${hours % 24} h`;
  if (hours > 0) return `idle for ${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `idle for ${minutes} min` : 'active now';
}

/**
 * State of the connection. `countdown` changes every second.
 * @param {import('./session.js').Session} session
 * @returns {{tone: 'good' | 'busy' | 'bad', text: string, countdown?: string}}
 */
export function connectionInWords({ phase, offlineSince, isChecking }, now) {
  const since = offlineSince === null ? '' : `offline since ${exactTime(offlineSince)}`;
  switch (phase.kind) {
    case 'online': return isChecking ? { tone: 'busy', text: 'checking the connection' } : { tone: 'good', text: 'online' };
    case 'waiting': return { tone: 'bad', text: since, countdown: `retrying in ${Math.max(0, Math.ceil((phase.until - now) / 1000))} s` };
    case 'ended': return { tone: 'bad', text: `disconnected: ${phase.why}` };
    default: return since === '' ? { tone: 'busy', text: 'connecting' } : { tone: 'bad', text: since, countdown: 'connecting' };
  }
}

/** Who can read what passes, by the scheme of the page's address. */
export function readersInWords(protocol) {
  return protocol === 'https:' ? 'TLS: the server can read this' : 'plaintext: anyone on the way can read this';
}

const DONE = {
  op: 'is an operator now', kick: 'kicked', mute: 'muted', unmute: 'unmuted', ban: 'banned', unban: 'unbanned',
  freeze: 'froze the rooms', thaw: 'ended the freeze', motd: 'changed the message of the day',
};

/** An operator's act. */
export function actInWords({ act, by, who, until, text }, now) {
  const end = until === undefined ? '' : ` until ${moment(Date.parse(until), now)}`;
  return `${by} ${DONE[act] ?? act}${who === undefined ? '' : ` ${who}`}${end}${text ? `: ${text}` : ''}`;
}

const ORDER = new Intl.Collator('en', { numeric: true });
/** Order in which people look for names: `student-2` before `student-10`. */
export const compareNames = (one, other) => ORDER.compare(one, other);
