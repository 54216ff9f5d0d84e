//! A token bucket that may go into debt.

/// Tokens that refill at a constant rate up to a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TokenBucket {
    level: f64,
    burst: f64,
    per_ms: f64,
    filled_ms: u64,
}

impl TokenBucket {
    pub(crate) fn full(burst: f64, per_second: f64, now_ms: u64) -> Self {
        Self { level: burst, burst, per_ms: per_second / 1_000.0, filled_ms: now_ms }
    }

    pub(crate) fn fill(&mut self, now_ms: u64) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds between two events")]
        let elapsed_ms = now_ms.saturating_sub(self.filled_ms) as f64;
        self.level = (self.level + elapsed_ms * self.per_ms).min(self.burst);
        self.filled_ms = now_ms;
    }

    /// Takes tokens, into debt where there are too few.
    pub(crate) fn take(&mut self, tokens: f64) {
        self.level -= tokens;
    }

    /// Takes as many of the tokens as there are, without debt.
    pub(crate) fn take_available(&mut self, tokens: f64) {
        self.level = (self.level - tokens).max(self.level.min(0.0));
    }

    /// Returns tokens that were taken and not used, except where their debt was cut.
    pub(crate) fn give_back(&mut self, tokens: f64) {
        self.level = (self.level + tokens).min(self.level.max(0.0));
    }

    /// Lowers the level to that of another bucket filled at the same time.
    pub(crate) fn lower_to(&mut self, other: &Self) {
        self.level = self.level.min(other.level);
    }

    /// Bounds the debt to what refills in `wait_ms_max`.
    pub(crate) fn bound_debt(&mut self, wait_ms_max: f64) {
        self.level = self.level.max(-wait_ms_max * self.per_ms);
    }

    pub(crate) fn wait_ms(&self) -> u64 {
        self.ms_until(0.0)
    }

    pub(crate) fn full_in_ms(&self) -> u64 {
        self.ms_until(self.burst)
    }

    fn ms_until(&self, level: f64) -> u64 {
        #[expect(clippy::cast_sign_loss, reason = "the level is below the target here, so the quotient is positive")]
        if self.level >= level { 0 } else { ((level - self.level) / self.per_ms).ceil() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debt_refills_with_time_and_the_burst_is_the_cap() {
        let mut bucket = TokenBucket::full(2.0, 10.0, 0);
        bucket.take(3.0);
        assert_eq!((bucket.wait_ms(), bucket.full_in_ms()), (100, 300));
        bucket.fill(100);
        assert_eq!((bucket.wait_ms(), bucket.full_in_ms()), (0, 200));
        bucket.fill(60_000);
        assert_eq!(bucket, TokenBucket::full(2.0, 10.0, 60_000));
    }

    #[test]
    fn a_bounded_debt_refills_within_the_bound() {
        let mut bucket = TokenBucket::full(2.0, 10.0, 0);
        bucket.take(100.0);
        bucket.bound_debt(1_000.0);
        assert_eq!(bucket.wait_ms(), 1_000);
        bucket.fill(900);
        bucket.bound_debt(1_000.0);
        assert_eq!(bucket.wait_ms(), 100, "a smaller debt stays as it is");
    }

    #[test]
    fn available_tokens_are_taken_without_debt() {
        let mut bucket = TokenBucket::full(1.5, 10.0, 0);
        bucket.take_available(1.0);
        bucket.take_available(1.0);
        assert_eq!(bucket.wait_ms(), 0);
        bucket.take(1.0);
        bucket.take_available(5.0);
        assert_eq!(bucket.wait_ms(), 100, "an existing debt stays as it is");
    }
}
