//! Turn of the loop between two waits: processes history results, reads, writes, and keeps the
//! deadlines.
//!
//! It knows neither sockets nor clocks ([`crate::net::poll`] has them), so that a
//! [`TestServer`](tests::TestServer) runs the same code. A turn is
//! [`Reactor::set_now`], [`Reactor::note_ready`] for each event, [`Reactor::admit`] for each
//! newcomer, then [`Reactor::turn`]; [`Reactor::wait_ms`] returns how long to wait before the next.
//! The methods of the end are in `closing`.

mod closing;
mod eviction;
mod handshakes;
mod hub_effects;
mod reading;
mod send_queue_budget;
mod takeover;
#[cfg(any(test, feature = "test-server"))]
pub(super) mod tests;
mod timing;
mod web;
mod writing;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use glassline_hub::{Hub, MemberId, Now, Rules, subnet_key};
use glassline_wire::link::LinkKind;
use glassline_wire::visible;
use tracing::{debug, info};

use crate::admission::Admission;
use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::history::History;
use crate::metrics::{Counted, LoopCounters, Snapshot, Traffic};
use crate::net::connection::{Connection, READ_BYTES_MAX};
use crate::net::connections::Connections;
use crate::net::reactor::handshakes::Handshakes;
use crate::net::timers::{Kind, Timers};
use crate::net::transport::{ReadBuffer, Readiness, Socket, Transport};
use crate::protocol::{Carrier, Protocol};
use crate::{Config, Limits};

/// Bytes handed to the history at once within a turn: as much as one read, so that its bounds are
/// exceeded by two reads at most.
const HANDED_OVER_BYTES: usize = READ_BYTES_MAX;

pub(crate) struct Reactor<S> {
    connections: Connections<S>,
    hub: Hub,
    history: Option<History>,
    config: Config,
    timers: Timers,
    admission: Admission,
    counters: LoopCounters,
    traffic: Traffic,
    /// Number of the last question of a watcher that was answered.
    last_answer: u64,
    now: Now,
    to_read: VecDeque<ConnectionKey>,
    handshakes: Handshakes,
    buffer: ReadBuffer,
    draining: usize,
    is_closing: bool,
    shrink_due_ms: u64,
}

impl<S: Socket> Reactor<S> {
    pub(crate) fn new(config: Config, durable: bool, now: Now) -> Self {
        let limits = &config.limits;
        let rules = Rules {
            pure: config.pure,
            log_bytes_max: limits.log_bytes_max,
            logs_bytes_max: limits.logs_bytes_max,
            send_queue_bytes_max: limits.send_queue_bytes_max,
            send_queues_bytes_max: limits.send_queues_bytes_max,
            durable,
            replay: config.replay,
            replay_tutorial: config.replay_tutorial,
            operator_token: config.operator_token.clone(),
            server: concat!("glassline/", env!("CARGO_PKG_VERSION")).to_string(),
            ..Rules::default()
        };
        Self {
            connections: Connections::new(),
            hub: Hub::new(rules),
            history: None,
            admission: Admission::new(config.flood),
            config,
            timers: Timers::default(),
            counters: LoopCounters::default(),
            traffic: Traffic::default(),
            last_answer: 0,
            now,
            to_read: VecDeque::new(),
            handshakes: Handshakes::default(),
            buffer: ReadBuffer::new(READ_BYTES_MAX),
            draining: 0,
            is_closing: false,
            shrink_due_ms: timing::SHRINK_INTERVAL_MS,
        }
    }

    /// Opens the history, which has to bring the hub up to date.
    ///
    /// # Errors
    /// As of `start`.
    pub(crate) fn start_history<E>(&mut self, start: impl FnOnce(&mut Hub) -> Result<History, E>) -> Result<(), E> {
        self.history = Some(start(&mut self.hub)?);
        Ok(())
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    pub(crate) fn set_now(&mut self, now: Now) {
        self.now = now;
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now.monotonic_ms
    }

    /// Does everything that is due now.
    ///
    /// # Errors
    /// The history has failed.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        self.take_from_history()?;
        if self.may_read() {
            self.read_turn();
        }
        self.give_to_history();
        self.write_turn();
        self.timer_turn();
        self.answer_watchers();
        self.give_to_history();
        Ok(())
    }

