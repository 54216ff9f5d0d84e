/**
 * Colours of names: the rule of the terminal client (crates/client/src/format/name_colour.rs), so
 * that a person has the same colour in both. style.css has the palette.
 */

/** Colours there are. */
export const NAME_COLOURS = 12;
/** Names whose colours are kept; past it the first absent one is dropped, or the first of all. */
const ASSIGNED_MAX = 256;

const encoder = new TextEncoder();

/**
 * Colour of a name by itself, in any case: FNV-1a over its bytes in lower case.
 * @param {string} name
 * @returns {number} 0 to 11
 */
export function colourOf(name) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of encoder.encode(name.toLowerCase())) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return Number((hash ^ (hash >> 32n)) % BigInt(NAME_COLOURS));
}

/** Colours of the names that are or were present: two present ones share none while some are free. */
export class NameColours {
  /** @type {Map<string, {colour: number, isPresent: boolean}>} by name in lower case, oldest first */
  #assigned = new Map();

  /** @param {string} name */
  of(name) {
    return this.#assigned.get(name.toLowerCase())?.colour ?? colourOf(name);
  }

  /**
   * Gives a present name its own colour, or a free one if that is taken.
   * @param {string} name
   */
  assign(name) {
    const key = name.toLowerCase();
    const before = this.#assigned.get(key);
    if (before?.isPresent) return;
    this.#assigned.delete(key);
    if (this.#assigned.size === ASSIGNED_MAX) this.#drop();
    this.#assigned.set(key, { colour: this.#free(before?.colour ?? colourOf(name)), isPresent: true });
  }

  /**
   * Makes the colour of a name that has left available.
   * @param {string} name
   */
  release(name) {
    const assigned = this.#assigned.get(name.toLowerCase());
    if (assigned) assigned.isPresent = false;
  }

  #drop() {
    const absent = [...this.#assigned].find(([, { isPresent }]) => !isPresent);
    this.#assigned.delete(absent ? absent[0] : this.#assigned.keys().next().value);
  }

  #free(wished) {
    const taken = new Set();
    for (const { colour, isPresent } of this.#assigned.values()) if (isPresent) taken.add(colour);
    for (let step = 0; step < NAME_COLOURS; step += 1) {
      const colour = (wished + step) % NAME_COLOURS;
      if (!taken.has(colour)) return colour;
    }
    return wished;
  }
}
