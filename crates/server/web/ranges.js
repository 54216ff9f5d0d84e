/** Sets of whole numbers as ranges `{from, to}`, in order and apart from each other. */
export class RangeSet {
  #ranges = [];

  /** Adds `from` to `to`; none if `from` is above `to`. */
  add(from, to) {
    if (from > to) return;
    const apart = this.#ranges.filter((range) => range.to < from - 1 || range.from > to + 1);
    const touching = [{ from, to }, ...this.#ranges.filter((range) => !apart.includes(range))];
    const whole = { from: Math.min(...touching.map((range) => range.from)), to: Math.max(...touching.map((range) => range.to)) };
    this.#ranges = [...apart, whole].sort((one, other) => one.from - other.from);
  }

  /** Ranges of `from` to `to` that are in the set. */
  within(from, to) {
    return this.#ranges.filter((range) => from <= to && range.from <= to && range.to >= from)
      .map((range) => ({ from: Math.max(range.from, from), to: Math.min(range.to, to) }));
  }

  /** Ranges of `from` to `to` that are not. */
  missingIn(from, to) {
    const bounds = [from - 1, ...this.within(from, to).flatMap((range) => [range.from, range.to]), to + 1];
    const gaps = Array.from({ length: bounds.length / 2 }, (_, at) => ({ from: bounds[2 * at] + 1, to: bounds[2 * at + 1] - 1 }));
    return gaps.filter((gap) => gap.from <= gap.to);
  }

  countIn(from, to) {
    return this.within(from, to).reduce((sum, range) => sum + range.to - range.from + 1, 0);
  }
}
