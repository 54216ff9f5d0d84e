//! The hub itself: its state, its output to members, and how the owner of the sockets drains it.

mod chat;
mod commands;
mod direct;
mod history;
mod login;
mod members;
mod moderation;
mod outbound;
mod records;
mod replay;
mod rooms;
mod sealed;

pub use commands::{CommandOutcome, hidden_command};
pub use login::{LoginOutcome, NameHolder};
pub use outbound::{Reply, ReplyResult};

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};

use crate::closed_rooms::ClosedRooms;
use crate::commit_queue::CommitQueue;
use crate::counters::HubCounters;
use crate::dialect::Dialect;
use crate::id::MemberId;
use crate::log_event::LogEvent;
use crate::member::{Member, Members};
use crate::moderation::{Disconnect, Moderation, OperatorToken, TokenAttempts};
use crate::names::Names;
use crate::outstanding::{Awaits, Outstanding};
use crate::question_queue::QuestionQueue;
use crate::room::Rooms;
use crate::scheduler::Scheduler;
use crate::send_queue::QueuedBytesTotal;
use crate::write_slices::WriteSlices;

/// Limits and features of a hub.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Exactly the tutorial's behaviour (T9): no server notices, no commands, no rules for names.
    pub pure: bool,
    /// Bytes of each dialect's log in a room: how far a reader may lag (L).
    pub log_bytes_max: usize,
    /// Bytes of all logs; with many rooms, each has less than `log_bytes_max`.
    pub logs_bytes_max: usize,
    /// Bytes queued for one member alone; past it direct messages to it are refused, and its own
    /// requests wait.
    pub send_queue_bytes_max: usize,
    /// Bytes queued for all members, each for one alone, with the overhead of each entry. Past half
    /// of it, a member that has not read what is queued for it has its own requests wait earlier;
    /// past it, see [`Hub::is_over_budget`].
    pub send_queues_bytes_max: usize,
    /// Most rooms.
    pub rooms_max: usize,
    /// Most rooms that one member may be in.
    pub rooms_per_member_max: usize,
    /// `true` if there is a history: messages are handed over to be stored before anybody is sent
    /// them.
    pub durable: bool,
    /// Stored messages sent to a new member in the event dialect; needs a history.
    pub replay: usize,
    /// … and in the tutorial dialect.
    pub replay_tutorial: usize,
    /// Token that makes a member an operator; `None`: no operators.
    pub operator_token: Option<OperatorToken>,
    /// Program and version, for `welcome`.
    pub server: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            pure: false,
            log_bytes_max: 8 << 20,
            logs_bytes_max: 256 << 20,
            send_queue_bytes_max: 256 << 10,
            send_queues_bytes_max: 64 << 20,
            rooms_max: 2_048,
            rooms_per_member_max: 16,
            durable: false,
            replay: 50,
            replay_tutorial: 0,
            operator_token: None,
            server: "glassline".to_string(),
        }
    }
}

/// Members, rooms, and output per member.
///
/// A hub does no I/O and reads no clock: it is driven by the owner of the sockets, of the clock and
/// of the history. Its methods are of four kinds.
///
/// - **Getters**, which take `&self`: of a member ([`Hub::name`], [`Hub::connection`],
///   [`Hub::queued_bytes`], [`Hub::is_overfull`]), of a connection ([`Hub::awaits`]), and of all
///   ([`Hub::counters`], [`Hub::is_flooded`], [`Hub::is_over_budget`], [`Hub::next_deadline_ms`]).
/// - **Requests** of one connection. [`Hub::enter_tutorial`] or [`Hub::enter_event`] makes a
///   member; [`Hub::say`], [`Hub::join`], [`Hub::execute`], [`Hub::operate`] and the like act for
///   it and return a [`Reply`] or a [`Rejection`], which [`Hub::reply`] sends; [`Hub::depart`]
///   removes it.
/// - **Inputs** that belong to no connection: [`Hub::tick`] once the deadline has passed,
///   [`Hub::committed`] and [`Hub::settle`] in the order of the log, [`Hub::answer`] with what the
///   history was asked for.
/// - **Outputs**, named `take_*` and `next_*`, which are taken until they return nothing.
///
/// Calls come in this order:
///
/// 1. At the start, [`Hub::restore`] for each earlier act and [`Hub::resume_lobby`].
/// 2. A request, while [`Hub::awaits`] allows it: a connection may have to wait for the history.
///    When [`Hub::take_settled`] names the connection, its next request is due.
/// 3. After requests and inputs, what is for the history: [`Hub::take_pending_records`] and
///    [`Hub::next_question`]. Then [`Hub::take_disconnect`], whose members have to depart at once,
///    and [`Hub::take_log_event`].
/// 4. Writes: for each member that [`Hub::take_ready`] or [`Hub::next_in_round`] names,
///    [`Hub::skip_lost`], [`Hub::gather`], the write itself, then [`Hub::advance`] with the bytes
///    that were written. If that returns false, there is more: do it again, or [`Hub::wake`] the
///    member once its socket takes more.
///
/// [`Rejection`]: glassline_wire::event::Rejection
#[derive(Debug, Default)]
pub struct Hub {
    rules: Rules,
    members: Members,
    rooms: Rooms,
    names: Names,
    outstanding: Outstanding,
    commit_queue: CommitQueue,
    questions: QuestionQueue,
    closed_rooms: ClosedRooms,
    moderation: Moderation,
    disconnects: VecDeque<Disconnect>,
    log_events: VecDeque<LogEvent>,
    attempts: TokenAttempts,
    counters: HubCounters,
    /// Bytes queued for all members.
    queued_bytes: QueuedBytesTotal,
    scheduler: Scheduler,
    /// `true` once the server has announced that it closes: nothing more is announced.
    is_closing: bool,
}

