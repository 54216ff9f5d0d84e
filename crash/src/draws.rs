//! Random decisions that all come from one seed.

/// A stream of numbers that a seed and its labels decide. The same ones give the same numbers everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    /// The stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for `label`: what is drawn from it shifts nothing elsewhere.
    pub(crate) fn fork(&self, label: u64) -> Self {
        Self { state: scrambled(self.state ^ scrambled(label.wrapping_add(1))) }
    }

    /// The next number of all 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scrambled(self.state)
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The bias is below one in 2^32 for the bounds in use.
        self.bits().checked_rem(bound).unwrap_or(0)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// 1 to `most`, each order of magnitude about as often as the next.
    pub(crate) fn magnitude(&mut self, most: u64) -> u64 {
        let scale = self.below(u64::from(most.max(1).ilog2()) + 1);
        let low = 1 << scale;
        (low + self.below(low)).min(most)
    }
}

/// The finalizer of splitmix64: every bit of the input moves about half of the output's.
fn scrambled(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        let draw = |seed: u64, label: u64| {
            let mut draws = Draws::new(seed).fork(label);
            (0..8).map(|_| draws.bits()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn bounds_hold() {
        let mut draws = Draws::new(7);
        let mut small = 0;
        for _ in 0..10_000 {
            assert!(draws.below(3) < 3);
            let size = draws.magnitude(2_000);
            assert!((1..=2_000).contains(&size));
            small += u32::from(size < 32);
        }
        assert!(small > 3_000, "{small}");
        assert_eq!(draws.below(0), 0);
        assert_eq!(draws.magnitude(1), 1);
    }
}
