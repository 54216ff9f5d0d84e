//! Events for the server's log, which the hub does not write itself.

use alloc::string::String;

use glassline_wire::event::AuditEntry;

/// Event for the server's log.
#[derive(Debug, PartialEq, Eq)]
pub enum LogEvent {
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
