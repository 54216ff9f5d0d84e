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
        if self.has_room() {
            self.names.push(name.into());
        }
    }

    fn has_room(&self) -> bool {
        self.names.len() < ANNOUNCED_NAMES_MAX
    }

    /// Takes a name out; false if it is not listed.
    fn take(&mut self, name: &str) -> bool {
        let Some(at) = self.names.iter().position(|listed| &**listed == name) else { return false };
        self.names.remove(at);
        self.count -= 1;
        true
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
        match (listed.is_empty(), more) {
            (_, 0) => listed,
            (false, more) => format!("{listed} +{more}"),
            (true, 1) => "somebody".into(),
            (true, more) => format!("{more} people"),
        }
    }
}

/// What is announced at once, in this order: whoever is named last in it is where that says.
#[derive(Debug, Default)]
pub(crate) struct Announcement {
    /// Who left and came back.
    pub(crate) left_before: Crowd,
    pub(crate) joined: Crowd,
    pub(crate) left: Crowd,
}

/// What a room has still to announce.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    next: Announcement,
    quiet_until_ms: u64,
}

impl Presence {
    pub(crate) fn arrived(&mut self, name: &str) {
        if self.next.left.take(name) {
            if self.next.joined.has_room() {
                self.next.left_before.add(name);
            } else {
                // Named as gone and only counted as back, it would seem to be gone.
                self.next.left_before.count += 1;
            }
        }
        self.next.joined.add(name);
    }

    pub(crate) fn departed(&mut self, name: &str) {
        self.next.left.add(name);
    }

    /// Who has not been announced yet is announced under the new name.
    pub(crate) fn renamed(&mut self, from: &str, to: &str) {
        self.next.joined.rename(from, to);
    }

    /// When the next announcement may be made, if there is something to announce.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        (self.next.left_before.count + self.next.joined.count + self.next.left.count > 0).then_some(self.quiet_until_ms)
    }

    /// What is to be announced now, if it is time.
    pub(crate) fn take_due(&mut self, now_ms: u64) -> Option<Announcement> {
        let due = self.due_ms()? <= now_ms;
        due.then(|| {
            self.quiet_until_ms = now_ms + ANNOUNCE_INTERVAL_MS;
            core::mem::take(&mut self.next)
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

    /// The next announcement in words, part by part.
    fn told(presence: &mut Presence, now_ms: u64) -> [String; 3] {
        let Announcement { left_before, joined, left } = presence.take_due(now_ms).expect("due");
        [left_before.words(), joined.words(), left.words()]
    }

    #[test]
    fn each_name_is_told_last_where_it_is() {
        let mut presence = Presence::default();
        presence.arrived("alice");
        presence.departed("alice");
        presence.departed("bob");
        assert_eq!(told(&mut presence, 0), ["", "alice", "alice, bob"]);
        presence.departed("bot");
        presence.arrived("bot");
        presence.arrived("eve");
        presence.departed("eve");
        assert_eq!(told(&mut presence, 250), ["bot", "bot, eve", "eve"], "a visit does not undo a return");
        presence.departed("bot");
        presence.arrived("bot");
        presence.departed("bot");
        assert_eq!(told(&mut presence, 500), ["bot", "bot", "bot"]);
        assert_eq!(presence.due_ms(), None);
    }

    #[test]
    fn in_a_crowd_nobody_who_came_back_is_named_as_gone_and_nothing_else() {
        let mut presence = Presence::default();
        presence.departed("bot");
        for n in 0..100 {
            presence.arrived(&format!("m{n}"));
        }
        presence.arrived("bot");
        let Announcement { left_before, joined, left } = presence.take_due(0).expect("due");
        assert_eq!(
            (left_before.words().as_str(), left_before.count, joined.count, left.count),
            ("somebody", 1, 101, 0)
        );
        for n in 0..100 {
            presence.departed(&format!("m{n}"));
            presence.arrived(&format!("m{n}"));
        }
        let Announcement { left_before, joined, left } = presence.take_due(250).expect("due");
        assert_eq!((left_before.names.len(), left_before.count), (20, 100));
        assert_eq!((joined.names.len(), joined.count, left.count), (20, 100, 0));
    }
}
