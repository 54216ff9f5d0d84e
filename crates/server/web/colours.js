/** Colours of names by the rule of the terminal client (format/name_colour.rs); style.css has the palette. */

export const NAME_COLOURS = 12;
/** Names whose colours are kept; past it the first absent one is dropped, or the first of all. */
const NAMES_MAX = 256;

/** Colour of a name by itself, 0 to 11: FNV-1a over its bytes in lower case. @param {string} name */
export function colourOf(name) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name.toLowerCase())) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return Number((hash ^ (hash >> 32n)) % BigInt(NAME_COLOURS));
}

/** Colours of present and earlier names: two present ones share none while some are free. */
export class NameColours {
  /** @type {Map<string, {colour: number, isPresent: boolean}>} by name in lower case */
  #assigned = new Map();

  of(name) {
    return this.#assigned.get(name.toLowerCase())?.colour ?? colourOf(name);
  }

  assign(name) {
    const key = name.toLowerCase();
    if (this.#assigned.get(key)?.isPresent) return;
    const preferred = this.of(name);
    const taken = new Set([...this.#assigned.values()].filter(({ isPresent }) => isPresent).map(({ colour }) => colour));
    const colours = Array.from({ length: NAME_COLOURS }, (_, step) => (preferred + step) % NAME_COLOURS);
    this.#assigned.delete(key);
    if (this.#assigned.size >= NAMES_MAX) {
      const [dropped] = [...this.#assigned].find(([, { isPresent }]) => !isPresent) ?? [...this.#assigned][0];
      this.#assigned.delete(dropped);
    }
    this.#assigned.set(key, { colour: colours.find((colour) => !taken.has(colour)) ?? preferred, isPresent: true });
  }

  release(name) {
    const assigned = this.#assigned.get(name.toLowerCase());
    if (assigned) assigned.isPresent = false;
  }
}
