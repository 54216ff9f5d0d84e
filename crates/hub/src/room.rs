//! Open rooms: each one's number, its lanes, and the changes that are still to be announced.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::limits::SEALED_BEGINNING_BYTES;
use glassline_wire::request::LOBBY;
use slotmap::SlotMap;

use crate::dialect::Dialect;
use crate::id::{MemberId, RoomId};
use crate::lane::Lane;
use crate::log::Log;
use crate::presence::{Announcement, Presence};
use crate::recent_ids::RecentIds;

/// Form of a room's newest message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Sealing {
    /// There is none.
    #[default]
    Undecided,
    /// Readable.
    Open,
    /// Sealed.
    Sealed,
}

impl Sealing {
    pub(crate) fn of(is_sealed: bool) -> Self {
        if is_sealed { Self::Sealed } else { Self::Open }
    }
}

/// Newest message of a room, as far as what follows depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NewestMessage {
    /// Its number; 0 before the first.
    pub(crate) seq: u64,
    pub(crate) sealing: Sealing,
}

#[derive(Debug)]
pub(crate) struct Room {
    name: Box<str>,
    /// Number of the newest message; 0 before the first.
    seq: u64,
    /// Messages on their way into the history; the room stays open for them.
    in_flight: usize,
    /// Form of the newest of these.
    queued: Option<Sealing>,
    sealing: Sealing,
    /// Beginning of the newest sealed message, of [`SEALED_BEGINNING_BYTES`] at most.
    sealed_beginning: String,
    recent_ids: RecentIds,
    presence: Presence,
    lanes: [Lane; 2],
}

