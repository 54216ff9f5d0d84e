/** Dialogs: help, a person, settings, and the list of rooms. */
import { COMMANDS, usageOf } from './commands.js';
import { bdi, byId, element } from './dom.js';
import { counted, idleInWords, moment } from './format.js';
import { whyNot } from './notify.js';

const KEYS = [
  ['Enter', 'sends'],
  ['Shift Enter', 'begins a new line'],
  ['Tab', 'completes a name, a room or a command; again: the next one. Esc, then Tab, moves on; so does Shift Tab'],
  ['Esc', 'marks this room as read, or closes what is open'],
  ['Alt Shift ↑ / ↓', 'goes to the next room with something unread'],
  ['Alt ↑ / ↓', 'goes to the next room'],
  ['Page Up / Down', 'scrolls the log'],
  ['↑ in an empty line', 'brings back what you sent'],
  ['Ctrl K', 'searches this room'],
  ['F1', 'shows this help'],
];

/** Fills a dialog and opens it. */
function open(id, titleId, title, children) {
  const dialog = byId(id);
  const close = element('button', { type: 'button', class: 'icon', 'aria-label': 'Close', text: '✕', onclick: () => dialog.close() });
  dialog.replaceChildren(element('header', {}, [element('h2', { id: titleId }, title), close]), ...children);
  if (!dialog.open) dialog.showModal();
  return dialog;
}

const button = (text, onclick, className = '') => element('button', { type: 'button', class: className, text, onclick });

const facts = (pairs) =>
  element('dl', {}, pairs.flatMap(([term, value]) => [element('dt', { text: term }), element('dd', {}, [value])]));

/** Shows the keys and the commands. */
export function openHelp() {
  const groups = Map.groupBy ? Map.groupBy(COMMANDS, ({ group }) => group) : groupCommands();
  const commands = [...groups].flatMap(([group, rows]) => [
    element('h3', { text: group }),
    facts(rows.map((row) => [usageOf(row).split(': ')[0], usageOf(row).split(': ').slice(1).join(': ')])),
  ]);
  open('help', 'help-title', ['Help'], [
    element('div', { class: 'dialog-scroll', tabindex: '0', role: 'region', 'aria-label': 'Keys and commands' }, [
      element('h3', { text: 'Keys' }), facts(KEYS), ...commands,
      element('p', { class: 'fine', text: 'A line that begins with // is sent with one slash. Links open in a new tab; the page never loads what they lead to.' }),
    ]),
  ]);
}

function groupCommands() {
  const groups = new Map();
  for (const row of COMMANDS) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return groups;
}

/**
 * Shows a person. @param {any} whois answer of the server, or what it refused
 * @param {{now: number, isMe: boolean, isOperator: boolean, colour: number,
 *          act: (what: 'direct' | 'mention' | 'ignore' | string) => void}} context
 */
