//! Answers to whoever watches the loop.

use crate::history::History;
use crate::metrics::Snapshot;
use crate::net::reactor::Reactor;
use crate::net::transport::Socket;

impl<S: Socket> Reactor<S> {
    /// Tells those who have asked how things stand.
    pub(super) fn answer_watchers(&mut self) {
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
            nameless: self.admission.unregistered().len(),
            rooms: self.hub.room_count(),
            log_bytes: self.hub.log_bytes(),
            tally: self.hub.counters(),
            traffic: self.traffic,
            counters: self.counters.clone(),
            journal: self.history.as_ref().map(History::gauges),
        }
    }
}
