/** What the reader does: lines and commands become requests and changes of the page. */
import { commandOf, parseLine, synopsisOf } from './commands.js';
import { byId } from './dom.js';
import { compareNames, idleInWords, moment } from './format.js';
import { byteLength } from './frames.js';
import { allow } from './notify.js';
import { keyOf } from './room.js';

/** Most bytes of a text (T7). */
const TEXT_BYTES_MAX = 16384;

export class Actions {
  #page;
  /** Room that the reader asked to enter. */
  #awaited = '';

  /** @param {import('./page.js').Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** Takes a line. Returns whether it was taken: else it stays in the field, with the reason below. */
  line(line) {
    const parsed = parseLine(line);
    if (parsed.kind === 'error') return this.#refuse(parsed.text);
    if (parsed.kind === 'say') return this.#say(parsed.text);
    const { id, args } = parsed;
    return id === 'operate' ? this.operate(parsed.line) : this.#commands[id](...args) ?? true;
  }

  isAwaited(key) {
    return key === this.#awaited;
  }

  /** Enters a room, or shows it. */
  join(name) {
    const key = keyOf('room', name.replace(/^#/, '').toLowerCase());
    if (this.#page.chat.rooms.get(key)?.isJoined) return this.#page.go(key);
    this.#awaited = key;
    return this.#ask({ type: 'join', room: name }, ({ room }) => this.#page.go(keyOf('room', room)));
  }

  /** Leaves a room, or closes a conversation. */
  leave(room) {
    const { chat, outbox } = this.#page;
    if (!room) return this.#refuse('you are in no such room');
    if (outbox.of(room.key).length > 0) return this.#refuse(`something that you wrote in ${room.name} is not sent yet`);
    if (room.kind === 'room' && room.isJoined) return this.#ask({ type: 'leave', room: room.name });
    chat.rooms.delete(room.key);
    this.#page.goAnywhere();
    return true;
  }

  /** Shows the conversation with one person, and sends a text there. */
  direct(name, text, isReply = this.#page.chat.isReply(name)) {
    const { chat } = this.#page;
    const room = name === chat.me ? undefined : chat.directWith(name);
    if (!room) return this.#refuse('that is you');
    this.#page.go(room.key);
    return text === undefined || this.#post({ type: 'direct', to: room.name, text, ...(isReply && { reply: true }) });
  }

  operate(line) {
    return this.#page.session.request({ type: 'operate', line, ref: 'operate' }) || this.#offline();
  }

  /** Sends a message of the outbox once more, forgets it, or brings it back into the line. */
  pending(id, action) {
    const { outbox, session, composer } = this.#page;
    if (action === 'Send again') outbox.sendAgain(id, this.#page.newId(), this.#page.now);
    else {
      const removed = outbox.remove(id);
      if (action === 'Edit') composer.bring(removed.request.text);
    }
    this.#page.saveOutbox();
    session.pump();
  }

  async setLevel(level) {
    this.#page.level = await allow(level) ? level : 'off';
    if (!byId('help').open) this.#page.tell(this.#page.level === level ? `notifications: ${level}` : 'the browser allows no notifications here; F1 says why');
  }

  /** Executors, by the id of the command. */
  #commands = {
    action: (text) => this.#say(text, true),
    direct: (name, text) => this.direct(name, text),
    w: (name, text) => (text === undefined ? this.#whois(name) : this.direct(name, text)),
    reply: (text) => (this.#page.chat.lastWriter ? this.direct(this.#page.chat.lastWriter, text, true) : this.#refuse('nobody has written to you alone')),
    rename: (name) => this.#ask({ type: 'rename', name }),
    members: () => {
      const { room } = this.#page.chat;
      if (room?.kind !== 'room') return this.#refuse('this is no room');
      return this.#ask({ type: 'members', room: room.name }, ({ names, count }) => this.#list(`in ${room.name} (${count})`, names.sort(compareNames), count));
    },
    whois: (name) => this.#whois(name),
    away: (text = 'no reason given') => this.#ask({ type: 'away', text }, (answer) => this.#page.tell(`you are away (${answer.text}); /back ends it`)),
    back: () => this.#ask({ type: 'away' }, () => this.#page.tell('you are back')),
    ignore: (name) => {
      this.#page.chat.ignored.add(name.toLowerCase());
      this.#page.tell(`you will not see what ${name} says from now on; /unignore ${name} ends it`);
    },
    unignore: (name) => {
      this.#page.chat.ignored.delete(name.toLowerCase());
      this.#page.tell(`you see what ${name} says again`);
    },
    rooms: () => this.#ask({ type: 'rooms' }, ({ rooms, count }) => this.#list('rooms', rooms.map((state) => `${state.room} (${state.count})`), count)),
    join: (name) => this.join(name),
    leave: (name) => this.leave(name === undefined ? this.#page.chat.room : this.#page.chat.rooms.get(keyOf('room', name.toLowerCase()))),
    history: (seq) => (seq === undefined ? this.#page.view.scrollByPage(-1) : void this.#page.jump(this.#page.chat.room, Number(seq))),
    search: (query) => this.#page.search(query) || this.#refuse('direct messages are not stored, so there is nothing to search'),
    seal: () => this.#refuse('a page has no sealed messages: it comes from the server, which must not have the passphrase; use `glassline join`'),
    help: () => byId('self').click(),
    notify: (level) => (level === undefined ? byId('self').click() : /^(off|mentions|all)$/.test(level) ? void this.setLevel(level) : this.#refuse(`usage: ${synopsisOf(commandOf('notify'))}`)),
    quit: () => this.#page.quit(),
  };

  #say(text, action = false) {
    const { room } = this.#page.chat;
    if (!room) return this.#refuse('you are in no room; join one first');
    if (room.kind === 'direct') return action ? this.#refuse('/me works in rooms only') : this.direct(room.name, text);
    if (room.isSealed) return this.#refuse('this room is sealed: members read and send here in a terminal, so nothing was sent');
    return this.#post({ type: 'send', room: room.name, text, ...(action && { action }) });
  }

  #post(request) {
    const { outbox, chat, now } = this.#page;
    const bytes = byteLength(request.text);
    if (bytes > TEXT_BYTES_MAX) return this.#refuse(`this has ${bytes} bytes, and a message at most ${TEXT_BYTES_MAX}`);
    if (outbox.isFull) return this.#refuse('too many messages wait already');
    outbox.add(this.#page.newId(), chat.current, request, now);
    this.#page.posted();
    return true;
  }

  /** Sends a request; a refusal goes to the log. Returns whether it was sent. */
  #ask(request, then = (answer) => {}) {
    const { session, requests } = this.#page;
    if (!session.isOnline) return this.#offline();
    requests.ask(request).then((answer) => this.#page.change(() => {
      if (answer?.type !== 'error' && answer) return then(answer);
      this.#page.tell(answer ? `error: ${answer.text}` : 'the connection was lost before the server answered', 'warning');
    }));
    return true;
  }

  #offline() {
    return this.#refuse('you are offline: this works once you are connected again');
  }

  #refuse(why) {
    this.#page.composer.tell(why);
    return false;
  }

  #list(title, shown, count) {
    const more = count - shown.length;
    this.#page.tell(`${title}: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
  }

  #whois(name) {
    return this.#ask({ type: 'whois', name }, ({ name, since, idle_s, away, rooms, dialect, link }) => {
      const facts = [`${name} is here since ${moment(Date.parse(since), this.#page.now)}`, idleInWords(idle_s), away && `away (${away})`,
        rooms.length > 0 ? `in ${rooms.join(', ')}` : 'in no room', `${dialect} dialect over ${link}`];
      this.#page.tell(facts.filter(Boolean).join(', '));
    });
  }
}
