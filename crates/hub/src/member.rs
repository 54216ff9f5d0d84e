//! One member: its name, its dialect, and its queued output.

use alloc::boxed::Box;
use core::net::IpAddr;

use glassline_wire::link::LinkFacts;
use glassline_wire::timestamp::Timestamp;
use slotmap::SlotMap;

use crate::Now;
use crate::dialect::Dialect;
use crate::direct_senders::DirectSenders;
use crate::id::{MemberId, RoomId};
use crate::recent_ids::{Scope, author_of};
use crate::send_queue::SendQueue;

/// Facts about a new member that the hub cannot know by itself.
#[derive(Debug, Clone, Copy)]
pub struct ConnectInfo {
    /// The socket owner's number of the connection.
    pub connection: usize,
    /// A fresh random secret, which can reclaim the name later (E2); 0 for none.
    pub token: u128,
    /// Address that it connects from.
    pub address: IpAddr,
    /// Facts that its link has established.
    pub link: LinkFacts,
    /// The instant.
    pub now: Now,
}

/// Visibility of a member's name to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    Announced,
    /// It came in during a freeze that lasts: it is announced once that ends.
    HeldBack,
}

pub(crate) type Members = SlotMap<MemberId, Member>;

#[derive(Debug)]
pub(crate) struct Member {
    name: Box<str>,
    /// Bytes of the name in relayed pairs, if it was sent as other ones (T9).
    name_bytes: Option<Box<[u8]>>,
    /// Number under which the owner of the sockets knows this member.
    connection: usize,
    /// Bytes, because a `u128` aligns each member to 16 bytes.
    token: [u8; 16],
    address: IpAddr,
    /// Facts about its link; `None` for those of plaintext.
    link: Option<Box<LinkFacts>>,
    since: Timestamp,
    /// Time of its last request, on the monotonic clock.
    active_ms: u64,
    /// Reason for which it is away, if it is.
    away: Option<Box<str>>,
    /// Scope of its message ids: the same as long as the client shows the same token.
    author: Scope,
    is_operator: bool,
    arrival: Arrival,
    /// Number of wrong operator tokens that it has shown.
    wrong_tokens: u8,
    /// A mute hits it, or did so until it ended.
    is_muted: bool,
    send_queue: SendQueue,
    /// Senders of direct messages to this member, for replies; most members have none.
    direct_senders: Option<Box<DirectSenders>>,
    /// `true` if the scheduler has the member among those to be written to.
    is_ready: bool,
}

impl Member {
    pub(crate) fn new(name: Box<str>, arrival: Arrival, login: ConnectInfo, send_queue: SendQueue) -> Self {
        let ConnectInfo { connection, token, address, link, now } = login;
        Self {
            name,
            name_bytes: None,
            connection,
            token: token.to_ne_bytes(),
            address: address.to_canonical(),
            link: (link != LinkFacts::PLAINTEXT).then(|| Box::new(link)),
            since: now.at,
            active_ms: now.monotonic_ms,
            away: None,
            author: author_of(token),
            is_operator: false,
            arrival,
            wrong_tokens: 0,
            is_muted: false,
            send_queue,
            direct_senders: None,
            is_ready: false,
        }
    }

    /// Replaces the bytes of its name in relayed pairs (T9).
    pub(crate) fn with_name_bytes(self, name: &[u8]) -> Self {
        Self { name_bytes: Some(name.into()), ..self }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn name_bytes(&self) -> &[u8] {
        self.name_bytes.as_deref().unwrap_or(self.name.as_bytes())
    }

    pub(crate) fn rename(&mut self, name: Box<str>) {
        self.name = name;
    }

    pub(crate) fn connection(&self) -> usize {
        self.connection
    }

    pub(crate) fn token(&self) -> u128 {
        u128::from_ne_bytes(self.token)
    }

    pub(crate) fn link(&self) -> LinkFacts {
        self.link.as_deref().copied().unwrap_or(LinkFacts::PLAINTEXT)
    }

    /// Returns the address that it connects from, in its canonical form.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    pub(crate) fn author(&self) -> Scope {
        self.author
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.send_queue.dialect()
    }

    pub(crate) fn idle_s(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.active_ms) / 1_000
    }

    pub(crate) fn note_activity(&mut self, now_ms: u64) {
        self.active_ms = now_ms;
    }

    pub(crate) fn away(&self) -> Option<&str> {
        self.away.as_deref()
    }

    pub(crate) fn set_away(&mut self, reason: Option<&str>) {
        self.away = reason.map(Into::into);
    }

    pub(crate) fn is_operator(&self) -> bool {
        self.is_operator
    }

    pub(crate) fn make_operator(&mut self) {
        self.is_operator = true;
    }

    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival
    }

    /// Notes that its arrival is announced now. False if it was before.
    pub(crate) fn announce(&mut self) -> bool {
        core::mem::replace(&mut self.arrival, Arrival::Announced) == Arrival::HeldBack
    }

    pub(crate) fn wrong_tokens(&self) -> u8 {
        self.wrong_tokens
    }

    pub(crate) fn note_wrong_token(&mut self) {
        self.wrong_tokens = self.wrong_tokens.saturating_add(1);
    }

    pub(crate) fn is_muted(&self) -> bool {
        self.is_muted
    }

    /// Notes whether a mute hits it. Returns whether that changes.
    pub(crate) fn set_muted(&mut self, is_muted: bool) -> bool {
        core::mem::replace(&mut self.is_muted, is_muted) != is_muted
    }

    pub(crate) fn send_queue(&self) -> &SendQueue {
        &self.send_queue
    }

    pub(crate) fn send_queue_mut(&mut self) -> &mut SendQueue {
        &mut self.send_queue
    }

    pub(crate) fn follows(&self, room: RoomId) -> bool {
        self.send_queue.follows(room)
    }

    /// Returns the rooms that it is in; a tutorial member has at most one.
    pub(crate) fn rooms(&self) -> impl ExactSizeIterator<Item = RoomId> {
        self.send_queue.rooms()
    }

    pub(crate) fn note_direct_sender(&mut self, sender: MemberId, token: u128, name: &str) {
        self.direct_senders.get_or_insert_default().note(sender, token, name);
    }

    pub(crate) fn latest_direct_sender(&self) -> Option<(MemberId, u128)> {
        self.direct_senders.as_ref()?.latest()
    }

    /// Returns whether its reply to a name is for the one with this token.
    pub(crate) fn replies_to(&self, token: u128, name: &str) -> bool {
        self.direct_senders.as_ref().is_some_and(|senders| senders.answers(token, name))
    }

    /// Notes that it is to be written to. False if that was noted before.
    pub(crate) fn mark_ready(&mut self) -> bool {
        !core::mem::replace(&mut self.is_ready, true)
    }

    /// Notes that it is written to now. False if it was not to be.
    pub(crate) fn take_ready(&mut self) -> bool {
        core::mem::take(&mut self.is_ready)
    }
}
