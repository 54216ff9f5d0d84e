/** Everything around the log: rooms, people, the head of the room, and the state of the connection. */
import { bdi, byId, element, reconcile, setText } from './dom.js';
import { compareNames, connectionInWords, counted, idleInWords, moment } from './format.js';

/** @typedef {import('./page.js').Page} Page */

/** @param {Page} page */
export function renderSide({ chat, outbox }) {
  const all = [...chat.rooms.values()];
  for (const kind of ['room', 'direct']) {
    reconcile(byId(`${kind}s`), all.filter((room) => room.kind === kind), ({ key }) => key, conversation, (item, room) => {
      const button = item.firstChild;
      const [, name, flag, badge, spoken] = button.children;
      const { unread, unreadMentions } = room;
      button.setAttribute('aria-current', room.key === chat.current);
      button.classList.toggle('unread', unread > 0);
      setText(name, room.name);
      setText(flag, outbox.of(room.key).length > 0 ? 'unsent' : room.isJoined ? '' : 'not in it');
      setBadge(badge, unread, unreadMentions);
      setText(spoken, unread > 0 ? `, ${unread} unread${unreadMentions > 0 ? `, ${unreadMentions} for you` : ''}` : '');
    });
  }
  byId('no-directs').hidden = byId('directs').children.length > 0;
  setText(byId('self-name'), chat.me);
  setText(byId('self-away'), chat.away === null ? '' : 'away');
  setBadge(byId('elsewhere'), ...unreadIn(all.filter(({ key }) => key !== chat.current)));
}

function conversation({ kind, key }) {
  return element('li', {}, [element('button', { type: 'button', class: 'entry', 'data-room': key }, [
    element('span', { class: 'faint', 'aria-hidden': 'true', text: kind === 'room' ? '#' : '@' }), bdi(''),
    element('span', { class: 'faint small' }), element('span', { class: 'badge', 'aria-hidden': 'true' }), element('span', { class: 'sr-only' }),
  ])]);
}

function setBadge(badge, unread, mentions) {
  setText(badge, unread === 0 ? '' : String(Math.min(unread, 999)));
  badge.classList.toggle('for-me', mentions > 0);
}

const unreadIn = (rooms) => ['unread', 'unreadMentions'].map((field) => rooms.reduce((sum, room) => sum + room[field], 0));

let peopleShown = '';

/** @param {Page} page */
export function renderPeople({ chat }) {
  const { room, current, peopleRevision, me } = chat;
  if (peopleShown === `${current}/${peopleRevision}`) return;
  peopleShown = `${current}/${peopleRevision}`;
  const isRoom = room?.kind === 'room';
  const names = isRoom ? [...room.members] : room ? [me, room.name] : [];
  reconcile(byId('people'), names.sort(compareNames), (name) => name, (name) => element('li', {}, [
    element('button', { type: 'button', class: 'entry', 'data-person': name }, [bdi(name), element('span', { class: 'faint small' })]),
  ]), ({ firstChild: button }, name) => {
    button.firstChild.className = `name-${chat.colours.of(name)}`;
    setText(button.lastChild, name === me ? 'you' : '');
  });
  const count = isRoom ? Math.max(room.count, names.length) : names.length;
  setText(byId('people-more'), count > names.length ? `and ${counted(count - names.length, 'other')}` : '');
  setText(byId('people-count'), `${count}`);
  setText(byId('people-title'), isRoom ? `${counted(count, 'person', 'people')} here` : 'People');
}

/** @param {Page} page */
export function renderTop({ chat, now }) {
  const { room } = chat;
  setText(byId('room-title'), room?.name ?? 'No room');
  setText(byId('room-note'), noteOf(room, now));
  setText(byId('leave-room'), room?.kind === 'direct' ? 'Close' : 'Leave');
  byId('line').placeholder = !room ? 'Join a room to talk' : room.isSealed ? 'Sealed: a page cannot send here' : room.kind === 'room' ? `Message ${room.name}` : `Message ${room.name} only`;
  const isEmpty = !room?.entries.some(({ kind }) => kind === 'message');
  byId('empty').hidden = !isEmpty;
  if (isEmpty) setText(byId('empty'), emptyText(room));
  renderOperator(chat);
}

