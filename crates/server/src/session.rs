//! Sessions: one dialect's bytes become calls on the hub. They never touch a socket.

use glassline_room::{Entrance, Hub, MemberId, Now};

use crate::flood::Flood;

pub(crate) mod event;
pub(crate) mod tutorial;

/// What a session may use while it takes bytes in.
pub(crate) struct Desk<'a> {
    pub(crate) hub: &'a mut Hub,
    pub(crate) now: Now,
    pub(crate) connection: usize,
    pub(crate) member: &'a mut Option<MemberId>,
    pub(crate) flood: Option<&'a mut Flood>,
    /// What a connection without a name is told.
    pub(crate) words: &'a mut Vec<u8>,
    pub(crate) pure: bool,
}

/// What is to become of the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on; all input was taken.
    GoesOn,
    /// It goes on, but not now: what is left of the input waits.
    Waits(Wait),
    /// It left in order (T6): what waits for it is still sent, with these last words.
    Left { reason: &'static str, words: Vec<u8> },
    /// It cannot go on: the reason, for the log and the counters, and last words.
    Refused { reason: &'static str, detail: String, words: Vec<u8> },
}

/// What a connection waits for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The flood limit lets it go on after so many milliseconds.
    Flood { resume_after_ms: u64 },
    /// It must read some of what it is owed first.
    Outbox,
    /// The members of its room must be written to first: the next turn goes on with it.
    Lap,
    /// The holder of the name it claims is asked for a sign of life.
    Takeover { holder: MemberId },
}

impl Desk<'_> {
    /// How a newcomer comes in now, with a fresh token.
    pub(crate) fn entrance(&self) -> Entrance {
        let mut token = [0; 16];
        // Without randomness there is no secret, and the hub takes no name back for a token of zero.
        let token = getrandom::fill(&mut token).map_or(0, |()| u128::from_ne_bytes(token));
        Entrance { connection: self.connection, token, now: self.now }
    }

    /// Whether the next frame must wait, now that one of so many bytes was taken.
    pub(crate) fn must_wait(&mut self, last_frame_bytes: usize) -> Option<Wait> {
        let member = (*self.member)?;
        let now_ms = self.now.monotonic_ms;
        let resume_after_ms = self.flood.as_deref_mut().map_or(0, |flood| flood.take(last_frame_bytes, now_ms));
        if resume_after_ms > 0 {
            Some(Wait::Flood { resume_after_ms })
        } else if self.hub.is_overfull(member) {
            Some(Wait::Outbox)
        } else if self.hub.is_flooded() {
            Some(Wait::Lap)
        } else {
            None
        }
    }
}
