//! The rooms the client is in: what a reconnect asks for again, and who is there.

use std::collections::{BTreeMap, BTreeSet};

use glassline_wire::event::{Members, Presence, RoomState, Welcome};
use glassline_wire::request::LOBBY;

use super::numbers::Numbers;
use super::past::Reading;

/// Rooms kept track of. A server that says the client is in more has them unheeded.
const ROOMS_MAX: usize = 64;
/// Names kept of each room: as many as `members` lists (L).
const NAMES_MAX: usize = 1_000;

#[derive(Debug)]
struct Room {
    name: String,
    /// Which of its messages have been shown.
    numbers: Numbers,
    /// Position in its past at which the user reads.
    reading: Option<Reading>,
    /// Number of people in it, the client included.
    people: Option<usize>,
    /// Names, as far as the server has told.
    names: BTreeSet<String>,
}

impl Room {
    fn new(name: &str, numbers: Numbers, people: Option<usize>) -> Self {
        Self { name: name.to_owned(), numbers, reading: None, people, names: BTreeSet::new() }
    }

    /// Returns whether the names are those of everybody in it.
    fn knows_all(&self) -> bool {
        self.people == Some(self.names.len())
    }
}

/// The rooms and the current one.
#[derive(Debug)]
pub(super) struct Roster {
    rooms: Vec<Room>,
    current: Option<String>,
    /// Rooms of the lost link that this one has to enter again.
    left_behind: BTreeMap<String, Numbers>,
}

impl Roster {
    /// Before the first `welcome`: what is said goes to the lobby.
    pub(super) fn new() -> Self {
        Self {
            rooms: vec![Room::new(LOBBY, Numbers::default(), None)],
            current: Some(LOBBY.to_owned()),
            left_behind: BTreeMap::new(),
        }
    }

    /// The room that messages go to.
    pub(super) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// Returns whether the client is in the room.
    pub(super) fn contains(&self, room: &str) -> bool {
        self.rooms.iter().any(|known| known.name == room)
    }

    /// The room the client is in that is meant by this spelling: `#Den` and `den` are one (E2).
    pub(super) fn called(&self, spelling: &str) -> Option<String> {
        let folded = spelling.strip_prefix('#').unwrap_or(spelling).to_lowercase();
        [spelling.to_owned(), folded].into_iter().find(|room| self.contains(room))
    }

    /// Newest number that the server has named on this link of the room that is meant by this
    /// spelling.
    pub(super) fn newest_named(&self, spelling: &str) -> Option<u64> {
        let room = self.called(spelling)?;
        self.rooms.iter().find(|known| known.name == room)?.numbers.newest_named()
    }

    /// Returns the number of people in the current room.
    pub(super) fn people(&self) -> Option<usize> {
        self.current_room()?.people
    }

    /// Number of others in the fullest room of the client, as far as it is known.
    pub(super) fn others(&self) -> usize {
        self.rooms.iter().filter_map(|room| room.people).max().unwrap_or(0).saturating_sub(1)
    }

    /// Returns the known names of the current room, in alphabetical order.
    pub(super) fn people_names(&self) -> impl Iterator<Item = &str> {
        self.current_room().into_iter().flat_map(|room| room.names.iter().map(String::as_str))
    }

    fn current_room(&self) -> Option<&Room> {
        let current = self.current.as_deref()?;
        self.rooms.iter().find(|room| room.name == current)
    }

