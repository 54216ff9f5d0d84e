/**
 * Session with the server as a state machine: login, token, liveness, reconnect, and the order of requests. Pure: it reads
 * no clock and opens no socket.
 */

/** Time for the connection, and again for the answer to `hello`; a takeover alone takes 1 s (E2). */
const GREETING_MS = 15000;
/** Silence after which the server is asked for a sign of life, and the time it has; less after a page was asleep. */
const SILENCE_MS = 10000;
const PONG_MS = 15000;
const WAKE_PONG_MS = 4000;
/** Time without a byte after which an answer that is still awaited makes the connection doubtful. */
const DOUBT_MS = 3000;
/** Ceiling of the first delay, doubled up to the cap. A connection that lasted was stable. */
const FIRST_DELAY_MS = 500;
const DELAY_CAP_MS = 30000;
const DELAY_FLOOR_MS = 50;
const STABLE_MS = 10000;
/** Bytes that may wait in the browser before messages are held back. */
const BUFFERED_BYTES_MAX = 65536;
const [ALIVE_REF, REJOINED_REF, AWAY_REF] = ['alive', 'rejoined', 'away-again'];

/**
 * `waiting`: for the next attempt. `ended`: the server does not want this client, or the reader has left.
 * @typedef {{kind: 'out' | 'connecting' | 'greeting' | 'online' | 'waiting' | 'ended', since?: number, until?: number, why?: string}} Phase
 */

export class Session {
  /** @type {Phase} */
  phase = { kind: 'out' };
  /** Time at which the connection was lost; `null` while there is one or was none. @type {number | null} */
  offlineSince = null;
  /** True while it is not certain that the connection still works. */
  isChecking = false;
  name = '';
  token = '';
  #parts;
  /** Rooms to enter first; afterwards the chat knows them. @type {string[] | null} */
  #rooms = null;
  #failures = 0;
  #receivedAt = 0;
  #pongBy = null;
  /** First tick since the last byte at which an answer was awaited. @type {number | null} */
  #awaitedAt = null;
  #isRejoining = false;
  /** Highest number that the server has named on this connection, by room (E4). */
  #named = new Map();

  /** @param {{link: any, outbox: import('./outbox.js').Outbox, chat: import('./state.js').Chat, random(): number, listener(event: any): void}} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  get isOnline() {
    return this.phase.kind === 'online';
  }

  /** @param {{name: string, token?: string, rooms?: string[]}} identity */
  start({ name, token = '', rooms = ['lobby'] }, now) {
    Object.assign(this, { name, token });
    this.#rooms = rooms;
    this.#connect(now);
  }

  leave() {
    this.#parts.link.write({ type: 'bye', ref: 'bye' });
    this.#end('you have left');
  }

  retryNow(now) {
    if (this.phase.kind === 'waiting') this.#connect(now);
  }

  /** Tests the connection after the page was asleep, or the network has changed. */
  wake(now) {
    this.retryNow(now);
    if (!this.isOnline) return;
    this.isChecking = true;
    this.#ask(now + WAKE_PONG_MS);
  }

