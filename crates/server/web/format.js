/** Times, counts and states in words. Pure, but for the browser's language and time zone. */

const pad = (number) => String(number).padStart(2, '0');

/** Local time of day, as `14:05`. @param {number} at milliseconds */
export function timeOfDay(at) {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** Local time of day with seconds. */
export function exactTime(at) {
  return `${timeOfDay(at)}:${pad(new Date(at).getSeconds())}`;
}

/** Local day as a key, as `2026-11-29`. */
export function dayOf(at) {
  const date = new Date(at);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/**
 * Local day for people, as `Today`, `Yesterday` or `Sunday, 29 November 2026`.
 * @param {number} at
 * @param {number} now
 */
export function dayInWords(at, now) {
  const day = dayOf(at);
  const written = new Date(at).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  if (day === dayOf(now)) return `Today, ${written}`;
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  return day === dayOf(yesterday.getTime()) ? `Yesterday, ${written}` : written;
}

/** Day and time, as `29 November, 14:05`; today the time alone. */
export function moment(at, now) {
  if (dayOf(at) === dayOf(now)) return timeOfDay(at);
  return `${new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })}, ${timeOfDay(at)}`;
}

/** A number and its noun, as `1 message` or `1,234 messages`. */
export function counted(number, noun, plural = `${noun}s`) {
  return `${number.toLocaleString('en-GB')} ${number === 1 ? noun : plural}`;
}

/** How long somebody has been idle. @param {number} idle_s */
export function idleInWords(idle_s) {
  if (idle_s < 60) return 'active now';
  if (idle_s < 3600) return `idle for ${Math.floor(idle_s / 60)} min`;
  if (idle_s < 86400) return `idle for ${Math.floor(idle_s / 3600)} h ${Math.floor(idle_s / 60) % 60} min`;
  return `idle for ${Math.floor(idle_s / 86400)} d ${Math.floor(idle_s / 3600) % 24} h`;
}

/**
 * State of the connection: `text`, and a `countdown` that changes every second.
 * @param {import('./session.js').Session} session
 * @param {number} now
 * @returns {{tone: 'good' | 'busy' | 'bad', text: string, countdown: string}}
 */
export function connectionInWords(session, now) {
  const { phase, offlineSince, isChecking } = session;
  const since = offlineSince === null ? '' : `offline since ${exactTime(offlineSince)}`;
  switch (phase.kind) {
    case 'online':
      return isChecking
        ? { tone: 'busy', text: 'checking the connection', countdown: '' }
        : { tone: 'good', text: 'online', countdown: '' };
    case 'waiting': {
      const left_s = Math.max(0, Math.ceil((phase.until - now) / 1000));
      return { tone: 'bad', text: since, countdown: `retrying in ${left_s} s` };
    }
    case 'ended':
      return { tone: 'bad', text: `disconnected: ${phase.why}`, countdown: '' };
    default:
      return since === '' ? { tone: 'busy', text: 'connecting', countdown: '' } : { tone: 'bad', text: since, countdown: 'connecting' };
  }
}

/** Who can read what passes, by the scheme of the page's address. */
export function readersInWords(protocol) {
  return protocol === 'https:' ? 'TLS: the server can read this' : 'plaintext: anyone on the way can read this';
}

/** An operator's act in words. */
export function actInWords({ act, by, who, until, text }, now) {
  const done = {
    op: 'is an operator now', kick: 'kicked', mute: 'muted', unmute: 'unmuted', ban: 'banned', unban: 'unbanned',
    freeze: 'froze the rooms', thaw: 'ended the freeze', motd: 'changed the message of the day',
  };
  const end = until === undefined ? '' : ` until ${moment(Date.parse(until), now)}`;
  return `${by} ${done[act] ?? act}${who === undefined ? '' : ` ${who}`}${end}${text ? `: ${text}` : ''}`;
}

const ORDER = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Compares two names as people look for them: `student-2` before `student-10`. */
export function compareNames(one, other) {
  return ORDER.compare(one, other) || (one < other ? -1 : Number(one > other));
}
