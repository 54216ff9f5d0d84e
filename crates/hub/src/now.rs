//! Present time: an argument of the hub's methods, which read no clock.

use glassline_wire::timestamp::Timestamp;

/// The instant at which something happens: the two clocks the hub may be told of.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// A clock that only goes forward, in milliseconds.
    pub monotonic_ms: u64,
    /// Time of day.
    pub at: Timestamp,
}
