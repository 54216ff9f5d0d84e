//! One connection: its link, where it stands, and what it is owed before and after it is a member.

use std::net::SocketAddr;

use glassline_hub::MemberId;

use crate::admission::Flood;
use crate::admission::Terms;
use crate::protocol::sniff::Door;
use crate::protocol::{event::EventSession, tutorial::TutorialSession};

/// State of a connection.
#[derive(Debug)]
pub(crate) enum Phase {
    /// It has not shown what it speaks.
    AtDoor(Door),
    /// It speaks the tutorial dialect.
    Tutorial(TutorialSession),
    /// It speaks the event dialect.
    Event(EventSession),
    /// Its last words are on their way; what it still sends is read and dropped.
    Parting,
}

/// State of an unregistered connection, the first to be closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EvictionRank {
    HungUp,
    Refused,
    /// Its turn has not come: its subnet opens too many connections.
    Delayed,
    Incomplete,
    WaitsForServer,
}

/// A name that is claimed from a connection which may be dead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Takeover {
    pub(crate) holder: MemberId,
    pub(crate) holder_connection: usize,
    pub(crate) holder_serial: u64,
    /// Number of reads from the holder when it was asked; it lives if that has grown.
    pub(crate) holder_reads: u64,
}

impl Takeover {
    /// Returns whether the holder, as it is now, has shown that it is there; one that the server
    /// itself keeps waiting has.
    pub(crate) fn is_answered_by<L>(&self, holder: &Connection<L>) -> bool {
        let is_kept_waiting = holder.paused || holder.readable || !holder.backlog.is_empty();
        holder.reads > self.holder_reads || is_kept_waiting
    }
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what the socket said last, each bit of it on its own")]
pub(crate) struct Connection<L> {
    pub(crate) link: L,
    pub(crate) peer: SocketAddr,
    /// Connections are numbered as they come: the smallest without a name has been so for longest.
    pub(crate) serial: u64,
    pub(crate) phase: Phase,
    /// Set once its name is accepted.
    pub(crate) member: Option<MemberId>,
    /// Bytes that come before whatever the hub has for it: refusals before it has a name, last words after.
    pub(crate) words: Vec<u8>,
    /// Bytes read that wait until it may go on.
    pub(crate) backlog: Vec<u8>,
    /// Flood credit; none for an exempt address, and none any more once its session has ended.
    pub(crate) flood: Option<Box<Flood>>,
    /// Nothing is read from it before: its subnet opened too many connections.
    pub(crate) served_from_ms: u64,
    /// Claim on another connection's name, while that one is asked for a sign of life.
    pub(crate) takeover: Option<Box<Takeover>>,
    /// The socket may have something to read.
    pub(crate) readable: bool,
    /// The peer will send nothing more: read to the end.
    pub(crate) read_closed: bool,
    /// Everything it sent has been read.
    pub(crate) read_ended: bool,
    /// The socket may take something.
    pub(crate) writable: bool,
    /// It is in the loop's list of those to read.
    pub(crate) queued: bool,
    /// It is not read until a timer or a drained outlet says so.
    pub(crate) paused: bool,
    /// … namely by the history, which has to store or to answer first.
    pub(crate) waits_for_history: bool,
    /// … or by an outlet with room in it again.
    pub(crate) waits_for_outbox: bool,
    /// Number of reads from it.
    pub(crate) reads: u64,
    pub(crate) heard_ms: u64,
    /// Bytes that it took.
    pub(crate) sent_bytes: u64,
}

impl<L> Connection<L> {
    pub(crate) fn new(link: L, peer: SocketAddr, serial: u64, terms: Terms, now_ms: u64) -> Self {
        Self {
            link,
            peer,
            serial,
            phase: Phase::AtDoor(Door::default()),
            member: None,
            words: Vec::new(),
            backlog: Vec::new(),
            flood: terms.flood.map(Box::new),
            served_from_ms: now_ms + terms.delay_ms,
            takeover: None,
            readable: false,
            read_closed: false,
            read_ended: false,
            writable: true,
            queued: false,
            paused: terms.delay_ms > 0,
            waits_for_history: false,
            waits_for_outbox: false,
            reads: 0,
            heard_ms: now_ms,
            sent_bytes: 0,
        }
    }

    /// Rank among the unregistered connections of which one is closed for a newcomer: the lowest
    /// goes first, of equals the oldest, but of delayed ones the newest, so that the others have
    /// their turn. What was sent so far does not count: part of a `hello` costs a hostile peer
    /// nothing, while an honest one completes it long before its connection is the oldest.
    pub(crate) fn eviction_rank(&self, now_ms: u64) -> EvictionRank {
        match self.phase {
            _ if self.read_closed => EvictionRank::HungUp,
            Phase::Parting => EvictionRank::Refused,
            _ if now_ms < self.served_from_ms => EvictionRank::Delayed,
            _ if self.waits_for_server() => EvictionRank::WaitsForServer,
            _ => EvictionRank::Incomplete,
        }
    }

    /// Returns whether it has said its name and the server finds something out before it answers.
    pub(crate) fn waits_for_server(&self) -> bool {
        self.takeover.is_some() || self.waits_for_history
    }

    /// Returns whether there is something to take in: bytes held back, or a socket that may have
    /// some.
    pub(crate) fn has_input(&self) -> bool {
        !self.paused && !self.read_ended && (!self.backlog.is_empty() || self.readable)
    }
}
