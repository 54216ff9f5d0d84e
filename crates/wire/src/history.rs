//! Vocabulary of the history: records that are to be stored, entries that are, and questions about
//! them. The hub, the journal and its stores share these types; none is sent over the wire as
//! it is.

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::event::{AuditEntry, Message};
use crate::request::{HistoryRange, Search};

/// Number, chosen by the caller, that is returned with the result of a request.
pub type Ticket = u64;

/// Cost of a record beside its texts, in bytes.
const RECORD_BYTES: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Message(NewMessage),
    Audit(AuditEntry),
}

/// A message that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The message, `at` set, without `seq`.
    pub message: Message,
    /// Author, the owner of the ids: the same number for the same client across its connections and
    /// names; 0 for none.
    pub author: u64,
    /// The newest number of the room that the client knew when it first sent the message, if
    /// stated: a copy stored before has a higher number.
    pub after: Option<u64>,
    /// Origin: the same number for all that share an address or, of IPv6, a network of 64 bits; 0
    /// if that is not known. Removal by size is fair between origins.
    pub subnet: u128,
}

/// A record with its ticket, on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRecord {
    /// Returned with the outcome, in the order in which records were handed over.
    pub ticket: Ticket,
    pub record: Record,
}

/// Outcome of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It survives a crash. A message has this number in its room: one more than the newest before
    /// it.
    Stored {
        /// From 1, without holes; 0 for an act.
        seq: u64,
    },
    /// It became no entry of the log.
    NotAppended(NotAppended),
}

/// Cause for which a record became no entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAppended {
    /// Its `id` was used in this room by the same author, or by a client of the same name,
    /// with the same text: that message, as it is stored. No second copy was made (E4).
    Again(Box<Message>),
    /// As [`NotAppended::Again`], but the text or `action` differs. Nothing was stored.
    IdReused,
    /// It may have been stored before, which is no longer known. Nothing was stored now.
    TooLate,
    /// It is the first of its room, and its origin has opened as many rooms as allowed.
    /// Nothing was stored.
    NoMoreRooms,
    /// It was not stored: the cause and next step, as text for its sender.
    NotStored(String),
}

/// Entry of the committed log. Entries come in the order of the log, those of this server and those
/// that another server wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Ticket of the record that became this entry; nothing if another server wrote it.
    pub ticket: Option<Ticket>,
    pub content: EntryContent,
}

/// Content of an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryContent {
    /// A message with its `seq`.
    Message(Message),
    Audit(AuditEntry),
}

impl Record {
    /// Returns the memory that the record takes while it waits to be stored, roughly, in bytes.
    pub fn bytes(&self) -> usize {
        RECORD_BYTES
            + match self {
                Self::Message(NewMessage { message, .. }) => {
                    message.text.len()
                        + message.sealed.as_ref().map_or(0, String::len)
                        + message.room.len()
                        + message.from.len()
                }
                Self::Audit(act) => {
                    act.by.len() + act.who.as_ref().map_or(0, String::len) + act.text.as_ref().map_or(0, String::len)
                }
            }
    }

    /// Returns the entry that this record became; a message has the number `seq`.
    pub fn committed(self, ticket: Ticket, seq: u64) -> Entry {
        let content = match self {
            Self::Message(new) => EntryContent::Message(Message { seq: Some(seq), ..new.message }),
            Self::Audit(act) => EntryContent::Audit(act),
        };
        Entry { ticket: Some(ticket), content }
    }
}

/// Question about what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The numbers of the room of this name.
    Head(String),
    Range(HistoryRange),
    Search(Search),
}

/// Answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Head`].
    Head(Head),
    /// To the others.
    Page(Page),
}

/// Numbers of a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The oldest that is still stored; `newest + 1` if none is.
    pub oldest: u64,
    /// The newest that was ever given; 0 before the first.
    pub newest: u64,
    /// `Some(true)` if the message with the number `newest` is sealed; `None` if it is not stored.
    pub newest_is_sealed: Option<bool>,
}

/// Some messages of a room, oldest first, in as many as fit one `history` event: at most
/// [`PAGE_MESSAGES_MAX`](crate::limits::PAGE_MESSAGES_MAX), and so many bytes that the event keeps
/// to [`EVENT_BYTES_MAX`](crate::limits::EVENT_BYTES_MAX) with the longest `ref`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub messages: Vec<Message>,
    /// There are more in the direction asked.
    pub more: bool,
}

/// Reason why a question has no answer; each holds text for the requester.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// It cannot be read.
    Unreadable(String),
    /// It took too long, and may not the next time.
    TooSlow(String),
}
