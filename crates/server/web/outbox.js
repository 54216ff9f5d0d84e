/**
 * Messages that the server has not acknowledged, in order. They survive a lost connection and a
 * reload, and go out again with the same `id` and the same `after`, so that each is stored once
 * (E4). Pure.
 */

/** Most messages that wait. */
export const WAITING_MAX = 1024;

/**
 * `waiting`: not written on this connection. `sent`: written, not acknowledged. `doubtful`: a
 * direct message that was written on a connection that was lost; the server does not remember
 * these, so only the reader can decide. `refused`: with the reason in `error`.
 * @typedef {'waiting' | 'sent' | 'doubtful' | 'refused'} SendState
 * @typedef {{id: string, key: string, request: any, state: SendState, wasSent: boolean, since: number,
 *            error?: {code: string, text: string}}} Pending
 */

const SEALED = { code: 'room_sealed', text: 'this room is sealed by now, and a page cannot seal; it was not sent' };

export class Outbox {
  /** @type {Pending[]} */
  #pending;

  /** @param {Pending[]} [saved] what an earlier page left */
  constructor(saved = []) {
    this.#pending = saved.map((pending) => ({ ...pending }));
    this.connectionLost();
  }

  /** All entries, oldest first. */
  get all() {
    return this.#pending;
  }

  /** How many messages the server does not have yet, as far as is known. */
  get unsent() {
    return this.#pending.filter(({ state }) => state === 'waiting' || state === 'sent').length;
  }

  get isFull() {
    return this.#pending.length >= WAITING_MAX;
  }

  /** Returns the entries of one conversation. */
  of(key) {
    return this.#pending.filter((pending) => pending.key === key);
  }

  /**
   * @param {string} id 32 hexadecimal digits
   * @param {string} key conversation
   * @param {object} request `send` or `direct`, without `id` and `ref`
   * @param {number} now
   */
  add(id, key, request, now) {
    this.#pending.push({ id, key, request: { ...request, id, ref: id }, state: 'waiting', wasSent: false, since: now });
  }

  /**
   * Takes the next message to write; it goes on waiting for its acknowledgement. When it is written
   * for the first time it names the newest number of the room that is known, and the same ever after.
   * Messages for a sealed room are refused here: readable ones must not travel to it (S7).
   * @param {(room: string) => number | undefined} newestNamed
   * @param {(room: string) => boolean} isSealed
   */
  nextToSend(newestNamed, isSealed) {
    for (const pending of this.#pending) {
      const isHeld = pending.state === 'waiting' && pending.request.type === 'send' && isSealed(pending.request.room);
      if (isHeld) Object.assign(pending, { state: 'refused', error: SEALED });
    }
    const next = this.#pending.find(({ state }) => state === 'waiting');
    if (!next) return null;
    if (!next.wasSent && next.request.type === 'send') {
      const after = newestNamed(next.request.room);
      if (after !== undefined) next.request = { ...next.request, after };
    }
    next.state = 'sent';
    next.wasSent = true;
    return next.request;
  }

  /** The connection is lost: what is not acknowledged must be written again. */
  connectionLost() {
    for (const pending of this.#pending) {
      if (pending.state !== 'sent') continue;
      pending.state = pending.request.type === 'direct' ? 'doubtful' : 'waiting';
    }
  }

  /** The server has this message. Returns whether it was waiting. */
  acknowledge(id) {
    return this.remove(id) !== undefined;
  }

  /** The server has refused a message. Returns it if there is one. */
  refuse(ref, error) {
    const pending = this.#pending.find(({ id, state }) => id === ref && state === 'sent');
    if (pending) Object.assign(pending, { state: 'refused', error });
    return pending;
  }

  /** Sends a doubtful or refused message once more, as a new one. */
  sendAgain(id, newId, now) {
    const pending = this.remove(id);
    if (!pending) return;
    const { after: _, ...request } = pending.request;
    this.add(newId, pending.key, request, now);
  }

  /** Takes a message out. */
  remove(id) {
    const at = this.#pending.findIndex((pending) => pending.id === id);
    return at < 0 ? undefined : this.#pending.splice(at, 1)[0];
  }

  /** A conversation has another key. */
  moveKey(from, to) {
    for (const pending of this.#pending) if (pending.key === from) pending.key = to;
  }
}
