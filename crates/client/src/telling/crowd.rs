//! Comings and goings of a moment, told in one line.

use std::collections::BTreeMap;

use glassline_wire::event::Presence;

use super::Line;
use super::wording::name;

/// Time for which joins and leaves are gathered before they are shown.
const GATHER_MS: u64 = 1_500;
/// Names told of each kind; the rest are a number.
const NAMES_TOLD_MAX: usize = 3;
/// Names kept of each kind.
const NAMES_KEPT_MAX: usize = 64;
/// Rooms gathered at a time; past it all are told at once.
const ROOMS_MAX: usize = 64;

/// Which way somebody went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    In,
    Out,
}

/// People who went the same way: names, and how many more.
#[derive(Debug, Default)]
struct Group {
    names: Vec<String>,
    unnamed: usize,
}

impl Group {
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

    fn told(&self, did: &str) -> Option<String> {
        let told: Vec<_> = self.names.iter().take(NAMES_TOLD_MAX).map(|kept| name(kept)).collect();
        let more = (self.names.len() - told.len()).saturating_add(self.unnamed);
        let people = |count: usize| if count == 1 { "1 person".to_owned() } else { format!("{count} people") };
        match (told.is_empty(), more) {
            (true, 0) => None,
            (true, more) => Some(format!("{} {did}", people(more))),
            (false, 0) => Some(format!("{} {did}", told.join(", "))),
            (false, more) => Some(format!("{} +{more} {did}", told.join(", "))),
        }
    }
}

#[derive(Debug, Default)]
struct Movement {
    due_ms: u64,
    /// Those whose name somebody has again: the same person after a lost link, or another one. A
    /// name does not say.
    went_before: Group,
    came: Group,
    went: Group,
    came_and_went: Group,
}

impl Movement {
    fn note(&mut self, presence: &Presence, way: Way) {
        for name in &presence.names {
            match way {
                Way::In => {
                    if self.went.take(name) {
                        self.went_before.add(name);
                    }
                    self.came_and_went.take(name);
                    self.came.add(name);
                }
                Way::Out if self.came.take(name) => self.came_and_went.add(name),
                Way::Out => self.went.add(name),
            }
        }
        let unnamed = presence.count.saturating_sub(presence.names.len());
        let group = if way == Way::In { &mut self.came } else { &mut self.went };
        group.unnamed = group.unnamed.saturating_add(unnamed);
    }

    fn is_about(&self, name: &str) -> bool {
        [&self.went_before, &self.came, &self.went, &self.came_and_went]
            .iter()
            .any(|group| group.names.iter().any(|kept| kept == name))
    }

    fn told(&self, room: &str) -> Option<Line> {
        let parts = [
            self.went_before.told("left"),
            self.came.told("joined"),
            self.went.told("left"),
            self.came_and_went.told("came and went"),
        ];
        let told: Vec<String> = parts.into_iter().flatten().collect();
        (!told.is_empty()).then(|| Line::notice(&told.join("; ")).in_room(room))
    }
}

/// Gathered joins and leaves, by room.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    rooms: BTreeMap<String, Movement>,
}

impl Crowd {
    /// Takes in that people came or went. Gives back what must be told first to make room.
    pub(crate) fn note(&mut self, presence: &Presence, way: Way, now_ms: u64) -> Vec<Line> {
        let is_new = !self.rooms.contains_key(&presence.room);
        let first = if is_new && self.rooms.len() == ROOMS_MAX { self.take_all() } else { Vec::new() };
        let fresh = || Movement { due_ms: now_ms + GATHER_MS, ..Movement::default() };
        self.rooms.entry(presence.room.clone()).or_insert_with(fresh).note(presence, way);
        first
    }

