//! The time of the loop.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Time since 1970 (UTC) that never goes back, whatever happens to the system's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at_us: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_at_us: since_epoch.as_micros() as u64 }
    }

    /// Lets time pass at once.
    #[cfg(test)]
    pub(crate) fn advance(&mut self, by_us: u64) {
        self.started_at_us += by_us;
    }

    /// Returns the time in microseconds.
    pub(crate) fn now_us(&self) -> u64 {
        self.started_at_us + self.started.elapsed().as_micros() as u64
    }
}
