/** Rows of the log as elements. */
import { bdi, element, textElement } from './dom.js';
import { counted, dayInWords, dayOf, exactTime, moment, timeOfDay } from './format.js';
import { piecesOf } from './links.js';
import { describeVisits } from './visits.js';

const SEALED = 'Members encrypted this with a passphrase that the server does not have. A page comes from the server, so it cannot '
  + 'open sealed messages safely; `glassline join` in a terminal can.';

/** @typedef {{me: string, room: import('./room.js').Room, colourOf: (name: string) => number, now: number}} Context */

/** @param {import('./rows.js').Row} row @param {Context} context */
export function rowElement(row, { me, room, colourOf, now }) {
  const { kind, entry, at, count } = row;
  switch (kind) {
    case 'message': return messageElement(entry, row.isGrouped, me, colourOf);
    case 'note': return noteElement(entry);
    case 'day': return quiet('day-divider', element('time', { datetime: dayOf(at), text: dayInWords(at, now) }));
    case 'unread': return quiet('unread-divider', `New since ${moment(at, now)}`);
    case 'gone': return quiet('between', `${counted(count, 'message')} not stored any more`);
    case 'hole': return holeElement(row, room);
    case 'older': return quiet('between', element('button', { type: 'button', 'data-older': '', text: 'Load older messages' }));
    default: return quiet('between', room.hasHistory ? 'This is the beginning' : 'This server keeps no history: what was said before is not shown');
  }
}

/** A row that is seen, and not read aloud as it comes. */
function quiet(className, ...children) {
  return element('div', { class: className, role: 'listitem', 'aria-live': 'off' }, children);
}

export function who(name, colourOf) {
  return element('span', { class: `who name-${colourOf(name)}`, 'data-person': name }, [bdi(name)]);
}

export const timeElement = (at) => element('time', { datetime: new Date(at).toISOString(), title: exactTime(at), text: timeOfDay(at) });

function messageElement(entry, isGrouped, me, colourOf) {
  const { seq, from, text, action, isMine, isMention, isSealed, at } = entry;
  const classes = ['message', isGrouped && 'grouped', action && 'action', isMention && 'mention', isSealed && 'sealed'];
  const body = isSealed ? element('span', { class: 'body', title: SEALED, text: '[sealed message]' }) : textElement(piecesOf(text, { me: isMine ? '' : me }));
  return element('div', { class: classes.filter(Boolean).join(' '), role: 'listitem', 'data-seq': seq }, [
    who(from, colourOf),
    element('div', { class: 'text' }, isSealed ? [body, ' ', element('button', { type: 'button', 'data-tell': SEALED, text: 'Why?' })] : [body]),
    timeElement(at),
  ]);
}

function noteElement({ text, tone, at, visits }) {
  const parts = visits ? describeVisits(visits).map((part) => (part.name === undefined ? part : bdi(part.name))) : [bdi(text)];
  return element('div', { class: `note ${tone}`, role: 'listitem', 'aria-live': visits && 'off' }, [element('span', {}, parts), timeElement(at)]);
}

function holeElement({ from, to, count, isMissed }, { hasHistory }) {
  const text = isMissed ? `You missed ${counted(count, 'message')} that the server could not deliver` : `${counted(count, 'message')} in between`;
  const button = element('button', { type: 'button', 'data-from': from, 'data-to': to, text: 'Load what is stored' });
  return quiet(isMissed ? 'between bad' : 'between', text, hasHistory ? button : ', and it keeps no history');
}

/** A message that the server does not have yet. @param {import('./outbox.js').Pending} pending */
export function pendingElement({ request }, me, colourOf) {
  return element('div', { class: `message pending${request.action ? ' action' : ''}`, role: 'listitem' }, [
    who(me, colourOf), element('div', { class: 'text' }, [textElement([{ text: request.text }])]), element('div', { class: 'fate' }),
  ]);
}

/** Says what has become of it, and what can be done. */
export function showFate(made, { state, error, id }, isOnline) {
  const key = `${state}/${isOnline}`;
  if (made.dataset.fate === key) return;
  made.dataset.fate = key;
  const isOpen = state === 'doubtful' || error?.code === 'too_late';
  const text = isOpen ? `may or may not have arrived${error ? ` (${error.text})` : ''} ` : state === 'refused' ? `not delivered: ${error.text} `
    : isOnline ? 'sending' : 'unsent: goes out once you are online';
  const buttons = isOpen ? ['Send again', 'Remove'] : state === 'refused' ? ['Edit', 'Remove'] : [];
  made.classList.toggle('failed', buttons.length > 0);
  made.lastChild.replaceChildren(text, ...buttons.map((action) => element('button', { type: 'button', 'data-pending': id, text: action })));
}
