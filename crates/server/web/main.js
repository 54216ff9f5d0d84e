/** Start of the page: who the person in this tab is, and what the controls do. */
import { byId, setText } from './dom.js';
import { readersInWords } from './format.js';
import { Page } from './page.js';
import { TabClaim, TabStorage } from './storage.js';

const storage = new TabStorage(storageOf('sessionStorage'));
const preferences = new TabStorage(storageOf('localStorage'));
/** @type {Page | null} */
let page = null;

/** Storage of the browser, or `null` where the reader has forbidden it. */
function storageOf(kind) {
  try {
    return window[kind];
  } catch {
    return null;
  }
}

function randomId() {
  return crypto.getRandomValues(new Uint32Array(2)).join('-');
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Goes on as the person of this tab, unless another tab does; else asks for a name. */
async function start() {
  const tab = storage.get('tab', '') || randomId();
  storage.set('tab', tab);
  const claim = new TabClaim(new BroadcastChannel('glassline'), tab, randomId());
  const saved = storage.get('session', null);
  const isOwner = saved === null ? claim.take(async () => {}) : await claim.take(sleep);
  if (saved !== null && isOwner) return enter(saved);
  if (saved !== null) {
    storage.dropPerson();
    const renewed = randomId();
    storage.set('tab', renewed);
    claim.renew(renewed);
  }
  const why = saved === null ? '' : `This tab is a copy of one in which you are ${saved.name}. Two tabs are two people: choose another name here.`;
  askName(saved?.name ?? preferences.get('name', ''), why);
}

function askName(name, why) {
  byId('chat').hidden = true;
  byId('middle').hidden = true;
  byId('welcome').hidden = false;
  setText(byId('host'), location.host);
  setText(byId('welcome-readers'), readersInWords(location.protocol));
  setText(byId('name-error'), why);
  byId('name').value = name;
  byId('name').select();
  byId('name').focus();
}

function enter(identity) {
  byId('welcome').hidden = true;
  byId('chat').hidden = false;
  byId('middle').hidden = false;
  if (page) page.restart(identity.name);
  else {
    page = new Page(storage, preferences, (why) => {
      storage.dropPerson();
      askName(identity.name, why);
    });
    bindControls(page);
    page.start(identity);
  }
  byId('line').focus({ preventScroll: true });
}

function bindNameForm() {
  byId('name-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const name = byId('name').value.trim();
    if (name === '') return;
    preferences.set('name', name);
    enter({ name });
  });
}

/** @param {Page} page */
function bindControls(page) {
  const { actions, view } = page;
  const click = (id, act) => byId(id).addEventListener('click', () => {
    act();
    page.refresh();
  });
  const { classList } = document.body;
  click('open-side', () => toggleSide(true));
  click('close-side', () => toggleSide(false));
  click('people-button', () => togglePeople());
  click('close-people', () => togglePeople());
  click('list-rooms', () => actions.listRooms());
  click('leave-room', () => actions.leave(page.chat.room));
  click('self', () => page.openSettings());
  click('help-button', () => page.openHelp());
  click('retry', () => (page.session.phase.kind === 'ended' ? page.restart(page.session.name) : page.session.retryNow(Date.now())));
  click('jump-unread', () => page.jumpToMark());
  click('jump-back', () => view.back());
  click('jump-newest', () => view.toEnd());
  click('mark-read', () => page.markRead());
  submit('join-form', 'join-room', (room) => actions.join(room));
  submit('search-form', 'search', (query) => page.search(query), false);
  byId('search').addEventListener('search', () => byId('search').value === '' && page.results.close());
  document.addEventListener('click', (event) => clicked(page, event));
  document.addEventListener('keydown', (event) => pressed(page, event));
  for (const kind of ['focus', 'blur']) window.addEventListener(kind, () => page.refresh());
  window.addEventListener('online', () => page.wake());
  window.addEventListener('offline', () => page.wake());
  window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
  document.addEventListener('resume', () => location.reload());
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && page.wake());
  const narrow = matchMedia('(max-width: 1000px)');
  const fit = () => togglePeople(narrow.matches);
  narrow.addEventListener('change', fit);
  fit();
}

function submit(form, input, act, isCleared = true) {
  byId(form).addEventListener('submit', (event) => {
    event.preventDefault();
    const value = byId(input).value.trim();
    if (value !== '' && act(value) && isCleared) byId(input).value = '';
  });
}

function toggleSide(isOpen) {
  document.body.classList.toggle('side-open', isOpen);
  byId('open-side').setAttribute('aria-expanded', String(isOpen));
  byId(isOpen ? 'close-side' : 'open-side').focus();
}

function togglePeople(isHidden = !document.body.classList.contains('people-hidden')) {
  document.body.classList.toggle('people-hidden', isHidden);
  byId('people-button').setAttribute('aria-expanded', String(!isHidden));
}

/** Clicks on what the page builds as it goes. */
function clicked(page, { target }) {
  const at = (selector) => target.closest?.(selector);
  const { actions } = page;
  const conversation = at('[data-room]');
  if (conversation) return page.go(conversation.dataset.room);
  const person = at('[data-person]');
  if (person && !at('.result') && !at('dialog')) return actions.person(person.dataset.person);
  const pending = at('[data-pending]');
  if (pending) return page.pending(pending.dataset.pending, pending.dataset.id);
  const load = at('[data-load]');
  if (load?.dataset.load === 'older') return page.loadOlder();
  if (load) return page.loadHole(Number(load.dataset.from), Number(load.dataset.to));
  const line = at('[data-line]');
  if (line) return actions.operate(line.dataset.line);
  if (at('[data-explain]')) return page.tell(at('[data-explain]').dataset.explain);
  if (at('[data-rest]')) {
    at('.text').classList.remove('long');
    at('[data-rest]').remove();
  }
}

/** Keys that work everywhere on the page. */
function pressed(page, event) {
  if (event.isComposing || event.keyCode === 229 || document.querySelector('dialog[open]')) return;
  const { key, altKey, shiftKey, ctrlKey, metaKey } = event;
  const done = () => event.preventDefault();
  if (altKey && !ctrlKey && !metaKey && (key === 'ArrowUp' || key === 'ArrowDown')) {
    done();
    page.goNext(key === 'ArrowUp' ? -1 : 1, shiftKey);
  } else if (key === 'Escape') {
    done();
    escape(page);
  } else if (key === 'F1') {
    done();
    page.openHelp();
  } else if ((ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === 'k') {
    done();
    byId('search').focus();
    byId('search').select();
  } else if ((key === 'PageUp' || key === 'PageDown') && event.target.id === 'line') {
    done();
    page.view.scrollByPages(key === 'PageUp' ? -1 : 1);
  } else if (isTyping(event)) {
    byId('line').focus();
  }
}

/** Closes what is open; where nothing is, marks the room as read. */
function escape(page) {
  const { classList } = document.body;
  if (classList.contains('side-open')) toggleSide(false);
  else if (page.results.isOpen) page.results.close();
  else if (matchMedia('(max-width: 1000px)').matches && !classList.contains('people-hidden')) togglePeople();
  else {
    page.composer.leaveCompletion();
    page.markRead();
    page.view.toEnd();
  }
  byId('line').focus();
}

/** A letter typed outside of every field is meant for the line. */
function isTyping({ key, target, ctrlKey, metaKey, altKey }) {
  const isElsewhere = target === document.body || target.id === 'log';
  return isElsewhere && key.length === 1 && key !== ' ' && !ctrlKey && !metaKey && !altKey;
}

bindNameForm();
start();
