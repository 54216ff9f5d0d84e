//! Amounts of work of a run.

use std::time::Duration;

pub const TEXT_BYTES: usize = 64;

/// Amounts of work of a run.
#[derive(Clone, Copy)]
pub struct Scale {
    pub warm_up: Duration,
    pub measured: Duration,
    pub single_messages: usize,
    pub paced_messages: usize,
    pub rounds: usize,
}

impl Scale {
    pub fn full() -> Self {
        Self {
            warm_up: Duration::from_millis(300),
            measured: Duration::from_secs(2),
            single_messages: 200,
            paced_messages: 250,
            rounds: 5,
        }
    }

    pub fn quick() -> Self {
        Self {
            warm_up: Duration::from_millis(200),
            measured: Duration::from_millis(700),
            single_messages: 50,
            paced_messages: 100,
            rounds: 2,
        }
    }
}
