//! Rooms: opening, entering, leaving, closing, and presence.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::event::{
    ErrorCode, Event, Members, Presence as PresenceEvent, Rejection, RoomCount, RoomState, Rooms,
};
use glassline_wire::limits::{LISTED_NAMES_MAX, LISTED_ROOMS_MAX};
use glassline_wire::natural_order;

use crate::Now;
use crate::hub::{Hub, Reply, ReplyResult};
use crate::id::{MemberId, RoomId};
use crate::member::{Arrival, Member};
use crate::name::room_name;
use crate::presence::{self, Announcement};
use crate::room::{NewestMessage, Room};

impl Hub {
    /// Sets the lobby's newest number, from the history.
    pub fn resume_lobby(&mut self, newest_seq: u64) {
        if let Some(lobby) = self.rooms.get_mut(self.rooms.lobby()) {
            lobby.set_seq(newest_seq);
        }
    }

    pub(super) fn close_room_if_empty(&mut self, id: RoomId) {
        if let Some(room) = self.rooms.close_if_empty(id)
            && self.rules.durable
        {
            self.closed_rooms.note(room.name().to_string(), Some(room.newest()));
        }
    }

    /// The room of this name that a member is in.
    pub(super) fn room_of(&self, id: MemberId, wished: &str) -> Result<RoomId, Rejection> {
        let member = self.members.get(id);
        let is_in = |room: &RoomId| member.is_some_and(|member| member.follows(*room));
        // Most requests write the name as the server does, and reading it as a name costs more than
        // the rest of a message.
        if let Some(room) = self.rooms.find(wished).filter(is_in) {
            return Ok(room);
        }
        let name = room_name(wished)?;
        let room = self.rooms.find(&name).filter(is_in);
        room.ok_or_else(|| unknown_room(&name))
    }

    /// Adds a member to a room, opening it if need be.
    ///
    /// # Errors
    /// The room's name breaks the rules, or there are too many rooms.
    pub fn join(&mut self, id: MemberId, wished: &str, now: Now) -> ReplyResult {
        let room_id = self.admit(id, wished)?;
        let is_new = self.enter_room(id, room_id, true, now);
        let room = self.rooms.get(room_id);
        let (seq, sealed) = (room.map(Room::seq), room.and_then(Room::sealed_beginning));
        let presence = PresenceEvent { seq, sealed, ..self.own_presence(id, room_id) };
        Ok(Reply::Joined { presence, is_new })
    }

    /// The room of this name, opened if need be, if this member may enter it.
    pub(super) fn admit(&mut self, id: MemberId, wished: &str) -> Result<RoomId, Rejection> {
        let name = room_name(wished)?;
        let known = self.rooms.find(&name);
        let member = self.members.get(id);
        if let Some(room) = known.filter(|&room| member.is_some_and(|member| member.follows(room))) {
            return Ok(room);
        }
        let count = member.map_or(0, |member| member.rooms().len());
        if count >= self.rules.rooms_per_member_max {
            let text = format!("you are in {count} rooms, the most there may be; leave one first");
            return Err(Rejection::new(ErrorCode::TooManyRooms, text));
        }
        match known {
            Some(room) => Ok(room),
            None if self.rooms.len() >= self.rules.rooms_max => {
                let text = format!("there are {} rooms, the most there may be; join one of them", self.rooms.len());
                Err(Rejection::new(ErrorCode::TooManyRooms, text))
            }
            None => {
                let newest = if self.rules.durable { self.closed_rooms.take(&name)? } else { NewestMessage::default() };
                if !self.is_operator(id) {
                    self.moderation.check_opening(newest.seq)?;
                }
                Ok(self.rooms.open(&name, newest))
            }
        }
    }

    /// Puts a member into a room and announces it if `announced`. False if it was there already.
    pub(super) fn enter_room(&mut self, id: MemberId, room_id: RoomId, announced: bool, now: Now) -> bool {
        let Some(member) = self.members.get(id) else { return false };
        if member.follows(room_id) {
            return false;
        }
        if announced && member.arrival() == Arrival::Announced && !self.rules.pure {
            let (name, token) = (member.name().to_string(), member.token());
            self.rooms.note_arrival(room_id, &name, token);
            // If announced at once, the new member's position is after its own arrival.
            self.tick(now);
        }
        let (Some(member), Some(room)) = (self.members.get_mut(id), self.rooms.get_mut(room_id)) else {
            return false;
        };
        member.send_queue_mut().follow(room_id, room, id);
        true
    }

