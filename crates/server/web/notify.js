/** Notifications of the browser, and honest words where it has none. */

/** @typedef {'off' | 'mentions' | 'all'} Level */

/** Control characters, and those that change the direction of what stands around them. */
const UNSAFE = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;
const TEXT_CHARS_MAX = 160;

const plain = (text) => [...text.replace(UNSAFE, ' ')].slice(0, TEXT_CHARS_MAX).join('');

/** Says whether notifications work here, and if not, why. @returns {string} empty if they do */
export function whyNot({ isSecureContext, Notification: api }) {
  if (!isSecureContext) {
    return 'Your browser allows notifications on https pages and on localhost only. This page came over plain http, so there '
      + 'are none; the title of the tab counts what waits. Over https (the server needs TLS with a certificate that your '
      + 'browser trusts) they work.';
  }
  if (api === undefined) return 'This browser has no notifications for pages; the title of the tab counts what waits.';
  if (api.permission === 'denied') {
    return 'You, or your browser, have blocked notifications of this page. The settings of the site, left of the address, allow '
      + 'them again. Until then the title of the tab counts what waits.';
  }
  return '';
}

/** Asks the browser's permission. Returns whether it was given. */
export async function askPermission() {
  return whyNot(window) === '' && await Notification.requestPermission() === 'granted';
}

/**
 * Notifies of a message that nobody looks at.
 * @param {import('./room.js').Room} room
 * @param {import('./room.js').Message} message
 * @param {Level} level
 * @param {() => void} onclick
 */
export function notify(room, message, level, onclick) {
  const isForMe = message.isMention || room.kind === 'direct';
  if (level === 'off' || (level === 'mentions' && !isForMe)) return;
  if (whyNot(window) !== '' || Notification.permission !== 'granted') return;
  const where = room.kind === 'direct' ? 'to you only' : `in ${room.name}`;
  try {
    const shown = new Notification(plain(`${message.from}, ${where}`), { body: plain(message.text), tag: room.key, icon: '/icon.svg' });
    shown.onclick = () => {
      shown.close();
      window.focus();
      onclick();
    };
  } catch {
    // Some browsers allow notifications to service workers only; the title counts all the same.
  }
}
