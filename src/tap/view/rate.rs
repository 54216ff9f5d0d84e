//! Frames a second, of the last whole second.

/// Counts frames by the time at which they passed.
#[derive(Debug, Default)]
pub(super) struct Rate {
    second: u64,
    counted: u64,
    last: u64,
}

impl Rate {
    /// Counts frames that passed at this time, in microseconds.
    pub(super) fn count(&mut self, at_us: u64, frames: u64) {
        self.advance(at_us);
        self.counted += frames;
    }

    /// Counts frames that passed about now.
    pub(super) fn count_untimed(&mut self, frames: u64) {
        self.counted += frames;
    }

    /// Returns the frames of the last whole second before this time, in microseconds.
    pub(super) fn per_second(&mut self, now_us: u64) -> u64 {
        self.advance(now_us);
        self.last
    }

    fn advance(&mut self, at_us: u64) {
        let second = at_us / 1_000_000;
        if second > self.second {
            self.last = if second == self.second + 1 { self.counted } else { 0 };
            (self.second, self.counted) = (second, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_second_counts() {
        let mut rate = Rate::default();
        (0..10).for_each(|at| rate.count(5_000_000 + at, 1));
        rate.count_untimed(5);
        assert_eq!(rate.per_second(5_900_000), 0);
        assert_eq!(rate.per_second(6_100_000), 15);
        assert_eq!(rate.per_second(8_000_000), 0);
    }
}
