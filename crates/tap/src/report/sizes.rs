//! Sizes and times of the units of one direction: all that is left to read of an encrypted link.

use std::collections::BTreeMap;

/// Distinct sizes kept; units of further sizes are counted together.
const SIZES_MAX: usize = 4_096;
/// A pause that separates two bursts, in microseconds.
const PAUSE_US: u64 = 1_000_000;

/// Sizes and times of units.
#[derive(Debug, Clone, Default)]
pub(super) struct Sizes {
    by_size: BTreeMap<usize, u64>,
    other: u64,
    bytes: u64,
    last_us: u64,
    bursts: u64,
    burst: u64,
    largest_burst: u64,
}

impl Sizes {
    pub(super) fn add(&mut self, bytes: usize, at_us: u64) {
        self.bytes += bytes as u64;
        if self.by_size.len() < SIZES_MAX || self.by_size.contains_key(&bytes) {
            *self.by_size.entry(bytes).or_default() += 1;
        } else {
            self.other += 1;
        }
        if self.bursts == 0 || at_us.saturating_sub(self.last_us) >= PAUSE_US {
            self.bursts += 1;
            self.burst = 0;
        }
        self.burst += 1;
        self.largest_burst = self.largest_burst.max(self.burst);
        self.last_us = at_us;
    }

    pub(super) fn units(&self) -> u64 {
        self.by_size.values().sum::<u64>() + self.other
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The sizes in words: one size, a few with their counts, or range and median.
    pub(super) fn in_words(&self) -> String {
        match self.by_size.len() {
            0 => "none".into(),
            1 if self.other == 0 => {
                let size = self.by_size.keys().next().copied().unwrap_or_default();
                format!("{} of {size} bytes each", self.units())
            }
            2..=6 if self.other == 0 => {
                let sizes: Vec<String> =
                    self.by_size.iter().map(|(size, count)| format!("{count} of {size}")).collect();
                format!("{} bytes", sizes.join(", "))
            }
            distinct => {
                let least = self.by_size.keys().next().copied().unwrap_or_default();
                let most = self.by_size.keys().next_back().copied().unwrap_or_default();
                let more = if self.other > 0 { " or more" } else { "" };
                format!("{} of {least} to {most} bytes, median {}, {distinct}{more} sizes", self.units(), self.median())
            }
        }
    }

    /// The times in words: bursts, which a pause of a second separates.
    pub(super) fn times_in_words(&self) -> String {
        match self.bursts {
            0 => "none".into(),
            1 => format!("{} in one burst", self.units()),
            bursts => format!("{} in {bursts} bursts, the largest of {}", self.units(), self.largest_burst),
        }
    }

    fn median(&self) -> usize {
        let mut left = self.by_size.values().sum::<u64>() / 2;
        for (size, count) in &self.by_size {
            if *count > left {
                return *size;
            }
            left -= count;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_units_have_one_size() {
        let mut sizes = Sizes::default();
        (0..40).for_each(|n| sizes.add(512, n * 10));
        assert_eq!((sizes.in_words().as_str(), sizes.bytes()), ("40 of 512 bytes each", 20_480));
    }

    #[test]
    fn bursts_are_separated_by_a_second() {
        let mut sizes = Sizes::default();
        for burst in 0..3_u64 {
            (0..=burst).for_each(|n| sizes.add(10 + n as usize, burst * 5_000_000 + n));
        }
        assert_eq!(sizes.times_in_words(), "6 in 3 bursts, the largest of 3");
        assert_eq!(sizes.in_words(), "3 of 10, 2 of 11, 1 of 12 bytes");
    }

    #[test]
    fn many_sizes_are_a_range() {
        let mut sizes = Sizes::default();
        (1..=9).for_each(|size| sizes.add(size, 0));
        assert_eq!(sizes.in_words(), "9 of 1 to 9 bytes, median 5, 9 sizes");
    }
}
