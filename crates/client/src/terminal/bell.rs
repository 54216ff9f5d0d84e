//! Limit on the bell: a few calls in a row are calls, a hundred drive everybody away.

/// Rings in a row.
const RINGS_MAX: u64 = 5;
/// After them one in this time.
const RING_EVERY_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub(super) struct BellLimiter {
    /// When all rings in a row may be used again.
    rested_ms: u64,
}

impl BellLimiter {
    /// Returns whether the bell may ring now; it is taken to do so.
    pub(super) fn may_ring(&mut self, now_ms: u64) -> bool {
        let rested_ms = self.rested_ms.max(now_ms) + RING_EVERY_MS;
        let may = rested_ms <= now_ms + RINGS_MAX * RING_EVERY_MS;
        if may {
            self.rested_ms = rested_ms;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_one_ring_a_second() {
        let mut bell = BellLimiter::default();
        let rings = |bell: &mut BellLimiter, from_ms: u64, to_ms: u64| {
            (from_ms..to_ms).step_by(10).filter(|&now_ms| bell.may_ring(now_ms)).count()
        };
        assert_eq!(rings(&mut bell, 0, 100), 5);
        assert_eq!(rings(&mut bell, 100, 10_100), 10);
        assert_eq!(rings(&mut bell, 60_000, 60_100), 5, "rested");
    }
}
