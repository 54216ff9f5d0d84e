//! Figures of a server at one moment.

use glassline_hub::Counters as HubCounters;
use glassline_journal::Gauges;

use crate::metrics::counters::Counters;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    /// Writes that the system took bytes in.
    pub(crate) writes: u64,
}

impl Traffic {
    pub(crate) fn note_sent(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
        self.writes += u64::from(bytes > 0);
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) members: usize,
    pub(crate) connections: usize,
    pub(crate) unregistered: usize,
    pub(crate) rooms: usize,
    pub(crate) log_bytes: usize,
    pub(crate) tally: HubCounters,
    pub(crate) traffic: Traffic,
    pub(crate) counters: Counters,
    /// Of a server that keeps a history.
    pub(crate) journal: Option<Gauges>,
}