impl Hub {
    /// Returns a hub without members and with one room, the lobby.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The number under which the owner of the sockets knows this member.
    pub fn connection(&self, member: MemberId) -> Option<usize> {
        self.members.get(member).map(Member::connection)
    }

    /// The member's name; empty once it has departed.
    pub fn name(&self, member: MemberId) -> &str {
        self.members.get(member).map_or("", |member| member.name())
    }

    /// Returns what a connection has to wait for before something else of it may be carried out.
    pub fn awaits(&self, connection: usize) -> Awaits {
        self.outstanding.awaits(connection)
    }

    /// Takes a connection that no longer waits; it may have closed already.
    pub fn take_settled(&mut self) -> Option<usize> {
        self.outstanding.take_settled()
    }

    /// Returns whether [`Hub::take_settled`] would name a connection.
    pub fn has_settled(&self) -> bool {
        self.outstanding.has_settled()
    }

    /// Drops the waits of a closed connection.
    pub fn forget(&mut self, connection: usize) {
        self.outstanding.forget(connection);
    }

    /// Returns whether a member reads too little of what it is sent for more of its requests to be
    /// taken.
    pub fn is_overfull(&self, member: MemberId) -> bool {
        self.members.get(member).is_some_and(|member| self.send_queue_is_full(member))
    }

    /// Returns whether a member was sent half of something, so that nothing else may come before
    /// the rest.
    pub fn is_mid_frame(&self, member: MemberId) -> bool {
        self.members.get(member).is_some_and(|member| member.send_queue().is_mid_frame())
    }

    /// Bytes queued for one member alone.
    pub fn queued_bytes(&self, member: MemberId) -> usize {
        self.members.get(member).map_or(0, |member| member.send_queue().queued_bytes())
    }

    /// Bytes queued for all members, each for one alone, with the overhead of each entry.
    pub fn queued_bytes_total(&self) -> usize {
        self.queued_bytes.get()
    }

    /// Returns whether so much is queued for members that do not read that some have to be closed.
    pub fn is_over_budget(&self) -> bool {
        self.queued_bytes_total() > self.rules.send_queues_bytes_max
    }

    fn send_queue_is_full(&self, member: &Member) -> bool {
        // The fuller all are together, the less each may have. A member that reads has nothing
        // queued for long.
        let left_bytes = (self.rules.send_queues_bytes_max / 2).saturating_sub(self.queued_bytes_total());
        let bytes_max = self.rules.send_queue_bytes_max.min(left_bytes);
        member.send_queue().is_full(bytes_max)
    }

    /// Returns whether members must be written to before more is read from anyone.
    pub fn is_flooded(&self) -> bool {
        self.scheduler.is_flooded(&self.rooms, self.log_bytes_max())
    }

    fn log_bytes_max(&self) -> usize {
        (self.rules.logs_bytes_max / self.rooms.len() / Dialect::ALL.len()).min(self.rules.log_bytes_max)
    }

    /// Returns the counters so far.
    pub fn counters(&self) -> HubCounters {
        self.counters
    }

    /// Returns the number of rooms, the lobby included.
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Puts a member among those to be written to.
    pub fn wake(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(id) {
            self.scheduler.wake(id, member);
        }
    }

    /// Takes the next member that was woken.
    pub fn take_ready(&mut self) -> Option<MemberId> {
        self.scheduler.take_ready(&mut self.members)
    }

    /// Returns whether [`Hub::take_ready`] or [`Hub::next_in_round`] may return a member.
    pub fn has_writes(&self) -> bool {
        self.scheduler.has_writes()
    }

    /// Returns the next member, in a fan-out round of some lane, that was not sent everything.
    pub fn next_in_round(&mut self) -> Option<MemberId> {
        self.scheduler.next_in_round(&mut self.rooms, &mut self.members)
    }

    /// Returns the slices of the next write to a member: at most [`crate::WRITE_BYTES_MAX`] bytes,
    /// or one entry.
    pub fn gather(&self, id: MemberId) -> WriteSlices<'_> {
        let mut slices = WriteSlices::default();
        if let Some(member) = self.members.get(id) {
            member.send_queue().gather(&self.rooms, &mut slices);
        }
        slices
    }

    /// Moves a member past `sent_bytes` of what was gathered. Returns whether it has now been sent
    /// everything.
    pub fn advance(&mut self, id: MemberId, sent_bytes: usize) -> bool {
        let Some(member) = self.members.get_mut(id) else { return true };
        self.counters.deliveries += member.send_queue_mut().advance(sent_bytes, &self.rooms);
        member.send_queue_mut().update_lag(&mut self.rooms);
        let is_drained = member.send_queue().is_drained(&self.rooms);
        if member.send_queue().is_replaying() {
            self.advance_replay(id);
        }
        is_drained
    }

    /// Returns the instant at which [`Hub::tick`] has something to do, on the monotonic clock.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.rooms.next_announcement_ms()
    }

    /// Gives back memory of rooms in which nothing happens; to be called now and then.
    pub fn shrink(&mut self) {
        self.rooms.shrink();
    }

    /// Bytes in all logs now.
    pub fn log_bytes(&self) -> usize {
        self.rooms.log_bytes()
    }
}
