/** What the reader does: lines and commands become requests and changes of the page. */
import { COMMANDS, commandOf, parseLine, usageOf } from './commands.js';
import { compareNames, idleInWords, moment } from './format.js';
import { byteLength } from './frames.js';
import { keyOf } from './room.js';

/** Most bytes of a text (T7). */
const TEXT_BYTES_MAX = 16384;
const LEVELS = ['off', 'mentions', 'all'];

export class Actions {
  #page;

  /** @param {any} page parts of the page: see main.js */
  constructor(page) {
    this.#page = page;
  }

  /** Takes a line of the reader. Returns whether it may leave the line that is typed. */
  line(text) {
    const parsed = parseLine(text);
    if (parsed.kind === 'error') return this.#refuse(parsed.text);
    if (parsed.kind === 'say') return this.say(parsed.text);
    return this.#run(parsed);
  }

  /** Sends a text to the current conversation. */
  say(text, action = false) {
    const { chat } = this.#page;
    const { room } = chat;
    if (!room) return this.#refuse('you are in no room; join one first');
    if (room.kind === 'direct') return action ? this.#refuse('/me works in rooms only') : this.direct(room.name, text);
    if (room.isSealed) return this.#refuse('this room is sealed: members can read and send here in a terminal only, so nothing was sent');
    return this.#post(room.key, { type: 'send', room: room.name, text, ...(action && { action }) });
  }

  /** Sends a text to one person, and shows that conversation. */
  direct(name, text, reply = this.#page.chat.isReply(name)) {
    const room = this.#page.chat.directWith(name);
    this.#page.go(room.key);
    return text === undefined || this.#post(room.key, { type: 'direct', to: room.name, text, ...(reply && { reply }) });
  }

  /** Enters a room, or shows it. */
  join(name) {
    const key = keyOf('room', name.replace(/^#/u, '').toLowerCase());
    const known = this.#page.chat.rooms.get(key);
    if (known?.isJoined) return this.#page.go(key);
    return this.#ask({ type: 'join', room: name }, () => {});
  }

  /** Leaves a room, or closes a conversation. */
  leave(room) {
    const { chat, outbox } = this.#page;
    if (!room) return this.#refuse('you are in no such room');
    if (outbox.of(room.key).length > 0) return this.#refuse(`something that you wrote in ${room.name} is not sent yet`);
    if (room.kind === 'room' && room.isJoined) return this.#ask({ type: 'leave', room: room.name }, () => {});
    chat.rooms.delete(room.key);
    this.#page.goAnywhere();
    return true;
  }

  /** An operator's command, without its slash. */
  operate(line) {
    return this.#page.session.request({ type: 'operate', line, ref: 'operate' }) || this.#offline();
  }

  setAway(text) {
    return this.#ask({ type: 'away', ...(text !== null && { text }) }, (away) => {
      this.#page.tell(away.text === undefined ? 'you are back' : `you are away (${away.text}); /back ends it`);
    });
  }

  rename(name) {
    return this.#ask({ type: 'rename', name }, () => {});
  }

  /** Shows who somebody is. */
  async person(name) {
    this.#page.showPerson(name, await this.#page.requests.ask({ type: 'whois', name }));
  }

  async listRooms() {
    this.#page.showRoomList(await this.#page.requests.ask({ type: 'rooms' }));
  }

  ignore(name) {
    this.#page.chat.ignored.add(name.toLowerCase());
    this.#page.tell(`you will not see what ${name} says from now on; /unignore ${name} ends it`);
    return true;
  }

  unignore(name) {
    this.#page.chat.ignored.delete(name.toLowerCase());
    this.#page.tell(`you see what ${name} says again`);
    return true;
  }