/** Facts of a person, or what is special about a room. */
function noteOf(room, now) {
  if (room?.kind === 'room') return room.isSealed ? 'Sealed: members read it with a passphrase, in a terminal' : room.isJoined ? '' : 'You are not in this room at the moment';
  if (!room?.whois) return room ? 'Between the two of you only; the server does not keep it' : '';
  const { since, idle_s, dialect, link, rooms, away } = room.whois;
  const where = rooms.length > 0 ? `in ${rooms.join(', ')}` : 'in no room';
  return `here since ${moment(Date.parse(since), now)}, ${idleInWords(idle_s)}${away === undefined ? '' : `, away (${away})`}, ${where}, ${dialect} dialect over ${link}`;
}

function emptyText(room) {
  if (!room) return 'You are in no room. Join one on the left: everybody starts in lobby.';
  if (room.kind === 'direct') return `Nothing said yet. What you write here goes to ${room.name} only.`;
  return room.count > 1 ? `Nothing said yet. ${counted(room.count - 1, 'other person is', 'other people are')} here: say hello.`
    : 'Nobody else is here yet. Share the address of this page, or write something for whoever comes.';
}

/** Buttons of an operator, for a room or a person. */
function renderOperator({ room, isOperator, me }) {
  const tools = byId('operator-tools');
  const isPerson = room?.kind === 'direct';
  tools.hidden = !isOperator || (isPerson && room.name === me);
  const key = `${room?.key}`;
  if (tools.hidden || tools.dataset.key === key) return;
  tools.dataset.key = key;
  // A name that looks like an address is written in quotes (O2).
  const name = /^[\d[.:]|^"/.test(room?.name) ? `"${room.name}"` : room?.name;
  const lines = isPerson ? [['Mute 10 min', `mute ${name} 10m`], ['Unmute', `unmute ${name}`], ['Kick', `kick ${name}`], ['Ban 1 h', `ban ${name} 1h`]]
    : ['Freeze', 'Thaw', 'Roster', 'Bans'].map((text) => [text, text.toLowerCase()]);
  tools.replaceChildren('Operator', ...lines.map(([text, line]) => element('button', { type: 'button', 'data-line': line, text })));
}

/** The state of the connection in words. The countdown is seen, and not read aloud. @param {Page} page */
export function renderConnection({ session, outbox, now }) {
  const { tone, text, countdown } = connectionInWords(session, now);
  setText(byId('state'), text);
  setText(byId('countdown'), countdown ? ` · ${countdown}` : '');
  byId('status-line').dataset.tone = tone;
  const { kind } = session.phase;
  byId('retry').hidden = kind !== 'waiting' && kind !== 'ended';
  setText(byId('retry'), kind === 'ended' ? 'Join again' : 'Retry now');
  setText(byId('unsent'), outbox.unsent > 0 && !session.isOnline ? `${outbox.unsent} unsent` : '');
}

/** What is new, where it is, and the way back. @param {Page} page */
export function renderJumps({ chat, view, now }) {
  const { room } = chat;
  const isAbove = room !== undefined && room.divider !== null && room.newest > room.divider && (view.markPlace === 'above' || !room.isDividerLoaded);
  byId('unread-bar').hidden = !isAbove;
  if (isAbove) {
    const count = room.newest - room.divider - room.gone.countIn(room.divider + 1, room.newest);
    const first = room.isDividerLoaded && room.message(room.firstUnread);
    setText(byId('unread-text'), `${counted(count, 'new message')}${first ? ` since ${moment(first.at, now)}` : ''}`);
  }
  byId('jump-newest').hidden = !room || view.isFollowing;
  setText(byId('jump-newest'), room?.unread > 0 ? `${room.unread} new below` : 'To the newest');
  byId('jump-back').hidden = !view.hasReturn;
}

/** Title of the window: what waits, and where. @param {Page} page */
export function renderTitle({ chat, session }) {
  const [unread, mentions] = unreadIn([...chat.rooms.values()]);
  const mark = mentions > 0 ? `(${mentions}!) ` : unread > 0 ? `(${unread}) ` : '';
  document.title = `${mark}${session.isOnline ? '' : 'offline · '}${chat.room ? `${chat.room.name} · ` : ''}Glassline`;
}