impl Room {
    fn new(name: &str, NewestMessage { seq, sealing }: NewestMessage) -> Self {
        Self {
            name: name.into(),
            seq,
            in_flight: 0,
            queued: None,
            sealing,
            sealed_beginning: String::new(),
            presence: Presence::default(),
            recent_ids: RecentIds::default(),
            lanes: Default::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    pub(crate) fn set_seq(&mut self, seq: u64) {
        self.seq = seq;
    }

    pub(crate) fn newest(&self) -> NewestMessage {
        NewestMessage { seq: self.seq, sealing: self.sealing }
    }

    pub(crate) fn note_in_flight(&mut self, form: Sealing) {
        self.in_flight += 1;
        self.queued = Some(form);
    }

    pub(crate) fn note_settled(&mut self) {
        self.in_flight -= 1;
        if self.in_flight == 0 {
            // Some may not have been stored.
            self.queued = None;
        }
    }

    pub(crate) fn sealing(&self) -> Sealing {
        self.sealing
    }

    /// Returns the form of the message that the next one follows: the history stores them in the order
    /// in which they are queued.
    pub(crate) fn sealing_before_next(&self) -> Sealing {
        self.queued.unwrap_or(self.sealing)
    }

    /// Notes the form of the newest message, and the beginning of a sealed one, which the next ones
    /// mostly share. Returns whether the room was not sealed before and is now.
    pub(crate) fn note_form(&mut self, sealed: Option<&str>) -> bool {
        if let Some(sealed) = sealed {
            let beginning = &sealed[..sealed.floor_char_boundary(SEALED_BEGINNING_BYTES)];
            if self.sealed_beginning != beginning {
                self.sealed_beginning.clear();
                self.sealed_beginning.push_str(beginning);
            }
        }
        let before = core::mem::replace(&mut self.sealing, Sealing::of(sealed.is_some()));
        sealed.is_some() && before != Sealing::Sealed
    }

    /// Returns the beginning of the newest sealed message where the room is sealed, or is about to be;
    /// empty where that message came before the room was opened, or is not stored yet.
    pub(crate) fn sealed_beginning(&self) -> Option<String> {
        match (self.sealing, self.queued) {
            (Sealing::Sealed, _) => Some(self.sealed_beginning.clone()),
            (_, Some(Sealing::Sealed)) => Some(String::new()),
            _ => None,
        }
    }

    pub(crate) fn recent_ids(&self) -> &RecentIds {
        &self.recent_ids
    }

    pub(crate) fn recent_ids_mut(&mut self) -> &mut RecentIds {
        &mut self.recent_ids
    }

    pub(crate) fn lane(&self, dialect: Dialect) -> &Lane {
        &self.lanes[dialect.lane()]
    }

    pub(crate) fn lane_mut(&mut self, dialect: Dialect) -> &mut Lane {
        &mut self.lanes[dialect.lane()]
    }

    pub(crate) fn count(&self) -> usize {
        self.lanes.iter().map(|lane| lane.followers().len()).sum()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.lanes.iter().flat_map(|lane| lane.followers().iter().copied())
    }
}

/// The open rooms, by key and by name. The lobby is always open.
#[derive(Debug)]
pub(crate) struct Rooms {
    open: SlotMap<RoomId, Room>,
    by_name: BTreeMap<String, RoomId>,
    lobby: RoomId,
    /// Rooms with presence changes to announce.
    unannounced: Vec<RoomId>,
}

impl Default for Rooms {
    fn default() -> Self {
        let mut open = SlotMap::with_key();
        let lobby = open.insert(Room::new(LOBBY, NewestMessage::default()));
        Self { open, by_name: BTreeMap::from([(LOBBY.to_string(), lobby)]), lobby, unannounced: Vec::new() }
    }
}

impl Rooms {
    pub(crate) fn lobby(&self) -> RoomId {
        self.lobby
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn get(&self, id: RoomId) -> Option<&Room> {
        self.open.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.open.get_mut(id)
    }

    /// Returns the open rooms, the lobby first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.open.values()
    }

    pub(crate) fn find(&self, name: &str) -> Option<RoomId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn open(&mut self, name: &str, newest: NewestMessage) -> RoomId {
        let id = self.open.insert(Room::new(name, newest));
        self.by_name.insert(name.to_string(), id);
        id
    }

    /// Closes a room without members and without messages being stored, unless it is the lobby.
    pub(crate) fn close_if_empty(&mut self, id: RoomId) -> Option<Room> {
        if id == self.lobby || !self.open.get(id).is_some_and(|room| room.count() == 0 && room.in_flight == 0) {
            return None;
        }
        let room = self.open.remove(id)?;
        self.by_name.remove(&*room.name);
        self.unannounced.retain(|&unannounced| unannounced != id);
        Some(room)
    }

    pub(crate) fn log(&self, id: RoomId, dialect: Dialect) -> Option<&Log> {
        self.open.get(id).map(|room| room.lane(dialect).log())
    }

    /// Returns the name of a room; empty for one that is closed.
    pub(crate) fn name(&self, id: RoomId) -> &str {
        self.open.get(id).map_or("", Room::name)
    }

    pub(crate) fn note_arrival(&mut self, id: RoomId, name: &str, token: u128) {
        self.note_presence(id, |presence| presence.arrived(name, token));
    }

    pub(crate) fn note_departure(&mut self, id: RoomId, name: &str, token: u128) {
        self.note_presence(id, |presence| presence.departed(name, token));
    }

    fn note_presence(&mut self, id: RoomId, note: impl FnOnce(&mut Presence)) {
        if let Some(room) = self.open.get_mut(id) {
            note(&mut room.presence);
            if !self.unannounced.contains(&id) {
                self.unannounced.push(id);
            }
        }
    }

    /// Takes the announcements for which it is time (T11).
    pub(crate) fn take_due_announcements(&mut self, now_ms: u64) -> Vec<(RoomId, Announcement)> {
        let mut due = Vec::new();
        self.unannounced.retain(|&id| {
            let Some(room) = self.open.get_mut(id) else { return false };
            due.extend(room.presence.take_due(now_ms).map(|announcement| (id, announcement)));
            room.presence.due_ms().is_some()
        });
        due
    }

    /// Takes what waits to be announced in a room, if some of it may be about one of these names.
    pub(crate) fn take_announcement_of(&mut self, id: RoomId, names: [&str; 2], now_ms: u64) -> Option<Announcement> {
        let presence = &mut self.open.get_mut(id)?.presence;
        names.iter().any(|name| presence.may_concern(name)).then(|| presence.take(now_ms))
    }

    /// Returns the instant of the next announcement, on the monotonic clock.
    pub(crate) fn next_announcement_ms(&self) -> Option<u64> {
        self.unannounced.iter().filter_map(|&room| self.open.get(room)?.presence.due_ms()).min()
    }

    pub(crate) fn shrink(&mut self) {
        self.open.values_mut().flat_map(|room| &mut room.lanes).for_each(Lane::shrink);
    }

    pub(crate) fn log_bytes(&self) -> usize {
        self.iter().flat_map(|room| &room.lanes).map(|lane| lane.log().kept_bytes()).sum()
    }
}
