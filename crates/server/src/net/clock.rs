//! The two clocks, read once for each turn of the loop.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use glassline_hub::Now;
use glassline_wire::timestamp::Timestamp;

/// Counts from the server's start.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic_ms: self.started.elapsed().as_millis() as u64,
            at: Timestamp::from_unix_ms(since_epoch.as_millis() as u64),
        }
    }
}
