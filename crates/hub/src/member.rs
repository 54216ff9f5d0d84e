//! One member: its name, its dialect, and what it has still to be sent.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use glassline_wire::frame;
use glassline_wire::timestamp::Timestamp;

use slotmap::{DefaultKey, SlotMap};

pub(crate) use crate::dialect::Dialect;
use crate::direct_senders::DirectSenders;
use crate::id::RoomId;
use crate::now::Now;
use crate::recent_ids::{Scope, author_of};
use crate::send_queue::SendQueue;

/// Facts about a newcomer that the hub cannot know by itself.
#[derive(Debug, Clone, Copy)]
pub struct ConnectInfo {
    /// The number under which the owner of the sockets knows the newcomer.
    pub connection: usize,
    /// A fresh random secret, which may later take the name back (E2); 0 for none.
    pub token: u128,
    /// Address that it connects from.
    pub address: IpAddr,
    /// The instant.
    pub now: Now,
}

/// Visibility of a member's name to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    Announced,
    /// It came in during a freeze that lasts: they are told once it ends.
    HeldBack,
}

/// The members, by key.
pub(crate) type Members = SlotMap<DefaultKey, Member>;

/// One member.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: Box<str>,
    /// The name as a frame, ready for each message's pair.
    pub(crate) name_frame: Box<[u8]>,
    /// The socket's owner knows this member by this number.
    pub(crate) connection: usize,
    pub(crate) token: u128,
    /// Address that it connects from.
    pub(crate) address: IpAddr,
    pub(crate) since: Timestamp,
    /// When it last said or asked something, on the monotonic clock.
    pub(crate) active_ms: u64,
    /// Why it is away, if it is.
    pub(crate) away: Option<Box<str>>,
    /// Under which its message ids are remembered: the same as long as the client shows the same token.
    pub(crate) author: Scope,
    pub(crate) is_operator: bool,
    pub(crate) arrival: Arrival,
    /// Number of wrong tokens that it has shown.
    pub(crate) wrong_tokens: u8,
    /// A mute hits it, or did so until it ended.
    pub(crate) is_muted: bool,
    pub(crate) send_queue: SendQueue,
    /// Senders of direct messages to this member, for replies; most members have none.
    pub(crate) direct_senders: Option<Box<DirectSenders>>,
    /// `true` if the scheduler has the member among those to be written to.
    is_ready: bool,
}

impl Member {
    pub(crate) fn new(name: Box<str>, login: ConnectInfo, send_queue: SendQueue) -> Self {
        let ConnectInfo { connection, token, address, now } = login;
        let (name_frame, author) = (name_frame(name.as_bytes()), author_of(token));
        Self {
            name,
            name_frame,
            connection,
            token,
            address: address.to_canonical(),
            since: now.at,
            active_ms: now.monotonic_ms,
            away: None,
            author,
            is_operator: false,
            arrival: Arrival::Announced,
            wrong_tokens: 0,
            is_muted: false,
            send_queue,
            direct_senders: None,
            is_ready: false,
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.send_queue.dialect()
    }

    /// Returns whether it is in this room.
    pub(crate) fn follows(&self, room: RoomId) -> bool {
        self.send_queue.follows(room)
    }

    /// Returns the rooms that it is in; a tutorial member has at most one.
    pub(crate) fn rooms(&self) -> impl ExactSizeIterator<Item = RoomId> {
        self.send_queue.rooms()
    }

    /// Notes that it is to be written to. False if that was noted before.
    pub(crate) fn mark_ready(&mut self) -> bool {
        !core::mem::replace(&mut self.is_ready, true)
    }

    /// Notes that it is written to now. False if it was not to be.
    pub(crate) fn take_ready(&mut self) -> bool {
        core::mem::take(&mut self.is_ready)
    }

    pub(crate) fn rename(&mut self, name: Box<str>) {
        self.name_frame = name_frame(name.as_bytes());
        self.name = name;
    }
}

pub(crate) fn name_frame(name: &[u8]) -> Box<[u8]> {
    let mut frame = Vec::with_capacity(name.len() + 10);
    frame::put_frame(&mut frame, name);
    frame.into_boxed_slice()
}
