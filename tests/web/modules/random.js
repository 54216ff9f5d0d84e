/** Random numbers of the tests. A failure prints the seed; `SEED=N` repeats it. */

export const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Returns a source of whole numbers below a bound (mulberry32). */
export function below(seed = SEED) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
