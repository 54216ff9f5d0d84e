//! Report of a run.

use std::fmt;

use crate::connection::ConnectionEvent;

/// A run that kept the promise, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Length in virtual time.
    pub virtual_ms: u64,
    /// Messages stored.
    pub stored: usize,
    /// Messages whose sender saw them acknowledged.
    pub acknowledged: usize,
    /// Gaps reported to users.
    pub gaps: usize,
    /// Connections made.
    pub connections: usize,
    /// Crashes of the server.
    pub crashes: usize,
    /// Of all deliveries and their times: the same for the same run.
    pub fingerprint: u64,
}

impl Report {
    pub(crate) fn fold(&mut self, now_ms: u64, connection: u64, event: &ConnectionEvent) {
        let what = match event {
            ConnectionEvent::Bytes(bytes) => bytes.len() as u64,
            ConnectionEvent::Written => u64::MAX,
            ConnectionEvent::Closed => u64::MAX - 1,
        };
        for word in [now_ms, connection, what] {
            self.fingerprint = (self.fingerprint ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }
}

/// A run that broke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// When it was noticed, in virtual time.
    pub at_ms: u64,
    /// Description of what was broken.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, at_ms, what } = self;
        write!(f, "seed {seed} at {at_ms} ms: {what}; replay it with `cargo xtask simulate --seed {seed}`")
    }
}
