//! Random numbers that a seed decides.

use std::ops::Range;

/// A `SplitMix64` generator: the same seed gives the same numbers on every machine.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent generator for `label`; the next numbers of this one stay as they are.
    #[must_use]
    pub fn labelled(&self, label: u64) -> Self {
        Self(mixed(self.0 ^ mixed(label.wrapping_add(1))))
    }

    /// An independent generator, whose seed is the next number of this one.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next_u64())
    }

    /// Returns the next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// Returns a number of 128 bits, such as a message id.
    pub fn next_u128(&mut self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }

    /// Returns a number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias is below one in 2^32 for the bounds in use.
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// Returns a number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Returns an index into something of `length` items; 0 if it has none.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// Returns one of `choices`, which are not empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// Returns `true` once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Returns `true` in `times` of a thousand cases.
    pub fn per_mille(&mut self, times: u64) -> bool {
        self.below(1_000) < times
    }

    /// Returns a number from 1 to `most`; each power of two is about as likely as the next.
    pub fn magnitude(&mut self, most: u64) -> u64 {
        let scale = self.below(u64::from(most.max(1).ilog2()) + 1);
        let low = 1 << scale;
        (low + self.below(low)).min(most)
    }
}

/// Finalizer of `SplitMix64`: every bit of the input flips about half of the output's.
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Returns the seed in the environment variable `SEED`, or else `default`. Prints it, so that the
/// output of a failed test says how to replay it.
pub fn seed_or(default: u64) -> u64 {
    let seed = given_seed().unwrap_or(default);
    println!("SEED={seed}");
    seed
}

/// Runs a test with each seed, or only with the one in the environment variable `SEED`. Prints each
/// before its run: the output of a failed test ends with the seed that replays it.
pub fn for_each_seed(seeds: Range<u64>, mut test: impl FnMut(Rng)) {
    for seed in given_seed().map_or(seeds, |seed| seed..seed + 1) {
        println!("SEED={seed}");
        test(Rng::new(seed));
    }
}

fn given_seed() -> Option<u64> {
    std::env::var("SEED").ok().and_then(|seed| seed.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_splitmix64() {
        let mut rng = Rng::new(1_234_567);
        let numbers = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([rng.next_u64(), rng.next_u64(), rng.next_u64()], numbers);
    }

    #[test]
    fn seed_and_label_decide_everything() {
        let draw = |seed: u64, label: u64| {
            let mut rng = Rng::new(seed).labelled(label);
            (0..8).map(|_| rng.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::new(7);
        let mut small = 0;
        for _ in 0..10_000 {
            assert!(rng.below(3) < 3 && (2..=4).contains(&rng.between(2, 4)));
            let size = rng.magnitude(2_000);
            assert!((1..=2_000).contains(&size));
            small += u32::from(size < 32);
        }
        assert!(small > 3_000, "{small}");
        assert_eq!((rng.below(0), rng.magnitude(1)), (0, 1));
    }
}
