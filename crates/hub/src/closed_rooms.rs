//! Newest messages of rooms that are not open.

use alloc::{collections::BTreeMap, format, string::String};

use glassline_wire::event::{ErrorCode, Rejection};

use crate::room::NewestMessage;

/// Rooms that are not open and whose newest message is known: a client is about to open them, or
/// has just left.
const ROOMS_MAX: usize = 1_024;

/// Newest messages of rooms that are not open. They stay correct: no member here sends
/// there, and messages of other servers are recorded.
#[derive(Debug, Default)]
pub(crate) struct ClosedRooms {
    heads: BTreeMap<String, Head>,
    noted: u64,
}

#[derive(Debug)]
struct Head {
    /// The newest message; nothing if it could not be read.
    newest: Option<NewestMessage>,
    /// Counts up with each that is noted.
    noted: u64,
}

impl ClosedRooms {
    /// Records the newest message of a room that is not open. The oldest is dropped first:
    /// a client may be about to open several rooms, and must find all of them known.
    pub(crate) fn note(&mut self, room: String, newest: Option<NewestMessage>) {
        if self.heads.len() >= ROOMS_MAX
            && let Some(oldest) = self.heads.iter().min_by_key(|(_, head)| head.noted).map(|(room, _)| room.clone())
        {
            self.heads.remove(&oldest);
        }
        self.noted += 1;
        self.heads.insert(room, Head { newest, noted: self.noted });
    }

    /// Records a newer message of a room that is here. Returns whether the room is.
    pub(crate) fn raise(&mut self, room: &str, newer: NewestMessage) -> bool {
        let Some(head) = self.heads.get_mut(room) else { return false };
        if head.newest.is_none_or(|newest| newest.seq < newer.seq) {
            head.newest = Some(newer);
        }
        true
    }

    /// Returns whether it was queried, read or not.
    pub(crate) fn contains(&self, room: &str) -> bool {
        self.heads.contains_key(room)
    }

    pub(crate) fn knows(&self, room: &str) -> bool {
        self.heads.get(room).is_some_and(|head| head.newest.is_some())
    }

    /// Takes out the newest message of a room that is opened now.
    pub(crate) fn take(&mut self, room: &str) -> Result<NewestMessage, Rejection> {
        let unreadable = || Rejection::new(ErrorCode::Busy, format!("the history of {room} cannot be read; try again"));
        self.heads.remove(room).and_then(|head| head.newest).ok_or_else(unreadable)
    }
}
