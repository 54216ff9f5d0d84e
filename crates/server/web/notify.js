/** Notifications of the browser, and honest words where there are none. */

const TITLE_COUNTS = ' The title of the tab counts what waits.';

/** Says why there are no notifications; empty if there are. @param {any} window */
export function whyNot({ isSecureContext, Notification: api }) {
  if (!isSecureContext) return `Browsers allow notifications on https and localhost only; this page came over plain http.${TITLE_COUNTS}`;
  return api === undefined || api.permission === 'denied' ? `Your browser blocks them for this page.${TITLE_COUNTS}` : '';
}

/** @param {'off' | 'mentions' | 'all'} level @returns {Promise<boolean>} whether the browser allows it */
export async function allow(level) {
  return level === 'off' || (whyNot(window) === '' && await Notification.requestPermission() === 'granted');
}

/** Text without what changes the direction or the lines around it, shortened. */
const plain = (text) => text.replace(/[\p{C}\p{Z}]+/gu, ' ').slice(0, 160);

/** Notifies of a message that nobody sees. @param {import('./room.js').Room} room @param {import('./room.js').Message} message */
export function notify(room, { from, text, isMention }, level, onclick) {
  const isWanted = level === 'all' || (level === 'mentions' && (isMention || room.kind === 'direct'));
  if (!isWanted || whyNot(window) !== '' || Notification.permission !== 'granted') return;
  try {
    const title = plain(`${from}, ${room.kind === 'direct' ? 'to you only' : `in ${room.name}`}`);
    new Notification(title, { body: plain(text), tag: room.key, icon: '/icon.svg' }).onclick = () => {
      window.focus();
      onclick();
    };
  } catch {
    // Some browsers have them for service workers only.
  }
}
