/**
 * Messages that the server has not acknowledged, in order. They survive a lost connection and a reload, and go out again
 * with the same `id` and the same `after`, so that each is stored once (E4). Pure.
 */

const WAITING_MAX = 1024;
const SEALED = { code: 'room_sealed', text: 'this room is sealed by now; it was not sent' };

/**
 * `waiting`: not written on this connection. `sent`: not acknowledged yet. `doubtful`: a direct message that was sent on a
 * connection that was lost: servers do not remember these, so the reader decides. `refused`: the reason is in `error`.
 * @typedef {{id: string, key: string, request: any, state: 'waiting' | 'sent' | 'doubtful' | 'refused', wasSent: boolean,
 *   since: number, error?: {code: string, text: string}}} Pending
 */

export class Outbox {
  /** @type {Pending[]} oldest first */
  all;

  /** @param {Pending[]} [saved] what an earlier page left */
  constructor(saved = []) {
    this.all = saved;
    this.connectionLost();
  }

  get unsent() {
    return this.all.filter(({ state }) => state === 'waiting' || state === 'sent').length;
  }

  /** True while a message was written whose answer has not come. */
  get isAwaited() {
    return this.all.some(({ state }) => state === 'sent');
  }

  get isFull() {
    return this.all.length >= WAITING_MAX;
  }

  of(key) {
    return this.all.filter((pending) => pending.key === key);
  }

  /** @param {string} id 32 hexadecimal digits @param {string} key conversation @param {object} request without `id` and `ref` */
  add(id, key, request, now) {
    this.all.push({ id, key, request: { ...request, id, ref: id }, state: 'waiting', wasSent: false, since: now });
  }

  /**
   * Returns the next request to write, or `null`. The first time it names the newest known number of its room, and the same
   * ever after. What is for a sealed room is refused: readable messages must not travel there (S7).
   * @param {(room: string) => number | undefined} newestNamed @param {(room: string) => boolean} isSealed
   */
  nextToSend(newestNamed, isSealed) {
    for (const pending of this.all) {
      if (pending.state !== 'waiting') continue;
      const { type, room } = pending.request;
      if (type === 'send' && isSealed(room)) {
        Object.assign(pending, { state: 'refused', error: SEALED });
        continue;
      }
      const after = type === 'send' && !pending.wasSent ? newestNamed(room) : undefined;
      if (after !== undefined) pending.request = { ...pending.request, after };
      Object.assign(pending, { state: 'sent', wasSent: true });
      return pending.request;
    }
    return null;
  }

  /** Marks what is not acknowledged: it must be written again, or its writer decides. */
  connectionLost() {
    for (const pending of this.all) {
      if (pending.state === 'sent') pending.state = pending.request.type === 'direct' ? 'doubtful' : 'waiting';
    }
  }

  /** Removes a message that the server has. Returns whether it was here. */
  acknowledge(id) {
    return this.remove(id) !== undefined;
  }

  /** Marks a message that the server has refused. Returns it, if it is here. */
  refuse(ref, error) {
    const pending = this.all.find(({ id, state }) => id === ref && state === 'sent');
    return pending && Object.assign(pending, { state: 'refused', error });
  }

  /** Sends a doubtful or refused message once more, as a new one. */
  sendAgain(id, newId, now) {
    const pending = this.remove(id);
    if (!pending) return;
    const { after: _, ...request } = pending.request;
    this.add(newId, pending.key, request, now);
  }

  remove(id) {
    const at = this.all.findIndex((pending) => pending.id === id);
    return at < 0 ? undefined : this.all.splice(at, 1)[0];
  }
}
