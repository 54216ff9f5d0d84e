/**
 * What a tab keeps over a reload, in its sessionStorage: two tabs are two people. A duplicated tab begins with a copy of all
 * that, and must not go on as the same person.
 */

const PREFIX = 'glassline/';
const PERSONAL = ['session', 'outbox', 'drafts', 'read', 'directs'];
/** Time for another tab to say that it is the owner. */
const CLAIM_MS = 150;
/** Direct messages kept of each person: the server keeps none. */
const DIRECTS_KEPT = 100;

export class TabStorage {
  #storage;

  /** @param {() => Storage} storage may throw where the reader has forbidden it */
  constructor(storage) {
    try {
      this.#storage = storage();
    } catch {
      this.#storage = null;
    }
  }

  get(key, fallback) {
    try {
      return JSON.parse(this.#storage.getItem(PREFIX + key)) ?? fallback;
    } catch {
      return fallback;
    }
  }

  set(key, value) {
    try {
      this.#storage.setItem(PREFIX + key, JSON.stringify(value));
    } catch {
      // Full or forbidden: the page goes on, and only a reload loses it.
    }
  }

  /** Drops everything of the person of this tab. */
  dropPerson() {
    for (const key of PERSONAL) this.set(key, null);
  }
}

/** Claim of a page on what its tab has kept: of pages with the same tab id the first one goes on. */
export class TabClaim {
  #channel;
  #tab;
  #page;
  #isHeld = false;
  #isRefused = false;

  /** @param {BroadcastChannel} channel @param {string} tab that a duplicate has too @param {string} page that no other has */
  constructor(channel, tab, page) {
    this.#channel = channel;
    this.#tab = tab;
    this.#page = page;
    channel.onmessage = ({ data }) => this.#hear(data);
  }

  /** Returns whether no other page has said that it holds the tab id. @param {(ms: number) => Promise<void>} sleep */
  async take(sleep) {
    this.#say('asks');
    await sleep(CLAIM_MS);
    this.#isHeld = !this.#isRefused;
    return this.#isHeld;
  }

  /** Goes on with a tab id that this page alone has. */
  renew(tab) {
    this.#tab = tab;
    this.#isHeld = true;
  }

  #say(kind) {
    this.#channel.postMessage({ kind, tab: this.#tab, page: this.#page });
  }

  #hear(data) {
    if (data?.tab !== this.#tab || data.page === this.#page) return;
    if (data.kind === 'holds') this.#isRefused = true;
    // Of two that ask at once the one with the lower id goes on.
    else if (this.#isHeld || this.#page < data.page) this.#say('holds');
  }
}

/** Direct messages of a chat as values to keep. @param {import('./state.js').Chat} chat */
export function savedDirects({ rooms }) {
  return [...rooms.values()].filter(({ kind }) => kind === 'direct').map(({ name, newest, entries }) => (
    { name, newest, messages: entries.filter(({ kind }) => kind === 'message').slice(-DIRECTS_KEPT) }));
}

/** @param {import('./state.js').Chat} chat */
export function restoreDirects(chat, saved) {
  const read = chat.readNumbers;
  for (const { name, newest, messages } of saved) {
    const room = chat.directWith(name);
    for (const message of messages) room.add(message);
    Object.assign(room, { newest, read: read[room.key] ?? newest });
  }
}