    /// Takes over the rooms of a `welcome`; those whose numbers have begun again.
    pub(super) fn welcome(&mut self, welcome: &Welcome) -> Vec<String> {
        let mut known: BTreeMap<String, Room> =
            std::mem::take(&mut self.rooms).into_iter().map(|room| (room.name.clone(), room)).collect();
        let mut anew = Vec::new();
        for RoomState { room, seq, count } in welcome.rooms.iter().take(ROOMS_MAX) {
            let before = known.remove(room);
            let (numbers, reading) = before.map(|before| (before.numbers, before.reading)).unwrap_or_default();
            let goes_on = numbers.newest().is_some_and(|newest| newest <= *seq);
            if !goes_on && numbers.newest().is_some() {
                anew.push(room.clone());
            }
            // What is newer than what was shown is on its way, and counts once it is here.
            self.rooms.push(if goes_on {
                Room { reading, ..Room::new(room, numbers.on_another_link(*seq), Some(*count)) }
            } else {
                Room::new(room, Numbers::starting(*seq), Some(*count))
            });
        }
        self.left_behind.append(&mut known.into_iter().map(|(name, room)| (name, room.numbers.into_doubt())).collect());
        while self.left_behind.len() > ROOMS_MAX {
            self.left_behind.pop_first();
        }
        self.settle_current();
        anew
    }

    /// The rooms' names, in the order of entering.
    pub(super) fn names(&self) -> Vec<String> {
        self.rooms.iter().map(|room| room.name.clone()).collect()
    }

    /// The newest `seq` of each room of which it is known.
    pub(super) fn since(&self) -> BTreeMap<String, u64> {
        self.rooms.iter().filter_map(|room| Some((room.name.clone(), room.numbers.newest()?))).collect()
    }

    /// Which messages of a room have been shown, if the client is in it.
    pub(super) fn numbers_mut(&mut self, room: &str) -> Option<&mut Numbers> {
        self.room_mut(room).map(|room| &mut room.numbers)
    }

    /// Returns the position in the past of a room at which the user reads.
    pub(super) fn reading(&self, room: &str) -> Option<&Reading> {
        self.rooms.iter().find(|known| known.name == room)?.reading.as_ref()
    }

    /// The user reads on from here.
    pub(super) fn reads(&mut self, room: &str, reading: Reading) {
        if let Some(room) = self.room_mut(room) {
            room.reading = Some(reading);
        }
    }

