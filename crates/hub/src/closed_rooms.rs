//! Newest numbers of rooms that are not open.

use alloc::{collections::BTreeMap, format, string::String};

use glassline_wire::event::{ErrorCode, Rejection};

/// Rooms that are not open and whose newest number is known: a client is about to open them, or has
/// just left.
const ROOMS_MAX: usize = 1_024;

/// Newest numbers of rooms that are not open. They stay correct: no member here sends
/// there, and messages of other servers are recorded.
#[derive(Debug, Default)]
pub(crate) struct ClosedRooms {
    heads: BTreeMap<String, Head>,
    noted: u64,
}

#[derive(Debug)]
struct Head {
    /// The newest number; nothing if it could not be read.
    newest_seq: Option<u64>,
    /// Counts up with each that is noted.
    noted: u64,
}

impl ClosedRooms {
    /// Records the newest number of a room that is not open. The oldest is dropped first:
    /// a client may be about to open several rooms, and must find all of them known.
    pub(crate) fn note(&mut self, room: String, newest_seq: Option<u64>) {
        if self.heads.len() >= ROOMS_MAX
            && let Some(oldest) = self.heads.iter().min_by_key(|(_, head)| head.noted).map(|(room, _)| room.clone())
        {
            self.heads.remove(&oldest);
        }
        self.noted += 1;
        self.heads.insert(room, Head { newest_seq, noted: self.noted });
    }

    /// Raises the number of a room that is here. Returns whether it is.
    pub(crate) fn raise(&mut self, room: &str, seq: u64) -> bool {
        let head = self.heads.get_mut(room);
        head.map(|head| head.newest_seq = head.newest_seq.max(Some(seq))).is_some()
    }

    /// Returns whether it was queried, read or not.
    pub(crate) fn contains(&self, room: &str) -> bool {
        self.heads.contains_key(room)
    }

    pub(crate) fn knows(&self, room: &str) -> bool {
        self.heads.get(room).is_some_and(|head| head.newest_seq.is_some())
    }

    /// Takes out the newest number of a room that is opened now.
    pub(crate) fn take(&mut self, room: &str) -> Result<u64, Rejection> {
        let unreadable = || Rejection::new(ErrorCode::Busy, format!("the history of {room} cannot be read; try again"));
        self.heads.remove(room).and_then(|head| head.newest_seq).ok_or_else(unreadable)
    }
}
