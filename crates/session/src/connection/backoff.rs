//! Delay before the next try to connect: full jitter, so that a thousand clients of a restarted
//! server do not come at once.

use crate::entropy::Entropy;

/// The first delay is at most this.
const FIRST_MAX_MS: u64 = 500;
/// No delay is longer.
const CAP_MS: u64 = 30_000;
/// No delay is shorter: a server that closes at once must not be hammered.
const FLOOR_MS: u64 = 50;
/// A link that lasted this long was stable; the next loss starts from the first delay again.
const GOOD_LINK_MS: u64 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn next_delay_ms(&mut self, entropy: &mut dyn Entropy) -> u64 {
        let ceiling_ms = FIRST_MAX_MS.checked_shl(self.failures.min(16)).unwrap_or(CAP_MS).min(CAP_MS);
        self.failures = self.failures.saturating_add(1);
        FLOOR_MS + entropy.next_u64() % (ceiling_ms - FLOOR_MS + 1)
    }

    pub(super) fn link_stood(&mut self, stood_ms: u64) {
        if stood_ms >= GOOD_LINK_MS {
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);
    impl Entropy for Fixed {
        fn next_u64(&mut self) -> u64 {
            self.0
        }
    }

    #[test]
    fn delays_stay_within_the_doubling_ceiling_and_the_floor() {
        for drawn in [0, 1, 449, 450, 451, 29_950, u64::MAX] {
            let mut backoff = Backoff::default();
            for failure in 0..40_u32 {
                let ceiling_ms = if failure < 6 { 500 << failure } else { 30_000 };
                let delay_ms = backoff.next_delay_ms(&mut Fixed(drawn));
                assert!((50..=ceiling_ms).contains(&delay_ms), "{failure}: {delay_ms}");
            }
        }
        assert_eq!(Backoff::default().next_delay_ms(&mut Fixed(0)), 50);
        assert_eq!(Backoff::default().next_delay_ms(&mut Fixed(450)), 500);
    }

    #[test]
    fn only_a_link_that_stood_resets_the_ceiling() {
        let mut backoff = Backoff { failures: 9 };
        backoff.link_stood(9_999);
        assert_eq!(backoff.failures, 9);
        backoff.link_stood(10_000);
        assert_eq!(backoff.failures, 0);
    }
}