  opened(now) {
    this.phase = { kind: 'greeting', since: now };
    const resume = this.token && { token: this.token, since: this.#parts.chat.since };
    this.#parts.link.write({ type: 'hello', name: this.name, rooms: this.#wantedRooms, ...resume });
  }

  closed(now) {
    if (this.phase.kind !== 'ended' && this.phase.kind !== 'out') this.#lose(now);
  }

  /** @param {any} event well-formed */
  received(event, now) {
    this.#receivedAt = now;
    this.#pongBy = this.#awaitedAt = null;
    this.isChecking = false;
    if (this.phase.kind === 'greeting') this.#greeted(event, now);
    else if (this.isOnline) this.#receiveOnline(event, now);
  }

  /** Runs what is due. */
  tick(now) {
    this.pump();
    this.#doubt(now);
    const due = this.nextDeadline;
    if (due === null || now < due) return;
    if (this.phase.kind === 'waiting') this.#connect(now);
    else if (this.isOnline && this.#pongBy === null) this.#ask(now + PONG_MS);
    else this.#lose(now);
  }

  /** Time at which `tick` has something to do. @returns {number | null} */
  get nextDeadline() {
    const { kind, since, until } = this.phase;
    const deadlines = { waiting: until, connecting: since + GREETING_MS, greeting: since + GREETING_MS, online: this.#pongBy ?? this.#receivedAt + SILENCE_MS };
    return deadlines[kind] ?? null;
  }

  /** Writes a request that is no message: now or not at all. Returns whether it was written. */
  request(request) {
    if (this.isOnline) this.#parts.link.write(request);
    return this.isOnline;
  }

  /** Writes the messages that wait, as far as the connection takes them. */
  pump() {
    const { link, outbox, chat, listener } = this.#parts;
    while (this.isOnline && !this.#isRejoining && link.bufferedBytes <= BUFFERED_BYTES_MAX) {
      const request = outbox.nextToSend((room) => this.#named.get(room), (room) => chat.isSealed(room));
      if (!request) return;
      // Kept first: after a reload it must be known that this message may have arrived.
      listener({ type: 'outbox' });
      link.write(request);
    }
  }

  get #wantedRooms() {
    return this.#rooms ?? this.#parts.chat.wantedRooms;
  }

  #connect(now) {
    this.phase = { kind: 'connecting', since: now };
    this.#parts.link.open();
  }

  #disconnect(phase) {
    this.phase = phase;
    this.isChecking = this.#isRejoining = false;
    this.#pongBy = null;
    this.#named.clear();
    this.#parts.outbox.connectionLost();
    this.#parts.link.close();
    this.#parts.listener({ type: 'lost' });
  }

  #lose(now) {
    if (this.isOnline && now - this.phase.since >= STABLE_MS) this.#failures = 0;
    this.offlineSince ??= now;
    // Full jitter, so that the clients of a restarted server do not come all at once.
    const ceiling = Math.min(FIRST_DELAY_MS * 2 ** this.#failures, DELAY_CAP_MS);
    this.#failures += 1;
    this.#disconnect({ kind: 'waiting', until: now + DELAY_FLOOR_MS + Math.floor(this.#parts.random() * (ceiling - DELAY_FLOOR_MS + 1)) });
  }

  #end(why) {
    this.offlineSince = null;
    this.#disconnect({ kind: 'ended', why });
    this.#parts.listener({ type: 'ended' });
  }

  #doubt(now) {
    const isAwaited = this.isOnline && (this.#pongBy !== null || this.#parts.outbox.isAwaited);
    this.#awaitedAt = isAwaited ? this.#awaitedAt ?? now : null;
    if (!isAwaited || now - this.#awaitedAt < DOUBT_MS) return;
    this.isChecking = true;
    if (this.#pongBy === null) this.#ask(now + PONG_MS);
  }

  #ask(by) {
    this.#pongBy = Math.min(this.#pongBy ?? by, by);
    this.#parts.link.write({ type: 'ping', ref: ALIVE_REF });
  }

  #greeted(event, now) {
    // The name may still be held by the connection that was lost; that passes.
    const isPassing = this.token && ['name_taken', 'busy', 'rate'].includes(event.code);
    if (event.type === 'welcome') this.#welcome(event, now);
    else if (event.type === 'bye' || isPassing) this.#lose(now);
    else if (event.type === 'error') this.#end(event.text);
  }

  #welcome(event, now) {
    const { link, chat, listener } = this.#parts;
    const present = event.rooms.map(({ room }) => room);
    const absent = this.token ? this.#wantedRooms.filter((room) => !present.includes(room)) : [];
    Object.assign(this, { phase: { kind: 'online', since: now }, offlineSince: null, name: event.name, token: event.token });
    this.#rooms = null;
    for (const { room, seq } of event.rooms) this.#named.set(room, seq);
    listener(event);
    for (const room of absent) link.write({ type: 'join', room, ref: 'rejoin' });
    // Requests are answered in order: the answer to this says that the rooms are settled.
    this.#isRejoining = absent.length > 0;
    if (this.#isRejoining) link.write({ type: 'ping', ref: REJOINED_REF });
    if (chat.away !== null) link.write({ type: 'away', text: chat.away, ref: AWAY_REF });
    this.pump();
  }

  #receiveOnline(event, now) {
    const { type, ref, room, code } = event;
    const named = type === 'gap' ? event.to : type === 'message' || type === 'joined' ? event.seq : undefined;
    if (named !== undefined) this.#named.set(room, Math.max(named, this.#named.get(room) ?? 0));
    if (type === 'ping') this.#parts.link.write({ type: 'pong' });
    if (ref === REJOINED_REF) this.#isRejoining = false;
    if (type === 'renamed' && event.from === this.name) this.name = event.to;
    if (ref === undefined && (code === 'kicked' || code === 'banned')) this.#end(event.text);
    if (type !== 'ping' && type !== 'welcome' && ![ALIVE_REF, REJOINED_REF, AWAY_REF].includes(ref)) this.#parts.listener(event);
    if (type === 'bye' && ref === undefined && this.isOnline) this.#lose(now);
    this.pump();
  }
}
