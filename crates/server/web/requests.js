/** Requests that wait for their answer, by their `ref` (E5). */
export class Requests {
  #write;
  #next = 0;
  #waiting = new Map();

  /** @param {(request: object) => boolean} write returns whether it was written */
  constructor(write) {
    this.#write = write;
  }

  /** Resolves to the answer, an `error` too, or to `null` where the connection is lost before. @returns {Promise<any>} */
  ask(request) {
    const ref = `ask-${this.#next += 1}`;
    return new Promise((resolve) => {
      if (this.#write({ ...request, ref })) this.#waiting.set(ref, resolve);
      else resolve(null);
    });
  }

  /** Returns whether somebody waited for this event. */
  take(event) {
    this.#waiting.get(event.ref)?.(event);
    return this.#waiting.delete(event.ref);
  }

  /** Ends all requests: none of them will be answered. */
  drop() {
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }
}
