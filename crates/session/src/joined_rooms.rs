//! Rooms the client is in: those that a reconnect rejoins, and their members.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};

use glassline_wire::event::{Members, Presence, RoomState, Welcome};
use glassline_wire::request::LOBBY;
use glassline_wire::spelling;

use crate::prelude::*;
use crate::seq_tracker::SeqTracker;

/// Maximum of tracked rooms. Further ones of a server are ignored.
const ROOMS_MAX: usize = 64;
/// Names kept of each room: as many as `members` lists (L).
const NAMES_MAX: usize = 1_000;

/// Position of the user in the stored messages of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadPosition {
    /// Text that is searched for; `None`: everything.
    pub(crate) query: Option<String>,
    /// Number below which the next page begins.
    pub(crate) before: u64,
    /// Messages per page.
    pub(crate) limit: u64,
}

#[derive(Debug)]
struct Room {
    name: String,
    /// Numbers of its messages that have been shown.
    tracker: SeqTracker,
    /// Position in its stored messages at which the user reads.
    position: Option<ReadPosition>,
    /// Number of people in it, the client included.
    people: Option<usize>,
    /// Names, as far as the server has sent them.
    names: BTreeSet<String>,
}

impl Room {
    fn new(name: &str, tracker: SeqTracker, people: Option<usize>) -> Self {
        Self { name: name.to_owned(), tracker, position: None, people, names: BTreeSet::new() }
    }

    fn knows_all(&self) -> bool {
        self.people == Some(self.names.len())
    }
}

#[derive(Debug)]
pub(crate) struct JoinedRooms {
    rooms: Vec<Room>,
    current: Option<String>,
    /// Rooms of the lost link that this one has to enter again.
    left_behind: BTreeMap<String, SeqTracker>,
    /// Current room before a reconnect, while it has to be entered again.
    returns_to: Option<String>,
}

impl JoinedRooms {
    /// Starts before the first `welcome`: messages go to the lobby.
    pub(crate) fn new() -> Self {
        Self {
            rooms: vec![Room::new(LOBBY, SeqTracker::default(), None)],
            current: Some(LOBBY.to_owned()),
            left_behind: BTreeMap::new(),
            returns_to: None,
        }
    }

    /// Returns the room that messages go to.
    pub(crate) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    pub(crate) fn contains(&self, room: &str) -> bool {
        self.room(room).is_some()
    }

    /// Returns whether the client is in a room, or asks for it: it was in it before the reconnect.
    pub(crate) fn expects(&self, room: &str) -> bool {
        self.contains(room) || self.left_behind.contains_key(room)
    }

    /// Returns the room the client is in that is meant by this spelling: `#Den` and `den` are one
    /// (E2).
    pub(crate) fn resolve(&self, spelling: &str) -> Option<String> {
        [spelling.into(), spelling::room(spelling)].into_iter().find(|room| self.contains(room)).map(Cow::into_owned)
    }

    /// Returns the newest number that the server has named on this link of the room that is meant
    /// by this spelling.
    pub(crate) fn newest_named(&self, spelling: &str) -> Option<u64> {
        self.room(&self.resolve(spelling)?)?.tracker.newest_named()
    }

    pub(crate) fn people(&self) -> Option<usize> {
        self.current_room()?.people
    }

    /// Returns the number of others in the fullest room of the client, as far as it is known.
    pub(crate) fn others(&self) -> usize {
        self.rooms.iter().filter_map(|room| room.people).max().unwrap_or(0).saturating_sub(1)
    }

    /// Returns the known names of the current room, in alphabetical order.
    pub(crate) fn people_names(&self) -> impl Iterator<Item = &str> {
        self.current_room().into_iter().flat_map(|room| room.names.iter().map(String::as_str))
    }

    fn current_room(&self) -> Option<&Room> {
        self.room(self.current.as_deref()?)
    }

    fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.iter().find(|known| known.name == name)
    }

    /// Applies the rooms of a `welcome`; returns those whose numbers have begun again.
    pub(crate) fn welcome(&mut self, welcome: &Welcome) -> Vec<String> {
        let before = self.current.clone();
        let mut known: BTreeMap<String, Room> =
            core::mem::take(&mut self.rooms).into_iter().map(|room| (room.name.clone(), room)).collect();
        let mut restarted = Vec::new();
        for RoomState { room, seq, count, sealed: _ } in welcome.rooms.iter().take(ROOMS_MAX) {
            let before = known.remove(room);
            let (tracker, position) = before.map(|before| (before.tracker, before.position)).unwrap_or_default();
            let goes_on = tracker.newest().is_some_and(|newest| newest <= *seq);
            if !goes_on && tracker.newest().is_some() {
                restarted.push(room.clone());
            }
            // What is newer than what was shown is on its way, and counts once it is here.
            self.rooms.push(if goes_on {
                Room { position, ..Room::new(room, tracker.on_another_link(*seq), Some(*count)) }
            } else {
                Room::new(room, SeqTracker::starting(*seq), Some(*count))
            });
        }
        self.left_behind.append(&mut known.into_iter().map(|(name, room)| (name, room.tracker.into_doubt())).collect());
        while self.left_behind.len() > ROOMS_MAX {
            self.left_behind.pop_first();
        }
        self.settle_current();
        self.returns_to = before.filter(|room| !self.contains(room));
        restarted
    }

    /// Returns the names of the rooms, in the order of entering.
    pub(crate) fn names(&self) -> Vec<String> {
        self.rooms.iter().map(|room| room.name.clone()).collect()
    }

    /// Returns the newest `seq` of each room of which it is known.
    pub(crate) fn since(&self) -> BTreeMap<String, u64> {
        self.rooms.iter().filter_map(|room| Some((room.name.clone(), room.tracker.newest()?))).collect()
    }

    pub(crate) fn tracker_mut(&mut self, room: &str) -> Option<&mut SeqTracker> {
        self.room_mut(room).map(|room| &mut room.tracker)
    }

    pub(crate) fn position(&self, room: &str) -> Option<&ReadPosition> {
        self.room(room)?.position.as_ref()
    }

    pub(crate) fn set_position(&mut self, room: &str, position: ReadPosition) {
        if let Some(room) = self.room_mut(room) {
            room.position = Some(position);
        }
    }

    /// Records that the client has entered a room, which does not make it the current one.
    pub(crate) fn enter(&mut self, room: &str) {
        if !self.contains(room) && self.rooms.len() < ROOMS_MAX {
            let tracker = self.left_behind.remove(room).unwrap_or_default();
            self.rooms.push(Room::new(room, tracker, None));
        }
    }

    pub(crate) fn leave(&mut self, room: &str) {
        self.rooms.retain(|known| known.name != room);
        self.settle_current();
    }

    pub(crate) fn go_to(&mut self, room: &str) -> bool {
        self.returns_to = None;
        let known = self.contains(room);
        if known {
            self.current = Some(room.to_owned());
        }
        known
    }

    /// Has messages go nowhere until the user, or a return, chooses a room.
    pub(crate) fn leave_current(&mut self) {
        self.current = None;
    }

    /// Returns whether this was the current room before the reconnect.
    pub(crate) fn is_return(&self, room: &str) -> bool {
        self.returns_to.as_deref() == Some(room)
    }

    /// Leaves the choice of the current room to the user again.
    pub(crate) fn cancel_return(&mut self) {
        self.returns_to = None;
    }

    pub(crate) fn set_members(&mut self, members: &Members) {
        if let Some(room) = self.room_mut(&members.room) {
            room.people = Some(members.count);
            room.names = members.names.iter().take(NAMES_MAX).cloned().collect();
        }
    }

    /// Records arrivals, one of them perhaps `me`, who is counted from the start. Announcements lag
    /// (T11): a known member was counted when the server sent the list.
    pub(crate) fn add_people(&mut self, presence: &Presence, me: &str) {
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

    /// Records departures. `me` stays: who left under that name was there before (T11). So was
    /// anyone not among the members.
    pub(crate) fn remove_people(&mut self, presence: &Presence, me: &str) {
        let Some(room) = self.room_mut(&presence.room) else { return };
        let knew_all = room.knows_all();
        let mut gone = presence.count.saturating_sub(presence.names.len());
        for name in presence.names.iter().filter(|name| *name != me) {
            let was_known = room.names.remove(name);
            gone += usize::from(was_known || !knew_all);
        }
        room.people = room.people.map(|people| people.saturating_sub(gone).max(1));
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
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
            rooms: rooms
                .iter()
                .map(|&(room, seq, count)| RoomState { room: room.into(), seq, count, sealed: None })
                .collect(),
        }
    }

    fn presence(room: &str, names: &[&str], count: usize) -> Presence {
        Presence {
            room: room.into(),
            names: names.iter().map(|&name| name.into()).collect(),
            count,
            seq: None,
            sealed: None,
        }
    }

    #[test]
    fn a_reconnect_requests_what_came_after_the_last_message_shown() {
        let mut rooms = JoinedRooms::new();
        assert_eq!(rooms.since(), BTreeMap::new(), "nothing is known");
        assert!(rooms.welcome(&welcome(&[("lobby", 5, 2), ("den", 0, 1)])).is_empty());
        assert_eq!(rooms.since(), BTreeMap::from([("den".into(), 0), ("lobby".into(), 5)]));
        rooms.tracker_mut("lobby").expect("a room").take(6);
        for _ in 0..3 {
            assert!(rooms.welcome(&welcome(&[("lobby", 9, 2), ("den", 4, 1)])).is_empty());
            let since = BTreeMap::from([("den".into(), 0), ("lobby".into(), 6)]);
            assert_eq!(rooms.since(), since, "what is on its way has not been shown");
        }
        assert_eq!(rooms.welcome(&welcome(&[("lobby", 3, 2), ("den", 0, 1)])), ["lobby"], "it began anew");
        assert_eq!(rooms.since()["lobby"], 3);
    }

    #[test]
    fn shown_numbers_survive_a_rejoin_after_a_lost_link() {
        let mut rooms = JoinedRooms::new();
        rooms.welcome(&welcome(&[("lobby", 5, 2), ("den", 2, 1)]));
        rooms.welcome(&welcome(&[("lobby", 5, 2)]));
        rooms.enter("den");
        assert_eq!(rooms.since()["den"], 2);
        rooms.leave("den");
        rooms.enter("den");
        assert!(!rooms.since().contains_key("den"));
    }

    #[test]
    fn leaving_the_current_room_moves_to_another_one_then_to_none() {
        let mut rooms = JoinedRooms::new();
        rooms.enter("den");
        assert_eq!(rooms.current(), Some("lobby"));
        assert!(rooms.go_to("den"));
        rooms.leave("den");
        assert_eq!(rooms.current(), Some("lobby"));
        assert!(!rooms.go_to("den") && rooms.go_to("lobby"));
        rooms.leave("lobby");
        assert_eq!(rooms.current(), None);
        rooms.enter("den");
        assert_eq!(rooms.current(), None);
    }

    #[test]
    fn people_are_counted_only_where_the_server_has_said_how_many() {
        let mut rooms = JoinedRooms::new();
        let three = presence("lobby", &["x"], 3);
        rooms.add_people(&three, "me");
        assert_eq!(rooms.people(), None);
        rooms.set_members(&Members { room: "lobby".into(), names: vec!["a".into()], count: 2 });
        rooms.add_people(&three, "me");
        assert_eq!(rooms.people(), Some(5));
        assert_eq!(rooms.people_names().collect::<Vec<_>>(), ["a", "x"]);
        rooms.rename("x", "b");
        rooms.remove_people(&presence("lobby", &["a"], 9), "me");
        assert_eq!((rooms.people(), rooms.people_names().collect::<Vec<_>>()), (Some(1), vec!["b"]));
    }

    #[test]
    fn a_server_cannot_fill_the_memory_with_rooms_or_names() {
        let mut rooms = JoinedRooms::new();
        for number in 0..2_000 {
            rooms.enter(&format!("room{number}"));
            rooms.add_people(&presence("lobby", &[&format!("name{number}")], 1), "me");
        }
        assert_eq!(rooms.names().len(), ROOMS_MAX);
        assert!(rooms.go_to("lobby"));
        assert_eq!(rooms.people_names().count(), NAMES_MAX);
    }
}
