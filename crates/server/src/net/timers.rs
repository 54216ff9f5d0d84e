//! Deadlines: at most one entry for each connection and kind, so the memory follows the
//! connections.

use std::collections::{BTreeMap, BTreeSet};

use crate::connection_key::ConnectionKey;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Its name must be accepted by then (D2).
    Greeting,
    /// Its request must be complete, or its next one begin, by then (W).
    Request,
    /// It may be read again (flood).
    Resume,
    /// The holder of the name it claims must have answered by then (E2).
    Probe,
    /// It must have taken a byte by then.
    Progress,
    /// Its next input must arrive by then.
    Silence,
    /// Its last output must be sent by then.
    Drain,
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(u64, ConnectionKey, Kind)>,
    by_connection: BTreeMap<(ConnectionKey, Kind), u64>,
}

impl Timers {
    pub(crate) fn set(&mut self, connection: ConnectionKey, kind: Kind, due_ms: u64) {
        if let Some(earlier) = self.by_connection.insert((connection, kind), due_ms) {
            self.by_time.remove(&(earlier, connection, kind));
        }
        self.by_time.insert((due_ms, connection, kind));
    }

    pub(crate) fn cancel(&mut self, connection: ConnectionKey, kind: Kind) {
        if let Some(due_ms) = self.by_connection.remove(&(connection, kind)) {
            self.by_time.remove(&(due_ms, connection, kind));
        }
    }

    pub(crate) fn cancel_all(&mut self, connection: ConnectionKey) {
        let range = (connection, Kind::Greeting)..=(connection, Kind::Drain);
        let kinds: Vec<Kind> = self.by_connection.range(range).map(|((_, kind), _)| *kind).collect();
        for kind in kinds {
            self.cancel(connection, kind);
        }
    }

    pub(crate) fn due_ms(&self, connection: ConnectionKey, kind: Kind) -> Option<u64> {
        self.by_connection.get(&(connection, kind)).copied()
    }

    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.by_time.first().map(|(due_ms, _, _)| *due_ms)
    }

    pub(crate) fn take_due(&mut self, now_ms: u64) -> Option<(ConnectionKey, Kind)> {
        let &(due_ms, connection, kind) = self.by_time.first()?;
        (due_ms <= now_ms).then(|| {
            self.cancel(connection, kind);
            (connection, kind)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_taken_first_and_a_later_set_replaces() {
        let mut timers = Timers::default();
        let [one, two] = [1, 2].map(|n| ConnectionKey::new(n, 7));
        timers.set(one, Kind::Greeting, 100);
        timers.set(two, Kind::Greeting, 50);
        timers.set(one, Kind::Greeting, 20);
        timers.set(one, Kind::Drain, 60);
        assert_eq!(timers.next_due_ms(), Some(20));
        assert_eq!(timers.take_due(10), None);
        assert_eq!(timers.take_due(55), Some((one, Kind::Greeting)));
        assert_eq!(timers.take_due(55), Some((two, Kind::Greeting)));
        assert_eq!(timers.take_due(55), None);
        timers.cancel_all(one);
        assert_eq!(timers.next_due_ms(), None);
        assert!(timers.by_connection.is_empty());
    }
}
