/** Start of the page: who the person in this tab is, and what the controls do. */
import { COMMANDS, synopsisOf } from './commands.js';
import { byId, element, setText } from './dom.js';
import { readersInWords } from './format.js';
import { whyNot } from './notify.js';
import { Page } from './page.js';
import { TabClaim, TabStorage } from './storage.js';

const KEYS = [
  ['Enter', 'sends; Shift Enter begins a new line'],
  ['Tab', 'completes a name, a room or a command; again: the next one. Esc before it, or Shift Tab, moves on'],
  ['Esc', 'closes what is open; marks this room as read'],
  ['Alt Shift ↑ ↓', 'goes to the next room with something unread'],
  ['Alt ↑ ↓', 'goes to the next room'],
  ['Page Up, Page Down', 'scrolls the log'],
  ['Ctrl K', 'searches this room'],
  ['F1', 'shows this help'],
];

const storage = new TabStorage(() => sessionStorage);
const preferences = new TabStorage(() => localStorage);
const randomId = () => crypto.getRandomValues(new Uint32Array(2)).join('-');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** @type {Page | undefined} */
let page;

/** Goes on as the person of this tab, unless another tab does; else asks for a name. */
async function start() {
  const tab = storage.get('tab', randomId());
  storage.set('tab', tab);
  const claim = new TabClaim(new BroadcastChannel('glassline'), tab, randomId());
  const saved = storage.get('session', null);
  const isOwner = await claim.take(saved ? sleep : async () => {});
  if (saved && isOwner) return enter(saved);
  if (saved) {
    storage.dropPerson();
    storage.set('tab', randomId());
    claim.renew(storage.get('tab', ''));
  }
  askName(saved?.name ?? preferences.get('name', ''), saved ? `This tab is a copy of one in which you are ${saved.name}. Two tabs are two people: choose another name.` : '');
}

function show(isChat) {
  byId('welcome').hidden = isChat;
  byId('chat').hidden = !isChat;
}

function askName(name, why) {
  show(false);
  setText(byId('name-error'), why);
  byId('name').value = name;
  byId('name').select();
}

function enter(identity) {
  show(true);
  if (page) page.restart(identity.name);
  else {
    page = new Page(storage, preferences, (why) => {
      storage.dropPerson();
      askName(identity.name, why);
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
  const { actions } = page;
  onSubmit('search-form', 'search', (query) => page.search(query));
  onSubmit('join-form', 'join-room', (room) => {
    if (page.change(() => actions.join(room))) byId('join-room').value = '';
  });
  byId('join-room').addEventListener('focus', async () => {
    const answer = await page.requests.ask({ type: 'rooms' });
    byId('room-names').replaceChildren(...(answer?.rooms ?? []).map(({ room }) => element('option', { value: room })));
  });
  byId('keys').append(...[...KEYS, ...COMMANDS.map((command) => [synopsisOf(command), command.help])].flatMap(([term, text]) => [
    element('dt', { text: term }), element('dd', { text })]));
  byId('notifications').addEventListener('change', async ({ target }) => {
    await actions.setLevel(target.value);
    openHelp(page);
  });
  document.addEventListener('click', ({ target }) => page.change(() => clicked(page, target)));
  document.addEventListener('keydown', (event) => pressed(page, event));
  const wake = () => page.change(() => document.visibilityState === 'visible' && page.session.wake(page.now));
  for (const kind of ['online', 'offline']) addEventListener(kind, wake);
  for (const kind of ['focus', 'blur']) addEventListener(kind, () => page.refresh());
  document.addEventListener('visibilitychange', wake);
  // A page that was put aside may have a successor with the same tab.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
}

/** What buttons do, by their id. @type {Record<string, (page: Page) => void>} */
const BUTTONS = {
  self: (page) => openHelp(page),
  retry: (page) => (page.session.phase.kind === 'ended' ? page.restart(page.session.name) : page.session.retryNow(page.now)),
  'leave-room': (page) => page.actions.leave(page.chat.room),
  'jump-unread': (page) => page.jump(page.chat.room, page.chat.room.divider + 1, true),
  'jump-back': (page) => page.view.back(),
  'jump-newest': (page) => page.view.toEnd(),
  'mark-read': (page) => page.markRead(),
};

/** Takes a click on a button, or on a name. @param {Page} page */
function clicked(page, target) {
  const { actions } = page;
  const { id, dataset, textContent } = target.closest('button, [data-person]') ?? {};
  if (id) return BUTTONS[id]?.(page);
  if (!dataset) return undefined;
  if (dataset.room) return page.go(dataset.room);
  if (dataset.person) return actions.direct(dataset.person);
  if (dataset.pending) return actions.pending(dataset.pending, textContent);
  if (dataset.tell) return page.tell(dataset.tell);
  if (dataset.line) return actions.operate(dataset.line);
  if (dataset.older !== undefined) return page.older();
  const [from, to] = [Number(dataset.from), Number(dataset.to)];
  // The end of a longer hole is loaded: from there the reader comes.
  return from ? page.load(page.chat.room, to - from < 100 ? { after: from - 1, before: to + 1, to } : { before: to + 1 }) : undefined;
}

/** Keys that work everywhere. @param {Page} page @param {KeyboardEvent} event */
function pressed(page, event) {
  const { key, altKey, shiftKey, target } = event;
  // What is open closes by itself.
  if (event.isComposing || event.keyCode === 229 || document.querySelector('dialog[open], :popover-open')) return;
  const isCtrl = event.ctrlKey || event.metaKey;
  const act = () => {
    if (altKey && !isCtrl && key.startsWith('Arrow')) return { ArrowUp: () => page.goNext(-1, shiftKey), ArrowDown: () => page.goNext(1, shiftKey) }[key];
    if (key === 'Escape') return () => escape(page);
    if (key === 'F1') return () => openHelp(page);
    if (isCtrl && !altKey && !shiftKey && key === 'k') return () => byId('search').select();
    if (key.startsWith('Page') && target.id === 'line') return () => page.view.scrollByPage(key === 'PageUp' ? -1 : 1);
    return undefined;
  };
  const done = act();
  if (done) {
    event.preventDefault();
    page.change(done);
  } else if (key.length === 1 && key !== ' ' && !isCtrl && !altKey && (target === document.body || target.id === 'log')) {
    // A letter that is typed outside of every field is meant for the line.
    byId('line').focus();
  }
}

function escape(page) {
  page.composer.release(true);
  page.markRead();
  page.view.toEnd();
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
