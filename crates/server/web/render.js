/** Everything around the log: rooms, people, the head of the room, and the state of the connection. */
import { bdi, byId, element, reconcile, setText } from './dom.js';
import { compareNames, connectionInWords, counted, moment } from './format.js';

/** Persons that the list shows. */
const PEOPLE_SHOWN = 1000;

/**
 * @typedef {{chat: import('./state.js').Chat, session: import('./session.js').Session,
 *            outbox: import('./outbox.js').Outbox, now: number}} Model
 */

/** @param {Model} model */
export function renderSide(model) {
  const all = [...model.chat.rooms.values()];
  renderConversations(byId('rooms'), all.filter(({ kind }) => kind === 'room'), model);
  const directs = all.filter(({ kind }) => kind === 'direct');
  renderConversations(byId('directs'), directs, model);
  byId('no-directs').hidden = directs.length > 0;
  setText(byId('self-name'), model.chat.me);
  setText(byId('self-away'), model.chat.away === null ? '' : ' (away)');
  const elsewhere = all.filter(({ key }) => key !== model.chat.current);
  const [unread, mentions] = [sum(elsewhere, 'unread'), sum(elsewhere, 'unreadMentions')];
  setText(byId('elsewhere'), unread === 0 ? '' : String(Math.min(unread, 999)));
  byId('elsewhere').classList.toggle('for-me', mentions > 0);
}

function sum(rooms, field) {
  return rooms.reduce((total, room) => total + room[field], 0);
}

function renderConversations(list, rooms, { chat, outbox }) {
  reconcile(list, rooms, ({ key }) => key, (room) => conversationElement(room), (item, room) => {
    const button = item.firstChild;
    const { unread, unreadMentions } = room;
    const isCurrent = room.key === chat.current;
    if (isCurrent) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
    button.classList.toggle('unread', unread > 0);
    setText(button.querySelector('bdi'), room.name);
    const badge = button.querySelector('.badge');
    setText(badge, unread === 0 ? '' : unread > 999 ? '999+' : String(unread));
    badge.classList.toggle('for-me', unreadMentions > 0);
    setText(button.querySelector('.sr-only'), spoken(unread, unreadMentions, room));
    const isWaiting = outbox.of(room.key).length > 0;
    setText(button.querySelector('.flag'), isWaiting ? 'unsent' : room.isJoined ? '' : 'not in it');
  });
}

function spoken(unread, mentions, { isSealed }) {
  const parts = [unread > 0 && `${unread} unread`, mentions > 0 && `${mentions} for you`, isSealed && 'sealed'];
  return parts.filter(Boolean).map((part) => `, ${part}`).join('');
}

function conversationElement(room) {
  const sign = room.kind === 'room' ? '#' : '@';
  return element('li', {}, [element('button', { type: 'button', class: 'conversation', 'data-room': room.key }, [
    element('span', { class: 'sign', 'aria-hidden': 'true', text: sign }),
    bdi(room.name),
    element('span', { class: 'flag' }),
    element('span', { class: 'badge', 'aria-hidden': 'true' }),
    element('span', { class: 'sr-only' }),
  ])]);
}

let peopleShown = '';

/** Shows who is in the room. @param {Model} model */
export function renderPeople({ chat }) {
  const { room } = chat;
  const revision = `${chat.current}/${chat.peopleRevision}/${chat.isOperator}`;
  if (revision === peopleShown) return;
  peopleShown = revision;
  const isRoom = room?.kind === 'room';
  const names = isRoom ? [...room.members] : [chat.me, ...(room ? [room.name] : [])];
  names.sort(compareNames);
  reconcile(byId('people'), names.slice(0, PEOPLE_SHOWN), (name) => name, (name) => personElement(name), (item, name) => {
    item.querySelector('.who').className = `who name-${chat.colours.of(name)}`;
    setText(item.querySelector('.you'), name === chat.me ? (chat.away === null ? 'you' : 'you, away') : '');
  });
  const count = isRoom ? Math.max(room.count, names.length) : names.length;
  const others = count - Math.min(names.length, PEOPLE_SHOWN);
  setText(byId('people-more'), others > 0 ? `and ${others.toLocaleString('en-GB')} more` : '');
  setText(byId('people-count'), String(count));
  setText(byId('people-title'), isRoom ? `${counted(count, 'person', 'people')} here` : 'People');
  byId('operator-tools').hidden = !chat.isOperator;
}

function personElement(name) {
  return element('li', {}, [element('button', { type: 'button', class: 'person', 'data-person': name, 'aria-haspopup': 'dialog' }, [
    element('span', { class: 'dot', 'aria-hidden': 'true' }), element('span', { class: 'who' }, [bdi(name)]), element('span', { class: 'you' }),
  ])]);
}

