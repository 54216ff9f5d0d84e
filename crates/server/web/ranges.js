/** Sets of whole numbers, kept as ranges: those of messages that are known not to be stored. */

export class RangeSet {
  /** @type {{from: number, to: number}[]} in order, apart from each other */
  #ranges = [];

  /** Adds the numbers `from` to `to`; none if `from` is above `to`. */
  add(from, to) {
    if (from > to) return;
    const apart = this.#ranges.filter((range) => range.to < from - 1 || range.from > to + 1);
    const touching = this.#ranges.filter((range) => range.to >= from - 1 && range.from <= to + 1);
    const low = Math.min(from, ...touching.map((range) => range.from));
    const high = Math.max(to, ...touching.map((range) => range.to));
    this.#ranges = [...apart, { from: low, to: high }].sort((one, other) => one.from - other.from);
  }

  /** Returns the ranges of `from` to `to` that are in the set. */
  within(from, to) {
    const cut = (range) => ({ from: Math.max(range.from, from), to: Math.min(range.to, to) });
    return this.#ranges.map(cut).filter((range) => range.from <= range.to);
  }

  /** Returns the ranges of `from` to `to` that are not in the set. */
  missingIn(from, to) {
    const missing = [];
    let next = from;
    for (const range of this.within(from, to)) {
      if (range.from > next) missing.push({ from: next, to: range.from - 1 });
      next = range.to + 1;
    }
    if (next <= to) missing.push({ from: next, to });
    return missing;
  }

  /** How many of `from` to `to` are in the set. */
  countIn(from, to) {
    return this.within(from, to).reduce((sum, range) => sum + range.to - range.from + 1, 0);
  }
}
