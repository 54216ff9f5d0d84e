//! Joins and leaves within a short time, gathered in one line.

use std::borrow::Cow;
use std::collections::BTreeMap;

use glassline_wire::event::Presence;

use super::StyledLine;
use super::safe::name;

/// Time for which joins and leaves are gathered before they are shown.
const GATHER_MS: u64 = 1_500;
/// Names listed of each kind; the rest are a number.
const NAMES_LISTED_MAX: usize = 3;
/// Names kept of each kind.
const NAMES_KEPT_MAX: usize = 64;
/// Rooms gathered at a time; past it all are shown at once.
const ROOMS_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PresenceChange {
    Join,
    Leave,
}

/// People of the same direction: names, and the number of others.
#[derive(Debug, Default)]
struct NameList {
    names: Vec<String>,
    unnamed: usize,
}

impl NameList {
    fn add(&mut self, name: &str) {
        if self.names.len() < NAMES_KEPT_MAX {
            self.names.push(name.to_owned());
        } else {
            self.unnamed = self.unnamed.saturating_add(1);
        }
    }

    fn take(&mut self, name: &str) -> bool {
        let at = self.names.iter().position(|kept| kept == name);
        at.map(|at| self.names.remove(at)).is_some()
    }

    fn text(&self, did: &str) -> Option<String> {
        let listed: Vec<_> = self.names.iter().take(NAMES_LISTED_MAX).map(|kept| name(kept)).collect();
        let more = (self.names.len() - listed.len()).saturating_add(self.unnamed);
        people(&listed, more).map(|who| format!("{who} {did}"))
    }
}

/// Returns a text that lists these names and so many more; `None` if there are none.
pub(super) fn people(listed: &[Cow<'_, str>], more: usize) -> Option<String> {
    Some(match (listed.is_empty(), more) {
        (true, 0) => return None,
        (true, 1) => "1 person".to_owned(),
        (true, count) => format!("{count} people"),
        (false, more) => format!("{}{}", listed.join(", "), and_more(more)),
    })
}

/// Returns what follows a list that leaves so many out.
pub(super) fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" +{count}") }
}

#[derive(Debug, Default)]
struct RoomChanges {
    due_ms: u64,
    /// Names that left and are in use again: by the same person after a lost link, or by another
    /// one.
    went_before: NameList,
    came: NameList,
    went: NameList,
    came_and_went: NameList,
}

impl RoomChanges {
    fn note(&mut self, presence: &Presence, direction: PresenceChange) {
        for name in &presence.names {
            match direction {
                PresenceChange::Join => {
                    if self.went.take(name) {
                        self.went_before.add(name);
                    }
                    self.came_and_went.take(name);
                    self.came.add(name);
                }
                PresenceChange::Leave if self.came.take(name) => self.came_and_went.add(name),
                PresenceChange::Leave => self.went.add(name),
            }
        }
        let unnamed = presence.count.saturating_sub(presence.names.len());
        let group = if direction == PresenceChange::Join { &mut self.came } else { &mut self.went };
        group.unnamed = group.unnamed.saturating_add(unnamed);
    }

    fn is_about(&self, name: &str) -> bool {
        [&self.went_before, &self.came, &self.went, &self.came_and_went]
            .iter()
            .any(|group| group.names.iter().any(|kept| kept == name))
    }

    fn line(&self, room: &str) -> Option<StyledLine> {
        let parts = [
            self.went_before.text("left"),
            self.came.text("joined"),
            self.went.text("left"),
            self.came_and_went.text("came and went"),
        ];
        let texts: Vec<String> = parts.into_iter().flatten().collect();
        (!texts.is_empty()).then(|| StyledLine::notice(&texts.join("; ")).in_room(room))
    }
}

#[derive(Debug, Default)]
pub(crate) struct PresenceDigest {
    rooms: BTreeMap<String, RoomChanges>,
}

impl PresenceDigest {
    /// Records joins or leaves. Returns lines that must be shown first to make room.
    pub(crate) fn note(&mut self, presence: &Presence, direction: PresenceChange, now_ms: u64) -> Vec<StyledLine> {
        let is_new = !self.rooms.contains_key(&presence.room);
        let first = if is_new && self.rooms.len() == ROOMS_MAX { self.take_all() } else { Vec::new() };
        let fresh = || RoomChanges { due_ms: now_ms + GATHER_MS, ..RoomChanges::default() };
        self.rooms.entry(presence.room.clone()).or_insert_with(fresh).note(presence, direction);
        first
    }

