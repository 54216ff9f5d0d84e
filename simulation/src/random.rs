//! The one source of chance: every draw of a run comes from its seed.

use glassline_session::Entropy;

/// A splitmix64 generator.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A generator of its own, so that one part's draws do not move another's.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.draw())
    }

    /// Both ends included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.draw() % (most - least + 1)
    }

    /// True so many times in a thousand.
    pub(crate) fn per_mille(&mut self, times: u64) -> bool {
        self.draw() % 1_000 < times
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.draw() as usize % choices.len()]
    }

    /// A place in something of this length, which is not zero.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.draw() as usize % length
    }
}

impl Entropy for Random {
    fn next_u64(&mut self) -> u64 {
        self.draw()
    }
}
