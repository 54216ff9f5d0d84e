//! Arrivals and departures, announced in batches (T11): ten thousand joins must not cost fifty million deliveries.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use glassline_wire::limits::ANNOUNCED_NAMES_MAX;

/// Shortest time between two announcements in a room: at most four a second (T11).
pub(crate) const ANNOUNCE_INTERVAL_MS: u64 = 250;

/// Some who came or went: the first names, and how many in all.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) count: usize,
}

impl Crowd {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < ANNOUNCED_NAMES_MAX {
            self.names.push(name.into());
        }
    }

    fn lists(&self, name: &str) -> bool {
        self.names.iter().any(|listed| &**listed == name)
    }

    fn rename(&mut self, from: &str, to: &str) {
        for name in self.names.iter_mut().filter(|name| &***name == from) {
            *name = to.into();
        }
    }

    /// The crowd in words: `alice, bob +3`.
    pub(crate) fn words(&self) -> String {
        let listed = self.names.join(", ");
        let more = self.count - self.names.len();
        if more == 0 { listed } else { format!("{listed} +{more}") }
    }
}

/// What a room has still to announce.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    joined: Crowd,
    left: Crowd,
    /// Somebody left and came back since the last announcement, so departures are told first.
    left_first: bool,
    quiet_until_ms: u64,
}

/// What is announced at once.
pub(crate) struct Announcement {
    pub(crate) joined: Crowd,
    pub(crate) left: Crowd,
    pub(crate) left_first: bool,
}

impl Presence {
    pub(crate) fn arrived(&mut self, name: &str) {
        self.left_first |= self.left.lists(name);
        self.joined.add(name);
    }

    pub(crate) fn departed(&mut self, name: &str) {
        self.left_first &= !self.joined.lists(name);
        self.left.add(name);
    }

    /// Who has not been announced yet is announced under the new name.
    pub(crate) fn renamed(&mut self, from: &str, to: &str) {
        self.joined.rename(from, to);
    }

    /// When the next announcement may be made, if there is something to announce.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        (self.joined.count + self.left.count > 0).then_some(self.quiet_until_ms)
    }

    /// What is to be announced now, if it is time.
    pub(crate) fn take_due(&mut self, now_ms: u64) -> Option<Announcement> {
        let due = self.due_ms()? <= now_ms;
        due.then(|| {
            self.quiet_until_ms = now_ms + ANNOUNCE_INTERVAL_MS;
            Announcement {
                joined: core::mem::take(&mut self.joined),
                left: core::mem::take(&mut self.left),
                left_first: core::mem::take(&mut self.left_first),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_arrival_is_announced_at_once_and_a_crowd_four_times_a_second() {
        let mut presence = Presence::default();
        presence.arrived("alice");
        assert_eq!(presence.take_due(1_000).expect("due").joined.words(), "alice");
        for n in 0..1_000 {
            presence.arrived(&format!("m{n}"));
        }
        assert!(presence.take_due(1_249).is_none());
        assert_eq!(presence.due_ms(), Some(1_250));
        let crowd = presence.take_due(1_250).expect("due").joined;
        assert_eq!((crowd.names.len(), crowd.count), (20, 1_000));
        assert!(crowd.words().ends_with("m19 +980"), "{}", crowd.words());
        assert_eq!(presence.due_ms(), None);
    }

    #[test]
    fn who_came_and_went_in_between_is_announced_in_that_order() {
        let mut presence = Presence::default();
        presence.arrived("alice");
        presence.departed("alice");
        presence.departed("bob");
        let first = presence.take_due(0).expect("due");
        assert_eq!(
            (first.joined.words().as_str(), first.left.words().as_str(), first.left_first),
            ("alice", "alice, bob", false)
        );
        presence.departed("carol");
        presence.arrived("carol");
        assert!(presence.take_due(250).expect("due").left_first);
    }
}
