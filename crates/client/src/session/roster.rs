//! The rooms the client is in: what a reconnect asks for again, and what the status line counts.

use std::collections::BTreeMap;

use glassline_wire::event::{RoomState, Welcome};

/// The room that everybody enters first.
pub(super) const LOBBY: &str = "lobby";

#[derive(Debug)]
struct Room {
    name: String,
    /// Number of the newest message seen or known of.
    seq: u64,
    people: Option<usize>,
}

/// The rooms and the current one.
#[derive(Debug)]
pub(super) struct Roster {
    rooms: Vec<Room>,
    current: String,
}

impl Roster {
    /// Before the first `welcome`: what is said goes to the lobby.
    pub(super) fn new() -> Self {
        Self { rooms: vec![Room { name: LOBBY.to_owned(), seq: 0, people: None }], current: LOBBY.to_owned() }
    }

    /// The room that messages go to.
    pub(super) fn current(&self) -> &str {
        &self.current
    }

    /// Whether the client is in the room.
    pub(super) fn contains(&self, room: &str) -> bool {
        self.rooms.iter().any(|known| known.name == room)
    }

    /// How many are in the current room.
    pub(super) fn people(&self) -> Option<usize> {
        self.rooms.iter().find(|room| room.name == self.current)?.people
    }

    /// Takes over the rooms of a `welcome`.
    pub(super) fn welcome(&mut self, welcome: &Welcome) {
        let seen: BTreeMap<String, u64> = self.since();
        self.rooms = welcome
            .rooms
            .iter()
            .map(|RoomState { room, seq, count }| {
                // A number that went back is a room that began anew: nothing of it has been seen.
                let seq = seen.get(room).filter(|&&before| before > 0 && before <= *seq).copied().unwrap_or(*seq);
                Room { name: room.clone(), seq, people: Some(*count) }
            })
            .collect();
        self.settle_current();
    }

    /// The rooms' names, in the order of entering.
    pub(super) fn names(&self) -> Vec<String> {
        self.rooms.iter().map(|room| room.name.clone()).collect()
    }

    /// The newest `seq` of each room.
    pub(super) fn since(&self) -> BTreeMap<String, u64> {
        self.rooms.iter().map(|room| (room.name.clone(), room.seq)).collect()
    }

    /// Notes the number of a message.
    pub(super) fn saw(&mut self, room: &str, seq: u64) {
        if let Some(room) = self.rooms.iter_mut().find(|known| known.name == room) {
            room.seq = room.seq.max(seq);
        }
    }

    /// The client is in this room now, and goes to it.
    pub(super) fn entered(&mut self, room: &str) {
        if !self.contains(room) {
            self.rooms.push(Room { name: room.to_owned(), seq: 0, people: None });
        }
        room.clone_into(&mut self.current);
    }

    /// The client is not in this room any more.
    pub(super) fn went_out_of(&mut self, room: &str) {
        self.rooms.retain(|known| known.name != room);
        self.settle_current();
    }

    /// Goes to a room the client is in; false if it is not.
    pub(super) fn go_to(&mut self, room: &str) -> bool {
        let known = self.contains(room);
        if known {
            room.clone_into(&mut self.current);
        }
        known
    }

    /// How many are in the room.
    pub(super) fn counted(&mut self, room: &str, people: usize) {
        if let Some(room) = self.rooms.iter_mut().find(|known| known.name == room) {
            room.people = Some(people);
        }
    }

    /// Others came.
    pub(super) fn came(&mut self, room: &str, count: usize) {
        self.change_people(room, |people| people.saturating_add(count));
    }

    /// Others went; the client itself stays.
    pub(super) fn went(&mut self, room: &str, count: usize) {
        self.change_people(room, |people| people.saturating_sub(count).max(1));
    }

    fn change_people(&mut self, room: &str, change: impl Fn(usize) -> usize) {
        if let Some(people) =
            self.rooms.iter_mut().find(|known| known.name == room).and_then(|room| room.people.as_mut())
        {
            *people = change(*people);
        }
    }

    fn settle_current(&mut self) {
        if !self.contains(&self.current)
            && let Some(first) = self.rooms.first()
        {
            self.current.clone_from(&first.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcome(rooms: &[(&str, u64, usize)]) -> Welcome {
        Welcome {
            name: "a".into(),
            token: "t".into(),
            server: "s".into(),
            limits: glassline_wire::event::Limits::default(),
            rooms: rooms.iter().map(|&(room, seq, count)| RoomState { room: room.into(), seq, count }).collect(),
            reference: None,
        }
    }

    #[test]
    fn a_reconnect_asks_for_what_came_after_the_last_message_seen() {
        let mut roster = Roster::new();
        roster.welcome(&welcome(&[("lobby", 5, 2), ("den", 0, 1)]));
        assert_eq!(roster.since(), BTreeMap::from([("den".into(), 0), ("lobby".into(), 5)]));
        roster.saw("lobby", 7);
        roster.welcome(&welcome(&[("lobby", 9, 2), ("den", 4, 1)]));
        assert_eq!(roster.since()["lobby"], 7, "8 and 9 are on their way");
        roster.welcome(&welcome(&[("lobby", 3, 2)]));
        assert_eq!(roster.since(), BTreeMap::from([("lobby".into(), 3)]), "a server that began anew");
    }

    #[test]
    fn leaving_the_current_room_goes_to_another_one() {
        let mut roster = Roster::new();
        roster.entered("den");
        assert_eq!(roster.current(), "den");
        roster.went_out_of("den");
        assert_eq!(roster.current(), "lobby");
        assert!(!roster.go_to("den") && roster.go_to("lobby"));
    }

    #[test]
    fn people_are_counted_only_where_the_server_has_said_how_many() {
        let mut roster = Roster::new();
        roster.came("lobby", 3);
        assert_eq!(roster.people(), None);
        roster.counted("lobby", 2);
        roster.came("lobby", 3);
        roster.went("lobby", 9);
        assert_eq!(roster.people(), Some(1));
    }
}
