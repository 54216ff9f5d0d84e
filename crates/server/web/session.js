/**
 * Session with the server as a state machine: login, token, liveness, reconnect, and the order in
 * which requests are written. Pure: it reads no clock and opens no socket; time is an argument, and
 * the link, the outbox and the random numbers are given to it.
 */

/** Time for the connection, and then for the answer to `hello`; a takeover alone takes 1 s (E2). */
const CONNECT_MS = 10000;
const GREETING_MS = 15000;
/** Silence after which the server is asked for a sign of life, and then given up. */
const SILENCE_MS = 30000;
const PONG_MS = 15000;
/** The same after a page was asleep: its timers stood still, and the connection may be long dead. */
const WAKE_PONG_MS = 4000;
/** Delay before the next attempt: below this at first, then doubling up to the cap. */
const FIRST_DELAY_MS = 500;
const DELAY_CAP_MS = 30000;
const DELAY_FLOOR_MS = 50;
/** A connection that lasted this long was stable. */
const STABLE_MS = 10000;
/** Bytes that may wait in the browser before further messages are held back. */
const BUFFERED_BYTES_MAX = 65536;
/** `ref` of the page's own requests. */
const ALIVE_REF = 'alive';
const REJOINED_REF = 'rejoined';
const AWAY_REF = 'away-again';
const OWN_REFS = new Set([ALIVE_REF, REJOINED_REF, AWAY_REF]);
/** Refusals of `hello` that pass: the name may still be held by the connection that was lost. */
const PASSING = new Set(['name_taken', 'busy', 'rate']);

/**
 * `out`: not started. `connecting`, `greeting`: no `welcome` yet. `online`. `waiting`: for the next
 * attempt, at `until`. `ended`: the server does not want this client, or the user has left.
 * @typedef {{kind: 'out'} | {kind: 'connecting' | 'greeting', since: number} | {kind: 'online', since: number}
 *   | {kind: 'waiting', until: number} | {kind: 'ended', why: string}} Phase
 */

export class Session {
  /** @type {Phase} */
  phase = { kind: 'out' };
  /** When the connection was lost, or `null` while there was none or there is one. @type {number | null} */
  offlineSince = null;
  /** Reason for that, for people. */
  lostWhy = '';
  /** True while the page asks whether the connection still works. */
  isChecking = false;
  name = '';
  token = '';
  #link;
  #outbox;
  #chat;
  #random;
  #listener;
  /** Rooms to enter first; afterwards the chat knows them. @type {string[] | null} */
  #rooms = null;
  #failures = 0;
  #heardAt = 0;
  #pongBy = null;
  #isRejoining = false;
  /** Highest number that the server has named on this connection, by room (E4). */
  #named = new Map();

  /**
   * @param {{link: {open(): void, close(): void, write(request: object): void, bufferedBytes: number},
   *   outbox: import('./outbox.js').Outbox,
   *   chat: import('./state.js').Chat,
   *   random: () => number,
   *   listener: (event: any) => void}} parts `listener` gets each event that is for the page
   */
  constructor({ link, outbox, chat, random, listener }) {
    this.#link = link;
    this.#outbox = outbox;
    this.#chat = chat;
    this.#random = random;
    this.#listener = listener;
  }

  get isOnline() {
    return this.phase.kind === 'online';
  }

  /**
   * Begins, or begins again after the end.
   * @param {{name: string, token?: string, rooms?: string[]}} identity `rooms` to enter, else the lobby
   */
  start({ name, token = '', rooms = ['lobby'] }, now) {
    this.name = name;
    this.token = token;
    this.#rooms = rooms;
    this.#connect(now);
  }

  /** Leaves for good. */
  leave() {
    this.#link.write({ type: 'bye', ref: 'bye' });
    this.#end('You have left.');
  }

  /** Tries at once instead of at the end of the delay. */
  retryNow(now) {
    if (this.phase.kind === 'waiting') this.#connect(now);
  }

  /** The page was asleep, or the network has changed: asks before it trusts the connection. */
  wake(now) {
    this.retryNow(now);
    if (this.isOnline) this.#ask(now, WAKE_PONG_MS);
  }

  /** The link is open. */
  opened(now) {
    this.phase = { kind: 'greeting', since: now };
    const rooms = this.#wantedRooms();
    this.#link.write({
      type: 'hello',
      name: this.name,
      rooms,
      ...(this.token && { token: this.token, since: this.#chat.since }),
    });
  }

  /** The link was lost. */
  closed(why, now) {
    if (this.phase.kind === 'ended' || this.phase.kind === 'out') return;
    this.#lose(why, now);
  }

  /** Processes an event of the server, which is well-formed. */
  received(event, now) {
    this.#heardAt = now;
    if (this.#pongBy !== null) {
      this.#pongBy = null;
      this.isChecking = false;
    }
    if (this.phase.kind === 'greeting') this.#receiveGreeting(event, now);
    else if (this.isOnline) this.#receiveEvent(event, now);
  }

  /** Does what is due at this time. */
  tick(now) {
    const { phase } = this;
    if (phase.kind === 'waiting' && now >= phase.until) this.#connect(now);
    if (phase.kind === 'connecting' && now >= phase.since + CONNECT_MS) this.#lose('no connection within 10 s', now);
    if (phase.kind === 'greeting' && now >= phase.since + GREETING_MS) this.#lose('no answer within 15 s', now);
    if (phase.kind === 'online') this.#keepAlive(now);
  }

