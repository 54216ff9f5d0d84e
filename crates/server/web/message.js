/** Rows of the log as elements. */
import { bdi, element, showPieces } from './dom.js';
import { counted, dayInWords, dayOf, exactTime, moment, timeOfDay } from './format.js';
import { piecesOf } from './links.js';
import { describeVisits } from './visits.js';

/** Longer texts are shown in part, with a button for the rest. */
const LONG_CHARS = 4000;
const LONG_LINES = 40;

const SEALED = 'Sealed: members encrypted this with a passphrase that the server does not have. A page comes from the '
  + 'server, so it cannot open sealed messages safely; `glassline join` in a terminal can.';

/**
 * What a row needs beside itself.
 * @typedef {{me: string, room: import('./room.js').Room, colourOf: (name: string) => number, now: number}} Context
 */

/** Builds the element of a row. @param {import('./rows.js').Row} row @param {Context} context */
export function rowElement(row, context) {
  switch (row.kind) {
    case 'message': return messageElement(row, context);
    case 'note': return noteElement(row.entry);
    case 'day': return divider('day-divider', [element('time', { datetime: dayOf(row.at), text: dayInWords(row.at, context.now) })]);
    case 'unread': return divider('unread-divider', [`New since ${moment(row.at, context.now)}`]);
    case 'hole': return holeElement(row, context.room);
    case 'gone': return quiet('gone', `${counted(row.count, 'message')} not stored any more`);
    case 'older': return element('div', { class: 'note older', role: 'listitem', 'aria-live': 'off' }, [
      element('button', { type: 'button', 'data-load': 'older', text: 'Load older messages' }),
    ]);
    default: return quiet('start', startText(context.room));
  }
}

function startText({ hasHistory, name }) {
  return hasHistory ? `The beginning of ${name}` : 'This server keeps no history: what was said before you came is not shown.';
}

function divider(className, children) {
  return element('div', { class: className, role: 'listitem', 'aria-live': 'off' }, [element('span', {}, children)]);
}

function quiet(className, text) {
  return element('div', { class: `note ${className}`, role: 'listitem', 'aria-live': 'off', text });
}

function messageElement({ entry, isGrouped }, { me, colourOf }) {
  const classes = ['message', isGrouped && 'grouped', entry.action && 'action', entry.isMention && 'mention',
    entry.isMine && 'mine', entry.isSealed && 'sealed'];
  return element('div', { class: classes.filter(Boolean).join(' '), role: 'listitem', 'data-seq': entry.seq }, [
    who(entry.from, colourOf),
    textElement(entry, me),
    element('time', { datetime: new Date(entry.at).toISOString(), text: timeOfDay(entry.at), title: exactTime(entry.at) }),
  ]);
}

/** The name of a sender; a click tells about that person. */
export function who(name, colourOf) {
  return element('span', { class: `who name-${colourOf(name)}`, 'data-person': name }, [bdi(name)]);
}

function textElement(entry, me) {
  if (entry.isSealed) {
    return element('div', { class: 'text' }, [
      '[sealed message] ', element('button', { type: 'button', class: 'why', 'data-explain': SEALED, text: 'Why?' }),
    ]);
  }
  const body = element('bdi', { class: 'body', dir: 'auto' });
  showPieces(body, piecesOf(entry.text, { me: entry.isMine ? '' : me }));
  const text = element('div', { class: 'text' }, [body]);
  const isLong = entry.text.length > LONG_CHARS || entry.text.split('\n').length > LONG_LINES;
  if (isLong) {
    text.classList.add('long');
    text.append(element('button', { type: 'button', class: 'rest', 'data-rest': true, text: 'Show all of it' }));
  }
  return text;
}

function noteElement({ text, tone, at, visits }) {
  const isVisits = visits !== undefined;
  const children = isVisits
    ? describeVisits(visits).map((part) => (typeof part === 'string' ? part : bdi(part.name)))
    : [bdi(text)];
  // Who comes and goes is on the screen, and not read aloud.
  return element('div', { class: `note ${tone}`, role: 'listitem', ...(isVisits && { 'aria-live': 'off' }) }, [
    element('span', { class: 'note-text' }, children),
    ...(at === undefined ? [] : [element('time', { datetime: new Date(at).toISOString(), text: timeOfDay(at) })]),
  ]);
}

function holeElement({ from, to, count, isMissed }, room) {
  const text = isMissed
    ? `You missed ${counted(count, 'message')} that the server could not deliver here. `
    : `${counted(count, 'message')} in between. `;
  const rest = room.hasHistory
    ? element('button', { type: 'button', 'data-load': 'hole', 'data-from': from, 'data-to': to, text: 'Load what is stored' })
    : 'The server keeps no history, so they cannot be loaded.';
  return element('div', { class: `note hole${isMissed ? ' warning' : ''}`, role: 'listitem', 'aria-live': 'off' }, [text, rest]);
}

/** Builds a message that the server does not have yet. */
export function pendingElement(pending, me, colourOf) {
  const { request } = pending;
  const made = element('div', { class: `message pending${request.action ? ' action' : ''}`, role: 'listitem' }, [
    who(me, colourOf),
    element('div', { class: 'text' }, [element('bdi', { class: 'body', dir: 'auto', text: request.text })]),
    element('div', { class: 'fate' }),
  ]);
  return made;
}

/** Says in a waiting message what has become of it, with what can be done. */
export function showFate(made, pending, isOnline) {
  const { state, error, id, wasSent } = pending;
  const key = `${state}/${isOnline}/${error?.code}`;
  if (made.dataset.fate === key) return;
  made.dataset.fate = key;
  made.dataset.state = state;
  const fate = made.querySelector('.fate');
  const button = (action, text) => element('button', { type: 'button', 'data-pending': action, 'data-id': id, text });
  if (state === 'refused' && error.code === 'too_late') {
    fate.replaceChildren(`may or may not have been stored (${error.text}) `, button('again', 'Send again'), button('discard', 'Remove'));
  } else if (state === 'refused') {
    fate.replaceChildren(`not delivered: ${error.text} `, button('edit', 'Edit'), button('discard', 'Remove'));
  } else if (state === 'doubtful') {
    fate.replaceChildren('may or may not have arrived: the connection was lost ', button('again', 'Send again'), button('discard', 'Remove'));
  } else {
    fate.replaceChildren(isOnline ? 'sending' : wasSent ? 'unsent: goes out again' : 'unsent: goes out once you are online');
  }
}