    /// Takes a member out of a room.
    ///
    /// # Errors
    /// It is not there.
    pub fn leave(&mut self, id: MemberId, wished: &str, now: Now) -> ReplyResult {
        let room_id = self.room_of(id, wished)?;
        let presence = self.own_presence(id, room_id);
        self.exit_room(id, room_id, true, now);
        Ok(Event::Left(presence).into())
    }

    fn own_presence(&self, id: MemberId, room_id: RoomId) -> PresenceEvent {
        let (room, name) = (self.rooms.name(room_id).to_string(), self.name(id).to_string());
        PresenceEvent { room, names: Vec::from([name]), count: 1, seq: None, sealed: None }
    }

    pub(super) fn exit_room(&mut self, id: MemberId, room_id: RoomId, announced: bool, now: Now) {
        self.cancel_replay(id, room_id);
        self.abandon_backlog(id, room_id);
        self.unfollow(id, room_id, announced, now);
        self.resume_replay(id);
        self.close_room_if_empty(room_id);
    }

    fn unfollow(&mut self, id: MemberId, room_id: RoomId, announced: bool, now: Now) {
        let (Some(member), Some(room)) = (self.members.get_mut(id), self.rooms.get_mut(room_id)) else { return };
        if !member.follows(room_id) {
            return;
        }
        let (name, token, arrival) = (member.name().to_string(), member.token(), member.arrival());
        if let Some((moved, slot)) = member.send_queue_mut().unfollow(room_id, room)
            && let Some(moved) = self.members.get_mut(moved)
        {
            moved.send_queue_mut().set_slot(room_id, slot);
        }
        if announced && arrival == Arrival::Announced && !self.rules.pure {
            self.rooms.note_departure(room_id, &name, token);
            self.tick(now);
        }
    }

    /// Announces arrivals and departures that are due (T11).
    pub fn tick(&mut self, now: Now) {
        for (room_id, announcement) in self.rooms.take_due_announcements(now.monotonic_ms) {
            self.announce_presence(room_id, &announcement);
        }
    }

    /// Announces at once what may be about these names: no rename may overtake it (T11).
    pub(super) fn announce_waiting(&mut self, room_id: RoomId, names: [&str; 2], now: Now) {
        if let Some(announcement) = self.rooms.take_announcement_of(room_id, names, now.monotonic_ms) {
            self.announce_presence(room_id, &announcement);
        }
    }

    fn announce_presence(&mut self, room_id: RoomId, Announcement { left_before, joined, left }: &Announcement) {
        let Some(room) = self.rooms.get(room_id).map(|room| room.name().to_string()) else { return };
        for (changes, event) in
            [(left_before, Event::Left as fn(_) -> _), (joined, Event::Joined as fn(_) -> _), (left, Event::Left)]
        {
            if changes.count() > 0 {
                let names = changes.names().map(ToString::to_string).collect();
                let room = room.clone();
                let presence = PresenceEvent { room, names, count: changes.count(), seq: None, sealed: None };
                self.send_to_room(room_id, event(presence));
            }
        }
    }

    /// Returns the members of a room, for one of its members.
    ///
    /// # Errors
    /// The member is not in it.
    pub fn members_of(&self, id: MemberId, wished: &str) -> Result<Members, Rejection> {
        let room_id = self.room_of(id, wished)?;
        let (names, count) = self.names_in(room_id, id, LISTED_NAMES_MAX);
        let room = self.rooms.name(room_id).to_string();
        Ok(Members { room, names, count })
    }

    /// Up to `names_max` names that `viewer` may see in a room, in natural order, and their number.
    pub(super) fn names_in(&self, room_id: RoomId, viewer: MemberId, names_max: usize) -> (Vec<String>, usize) {
        let Some(room) = self.rooms.get(room_id) else { return (Vec::new(), 0) };
        let seen = || {
            let members = room.members().filter_map(|id| Some((id, self.members.get(id)?)));
            members.filter(|(id, member)| self.may_see(viewer, *id, member))
        };
        let mut names: Vec<String> = seen().take(names_max).map(|(_, member)| member.name().to_string()).collect();
        names.sort_unstable_by(|one, other| natural_order::compare(one, other));
        let count = if self.moderation.is_frozen() { seen().count() } else { room.count() };
        (names, count)
    }

