/** Requests that wait for their answer, by their `ref` (E5). */

export class Requests {
  #write;
  #next = 1;
  /** @type {Map<string, (answer: any) => void>} */
  #waiting = new Map();

  /** @param {(request: object) => boolean} write returns whether the request was written */
  constructor(write) {
    this.#write = write;
  }

  /**
   * Writes a request. The answer is an event, an `error` too, or `null` where the connection is
   * lost before it comes.
   * @param {object} request
   * @returns {Promise<any>}
   */
  ask(request) {
    const ref = `ask-${this.#next}`;
    this.#next += 1;
    return new Promise((resolve) => {
      if (this.#write({ ...request, ref })) this.#waiting.set(ref, resolve);
      else resolve(null);
    });
  }

  /** Takes an answer. Returns whether somebody waited for it. */
  take(event) {
    const resolve = this.#waiting.get(event.ref);
    this.#waiting.delete(event.ref);
    resolve?.(event);
    return resolve !== undefined;
  }

  /** The connection is lost: nothing of this will be answered. */
  drop() {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const resolve of waiting) resolve(null);
  }
}