    /// Returns whether what is read can be kept: members and the history keep up.
    fn may_read(&self) -> bool {
        !self.hub.is_flooded() && !self.hub.is_over_budget() && !self.history.as_ref().is_some_and(History::is_full)
    }

    fn take_from_history(&mut self) -> io::Result<()> {
        if self.history.is_some() {
            self.take_in_done()?;
            self.enforce_send_queue_budget();
            self.resume_settled();
        }
        Ok(())
    }

    /// Processes results of the history.
    ///
    /// # Errors
    /// The history has failed.
    fn take_in_done(&mut self) -> io::Result<()> {
        let Some(history) = &mut self.history else { return Ok(()) };
        let taken = history.take_in(&mut self.hub, self.now.monotonic_ms);
        // Before their waiting input is processed; what was stored before a failure is in
        // force as well.
        self.apply_hub_effects();
        taken
    }

    fn may_have_more(&self) -> bool {
        self.history.as_ref().is_some_and(History::may_have_more)
    }

    fn give_to_history(&mut self) {
        if let Some(history) = &mut self.history {
            let connections = &self.connections;
            let subnet_of = |index| {
                let connection = connections.key_at(index).and_then(|key| connections.get(key));
                connection.map_or(0, |connection| subnet_key(connection.peer().ip()))
            };
            history.hand_over(&mut self.hub, subnet_of);
        }
    }

    /// Hands records of an unfinished turn over once they are many: the history's bound counts
    /// only what it has.
    fn give_what_is_much(&mut self) {
        if self.hub.pending_record_bytes() >= HANDED_OVER_BYTES {
            self.give_to_history();
        }
    }

    pub(crate) fn note_ready(&mut self, index: usize, event: Readiness) {
        let Some(key) = self.connections.key_at(index) else { return };
        let Some(connection) = self.connections.get_mut(key) else { return };
        let became_writable = connection.transport_mut().note_ready(event);
        if (event.readable || event.read_closed) && connection.enqueue() {
            self.to_read.push_back(key);
        }
        if became_writable {
            match connection.member() {
                Some(member) => self.hub.wake(member),
                None => self.to_read.push_front(key),
            }
            self.timers.cancel(key, Kind::Progress);
        }
    }

    /// Returns the time in which nothing will have to be done, if nobody is to be let in before
    /// `accept_due`; not at all if there is work left.
    pub(crate) fn wait_ms(&self, accept_due: Option<u64>) -> Option<u64> {
        let now_ms = self.now.monotonic_ms;
        let is_to_read = self.has_queued_reads() || self.hub.has_settled();
        if (is_to_read && self.may_read()) || self.hub.has_writes() || self.may_have_more() {
            return Some(0);
        }
        let due = [accept_due, self.timers.next_due_ms(), self.hub.next_deadline_ms()];
        let shrink_due = (!self.hub.is_empty()).then_some(self.shrink_due_ms);
        due.into_iter().flatten().chain(shrink_due).min().map(|due_ms| due_ms.saturating_sub(now_ms))
    }

    /// Accepts a new connection, unless too many from its address wait for the server. One of a
    /// subnet that opens too many is served later.
    pub(crate) fn admit(&mut self, peer: SocketAddr, open: impl FnOnce() -> Transport<S>) -> Option<ConnectionKey> {
        if !self.make_room(peer.ip()) {
            let reason = CloseReason::TooManyFromAddress;
            self.counters.add_end(reason, false);
            info!(%peer, reason = reason.into_str(), "connection refused");
            return None;
        }
        let now_ms = self.now.monotonic_ms;
        let terms = self.admission.enter(peer, now_ms);
        let served_from_ms = now_ms + terms.delay_ms;
        let key = self.connections.insert(Connection::new(open(), peer, terms, now_ms));
        self.admission.await_name(peer, key);
        self.timers.set(key, Kind::Greeting, served_from_ms + self.config.limits.greeting_timeout_ms);
        if served_from_ms > now_ms {
            self.counters.add(Counted::ConnectionPauses);
            self.timers.set(key, Kind::Resume, served_from_ms);
        }
        debug!(%peer, delay_ms = served_from_ms - now_ms, "connected");
        Some(key)
    }

    /// Socket of a connection that was just accepted.
    pub(crate) fn socket_mut(&mut self, key: ConnectionKey) -> Option<&mut S> {
        self.connections.get_mut(key).map(|connection| connection.transport_mut().socket_mut())
    }