    /// Returns the members of a room as a text with up to `names_max` names; nothing if empty.
    pub(super) fn names_in_words(&self, room_id: RoomId, viewer: MemberId, names_max: usize) -> Option<String> {
        let (names, count) = self.names_in(room_id, viewer, names_max);
        let held_back = self.rooms.get(room_id).map_or(0, Room::count).saturating_sub(count);
        let seen = presence::summarize(&names, count);
        match (count, held_back) {
            (0, 0) => None,
            (_, 0) => Some(seen),
            (0, held_back) => Some(format!("{held_back} who came during the freeze")),
            (_, held_back) => Some(format!("{seen}, and {held_back} who came during the freeze")),
        }
    }

    /// The rooms and how many are in each, the lobby first; at most [`LISTED_ROOMS_MAX`] of them.
    pub fn rooms_listed(&self) -> Rooms {
        let listed = self.rooms.iter().take(LISTED_ROOMS_MAX);
        let rooms = listed.map(|room| RoomCount { room: room.name().to_string(), count: room.count() }).collect();
        Rooms { rooms, count: self.rooms.len() }
    }

    pub(super) fn current_room(&self, id: MemberId) -> Option<(RoomId, &Room)> {
        let room_id = self.members.get(id)?.rooms().next()?;
        Some((room_id, self.rooms.get(room_id)?))
    }

    /// Returns the name of that room; empty for none.
    pub(super) fn current_room_name(&self, id: MemberId) -> String {
        self.current_room(id).map_or_else(String::new, |(_, room)| room.name().to_string())
    }

    /// The rooms a member is in, as `welcome` lists them.
    pub(super) fn room_states(&self, id: MemberId) -> Vec<RoomState> {
        let rooms = self.members.get(id).into_iter().flat_map(Member::rooms);
        let rooms = rooms.filter_map(|room| self.rooms.get(room));
        let state = |room: &Room| RoomState {
            room: room.name().to_string(),
            seq: room.seq(),
            count: room.count(),
            sealed: room.sealed_beginning(),
        };
        rooms.map(state).collect()
    }
}

pub(super) fn unknown_room(room: &str) -> Rejection {
    Rejection::new(ErrorCode::UnknownRoom, format!("you are not in {room}; join it first"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{NameHolder, Rules};
    use crate::member::ConnectInfo;
    use core::net::Ipv4Addr;
    use glassline_wire::envelope::Envelope;
    use glassline_wire::limits::{EVENT_BYTES_MAX, REF_BYTES_MAX};
    use glassline_wire::link::LinkFacts;
    use glassline_wire::request::Hello;
    use glassline_wire::timestamp::Timestamp;

    #[test]
    fn excess_rooms_are_counted_and_the_longest_list_fits_a_frame() {
        let mut hub = Hub::new(Rules::default());
        let now = Now { monotonic_ms: 0, at: Timestamp::from_unix_ms(1_700_000_000_000) };
        // Thirty-two characters, most of which JSON writes as two.
        let names: Vec<String> = (0..2_047).map(|n| format!("{}{n:04}", "\"".repeat(28))).collect();
        for (n, rooms) in names.chunks(16).enumerate() {
            let hello = Hello { name: format!("m{n}"), rooms: Some(rooms.to_vec()), ..Hello::default() };
            let login = ConnectInfo {
                connection: n,
                token: 1,
                address: Ipv4Addr::LOCALHOST.into(),
                link: LinkFacts::PLAINTEXT,
                now,
            };
            hub.enter_event(&hello, None, NameHolder::Unasked, login).expect("good names");
        }
        let listed = hub.rooms_listed();
        assert_eq!((listed.count, listed.rooms.len()), (2_048, LISTED_ROOMS_MAX));
        assert_eq!(listed.rooms[0], RoomCount { room: "lobby".to_string(), count: 0 });
        assert!(listed.rooms[1..].iter().all(|room| room.count == 1 && names.contains(&room.room)));
        let bytes = Envelope::new(Event::Rooms(listed), Some("\0".repeat(REF_BYTES_MAX))).to_json().len();
        assert!((30_000..=EVENT_BYTES_MAX).contains(&bytes), "{bytes} bytes");
    }
}
