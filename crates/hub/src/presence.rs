//! Arrivals and departures, announced in batches (T11): ten thousand joins must not cost fifty
//! million deliveries.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use glassline_wire::limits::ANNOUNCED_NAMES_MAX;

/// Shortest time between two announcements in a room: at most four a second (T11).
pub(crate) const ANNOUNCE_INTERVAL_MS: u64 = 250;

/// An arrival or a departure. A name may change hands: the token says whether it is the same client
/// again.
#[derive(Debug)]
struct Change {
    name: Box<str>,
    token: u128,
}

/// Arrivals, or departures: the first of them by name, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct ChangeList {
    named: Vec<Change>,
    count: usize,
}

impl ChangeList {
    fn add(&mut self, change: Change) {
        self.count += 1;
        if self.has_room() {
            self.named.push(change);
        }
    }

    fn has_room(&self) -> bool {
        self.named.len() < ANNOUNCED_NAMES_MAX
    }

    /// Removes the change that is listed under a name.
    fn take(&mut self, name: &str) -> Option<Change> {
        let at = self.named.iter().position(|listed| &*listed.name == name)?;
        self.count -= 1;
        Some(self.named.remove(at))
    }

    /// Returns whether it may hold a change of this name: beyond the bound only the count is known.
    fn may_hold(&self, name: &str) -> bool {
        self.count > self.named.len() || self.named.iter().any(|listed| &*listed.name == name)
    }

    /// Number of changes, listed by name or not.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|listed| &*listed.name)
    }
}

/// Returns names, and the number of those of `count` that are not among them: `alice, bob +3`.
pub(crate) fn summarize<S: AsRef<str>>(names: &[S], count: usize) -> String {
    let listed = names.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    match (listed.is_empty(), count.saturating_sub(names.len())) {
        (_, 0) => listed,
        (false, more) => format!("{listed} +{more}"),
        (true, 1) => "somebody".into(),
        (true, more) => format!("{more} people"),
    }
}

/// Changes announced at once, in this order: the last of each name counts.
#[derive(Debug, Default)]
pub(crate) struct Announcement {
    /// Departures of names that another client has taken since.
    pub(crate) left_before: ChangeList,
    pub(crate) joined: ChangeList,
    pub(crate) left: ChangeList,
}

#[derive(Debug, Default)]
pub(crate) struct Presence {
    next: Announcement,
    quiet_until_ms: u64,
}

impl Presence {
    pub(crate) fn arrived(&mut self, name: &str, token: u128) {
        if let Some(before) = self.next.left.take(name) {
            if before.token == token {
                // Its departure was not announced.
                return;
            }
            if self.next.joined.has_room() {
                self.next.left_before.add(before);
            } else {
                // Named as departed and only counted as back, it would seem departed.
                self.next.left_before.count += 1;
            }
        }
        self.next.joined.add(Change { name: name.into(), token });
    }

    pub(crate) fn departed(&mut self, name: &str, token: u128) {
        self.next.left.add(Change { name: name.into(), token });
    }

    /// Returns whether something that waits to be announced is, or may be, about this name.
    pub(crate) fn may_concern(&self, name: &str) -> bool {
        [&self.next.left_before, &self.next.joined, &self.next.left].iter().any(|crowd| crowd.may_hold(name))
    }