/** Shows which conversation this is. @param {Model} model */
export function renderTop({ chat }) {
  const { room } = chat;
  setText(byId('room-title'), room?.name ?? 'No room');
  byId('room-title').dataset.kind = room?.kind ?? '';
  setText(byId('room-note'), noteOf(room));
  byId('leave-room').hidden = !room;
  setText(byId('leave-room'), room?.kind === 'direct' ? 'Close' : 'Leave');
  byId('line').placeholder = placeholderOf(room);
}

function noteOf(room) {
  if (!room) return 'Join one on the left.';
  if (room.kind === 'direct') return `Between you and ${room.name} only. The server does not keep it.`;
  if (room.isSealed) return 'Sealed: members read it with a passphrase, in a terminal.';
  return room.isJoined ? '' : 'You are not in this room at the moment.';
}

function placeholderOf(room) {
  if (!room) return 'Join a room to talk';
  if (room.isSealed) return 'This room is sealed: a page cannot send here';
  return room.kind === 'direct' ? `Message ${room.name} only` : `Message ${room.name}`;
}

/** Shows an explanation where a room has no messages. @param {Model} model */
export function renderEmpty({ chat }) {
  const { room } = chat;
  const isEmpty = !room || !room.entries.some(({ kind }) => kind === 'message');
  byId('empty').hidden = !isEmpty;
  setText(byId('empty'), isEmpty ? emptyText(room) : '');
}

function emptyText(room) {
  if (!room) return 'You are in no room. Join one on the left: lobby is where everybody starts.';
  if (room.kind === 'direct') return `Nothing said yet. What you write here goes to ${room.name} only.`;
  if (!room.isJoined) return 'You are not in this room at the moment.';
  return room.count > 1
    ? `Nothing said yet. ${counted(room.count - 1, 'other person is', 'other people are')} here: say hello.`
    : 'Nobody else is here yet. Share the address of this page, or say something for whoever comes.';
}

/** Shows the state of the connection in words. @param {Model} model */
export function renderConnection({ session, outbox, now }) {
  const target = byId('connection');
  const { tone, text, countdown } = connectionInWords(session, now);
  if (target.childElementCount === 0) {
    // The countdown changes every second: it is seen, and not read aloud.
    target.replaceChildren(element('span', { class: 'state' }), element('span', { class: 'countdown', 'aria-hidden': 'true' }));
  }
  setText(target.firstChild, text);
  setText(target.lastChild, countdown === '' ? '' : ` · ${countdown}`);
  byId('status-line').dataset.tone = tone;
  const { kind } = session.phase;
  byId('retry').hidden = kind !== 'waiting' && kind !== 'ended';
  setText(byId('retry'), kind === 'ended' ? 'Join again' : 'Retry now');
  const { unsent } = outbox;
  setText(byId('unsent'), unsent > 0 && !session.isOnline ? `${unsent} unsent` : '');
}

/**
 * Shows what is new and where it is.
 * @param {Model} model
 * @param {import('./log.js').LogView} view
 */
export function renderJumps({ chat, now }, view) {
  const { room } = chat;
  const place = view.markPlace;
  const hasMark = room !== undefined && room.divider !== null && room.newest > room.divider;
  const isAbove = hasMark && (place === 'above' || !room.isDividerLoaded);
  byId('unread-bar').hidden = !isAbove;
  if (isAbove) setText(byId('unread-text'), newText(room, now));
  const newest = byId('jump-newest');
  newest.hidden = !room || view.isFollowing;
  const unread = room?.unread ?? 0;
  setText(newest, unread > 0 ? `${unread} new below` : 'To the newest');
  byId('jump-back').hidden = !view.hasReturn;
}

function newText(room, now) {
  const count = room.newest - room.divider - room.gone.countIn(room.divider + 1, room.newest);
  const first = room.isDividerLoaded ? room.message(room.firstUnread) : undefined;
  return `${counted(count, 'new message')}${first ? ` since ${moment(first.at, now)}` : ''}`;
}

/** Title of the window: what waits, and where. @param {Model} model */
export function renderTitle({ chat, session }) {
  const rooms = [...chat.rooms.values()];
  const [unread, mentions] = [sum(rooms, 'unread'), sum(rooms, 'unreadMentions')];
  const mark = mentions > 0 ? `(${mentions}!) ` : unread > 0 ? `(${unread}) ` : '';
  const state = session.isOnline ? '' : 'offline · ';
  document.title = `${mark}${state}${chat.room ? `${chat.room.name} · ` : ''}Glassline`;
}