export function openPerson(name, whois, { now, isMe, isOperator, isIgnored, colour, act }) {
  const isKnown = whois?.type === 'whois';
  const close = (what) => () => {
    byId('person').close();
    act(what);
  };
  const about = isKnown ? factsOf(whois, now) : element('p', { text: whois?.text ?? 'You are offline: nothing is known at the moment.' });
  const quoted = /^[\d"[.:]|[\s/]/u.test(name) ? `"${name}"` : name;
  const tools = isMe ? [] : [
    button('Message privately', close('direct'), 'primary'), button('Mention', close('mention')),
    button(isIgnored ? 'Stop ignoring' : 'Ignore', close(isIgnored ? 'unignore' : 'ignore')),
  ];
  const orders = !isOperator || isMe ? [] : [
    ['Mute 10 min', `mute ${quoted} 10m`], ['Unmute', `unmute ${quoted}`], ['Kick', `kick ${quoted}`], ['Ban 1 h', `ban ${quoted} 1h`],
  ].map(([text, line]) => button(text, close(line), 'danger'));
  const title = element('span', { id: 'person-name', class: `who name-${colour}` }, [bdi(name)]);
  open('person', 'person-title', [title], [
    about,
    element('p', { class: 'row' }, tools),
    ...(orders.length === 0 ? [] : [element('h3', { text: 'Operator' }), element('p', { class: 'row' }, orders)]),
  ]);
}

function factsOf({ since, idle_s, dialect, link, rooms, away, key }, now) {
  const list = rooms.length === 0 ? 'none' : element('span', {}, rooms.flatMap((room, at) => (at === 0 ? [bdi(room)] : [', ', bdi(room)])));
  return facts([
    ['Here since', `${moment(Date.parse(since), now)}, ${idleInWords(idle_s)}`],
    ...(away === undefined ? [] : [['Away', bdi(away)]]),
    ['Rooms', list],
    ['Connected', element('span', {}, [bdi(dialect), ' dialect over ', bdi(link)])],
    ...(key === undefined ? [] : [['Key', element('code', { text: key })]]),
  ]);
}

/**
 * Shows the settings: name, away, notifications, leaving.
 * @param {{name: string, away: string | null, level: import('./notify.js').Level, readers: string,
 *   rename: (name: string) => void, setAway: (text: string | null) => void,
 *   setLevel: (level: import('./notify.js').Level) => Promise<void>, quit: () => void}} context
 */
export function openSettings(context) {
  const dialog = byId('settings');
  const name = element('input', { id: 'new-name', value: context.name, maxlength: '64', autocomplete: 'off', spellcheck: 'false' });
  const away = element('input', { id: 'away-text', value: context.away ?? '', placeholder: 'lunch', maxlength: '200', autocomplete: 'off' });
  const form = (input, label, actions, submit) => element('form', { onsubmit: (event) => {
    event.preventDefault();
    dialog.close();
    submit(input.value.trim());
  } }, [element('label', { for: input.id, text: label }), element('div', { class: 'field' }, [input, ...actions])]);
  const back = context.away === null ? [] : [button('I am back', () => {
    dialog.close();
    context.setAway(null);
  })];
  const done = (text) => element('button', { type: 'submit', text });
  open('settings', 'settings-title', ['You'], [
    form(name, 'Name', [done('Change')], (value) => value !== '' && value !== context.name && context.rename(value)),
    form(away, 'Away: tells who writes to you why you do not answer', [done('Set'), ...back], (value) => context.setAway(value || 'away')),
    notifications(context),
    element('p', { class: 'fine', text: context.readers }),
    element('p', { class: 'row' }, [button('Leave the chat', () => {
      dialog.close();
      context.quit();
    }, 'danger')]),
  ]);
}

function notifications({ level, setLevel }) {
  const why = whyNot(window);
  const choice = (value, text) => {
    const input = element('input', { type: 'radio', name: 'level', value, checked: value === level, disabled: why !== '' && value !== 'off' });
    input.addEventListener('change', () => setLevel(value));
    return element('label', { class: 'choice' }, [input, text]);
  };
  return element('fieldset', { id: 'notifications' }, [
    element('legend', { text: 'Notifications' }),
    choice('off', 'None'), choice('mentions', 'When I am mentioned or written to'), choice('all', 'At every message'),
    ...(why === '' ? [] : [element('p', { class: 'fine why-not', text: why })]),
  ]);
}

/**
 * Shows the rooms of the server.
 * @param {any} answer `rooms`, or what was refused
 * @param {(room: string) => void} join
 */
export function openRoomList(answer, join) {
  const dialog = byId('room-list');
  const rooms = answer?.type === 'rooms' ? answer.rooms : [];
  const row = ({ room, count }) => element('li', {}, [element('button', { type: 'button', class: 'conversation', onclick: () => {
    dialog.close();
    join(room);
  } }, [element('span', { class: 'sign', 'aria-hidden': 'true', text: '#' }), bdi(room), element('span', { class: 'flag', text: counted(count, 'person', 'people') })])]);
  const more = (answer?.count ?? 0) - rooms.length;
  open('room-list', 'room-list-title', ['Rooms'], [
    rooms.length === 0
      ? element('p', { text: answer?.text ?? 'You are offline: the rooms are not known at the moment.' })
      : element('ul', { class: 'dialog-scroll plain' }, rooms.map(row)),
    ...(more > 0 ? [element('p', { class: 'hint', text: `and ${more} more` })] : []),
  ]);
}
