//! The numbers of a server at one moment, and how the loop collects them.

use glassline_hub::Tally;
use glassline_journal::Gauges;

use crate::counters::Counters;
use crate::history::History;
use crate::link::Link;
use crate::reactor::Reactor;

/// Traffic of the sockets.
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

/// A server's numbers at the end of one turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) members: usize,
    pub(crate) connections: usize,
    pub(crate) nameless: usize,
    pub(crate) rooms: usize,
    pub(crate) log_bytes: usize,
    pub(crate) tally: Tally,
    pub(crate) traffic: Traffic,
    pub(crate) counters: Counters,
    /// Of a server that keeps a history.
    pub(crate) journal: Option<Gauges>,
}

impl<L: Link> Reactor<L> {
    /// Tells those who have asked how things stand.
    pub(crate) fn answer_watchers(&mut self) {
        let asked = self.config.watch.asked();
        if asked != self.last_answer {
            self.last_answer = asked;
            self.config.watch.answer(asked, self.snapshot());
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            members: self.hub.len(),
            connections: self.connections.len(),
            nameless: self.unregistered.len(),
            rooms: self.hub.room_count(),
            log_bytes: self.hub.log_bytes(),
            tally: self.hub.tally(),
            traffic: self.traffic,
            counters: self.counters.clone(),
            journal: self.history.as_ref().and_then(History::gauges),
        }
    }
}
