/** Actions of the reader: lines and commands become requests and changes of the page. */
import { lineOf, parseLine } from './commands.js';
import { byId } from './dom.js';
import { compareNames, whoisInWords } from './format.js';
import { byteLength } from './frames.js';
import { allow } from './notify.js';
import { keyOf } from './room.js';

/** Most bytes of a text (T7). */
const TEXT_BYTES_MAX = 16384;

export class Actions {
  #page;

  /** @param {import('./page.js').Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** Takes a line. Returns whether it was taken: else it stays in the field, with the reason. */
  line(line) {
    const parsed = parseLine(line);
    if (parsed.kind === 'error') return this.#refuse(parsed.text);
    if (parsed.kind === 'say') return this.#say(parsed.text);
    return this.#commandsOf(this.#page)[parsed.id]?.(...parsed.args) ?? (parsed.id !== 'operate' || this.operate(parsed.line));
  }

  /** Enters a room, or shows it. */
  join(name) {
    const key = keyOf('room', name.replace(/^#/, '').toLowerCase());
    if (this.#page.chat.rooms.get(key)?.isJoined) return this.#page.go(key);
    return this.#ask({ type: 'join', room: name }, ({ room }) => this.#page.go(keyOf('room', room)));
  }

  /** Leaves a room, or closes a conversation. */
  leave(room = this.#page.chat.room) {
    const { chat, outbox } = this.#page;
    if (!room) return this.#refuse('you are in no such room');
    if (outbox.of(room.key).length > 0) return this.#refuse(`something in ${room.name} is not sent yet`);
    if (room.kind === 'room' && room.isJoined) return this.#ask({ type: 'leave', room: room.name });
    chat.rooms.delete(room.key);
    return this.#page.goAnywhere();
  }

  /** Shows the conversation with one person, and sends a text there. */
  direct(name, text, isReply = this.#page.chat.isReply(name)) {
    const { key } = this.#page.chat.directWith(name);
    return text === undefined ? this.#page.go(key) : this.#post({ type: 'direct', to: name, text, ...(isReply && { reply: true }) }, key);
  }

  /** Does what a button of the bar says: at the second press, if that throws somebody out. */
  press(line) {
    const question = `press again to ${line}`;
    if (/^(kick|ban) /.test(line) && byId('hint').textContent !== question) return this.#refuse(question);
    this.#page.composer.tell('');
    return this.operate(line);
  }

  operate(line) {
    return this.#page.session.request({ type: 'operate', line, ref: 'operate' }) || this.#offline();
  }

  /** Sends a message of the outbox once more, forgets it, or brings it back into the line. */
  pending(id, action) {
    const { outbox, session, composer } = this.#page;
    if (action === 'Edit') composer.bring(lineOf(outbox.all.find((pending) => pending.id === id).request));
    if (action === 'Send again') outbox.sendAgain(id, this.#page.newId(), this.#page.now);
    else outbox.remove(id);
    this.#page.saveOutbox();
    session.pump();
  }

  async setLevel(level) {
    this.#page.level = await allow(level) ? level : 'off';
    if (!byId('help').open) this.#page.tell(`notifications: ${this.#page.level === level ? level : 'not here; F1 says why'}`);
  }

  /** Executors, by the id of the command. */
  #commandsOf(page) {
    const commands = {
      action: (text) => this.#say(text, true),
      direct: (name, text) => this.direct(name, text),
      w: (name, text) => (text ? this.direct(name, text) : commands.whois(name)),
      reply: (text) => (page.chat.lastWriter ? this.direct(page.chat.lastWriter, text, true) : this.#refuse('nobody wrote to you alone')),
      rename: (name) => this.#ask({ type: 'rename', name }),
      members: () => this.#ask({ type: 'members', room: page.chat.room?.name }, ({ names, count }) => this.#list('here', names.sort(compareNames), count)),
      whois: (name) => this.#ask({ type: 'whois', name }, (whois) => page.tell(`${whois.name} is ${whoisInWords(whois, page.now)}`)),
      away: (text = 'no reason given') => this.#ask({ type: 'away', text }, (answer) => page.tell(`you are away (${answer.text}); /back ends it`)),
      back: () => this.#ask({ type: 'away' }, () => page.tell('you are back')),
      ignore: (name) => this.#ignore(name, true, `you see nothing of ${name}; /unignore shows it again`),
      unignore: (name) => this.#ignore(name, false, `you see ${name} again`),
      rooms: () => this.#ask({ type: 'rooms' }, ({ rooms, count }) => this.#list('rooms', rooms.map((state) => `${state.room} (${state.count})`), count)),
      join: (name) => this.join(name),
      leave: (name) => this.leave(name ? page.chat.rooms.get(keyOf('room', name.toLowerCase())) ?? null : undefined),
      history: (seq) => void (seq ? page.jump(page.chat.room, Number(seq)) : page.view.scrollByPage(-1)),
      search: (query) => page.search(query),
      seal: () => this.#refuse('a page comes from the server, which must not have the passphrase'),
      help: () => byId('self').click(),
      notify: (level) => (['off', 'mentions', 'all'].includes(level) ? this.setLevel(level) : commands.help()),
      quit: () => page.quit(),
    };
    return commands;
  }

  #ignore(name, isIgnored, text) {
    this.#page.chat.setIgnored(name, isIgnored);
    this.#page.tell(text);
  }

  #say(text, action = false) {
    const { room } = this.#page.chat;
    if (!room) return this.#refuse('join a room first');
    if (room.kind === 'direct') return action ? this.#refuse('/me works in rooms only') : this.direct(room.name, text);
    if (room.isSealed) return this.#refuse('nothing was sent: members read and write here sealed, in a terminal');
    return this.#post({ type: 'send', room: room.name, text, ...(action && { action }) });
  }

  #post(request, key = this.#page.chat.current) {
    const { outbox, now } = this.#page;
    const bytes = byteLength(request.text);
    if (bytes > TEXT_BYTES_MAX) return this.#refuse(`this has ${bytes} bytes, and a message at most ${TEXT_BYTES_MAX}`);
    if (outbox.isFull) return this.#refuse('too many messages wait');
    this.#page.go(key);
    outbox.add(this.#page.newId(), key, request, now);
    this.#page.posted();
    return true;
  }

  /** Sends a request; a refusal goes to the log. Returns whether it was sent. */
  #ask(request, then = (answer) => {}) {
    const { session, requests } = this.#page;
    if (!session.isOnline) return this.#offline();
    requests.ask(request).then((answer) => this.#page.change(() => {
      if (answer && answer.type !== 'error') then(answer);
      else this.#page.tell(`error: ${answer ? answer.text : 'the connection was lost'}`, 'warning');
    }));
    return true;
  }

  #offline() {
    return this.#refuse('you are offline');
  }

  #refuse(why) {
    this.#page.composer.tell(why);
    return false;
  }

  #list(title, shown, count) {
    this.#page.tell(`${title} (${count}): ${shown.join(', ')}${count > shown.length ? ' and others' : ''}`);
  }
}
