/** Rendering of everything around the log: rooms, people, the head of the room, and the state of the connection. */
import { bdi, byId, element, reconcile, setText } from './dom.js';
import { compareNames, connectionInWords, counted, moment, whoisInWords } from './format.js';

/** @typedef {import('./page.js').Page} Page */

/** @param {Page} page */
export function renderSide({ chat, outbox }) {
  const all = chat.list;
  for (const kind of ['room', 'direct']) {
    reconcile(byId(`${kind}s`), all.filter((room) => room.kind === kind), ({ key }) => key, conversation, ({ firstChild: button }, room) => {
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
  setText(byId('self-name'), chat.me);
  setText(byId('self-away'), chat.away === null ? '' : 'away');
  setBadge(byId('elsewhere'), ...unreadIn(all.filter(({ key }) => key !== chat.current)));
}

function conversation({ kind, key }) {
  const hidden = { 'aria-hidden': 'true' };
  return element('li', {}, [element('button', { class: 'entry', 'data-room': key }, [
    element('span', { ...hidden, class: 'faint', text: kind === 'room' ? '#' : '@' }), element('bdi', { title: key.slice(1) }), element('span', { class: 'faint small' }),
    element('span', { ...hidden, class: 'badge' }), element('span', { class: 'sr-only' })])]);
}

function setBadge(badge, unread, mentions) {
  setText(badge, unread === 0 ? '' : unread > 999 ? '999+' : `${unread}`);
  badge.classList.toggle('for-me', mentions > 0);
}

const unreadIn = (rooms) => ['unread', 'unreadMentions'].map((field) => rooms.reduce((sum, room) => sum + room[field], 0));

/** @param {Page} page */
export function renderPeople({ chat }) {
  const { room, me, colours } = chat;
  const isRoom = room?.kind === 'room';
  const names = isRoom ? [...room.members].sort(compareNames) : room ? [me, room.name].slice(0, room.whois === null ? 1 : 2) : [];
  const list = byId('people');
  const shown = names.join('\n') + me;
  if (list.shown !== shown) {
    list.shown = shown;
    reconcile(list, names, (name) => name, (name) => element('li', {}, [
      element('button', { class: 'entry', 'data-person': name }, [bdi(name), element('span', { class: 'faint small' })])]), ({ firstChild: button }, name) => {
      button.firstChild.className = `name-${colours.of(name)}`;
      setText(button.lastChild, name === me ? 'you' : '');
    });
  }
  const count = isRoom ? Math.max(room.count, names.length) : names.length;
  setText(byId('people-more'), count > names.length ? `and ${counted(count - names.length, 'other')}` : '');
  setText(byId('people-count'), `${count}`);
  setText(byId('people-title'), isRoom ? `${counted(count, 'person', 'people')} here` : 'People');
}

/** @param {Page} page */
export function renderTop({ chat: { room, isOperator, silence }, now }) {
  const isRoom = room?.kind === 'room';
  const silenced = isRoom && { frozen: 'Frozen: only operators may send', muted: 'You are muted' }[silence];
  const note = !room ? '' : !isRoom ? room.whois ? whoisInWords(room.whois, now) : room.whois === null ? 'not here now' : ''
    : room.isSealed ? 'Sealed: members read it with a passphrase, in a terminal' : room.isJoined ? silenced || '' : 'You are not in this room';
  setText(byId('room-title'), room?.name ?? 'No room');
  byId('room-title').title = room?.name ?? '';
  setText(byId('room-note'), note);
  setText(byId('leave-room'), isRoom ? 'Leave this room' : 'Close this chat');
  byId('leave-room').hidden = !room;
  byId('search-form').hidden = !isRoom;
  byId('line').placeholder = !room ? 'Join a room to talk' : room.isSealed ? 'Sealed: a page cannot send here' : silenced && !isOperator ? silenced : `Message ${room.name}${isRoom ? '' : ' only'}`;
  const isEmpty = !room?.entries.some(({ kind }) => kind === 'message');
  byId('empty').hidden = !isEmpty;
  if (isEmpty) setText(byId('empty'), !room ? 'You are in no room: choose one in the list of rooms.' : !isRoom ? `What you write here is delivered to ${room.name}, and not stored.`
    : room.count > 1 ? 'Nothing said yet: say hello.' : 'Nobody else is here yet.');
  const tools = byId('operator-tools');
  tools.hidden = !isOperator || !room;
  const shown = room?.key + silence;
  if (tools.hidden || tools.dataset.shown === shown) return;
  tools.dataset.shown = shown;
  // A name that looks like an address is written in quotes (O2).
  const name = /^[\d[.:]|^"/.test(room.name) ? `"${room.name}"` : room.name;
  const lines = isRoom ? [silence !== 'frozen' && 'freeze', silence !== 'none' && 'thaw', 'roster', 'bans'].filter(Boolean) : [`mute ${name} 10m`, `unmute ${name}`, `kick ${name}`, `ban ${name} 1h`];
  tools.replaceChildren('Operator', ...lines.map((line) => element('button', { 'data-line': line, text: `/${line}` })));
}

/** Shows the connection; screen readers do not announce the countdown. @param {Page} page */
export function renderConnection({ session, outbox, now }) {
  const { tone, text, countdown } = connectionInWords(session, now);
  const { kind } = session.phase;
  setText(byId('state'), text);
  setText(byId('countdown'), countdown ? ` · ${countdown}` : '');
  byId('status-line').dataset.tone = tone;
  byId('retry').hidden = kind !== 'waiting' && kind !== 'ended';
  setText(byId('retry'), kind === 'ended' ? 'Join again' : 'Retry now');
  setText(byId('unsent'), outbox.unsent > 0 && !session.isOnline ? `${outbox.unsent} unsent` : '');
}

/** Shows where the new messages are, and the way back from a jump. @param {Page} page */
export function renderJumps({ chat: { room }, view, now }) {
  const isAbove = room?.newCount > 0 && (view.markPlace === 'above' || !room.isDividerLoaded);
  byId('unread-bar').hidden = !isAbove;
  if (isAbove) {
    const first = room.isDividerLoaded && room.message(room.firstUnread);
    setText(byId('unread-text'), counted(room.newCount, 'new message') + (first ? ` since ${moment(first.at, now)}` : ''));
  }
  byId('jump-newest').hidden = !room || view.isFollowing;
  setText(byId('jump-newest'), room?.unread > 0 ? `${room.unread} new below` : 'Newest');
  byId('jump-back').hidden = !view.hasReturn;
}

/** Title of the window: what waits, and where. @param {Page} page */
export function renderTitle({ chat, session }) {
  const [unread, mentions] = unreadIn(chat.list);
  const mark = mentions > 0 ? `(${mentions}!) ` : unread > 0 ? `(${unread}) ` : '';
  setText(document.querySelector('title'), `${mark}${session.isOnline ? '' : 'offline · '}${chat.room ? `${chat.room.name} · ` : ''}Glassline`);
}