    /// Counts that no connection could be accepted, for want of descriptors or memory.
    pub(crate) fn note_accept_failed(&mut self) {
        self.counters.add(Counted::AcceptFailed);
    }

    /// Passes the flood credit of a session that has ended to its subnet, once.
    fn leave_credit(&mut self, key: ConnectionKey) {
        let now_ms = self.now.monotonic_ms;
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(flood) = connection.take_flood() {
            let unserved = now_ms < connection.served_from_ms();
            self.admission.return_credit(connection.peer(), flood, unserved, now_ms);
        }
    }

    fn resume(&mut self, key: ConnectionKey) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.resume();
            self.queue_read(key);
        }
    }

    fn queue_read(&mut self, key: ConnectionKey) {
        if self.connections.get_mut(key).is_some_and(Connection::enqueue) {
            self.to_read.push_back(key);
        }
    }

    /// Returns whether connections are queued for a read, or for a step of their handshake.
    fn has_queued_reads(&self) -> bool {
        !self.to_read.is_empty() || !self.handshakes.is_empty()
    }

    /// Closes a connection at once; a member departs with it.
    pub(crate) fn close(&mut self, key: ConnectionKey, reason: CloseReason) {
        let Some(connection) = self.remove(key) else { return };
        let peer = connection.peer();
        if connection.is_draining() {
            // How it ended was counted, and logged, when its last output was queued.
            self.counters.add(Counted::Parted);
            debug!(%peer, reason = reason.into_str(), "closed");
            return;
        }
        self.counters.add_end(reason, connection.transport().is_handshaking());
        if let Some(member) = connection.member() {
            self.depart(member, peer, reason);
        } else if reason == CloseReason::HttpDone {
            debug!(%peer, reason = reason.into_str(), "closed");
        } else {
            info!(%peer, reason = reason.into_str(), "refused");
        }
    }

    fn close_drained(&mut self, key: ConnectionKey) {
        if let Some(connection) = self.remove(key) {
            self.counters.add(Counted::Parted);
            debug!(peer = %connection.peer(), reason = "parted", "closed");
        }
    }

    fn remove(&mut self, key: ConnectionKey) -> Option<Connection<S>> {
        self.leave_credit(key);
        let connection = self.connections.remove(key)?;
        self.timers.cancel_all(key);
        self.hub.forget(key.index());
        self.draining -= usize::from(connection.is_draining());
        self.admission.leave(connection.peer(), key);
        Some(connection)
    }

    fn depart(&mut self, member: MemberId, peer: SocketAddr, reason: CloseReason) {
        self.log_left(member, peer, reason);
        self.hub.depart(member, self.now);
    }

    fn log_left(&self, member: MemberId, peer: SocketAddr, reason: CloseReason) {
        let name = visible::one_line(self.hub.name(member));
        info!(%peer, name = &*name, reason = reason.into_str(), "left");
    }

    /// Answers pending metrics requests.
    fn answer_watchers(&mut self) {
        let asked = self.config.watch.asked();
        if asked != self.last_answer {
            self.last_answer = asked;
            self.config.watch.answer(asked, self.snapshot());
        }
    }

    /// Connections of each kind of link, in the order of [`LinkKind::ALL`]. Counted when asked for:
    /// a count kept up to date would be one more thing that every end of a connection has to do.
    fn connections_by_link(&self) -> [usize; LinkKind::ALL.len()] {
        self.connections.iter().fold([0; LinkKind::ALL.len()], |mut counts, (_, connection)| {
            counts[connection.transport().link_facts().kind as usize] += 1;
            counts
        })
    }

    fn snapshot(&self) -> Snapshot {
        let http = self.connections.iter().filter(|(_, of)| matches!(of.protocol(), Protocol::Http(_))).count();
        Snapshot {
            members: self.hub.len(),
            connections: self.connections.len(),
            unregistered: self.admission.unregistered().len() - http,
            http,
            websockets: self.connections.iter().filter(|(_, of)| of.transport().has_websocket()).count(),
            rooms: self.hub.room_count(),
            log_bytes: self.hub.log_bytes(),
            hub: self.hub.counters(),
            traffic: self.traffic,
            counters: self.counters.clone(),
            connections_by_link: self.connections_by_link(),
            journal: self.history.as_ref().map(History::gauges),
        }
    }
}
