//! Rate limit of the bell.

/// Rings allowed in a row.
const RINGS_MAX: u64 = 5;
/// Interval of the rings after them.
const RING_EVERY_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub(super) struct BellLimiter {
    /// Time at which the full burst is allowed again.
    rested_ms: u64,
}

impl BellLimiter {
    /// Returns whether the bell may ring now, and counts the ring.
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
