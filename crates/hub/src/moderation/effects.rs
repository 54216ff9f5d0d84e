//! Effects of moderation that remain for the owner of the sockets: connections to close, and events
//! for the server's log.

use alloc::{string::String, vec::Vec};

use glassline_wire::event::{AuditEntry, ErrorCode};

use crate::id::MemberId;

/// A member whose connection the owner of the sockets closes after sending its queue.
#[derive(Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// Member that is hit.
    pub member: MemberId,
    /// The number under which the owner of the sockets knows it.
    pub connection: usize,
    /// `kicked` or `banned`.
    pub code: ErrorCode,
    /// Its last output, in its dialect.
    pub output: Vec<u8>,
}

/// Event for the server's log.
#[derive(Debug, PartialEq, Eq)]
pub enum AuditEvent {
    /// An act that is in force.
    Act(AuditEntry),
    /// An attempt to become an operator.
    WrongToken {
        /// Connection that showed the token.
        connection: usize,
        /// Attempts that its address has left for now.
        left: u64,
    },
    /// A client has a number of a room that its history has not given: either the client is wrong,
    /// or the history has lost messages.
    ClientAheadOfHistory {
        /// The room.
        room: String,
        /// The number in its `since`.
        seen: u64,
        /// The room's newest.
        newest: u64,
    },
}

/// An act on its way to be stored.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) act: AuditEntry,
    /// Target of a kick, not a later holder of its name.
    pub(crate) target: Option<MemberId>,
}