  #run({ id, args, line }) {
    const { chat } = this.#page;
    const [first] = args;
    switch (id) {
      case 'action': return this.say(first, true);
      case 'direct': return this.direct(first, args[1]);
      case 'directOrWhois': return args.length === 1 ? this.#whois(first) : this.direct(first, args[1]);
      case 'reply': return chat.lastWriter === '' ? this.#refuse('nobody has written to you alone') : this.direct(chat.lastWriter, first, true);
      case 'rename': return this.rename(first);
      case 'members': return this.#members();
      case 'whois': return this.#whois(first);
      case 'away': return this.setAway(first ?? 'no reason given');
      case 'back': return this.setAway(null);
      case 'ignore': return first === undefined ? this.#listIgnored() : this.ignore(first);
      case 'unignore': return this.unignore(first);
      case 'rooms': return this.#rooms();
      case 'join': return this.join(first);
      case 'leave': return this.leave(first === undefined ? chat.room : chat.rooms.get(keyOf('room', first.toLowerCase())));
      case 'history': return this.#history(first);
      case 'search': return this.#page.search(first);
      case 'seal': return this.#refuse('a page has no sealed messages: it comes from the server, which must not have the passphrase; use `glassline join`');
      case 'help': return this.#help(first);
      case 'notify': return this.#notify(first);
      case 'quit': return this.#page.quit();
      default: return this.operate(line);
    }
  }

  #post(key, request) {
    const { outbox, session } = this.#page;
    const bytes = byteLength(request.text);
    if (bytes > TEXT_BYTES_MAX) return this.#refuse(`this has ${bytes} bytes; ${TEXT_BYTES_MAX} are possible, so nothing was sent`);
    if (outbox.isFull) return this.#refuse('too many messages wait already; this one is kept in the line');
    outbox.add(this.#page.newId(), key, request, Date.now());
    this.#page.posted(key);
    session.pump();
    return true;
  }

  /** Sends a request; an answer goes to `then`, a refusal to the log. Returns whether it was sent. */
  #ask(request, then) {
    const { session, requests, tell } = this.#page;
    if (!session.isOnline) return this.#offline();
    requests.ask(request).then((answer) => {
      if (answer === null) tell('the connection was lost before the server answered', 'warning');
      else if (answer.type === 'error') tell(`error: ${answer.text}`, 'warning');
      else then(answer);
      this.#page.refresh();
    });
    return true;
  }

  #offline() {
    return this.#refuse('you are offline: this can be done once you are connected again');
  }

  #refuse(text) {
    this.#page.composer.tell(text);
    return false;
  }

  #whois(name) {
    return this.#ask({ type: 'whois', name }, (whois) => {
      const { since, idle_s, away, rooms, dialect, link } = whois;
      const where = rooms.length === 0 ? 'in no room' : `in ${rooms.join(', ')}`;
      const isAway = away === undefined ? '' : `, away (${away})`;
      const time = moment(Date.parse(since), Date.now());
      this.#page.tell(`${whois.name} is here since ${time}, ${idleInWords(idle_s)}${isAway}, ${where}, ${dialect} dialect over ${link}`);
    });
  }

  #members() {
    const { room } = this.#page.chat;
    if (room?.kind !== 'room') return this.#refuse('this is no room');
    return this.#ask({ type: 'members', room: room.name }, ({ names, count }) => {
      const more = count - names.length;
      this.#page.tell(`in ${room.name} (${count}): ${names.sort(compareNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
    });
  }

  #rooms() {
    return this.#ask({ type: 'rooms' }, ({ rooms, count }) => {
      const more = count - rooms.length;
      const list = rooms.map((state) => `${state.room} (${state.count})`).join(', ');
      this.#page.tell(`rooms: ${list}${more > 0 ? ` and ${more} more` : ''}`);
    });
  }

  #history(around) {
    if (around === undefined) this.#page.view.scrollByPages(-1);
    else this.#page.jump(this.#page.chat.room, Number(around));
    return true;
  }

  #help(name) {
    const command = name === undefined ? undefined : commandOf(name.replace(/^\//u, ''));
    if (command) this.#page.tell(usageOf(command));
    else this.#page.openHelp();
    return true;
  }

  #notify(level) {
    if (level !== undefined && !LEVELS.includes(level)) return this.#refuse(`usage: ${usageOf(COMMANDS.find(({ id }) => id === 'notify'))}`);
    if (level === undefined) this.#page.openSettings();
    else this.#page.setLevel(level);
    return true;
  }

  #listIgnored() {
    const names = [...this.#page.chat.ignored].sort(compareNames);
    this.#page.tell(names.length === 0 ? 'you ignore nobody' : `you ignore ${names.join(', ')}`);
    return true;
  }
}
