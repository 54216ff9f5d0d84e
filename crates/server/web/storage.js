/**
 * What a tab keeps over a reload, in its sessionStorage: two tabs are two people. A duplicated tab
 * begins with a copy of all that, and must not go on as the same person.
 */

const PREFIX = 'glassline/';
/** What belongs to the person of one tab. */
const PERSONAL = ['session', 'outbox', 'drafts', 'read', 'directs'];
/** Time for another tab to say that it is the owner. */
const CLAIM_MS = 150;

/** Values of this tab. Where the browser keeps none, they live as long as the page. */
export class TabStorage {
  #storage;
  #memory = new Map();

  /** @param {Storage | null} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** Returns a value, or `fallback` if there is none that can be read. */
  get(key, fallback) {
    try {
      const text = this.#storage?.getItem(PREFIX + key) ?? this.#memory.get(key) ?? null;
      return text === null ? fallback : JSON.parse(text);
    } catch {
      return fallback;
    }
  }

  set(key, value) {
    const text = JSON.stringify(value);
    try {
      this.#storage?.setItem(PREFIX + key, text);
    } catch {
      // Full: the page goes on, and only a reload loses it.
    }
    this.#memory.set(key, text);
  }

  /** Drops everything of the person of this tab. */
  dropPerson() {
    for (const key of PERSONAL) {
      this.#memory.delete(key);
      try {
        this.#storage?.removeItem(PREFIX + key);
      } catch {
        // Nothing is kept there, then.
      }
    }
  }
}

/** Claim of a page on what its tab has kept: of pages with the same tab id the first one goes on. */
export class TabClaim {
  #channel;
  #tab;
  #page;
  #isHeld = false;
  #isRefused = false;

  /**
   * @param {{postMessage(data: any): void, onmessage: any}} channel that all tabs hear
   * @param {string} tab id that a duplicated tab has too
   * @param {string} page id of this page alone
   */
  constructor(channel, tab, page) {
    this.#channel = channel;
    this.#tab = tab;
    this.#page = page;
    channel.onmessage = ({ data }) => this.#hear(data);
  }

  /**
   * Asks whether another page has the tab id. Returns true if none has said so in time.
   * @param {(ms: number) => Promise<void>} sleep
   */
  async take(sleep) {
    this.#isRefused = false;
    this.#channel.postMessage({ kind: 'asks', tab: this.#tab, page: this.#page });
    await sleep(CLAIM_MS);
    this.#isHeld = !this.#isRefused;
    return this.#isHeld;
  }

  /** Goes on with another tab id, which this page alone has. */
  renew(tab) {
    this.#tab = tab;
    this.#isHeld = true;
  }

  #hear(data) {
    if (data?.tab !== this.#tab || data.page === this.#page) return;
    if (data.kind === 'holds') this.#isRefused = true;
    // Of two that ask at once the one with the lower id goes on.
    const isFirst = this.#isHeld || this.#page < data.page;
    if (data.kind === 'asks' && isFirst) {
      this.#channel.postMessage({ kind: 'holds', tab: this.#tab, page: this.#page });
    }
  }
}

/** Direct messages kept of each person: the server does not keep them. */
const DIRECTS_KEPT = 100;

/** Returns the direct messages of a chat as values to keep. @param {import('./state.js').Chat} chat */
export function savedDirects(chat) {
  return [...chat.rooms.values()].filter(({ kind }) => kind === 'direct').map(({ name, newest, read, entries }) => (
    { name, newest, read, messages: entries.filter(({ kind }) => kind === 'message').slice(-DIRECTS_KEPT) }));
}

/** Puts kept direct messages into a chat. */
export function restoreDirects(chat, saved) {
  for (const { name, newest, read, messages } of saved) {
    const room = chat.directWith(name);
    for (const message of messages) room.add(message);
    room.newest = newest;
    room.read = chat.readNumbers[room.key] ?? read;
  }
}
