/** Start of the page: who the person in this tab is, and what the controls do. */
import { COMMANDS, synopsisOf } from './commands.js';
import { byId, element, setText } from './dom.js';
import { readersInWords } from './format.js';
import { whyNot } from './notify.js';
import { Page } from './page.js';
import { TabClaim, TabStorage } from './storage.js';

const KEYS = [
  ['Enter', 'sends; Shift Enter begins a new line'],
  ['Tab', 'completes, again and again; after Esc it moves on'],
  ['Esc', 'closes what is open, or marks this room as read'],
  ['Alt Shift ↑ ↓', 'goes to the next unread room; without Shift to any'],
  ['Page Up, Page Down', 'scrolls the log'],
  ['Ctrl K, F1', 'searches this room; shows this help'],
];

const storage = new TabStorage(() => sessionStorage);
const preferences = new TabStorage(() => localStorage);
const randomId = () => crypto.getRandomValues(new Uint32Array(2)).join('-');
/** @type {Page | undefined} */
let page;

/** Goes on as the person of this tab, unless another tab does; else asks for a name. */
async function start() {
  const tab = storage.get('tab', randomId());
  storage.set('tab', tab);
  const claim = new TabClaim(new BroadcastChannel('glassline'), tab, randomId());
  const saved = storage.get('session', null);
  const isOwner = await claim.take((ms) => saved && new Promise((resolve) => setTimeout(resolve, ms)));
  if (saved && isOwner) return enter(saved);
  if (!saved) return askName(preferences.get('name', ''), '');
  storage.dropPerson();
  storage.set('tab', randomId());
  claim.renew(storage.get('tab', ''));
  return askName(saved.name, `This tab is a copy of one where you are ${saved.name}. Two tabs are two people: choose another name.`);
}

function askName(name, why) {
  byId('welcome').hidden = false;
  byId('chat').hidden = true;
  setText(byId('name-error'), why);
  byId('name').value = name;
  byId('name').select();
}

function enter(identity) {
  byId('welcome').hidden = true;
  byId('chat').hidden = false;
  if (page) page.restart(identity.name);
  else {
    page = new Page(storage, preferences, (why) => {
      storage.dropPerson();
      askName(page.session.name, why);
    });
    bind(page);
    page.start(identity);
  }
  byId('line').focus();
}

/** Does something with what is in a field when its form is sent. */
function onSubmit(form, field, act) {
  byId(form).addEventListener('submit', (event) => {
    event.preventDefault();
    const value = byId(field).value.trim();
    if (value !== '') act(value);
  });
}

/** @param {Page} page */
function bind(page) {
  onSubmit('search-form', 'search', (query) => page.search(query));
  onSubmit('join-form', 'join-room', (room) => {
    if (page.change(() => page.actions.join(room))) byId('join-room').value = '';
  });
  byId('join-room').addEventListener('focus', async () => {
    const answer = await page.requests.ask({ type: 'rooms' });
    byId('room-names').replaceChildren(...(answer?.rooms ?? []).map(({ room }) => element('option', { value: room })));
  });
  const listed = (rows) => rows.flatMap(([term, text]) => [element('dt', { text: term }), element('dd', { text })]);
  byId('keys').append(...listed(KEYS));
  byId('commands').append(...listed(COMMANDS.map((command) => [synopsisOf(command), command.help])));
  byId('settings').addEventListener('change', async ({ target }) => {
    await page.actions.setLevel(target.value);
    openHelp(page);
  });
  document.addEventListener('click', ({ target }) => page.change(() => clicked(page, target.closest('button, [data-person]'))));
  document.addEventListener('keydown', (event) => pressed(page, event));
  const wake = () => page.change(() => document.visibilityState === 'visible' && page.session.wake(page.now));
  document.addEventListener('visibilitychange', wake);
  for (const kind of ['online', 'offline']) addEventListener(kind, wake);
  for (const kind of ['focus', 'blur']) addEventListener(kind, () => page.refresh());
  // A page that was put aside may have a successor in the same tab.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
}

/** Actions of buttons, by their id. @type {Record<string, (page: Page) => void>} */
const BUTTONS = {
  self: openHelp,
  retry: ({ session, now }) => (session.phase.kind === 'ended' ? page.restart(session.name) : session.retryNow(now)),
  'close-results': closeResults,
  'leave-room': ({ actions }) => actions.leave(),
  'jump-unread': ({ chat: { room } }) => page.jump(room, room.divider + 1, true),
  'jump-back': ({ view }) => view.back(),
  'jump-newest': ({ view }) => view.toEnd(),
  'mark-read': () => page.markRead(),
};

/** @param {Page} page */
function clicked(page, control) {
  const { room, person, pending, tell, line, from, to } = control?.dataset ?? {};
  if (room) page.go(room);
  else if (person) page.actions.direct(person);
  else if (pending) page.actions.pending(pending, control.textContent);
  else if (tell) page.tell(tell);
  else if (line) page.actions.press(line);
  else if (from) page.loadMissing(Number(from), Number(to));
  else BUTTONS[control?.id]?.(page);
}

/** Keys that work everywhere. @param {Page} page @param {KeyboardEvent} event */
function pressed(page, event) {
  const { key, altKey, shiftKey, target } = event;
  const isCtrl = event.ctrlKey || event.metaKey;
  // The help closes by itself.
  if (event.isComposing || event.keyCode === 229 || byId('help').open) return;
  const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -1, PageDown: 1 }[key];
  let act;
  if (step && altKey && !isCtrl) act = () => page.goNext(step, shiftKey);
  else if (key === 'Escape') act = () => escape(page);
  else if (key === 'F1') act = () => openHelp(page);
  else if (isCtrl && !altKey && key === 'k') act = () => byId('search').select();
  else if (key.startsWith('Page') && target.id === 'line') act = () => page.view.scrollByPage(step);
  // A letter that is typed outside of every field is meant for the line.
  else if (key.length === 1 && key !== ' ' && !isCtrl && !altKey && (target === document.body || target.id === 'log')) return byId('line').focus();
  if (!act) return undefined;
  event.preventDefault();
  return page.change(act);
}

function closeResults() {
  byId('results-pane').hidden = true;
  byId('line').focus();
}

function escape(page) {
  const pane = document.querySelector(':popover-open');
  if (pane) return pane.hidePopover();
  if (!byId('results-pane').hidden) return closeResults();
  if (page.composer.release(true)) return;
  page.markRead();
  byId('line').focus();
}

function openHelp({ level }) {
  const why = whyNot(window);
  setText(byId('why-not'), why);
  for (const input of document.querySelectorAll('[name=level]')) {
    input.checked = input.value === level;
    input.disabled = why !== '' && input.value !== 'off';
  }
  if (!byId('help').open) byId('help').showModal();
}

setText(byId('host'), location.host);
for (const readers of document.querySelectorAll('.readers')) setText(readers, readersInWords(location.protocol));
onSubmit('name-form', 'name', (name) => {
  preferences.set('name', name);
  enter({ name });
});
start();
