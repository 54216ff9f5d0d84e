/** Storage of a tab, which survives a reload: two tabs are two people, and a duplicated tab, which begins with a copy, is not the same one. */

const PREFIX = 'glassline/';
/** Time for another tab to say that it is the owner. */
const CLAIM_MS = 150;

/** Values in a storage of the browser. Where it is full or forbidden the page goes on, and only a reload loses them. */
export class TabStorage {
  #storage;

  /** @param {() => Storage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  get(key, fallback) {
    try {
      return JSON.parse(this.#storage().getItem(PREFIX + key)) ?? fallback;
    } catch {
      return fallback;
    }
  }

  set(key, value) {
    try {
      this.#storage().setItem(PREFIX + key, JSON.stringify(value));
    } catch {
      // See above.
    }
  }

  /** Drops everything of the person of this tab. */
  dropPerson() {
    for (const key of ['session', 'outbox', 'drafts', 'read', 'directs']) this.set(key, null);
  }
}

/** Claim of a page on what its tab has kept: of pages with the same tab id the first one goes on. */
export class TabClaim {
  #channel;
  #ids;
  #isHeld = false;
  #isRefused = false;

  /** @param {BroadcastChannel} channel @param {string} tab that a duplicate has too @param {string} page that no other has */
  constructor(channel, tab, page) {
    this.#channel = channel;
    this.#ids = { tab, page };
    channel.onmessage = ({ data }) => this.#hear(data);
  }

  /** Returns whether no other page holds the tab id. @param {(ms: number) => Promise<void>} sleep */
  async take(sleep) {
    this.#channel.postMessage({ kind: 'asks', ...this.#ids });
    await sleep(CLAIM_MS);
    this.#isHeld = !this.#isRefused;
    return this.#isHeld;
  }

  /** Goes on with a tab id that this page alone has. */
  renew(tab) {
    this.#ids.tab = tab;
    this.#isHeld = true;
  }

  #hear({ kind, tab, page }) {
    if (tab !== this.#ids.tab || page === this.#ids.page) return;
    if (kind === 'holds') this.#isRefused = true;
    // Of two that ask at once the one with the lower id goes on.
    else if (this.#isHeld || this.#ids.page < page) this.#channel.postMessage({ kind: 'holds', ...this.#ids });
  }
}