    /// When [`PresenceDigest::take_due`] has something to give.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.rooms.values().map(|changes| changes.due_ms).min()
    }

    pub(crate) fn take_due(&mut self, now_ms: u64) -> Vec<StyledLine> {
        self.take(|changes| changes.due_ms <= now_ms)
    }

    /// Takes the lines that must precede an event by or about this person.
    pub(crate) fn take_about(&mut self, name: &str) -> Vec<StyledLine> {
        self.take(|changes| changes.is_about(name))
    }

    pub(crate) fn take_all(&mut self) -> Vec<StyledLine> {
        self.take(|_| true)
    }

    fn take(&mut self, wanted: impl Fn(&RoomChanges) -> bool) -> Vec<StyledLine> {
        let taken = self.rooms.extract_if(.., |_, changes| wanted(changes));
        taken.filter_map(|(room, changes)| changes.line(&room)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(names: &[&str], count: usize) -> Presence {
        Presence {
            room: "lobby".into(),
            names: names.iter().map(|&name| name.into()).collect(),
            count,
            seq: None,
            sealed: None,
        }
    }

    /// Few rooms at a time, so nothing is told to make room.
    fn note(presence_digest: &mut PresenceDigest, presence: &Presence, direction: PresenceChange, now_ms: u64) {
        assert_eq!(presence_digest.note(presence, direction, now_ms), []);
    }

    fn text(presence_digest: &mut PresenceDigest) -> Vec<String> {
        presence_digest.take_all().into_iter().flat_map(|line| line.plain()).collect()
    }

    #[test]
    fn the_comings_of_a_moment_are_one_line() {
        let mut presence_digest = PresenceDigest::default();
        note(&mut presence_digest, &presence(&["alice"], 1), PresenceChange::Join, 100);
        note(&mut presence_digest, &presence(&["bob", "carol", "dave"], 5), PresenceChange::Join, 900);
        note(&mut presence_digest, &presence(&["eve"], 1), PresenceChange::Leave, 1_000);
        assert_eq!(presence_digest.next_due_ms(), Some(1_600));
        assert!(presence_digest.take_due(1_599).is_empty());
        let due: Vec<String> = presence_digest.take_due(1_600).into_iter().flat_map(|line| line.plain()).collect();
        assert_eq!(due, ["* alice, bob, carol +3 joined; eve left"]);
        assert!(presence_digest.next_due_ms().is_none());
    }

    #[test]
    fn a_name_taken_again_and_a_short_visit_are_announced() {
        let mut presence_digest = PresenceDigest::default();
        note(&mut presence_digest, &presence(&["alice"], 1), PresenceChange::Leave, 0);
        note(&mut presence_digest, &presence(&["carl", "alice"], 2), PresenceChange::Join, 0);
        note(&mut presence_digest, &presence(&["bob"], 1), PresenceChange::Join, 0);
        note(&mut presence_digest, &presence(&["bob"], 1), PresenceChange::Leave, 0);
        assert_eq!(text(&mut presence_digest), ["* alice left; carl, alice joined; bob came and went"]);
        note(&mut presence_digest, &presence(&["alice"], 1), PresenceChange::Leave, 0);
        note(&mut presence_digest, &presence(&["alice"], 1), PresenceChange::Join, 0);
        note(&mut presence_digest, &presence(&["alice"], 1), PresenceChange::Leave, 0);
        assert_eq!(text(&mut presence_digest), ["* alice left; alice came and went"]);
    }

    #[test]
    fn a_sender_is_announced_before_its_message() {
        let mut presence_digest = PresenceDigest::default();
        note(&mut presence_digest, &presence(&["alice", "bob"], 2), PresenceChange::Join, 0);
        assert!(presence_digest.take_about("carol").is_empty());
        let about: Vec<String> = presence_digest.take_about("bob").into_iter().flat_map(|line| line.plain()).collect();
        assert_eq!(about, ["* alice, bob joined"]);
    }

    #[test]
    fn no_count_of_a_servers_making_is_too_large() {
        let mut presence_digest = PresenceDigest::default();
        for direction in [PresenceChange::Join, PresenceChange::Leave] {
            note(&mut presence_digest, &presence(&["alice", "bob", "carol", "dave"], usize::MAX), direction, 0);
            for number in 0..100 {
                note(&mut presence_digest, &presence(&[&format!("n{number}")], usize::MAX), direction, 0);
            }
        }
        assert!(text(&mut presence_digest)[0].contains(&format!("+{} left", usize::MAX)));
    }

    #[test]
    fn a_crowd_takes_little_memory() {
        let mut presence_digest = PresenceDigest::default();
        for number in 0..10_000 {
            note(&mut presence_digest, &presence(&[&format!("n{number}")], 1), PresenceChange::Join, 0);
        }
        assert_eq!(text(&mut presence_digest), ["* n0, n1, n2 +9997 joined"]);
        let mut lines = Vec::new();
        for number in 0..10_000 {
            let room = Presence { room: format!("r{number}"), ..presence(&["a"], 1) };
            lines.extend(presence_digest.note(&room, PresenceChange::Join, 0));
            assert!(presence_digest.rooms.len() <= ROOMS_MAX);
        }
        lines.extend(presence_digest.take_all());
        assert_eq!(lines.len(), 10_000, "each room is listed");
    }
}