    /// The client is in this room now; whether it goes to it is another matter.
    pub(super) fn entered(&mut self, room: &str) {
        if !self.contains(room) && self.rooms.len() < ROOMS_MAX {
            let numbers = self.left_behind.remove(room).unwrap_or_default();
            self.rooms.push(Room::new(room, numbers, None));
        }
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
            self.current = Some(room.to_owned());
        }
        known
    }

    /// Takes in the names and the number of people of a room.
    pub(super) fn listed(&mut self, members: &Members) {
        if let Some(room) = self.room_mut(&members.room) {
            room.people = Some(members.count);
            room.names = members.names.iter().take(NAMES_MAX).cloned().collect();
        }
    }

    /// Some came, one of them perhaps `me`, who is counted from the start. Announcements lag (T11): whoever is known to be there was
    /// counted when the server told who is.
    pub(super) fn came(&mut self, presence: &Presence, me: &str) {
        let Some(room) = self.room_mut(&presence.room) else { return };
        let knew_all = room.knows_all();
        let mut new = presence.count.saturating_sub(presence.names.len());
        for name in &presence.names {
            let was_known = room.names.contains(name);
            if room.names.len() < NAMES_MAX {
                room.names.insert(name.clone());
            }
            new += usize::from(name != me && !(knew_all && was_known));
        }
        room.people = room.people.map(|people| people.saturating_add(new));
    }

    /// Some went. `me` stays: who went under that name was there before (T11). So was whoever is not among those there.
    pub(super) fn went(&mut self, presence: &Presence, me: &str) {
        let Some(room) = self.room_mut(&presence.room) else { return };
        let knew_all = room.knows_all();
        let mut gone = presence.count.saturating_sub(presence.names.len());
        for name in presence.names.iter().filter(|name| *name != me) {
            let was_known = room.names.remove(name);
            gone += usize::from(was_known || !knew_all);
        }
        room.people = room.people.map(|people| people.saturating_sub(gone).max(1));
    }

    /// Somebody has another name.
    pub(super) fn renamed(&mut self, from: &str, to: &str) {
        for room in &mut self.rooms {
            if room.names.remove(from) {
                room.names.insert(to.to_owned());
            }
        }
    }

    fn room_mut(&mut self, name: &str) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|known| known.name == name)
    }

    fn settle_current(&mut self) {
        if !self.current.as_deref().is_some_and(|current| self.contains(current)) {
            self.current = self.rooms.first().map(|first| first.name.clone());
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
        }
    }

    fn presence(room: &str, names: &[&str], count: usize) -> Presence {
        Presence { room: room.into(), names: names.iter().map(|&name| name.into()).collect(), count, seq: None }
    }

    #[test]
    fn a_reconnect_asks_for_what_came_after_the_last_message_shown() {
        let mut roster = Roster::new();
        assert_eq!(roster.since(), BTreeMap::new(), "nothing is known");
        assert!(roster.welcome(&welcome(&[("lobby", 5, 2), ("den", 0, 1)])).is_empty());
        assert_eq!(roster.since(), BTreeMap::from([("den".into(), 0), ("lobby".into(), 5)]));
        roster.numbers_mut("lobby").expect("a room").take(6);
        for _ in 0..3 {
            assert!(roster.welcome(&welcome(&[("lobby", 9, 2), ("den", 4, 1)])).is_empty());
            let since = BTreeMap::from([("den".into(), 0), ("lobby".into(), 6)]);
            assert_eq!(roster.since(), since, "what is on its way has not been shown");
        }
        assert_eq!(roster.welcome(&welcome(&[("lobby", 3, 2), ("den", 0, 1)])), ["lobby"], "it began anew");
        assert_eq!(roster.since()["lobby"], 3);
    }

    #[test]
    fn shown_numbers_survive_a_rejoin_after_a_lost_link() {
        let mut roster = Roster::new();
        roster.welcome(&welcome(&[("lobby", 5, 2), ("den", 2, 1)]));
        roster.welcome(&welcome(&[("lobby", 5, 2)]));
        roster.entered("den");
        assert_eq!(roster.since()["den"], 2);
        // Whoever leaves it has left it.
        roster.went_out_of("den");
        roster.entered("den");
        assert!(!roster.since().contains_key("den"));
    }

    #[test]
    fn leaving_the_current_room_moves_to_another_one_then_to_none() {
        let mut roster = Roster::new();
        roster.entered("den");
        assert_eq!(roster.current(), Some("lobby"));
        assert!(roster.go_to("den"));
        roster.went_out_of("den");
        assert_eq!(roster.current(), Some("lobby"));
        assert!(!roster.go_to("den") && roster.go_to("lobby"));
        roster.went_out_of("lobby");
        assert_eq!(roster.current(), None);
        roster.entered("den");
        assert_eq!(roster.current(), None);
    }

    #[test]
    fn people_are_counted_only_where_the_server_has_said_how_many() {
        let mut roster = Roster::new();
        let three = presence("lobby", &["x"], 3);
        roster.came(&three, "me");
        assert_eq!(roster.people(), None);
        roster.listed(&Members { room: "lobby".into(), names: vec!["a".into()], count: 2 });
        roster.came(&three, "me");
        assert_eq!(roster.people(), Some(5));
        assert_eq!(roster.people_names().collect::<Vec<_>>(), ["a", "x"]);
        roster.renamed("x", "b");
        roster.went(&presence("lobby", &["a"], 9), "me");
        assert_eq!((roster.people(), roster.people_names().collect::<Vec<_>>()), (Some(1), vec!["b"]));
    }

    #[test]
    fn a_server_cannot_fill_the_memory_with_rooms_or_names() {
        let mut roster = Roster::new();
        for number in 0..2_000 {
            roster.entered(&format!("room{number}"));
            roster.came(&presence("lobby", &[&format!("name{number}")], 1), "me");
        }
        assert_eq!(roster.names().len(), ROOMS_MAX);
        assert!(roster.go_to("lobby"));
        assert_eq!(roster.people_names().count(), NAMES_MAX);
    }
}
