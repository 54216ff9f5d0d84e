//! Waiting of lines for the key of their room, where nobody can be asked.

use super::RoomKeys;

/// Time for other members' messages to show the room's key, before a first one is begun.
const FIRST_KEY_AFTER_MS: u64 = 1_000;

/// The next line of a program, and since when it waits.
#[derive(Debug, Default)]
pub(crate) struct KeyWait {
    keys: Option<RoomKeys>,
    since_ms: Option<u64>,
    has_begun: bool,
}

impl KeyWait {
    pub(crate) fn new(keys: RoomKeys) -> Self {
        Self { keys: Some(keys), since_ms: None, has_begun: false }
    }

    /// Returns whether the next line, which is for this room, must wait. If no member has shown
    /// the room's key for a while, the first one is begun.
    pub(crate) fn must_wait(&mut self, room: Option<&str>, now_ms: u64) -> bool {
        let waiting = self.keys.as_ref().zip(room).filter(|(keys, room)| !keys.is_settled(room));
        let Some((keys, room)) = waiting else {
            (self.since_ms, self.has_begun) = (None, false);
            return false;
        };
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        if now_ms >= since_ms + FIRST_KEY_AFTER_MS {
            self.has_begun = true;
            keys.begin_if_unknown(room);
        }
        true
    }

    /// Time at which to ask again; the end of a derivation is an event of its own.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        self.since_ms.filter(|_| !self.has_begun).map(|since_ms| since_ms + FIRST_KEY_AFTER_MS)
    }
}
