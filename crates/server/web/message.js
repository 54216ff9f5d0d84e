/** Rows of the log as elements. */
import { bdi, element, textElement } from './dom.js';
import { counted, dayInWords, dayOf, moment, timeOfDay } from './format.js';
import { piecesOf } from './links.js';

const SEALED = 'Encrypted by members with a passphrase that the server, and so its page, must not have; `glassline join` opens it.';

/** Names that a line about arrivals lists. */
const NAMES_SHOWN = 5;

/** @typedef {{me: string, room: import('./room.js').Room, colourOf: (name: string) => number, now: number}} Context */

/** @param {import('./rows.js').Row} row @param {Context} context */
export function rowElement(row, { me, room: { hasHistory }, colourOf, now }) {
  const { kind, entry, at, count, from, to, isMissed } = row;
  const load = (text) => button(text, { 'data-from': from ?? 0, 'data-to': to ?? 0 });
  switch (kind) {
    case 'message': return messageElement(entry, row.isGrouped, me, colourOf);
    case 'note': return noteElement(entry);
    case 'day': return quiet('day-divider', element('time', { datetime: dayOf(at), text: dayInWords(at) }));
    case 'unread': return quiet('unread-divider', `New since ${moment(at, now)}`);
    case 'gone': return quiet('between', `${counted(count, 'message')} not stored any more`);
    case 'hole': return quiet('between', isMissed ? `You missed ${counted(count, 'message')} that the server could not deliver. ` : `${counted(count, 'message')} in between. `,
      hasHistory ? load(count === 1 ? 'Load it' : 'Load them') : 'It has no history.');
    case 'older': return quiet('between', load('Load older messages'));
    default: return quiet('between', hasHistory ? 'This is the beginning' : 'This server keeps no history');
  }
}

const button = (text, attributes) => element('button', { text, ...attributes });

/** Row that screen readers do not announce. */
const quiet = (className, ...children) => element('div', { class: className, role: 'note', 'aria-live': 'off' }, children);

export const who = (name, colourOf) => element('bdi', { class: `who name-${colourOf(name)}`, 'data-person': name, text: name });

const timeElement = (at) => element('time', { datetime: new Date(at).toISOString(), text: timeOfDay(at) });

function messageElement({ seq, from, text, action, isMine, isMention, isSealed, at }, isGrouped, me, colourOf) {
  const classes = ['message', isGrouped && 'grouped', action && 'action', isMention && 'mention'];
  const said = isSealed ? element('bdi', { class: 'text' }, [element('i', { text: '[sealed message]' }), ' ', button('Why?', { 'data-tell': SEALED })])
    : textElement(piecesOf(text, { me: isMine ? '' : me }));
  return element('div', { class: classes.filter(Boolean).join(' '), role: 'article', 'data-seq': seq }, [who(from, colourOf), said, timeElement(at)]);
}

function noteElement({ text, tone, at, names, unnamed }) {
  const listed = names?.slice(0, NAMES_SHOWN).flatMap((name) => [', ', bdi(name)]).slice(1);
  const others = names && Math.max(0, names.length - NAMES_SHOWN) + unnamed;
  const parts = names ? [...listed, others > 0 ? ` and ${others} more` : '', ` ${tone}`] : [bdi(text)];
  return element('div', { class: `note ${tone}`, role: 'note', 'aria-live': names && 'off' }, [element('span', {}, parts), timeElement(at)]);
}

/** Message that the server does not have yet. @param {import('./outbox.js').Pending} pending */
export function pendingElement({ request: { action, text } }, me, colourOf) {
  return element('div', { class: `message pending${action ? ' action' : ''}`, role: 'article' }, [
    who(me, colourOf), textElement([{ text }]), element('div', { class: 'status' })]);
}

/** Shows the state of such a message, and what can be done about it. */
export function showStatus(made, { state, error, id }, isOnline) {
  const key = `${state}/${isOnline}`;
  if (made.dataset.status === key) return;
  made.dataset.status = key;
  const isOpen = state === 'doubtful' || error?.code === 'too_late';
  const actions = isOpen || state === 'refused' ? ['Send again', 'Edit', 'Remove'] : [];
  const why = error ? `: ${error.text}` : '';
  const text = isOpen ? `may or may not have arrived${why} ` : error ? `not delivered${why} ` : isOnline ? 'sending' : 'unsent: goes out once you are online';
  made.classList.toggle('failed', actions.length > 0);
  made.lastChild.replaceChildren(text, ...actions.map((action) => button(action, { 'data-pending': id })));
}