    /// When [`Crowd::take_due`] has something to give.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.rooms.values().map(|movement| movement.due_ms).min()
    }

    /// Takes the lines that are due now.
    pub(crate) fn take_due(&mut self, now_ms: u64) -> Vec<Line> {
        self.take(|_, movement| movement.due_ms <= now_ms)
    }

    /// Takes the lines that are due before something by or about this person.
    pub(crate) fn take_about(&mut self, name: &str) -> Vec<Line> {
        self.take(|_, movement| movement.is_about(name))
    }

    /// All there is.
    pub(crate) fn take_all(&mut self) -> Vec<Line> {
        self.take(|_, _| true)
    }

    fn take(&mut self, wanted: impl Fn(&str, &Movement) -> bool) -> Vec<Line> {
        let taken = self.rooms.extract_if(.., |room, movement| wanted(room, movement));
        taken.filter_map(|(room, movement)| movement.told(&room)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(names: &[&str], count: usize) -> Presence {
        Presence { room: "lobby".into(), names: names.iter().map(|&name| name.into()).collect(), count, seq: None }
    }

    /// Few rooms at a time, so nothing is told to make room.
    fn note(crowd: &mut Crowd, presence: &Presence, way: Way, now_ms: u64) {
        assert_eq!(crowd.note(presence, way, now_ms), []);
    }

    fn told(crowd: &mut Crowd) -> Vec<String> {
        crowd.take_all().into_iter().flat_map(|line| line.plain()).collect()
    }

    #[test]
    fn the_comings_of_a_moment_are_one_line() {
        let mut crowd = Crowd::default();
        note(&mut crowd, &presence(&["alice"], 1), Way::In, 100);
        note(&mut crowd, &presence(&["bob", "carol", "dave"], 5), Way::In, 900);
        note(&mut crowd, &presence(&["eve"], 1), Way::Out, 1_000);
        assert_eq!(crowd.next_due_ms(), Some(1_600));
        assert!(crowd.take_due(1_599).is_empty());
        let due: Vec<String> = crowd.take_due(1_600).into_iter().flat_map(|line| line.plain()).collect();
        assert_eq!(due, ["* alice, bob, carol +3 joined; eve left"]);
        assert!(crowd.next_due_ms().is_none());
    }

    #[test]
    fn a_name_taken_again_is_told_and_a_short_visit_is_a_visit() {
        let mut crowd = Crowd::default();
        note(&mut crowd, &presence(&["alice"], 1), Way::Out, 0);
        note(&mut crowd, &presence(&["carl", "alice"], 2), Way::In, 0);
        note(&mut crowd, &presence(&["bob"], 1), Way::In, 0);
        note(&mut crowd, &presence(&["bob"], 1), Way::Out, 0);
        assert_eq!(told(&mut crowd), ["* alice left; carl, alice joined; bob came and went"]);
        note(&mut crowd, &presence(&["alice"], 1), Way::Out, 0);
        note(&mut crowd, &presence(&["alice"], 1), Way::In, 0);
        note(&mut crowd, &presence(&["alice"], 1), Way::Out, 0);
        assert_eq!(told(&mut crowd), ["* alice left; alice came and went"]);
    }

    #[test]
    fn whoever_speaks_has_come_before() {
        let mut crowd = Crowd::default();
        note(&mut crowd, &presence(&["alice", "bob"], 2), Way::In, 0);
        assert!(crowd.take_about("carol").is_empty());
        let about: Vec<String> = crowd.take_about("bob").into_iter().flat_map(|line| line.plain()).collect();
        assert_eq!(about, ["* alice, bob joined"]);
    }

    #[test]
    fn no_count_of_a_servers_making_is_too_large() {
        let mut crowd = Crowd::default();
        for way in [Way::In, Way::Out] {
            note(&mut crowd, &presence(&["alice", "bob", "carol", "dave"], usize::MAX), way, 0);
            for number in 0..100 {
                note(&mut crowd, &presence(&[&format!("n{number}")], usize::MAX), way, 0);
            }
        }
        assert!(told(&mut crowd)[0].contains(&format!("+{} left", usize::MAX)));
    }

    #[test]
    fn a_crowd_takes_little_memory() {
        let mut crowd = Crowd::default();
        for number in 0..10_000 {
            note(&mut crowd, &presence(&[&format!("n{number}")], 1), Way::In, 0);
        }
        assert_eq!(told(&mut crowd), ["* n0, n1, n2 +9997 joined"]);
        let mut lines = Vec::new();
        for number in 0..10_000 {
            let room = Presence { room: format!("r{number}"), ..presence(&["a"], 1) };
            lines.extend(crowd.note(&room, Way::In, 0));
            assert!(crowd.rooms.len() <= ROOMS_MAX);
        }
        lines.extend(crowd.take_all());
        assert_eq!(lines.len(), 10_000, "each room is told of");
    }
}