    /// Returns the instant of the next announcement, if there is something to announce.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        (self.next.left_before.count + self.next.joined.count + self.next.left.count > 0).then_some(self.quiet_until_ms)
    }

    /// Takes the announcement that is due now, if one is.
    pub(crate) fn take_due(&mut self, now_ms: u64) -> Option<Announcement> {
        let due = self.due_ms()? <= now_ms;
        due.then(|| self.take(now_ms))
    }

    /// Takes everything that waits, whether it is time or not.
    pub(crate) fn take(&mut self, now_ms: u64) -> Announcement {
        self.quiet_until_ms = now_ms + ANNOUNCE_INTERVAL_MS;
        core::mem::take(&mut self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(list: &ChangeList) -> String {
        summarize(&list.names().collect::<Vec<_>>(), list.count())
    }

    #[test]
    fn a_first_arrival_is_announced_at_once_and_crowds_at_4_hz() {
        let mut presence = Presence::default();
        presence.arrived("alice", 2);
        assert_eq!(summary(&presence.take_due(1_000).expect("due").joined), "alice");
        for n in 0..1_000 {
            presence.arrived(&format!("m{n}"), 2);
        }
        assert!(presence.take_due(1_249).is_none());
        assert_eq!(presence.due_ms(), Some(1_250));
        let crowd = presence.take_due(1_250).expect("due").joined;
        assert_eq!((crowd.names().count(), crowd.count), (20, 1_000));
        assert!(summary(&crowd).ends_with("m19 +980"), "{}", summary(&crowd));
        assert_eq!(presence.due_ms(), None);
    }

    /// The next announcement as text, part by part.
    fn announced(presence: &mut Presence, now_ms: u64) -> [String; 3] {
        let Announcement { left_before, joined, left } = presence.take_due(now_ms).expect("due");
        [summary(&left_before), summary(&joined), summary(&left)]
    }

    #[test]
    fn each_name_is_announced_last_where_it_is() {
        let mut presence = Presence::default();
        presence.arrived("alice", 2);
        presence.departed("alice", 1);
        presence.departed("bob", 1);
        assert_eq!(announced(&mut presence, 0), ["", "alice", "alice, bob"]);
        presence.departed("bot", 1);
        presence.arrived("bot", 2);
        presence.arrived("eve", 2);
        presence.departed("eve", 1);
        assert_eq!(announced(&mut presence, 250), ["bot", "bot, eve", "eve"], "a visit does not undo a return");
        presence.departed("bot", 1);
        presence.arrived("bot", 2);
        presence.departed("bot", 1);
        assert_eq!(announced(&mut presence, 500), ["bot", "bot", "bot"]);
        assert_eq!(presence.due_ms(), None);
    }

    #[test]
    fn in_a_crowd_nobody_who_came_back_is_named_as_gone() {
        let mut presence = Presence::default();
        presence.departed("bot", 1);
        for n in 0..100 {
            presence.arrived(&format!("m{n}"), 2);
        }
        presence.arrived("bot", 2);
        let Announcement { left_before, joined, left } = presence.take_due(0).expect("due");
        assert_eq!(
            (summary(&left_before).as_str(), left_before.count, joined.count, left.count),
            ("somebody", 1, 101, 0)
        );
        for n in 0..100 {
            presence.departed(&format!("m{n}"), 1);
            presence.arrived(&format!("m{n}"), 2);
        }
        let Announcement { left_before, joined, left } = presence.take_due(250).expect("due");
        assert_eq!((left_before.names().count(), left_before.count), (20, 100));
        assert_eq!((joined.names().count(), joined.count, left.count), (20, 100, 0));
    }

    #[test]
    fn the_same_client_back_in_time_is_no_news_and_another_is() {
        let mut presence = Presence::default();
        presence.departed("carl", 7);
        presence.arrived("carl", 7);
        assert_eq!(presence.due_ms(), None);
        presence.departed("carl", 7);
        presence.arrived("carl", 8);
        presence.departed("carl", 8);
        presence.arrived("carl", 8);
        assert_eq!(announced(&mut presence, 0), ["carl", "carl", ""]);
    }

    #[test]
    fn what_waits_may_be_about_any_name_of_a_crowd() {
        let mut presence = Presence::default();
        presence.departed("bob", 1);
        assert!(presence.may_concern("bob") && !presence.may_concern("carl"));
        for n in 0..30 {
            presence.arrived(&format!("m{n}"), n);
        }
        assert!(presence.may_concern("m29") && presence.may_concern("carl"));
    }
}