  /** When `tick` has something to do, or `null`. */
  get nextDeadline() {
    const { phase } = this;
    if (phase.kind === 'waiting') return phase.until;
    if (phase.kind === 'connecting') return phase.since + CONNECT_MS;
    if (phase.kind === 'greeting') return phase.since + GREETING_MS;
    if (phase.kind === 'online') return this.#pongBy ?? this.#heardAt + SILENCE_MS;
    return null;
  }

  /**
   * Writes a request that is not a message: now or not at all. Returns whether it was written.
   * @param {object} request
   */
  request(request) {
    if (this.isOnline) this.#link.write(request);
    return this.isOnline;
  }

  /** Writes the messages that wait, as far as the connection takes them. */
  pump() {
    while (this.isOnline && !this.#isRejoining && this.#link.bufferedBytes <= BUFFERED_BYTES_MAX) {
      const request = this.#outbox.nextToSend((room) => this.#named.get(room), (room) => this.#chat.isSealed(room));
      if (!request) return;
      this.#listener({ type: 'outbox' });
      this.#link.write(request);
    }
  }

  #wantedRooms() {
    return this.#rooms ?? this.#chat.wantedRooms;
  }

  #connect(now) {
    this.phase = { kind: 'connecting', since: now };
    this.#link.open();
  }

  #lose(why, now) {
    if (this.isOnline && now - this.phase.since >= STABLE_MS) this.#failures = 0;
    this.offlineSince ??= now;
    this.lostWhy = why;
    this.isChecking = false;
    this.#pongBy = null;
    this.#isRejoining = false;
    this.#named.clear();
    this.#outbox.connectionLost();
    this.#link.close();
    this.phase = { kind: 'waiting', until: now + this.#nextDelay() };
    this.#listener({ type: 'outbox' });
  }

  /** Full jitter, so that the clients of a restarted server do not come all at once. */
  #nextDelay() {
    const ceiling = Math.min(FIRST_DELAY_MS * 2 ** Math.min(this.#failures, 16), DELAY_CAP_MS);
    this.#failures += 1;
    return DELAY_FLOOR_MS + Math.floor(this.#random() * (ceiling - DELAY_FLOOR_MS + 1));
  }

  #keepAlive(now) {
    if (this.#pongBy !== null && now >= this.#pongBy) this.#lose('the server does not answer', now);
    else if (this.#pongBy === null && now >= this.#heardAt + SILENCE_MS) this.#ask(now, PONG_MS);
    else this.pump();
  }

  #ask(now, within) {
    this.isChecking ||= within === WAKE_PONG_MS;
    this.#pongBy = Math.min(this.#pongBy ?? Infinity, now + within);
    this.#link.write({ type: 'ping', ref: ALIVE_REF });
  }

  #receiveGreeting(event, now) {
    if (event.type === 'welcome') this.#welcome(event, now);
    else if (event.type === 'error' && this.token && PASSING.has(event.code)) this.#lose(event.text, now);
    else if (event.type === 'error') this.#end(event.text);
    else if (event.type === 'bye') this.#lose(event.text, now);
  }

  #welcome(event, now) {
    const wanted = this.token ? this.#wantedRooms() : [];
    const awayText = this.token ? this.#chat.away : null;
    this.phase = { kind: 'online', since: now };
    this.offlineSince = null;
    this.#rooms = null;
    this.name = event.name;
    this.token = event.token;
    for (const { room, seq } of event.rooms) this.#noteNamed(room, seq);
    this.#listener(event);
    const present = new Set(event.rooms.map(({ room }) => room));
    const absent = wanted.filter((room) => !present.has(room));
    for (const room of absent) this.#link.write({ type: 'join', room });
    // Requests are answered in order: the answer to the `ping` says that the rooms are settled.
    this.#isRejoining = absent.length > 0;
    if (this.#isRejoining) this.#link.write({ type: 'ping', ref: REJOINED_REF });
    if (awayText !== null) this.#link.write({ type: 'away', text: awayText, ref: AWAY_REF });
    this.pump();
  }

  #receiveEvent(event, now) {
    this.#noteNumbers(event);
    if (event.type === 'ping') this.#link.write({ type: 'pong' });
    else if (event.ref === REJOINED_REF) this.#isRejoining = false;
    else if (event.type === 'renamed' && event.from === this.name) this.name = event.to;
    else if (event.type === 'error') this.#refused(event);
    const isOwnAnswer = OWN_REFS.has(event.ref) || event.type === 'ping' || event.type === 'welcome';
    if (!isOwnAnswer) this.#listener(event);
    if (event.type === 'bye' && event.ref === undefined && this.isOnline) this.#lose(event.text, now);
    this.pump();
  }

  /** Numbers that the server names: a message sent from now on gets a higher one. */
  #noteNumbers(event) {
    if (event.type === 'message' || (event.type === 'joined' && event.seq !== undefined)) {
      this.#noteNamed(event.room, event.seq);
    }
    if (event.type === 'gap') this.#noteNamed(event.room, event.to);
  }

  #noteNamed(room, seq) {
    this.#named.set(room, Math.max(seq, this.#named.get(room) ?? 0));
  }

  #refused({ code, text, ref }) {
    if (ref === undefined && (code === 'kicked' || code === 'banned')) this.#end(text);
  }

  #end(why) {
    this.phase = { kind: 'ended', why };
    this.offlineSince = null;
    this.#outbox.connectionLost();
    this.#link.close();
    this.#listener({ type: 'ended' });
  }
}
