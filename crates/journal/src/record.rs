//! Records that are stored, and their outcomes.

use glassline_wire::event::{AuditEntry, Message};

/// One thing to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Something said in a room.
    Message(Entry),
    /// Something an operator did.
    Act(AuditEntry),
}

/// A message on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The message, `at` set, without `seq` and `ref`.
    pub message: Message,
    /// Author, to whom the ids belong: the same number for the same client across its connections
    /// and names; 0 is nobody's.
    pub author: u64,
    /// The newest number of the room that the client knew when it first sent the message, if it
    /// says so: where the message was stored before, it has a higher one.
    pub after: Option<u64>,
    /// Origin: the same number for all that share an address or, of IPv6, a network of 64 bits; 0
    /// if that is not known. Forgetting by size is fair by it.
    pub subnet: u128,
}

/// Outcome of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It survives a crash. A message has this number in its room: one more than the newest before it.
    Stored {
        /// From 1, without holes; 0 for an act.
        seq: u64,
    },
    /// Its `id` came before in this room from the same author, or from somebody of the same name, with the same text: that message,
    /// as it is stored. No second copy was made (E4).
    Again(Box<Message>),
    /// As [`Outcome::Again`], but the text or `action` differs. Nothing was stored.
    IdReused,
    /// It may have been stored before, and this cannot be told any more. Nothing was stored now.
    TooLate,
    /// It is the first of its room, and as many rooms were opened from where it comes as may be. Nothing was stored.
    NoMoreRooms,
}
