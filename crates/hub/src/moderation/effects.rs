//! Effects of moderation that are still to come: connections to close, acts to store.

use alloc::vec::Vec;

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

/// An act on its way to be stored.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) act: AuditEntry,
    /// Target of a kick, not a later holder of its name.
    pub(crate) target: Option<MemberId>,
}
