//! Waiting of lines for the key of their room, where nobody can be asked.

use super::RoomKeys;

/// Time for other members' messages to show the room's key, before a first one is begun.
const FIRST_KEY_AFTER_MS: u64 = 1_000;

/// The next line of a program, and since when it waits.
#[derive(Debug)]
pub(crate) struct KeyWait {
    keys: RoomKeys,
    since_ms: Option<u64>,
    has_begun: bool,
}

impl KeyWait {
    pub(crate) fn new(keys: RoomKeys) -> Self {
        Self { keys, since_ms: None, has_begun: false }
    }

    /// Returns whether the next line must wait for the key of its room, which `room` returns. If no
    /// member has shown that key for a while, the first one is begun.
    pub(crate) fn must_wait(&mut self, room: impl FnOnce() -> Option<String>, now_ms: u64) -> bool {
        // Most lines need no look at their room.
        let room = if self.keys.are_all_settled() { None } else { room() };
        let Some(room) = room.filter(|room| !self.keys.is_settled(room)) else {
            (self.since_ms, self.has_begun) = (None, false);
            return false;
        };
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        if now_ms < since_ms + FIRST_KEY_AFTER_MS {
            return true;
        }
        self.has_begun = true;
        // Without a derivation nothing tells when there will be a key; sending says what is missing.
        self.keys.begin_if_unknown(&room)
    }

    /// Time at which to ask again; the end of a derivation is an event of its own.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        self.since_ms.filter(|_| !self.has_begun).map(|since_ms| since_ms + FIRST_KEY_AFTER_MS)
    }
}
