//! Turn of the loop between two waits: takes in what the history did, reads, writes, and keeps the
//! deadlines.
//!
//! It knows neither sockets nor clocks ([`crate::net::poll`] has them), so that a rehearsal goes through the same lines.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use glassline_hub::{Hub, MemberId, Now, Rules, subnet, subnet_key};
use glassline_wire::event::{Event, Ping};
use glassline_wire::visible;
use slab::Slab;
use tracing::{debug, info};

use crate::Config;
use crate::admission::AddressCount;
use crate::admission::SubnetCredits;
use crate::admission::Unregistered;
use crate::history::History;
use crate::metrics::Counters;
use crate::metrics::Traffic;
use crate::net::connection::{Connection, Phase};
use crate::net::socket::Socket;
use crate::net::timers::{Kind, Timers};

mod closing;
mod eviction;
mod moderation;
mod outbox_budget;
mod probe;
mod reading;
mod takeover;
#[cfg(any(test, feature = "test-server"))]
pub(super) mod test_server;
mod writing;

/// Largest read. A sender's burst should come in whole: what is read together is written together.
pub(crate) const READ_BYTES_MAX: usize = 64 * 1024;
/// Within a turn the history is given so much at once: as much as one read, so that its bounds are passed by no more than two.
const HANDED_OVER_BYTES: usize = READ_BYTES_MAX;
/// Why a connection was not let in.
const TOO_MANY_FROM_ADDRESS: &str = "too_many_from_address";
/// Rooms' idle memory is given back so often.
const SHRINK_INTERVAL_MS: u64 = 10_000;

/// Readiness of a socket: each bit is an edge, and says nothing when it is not set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Readiness {
    /// There may be something to read.
    pub(crate) readable: bool,
    /// The peer will send nothing more, or has gone.
    pub(crate) read_closed: bool,
    /// It may take something.
    pub(crate) writable: bool,
}

pub(crate) struct Reactor<L> {
    pub(crate) connections: Slab<Connection<L>>,
    pub(crate) hub: Hub,
    pub(crate) history: Option<History>,
    pub(crate) config: Config,
    pub(crate) timers: Timers,
    pub(crate) gate: AddressCount,
    pub(crate) admission: SubnetCredits,
    pub(crate) counters: Counters,
    pub(crate) traffic: Traffic,
    /// Number of the last question of a watcher that was answered.
    pub(crate) last_answer: u64,
    /// Set before each turn.
    pub(crate) now: Now,
    /// Connections that may have something to read.
    pub(crate) to_read: VecDeque<usize>,
    pub(crate) unregistered: Unregistered,
    pub(crate) buffer: Vec<u8>,
    /// Connections in [`Phase::Parting`].
    pub(crate) parting: usize,
    pub(crate) closing_down: bool,
    next_serial: u64,
    shrink_due_ms: u64,
}

impl<L: Socket> Reactor<L> {
    pub(crate) fn new(config: Config, durable: bool, now: Now) -> Self {
        let limits = &config.limits;
        let rules = Rules {
            pure: config.pure,
            log_bytes_max: limits.log_bytes_max,
            logs_bytes_max: limits.logs_bytes_max,
            outbox_bytes_max: limits.outbox_bytes_max,
            outboxes_bytes_max: limits.outboxes_bytes_max,
            durable,
            replay: config.replay,
            replay_tutorial: config.replay_tutorial,
            operator_token: config.operator_token.clone(),
            server: concat!("glassline/", env!("CARGO_PKG_VERSION")).to_string(),
            ..Rules::default()
        };
        let admission = SubnetCredits::new(config.flood);
        Self {
            connections: Slab::new(),
            hub: Hub::new(rules),
            history: None,
            config,
            timers: Timers::default(),
            gate: AddressCount::default(),
            admission,
            counters: Counters::default(),
            traffic: Traffic::default(),
            last_answer: 0,
            now,
            to_read: VecDeque::new(),
            unregistered: Unregistered::default(),
            buffer: vec![0; READ_BYTES_MAX],
            parting: 0,
            closing_down: false,
            next_serial: 0,
            shrink_due_ms: SHRINK_INTERVAL_MS,
        }
    }

    /// Does everything that is due now.
    ///
    /// # Errors
    /// The history cannot go on.
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

    /// Returns whether what is read can be kept: members are not owed too much, and the history is
    /// not behind.
    pub(crate) fn may_read(&self) -> bool {
        !self.hub.is_flooded() && !self.hub.is_over_budget() && !self.history.as_ref().is_some_and(History::is_full)
    }

    fn take_from_history(&mut self) -> io::Result<()> {
        if self.history.is_some() {
            self.take_in_done()?;
            self.hold_outbox_budget();
            self.resume_settled();
        }
        Ok(())
    }

    /// Takes in what the history did.
    ///
    /// # Errors
    /// The history cannot go on.
    pub(crate) fn take_in_done(&mut self) -> io::Result<()> {
        let Some(history) = &mut self.history else { return Ok(()) };
        let taken = history.take_in(&mut self.hub, self.now.monotonic_ms);
        // Before anything of theirs that waited goes on; what was stored before a failure is in force as well.
        self.keep_order();
        taken
    }

    /// Returns whether the history may have done something that was not taken in.
    pub(crate) fn has_done(&self) -> bool {
        self.history.as_ref().is_some_and(History::has_done)
    }

    pub(crate) fn give_to_history(&mut self) {
        if let Some(history) = &mut self.history {
            let connections = &self.connections;
            let subnet_of = |index| connections.get(index).map_or(0, |connection| subnet_key(connection.peer.ip()));
            history.hand_over(&mut self.hub, subnet_of);
        }
    }

    /// Hands on what one turn has brought so far, once it is much: the history can say that it is full only of what it has.
    pub(crate) fn give_what_is_much(&mut self) {
        if self.hub.pending_record_bytes() >= HANDED_OVER_BYTES {
            self.give_to_history();
        }
    }

    /// Notes what a connection's socket said.
    pub(crate) fn note_ready(&mut self, index: usize, ready: Readiness) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        connection.read_closed |= ready.read_closed;
        if ready.readable || ready.read_closed {
            connection.readable = true;
            if connection.has_input() && !connection.queued {
                connection.queued = true;
                self.to_read.push_back(index);
            }
        }
        if ready.writable && !connection.writable {
            connection.writable = true;
            match connection.member {
                Some(member) => self.hub.wake(member),
                None => self.to_read.push_front(index),
            }
        }
    }

    /// Returns the time in which nothing will have to be done, if nobody is to be let in before
    /// `accept_due`; not at all if there is work left.
    pub(crate) fn wait_ms(&self, accept_due: Option<u64>) -> Option<u64> {
        let now_ms = self.now.monotonic_ms;
        let is_to_read = !self.to_read.is_empty() || self.hub.has_settled();
        if (is_to_read && self.may_read()) || self.hub.has_writes() || self.has_done() {
            return Some(0);
        }
        let due = [accept_due, self.timers.next_due_ms(), self.hub.next_deadline_ms()];
        let shrink_due = (!self.hub.is_empty()).then_some(self.shrink_due_ms);
        due.into_iter().flatten().chain(shrink_due).min().map(|due_ms| due_ms.saturating_sub(now_ms))
    }

    /// Takes in a new connection, unless there are too many members from its address. Returns its
    /// place. One of a subnet that opens too many is served later.
    pub(crate) fn admit(&mut self, peer: SocketAddr, link: impl FnOnce() -> L) -> Option<usize> {
        if !self.make_room(peer.ip()) {
            self.counters.add(TOO_MANY_FROM_ADDRESS);
            info!(%peer, reason = TOO_MANY_FROM_ADDRESS, "connection refused");
            return None;
        }
        self.gate.enter(peer.ip());
        let now_ms = self.now.monotonic_ms;
        let terms = self.admission.enter(peer, now_ms);
        let serial = self.next_serial;
        self.next_serial += 1;
        let connection = Connection::new(link(), peer, serial, terms, now_ms);
        let served_from_ms = connection.served_from_ms;
        let index = self.connections.insert(connection);
        self.unregistered.insert(subnet(peer.ip()), (serial, index));
        self.timers.set(index, Kind::Greeting, served_from_ms + self.config.limits.greeting_timeout_ms);
        if served_from_ms > now_ms {
            self.counters.add("connection_pauses");
            self.timers.set(index, Kind::Resume, served_from_ms);
        }
        debug!(%peer, delay_ms = served_from_ms - now_ms, "connected");
        Some(index)
    }

    /// The session of a connection has ended: its subnet takes its flood credit over. Again, it
    /// does nothing.
    pub(crate) fn leave_credit(&mut self, index: usize) {
        let now_ms = self.now.monotonic_ms;
        let Some(connection) = self.connections.get_mut(index) else { return };
        if let Some(flood) = connection.flood.take() {
            let unserved = now_ms < connection.served_from_ms;
            self.admission.leave(connection.peer, *flood, unserved, now_ms);
        }
    }

    fn timer_turn(&mut self) {
        self.hub.tick(self.now);
        let now_ms = self.now.monotonic_ms;
        while let Some((index, kind)) = self.timers.take_due(now_ms) {
            match kind {
                Kind::Greeting => self.close(index, "no_name_in_time"),
                Kind::Drain => self.close(index, "parted"),
                Kind::Resume => self.resume(index),
                Kind::Probe => self.decide_takeover(index),
                Kind::Progress => self.check_progress(index),
                Kind::Silence => self.check_silence(index),
            }
        }
        if now_ms >= self.shrink_due_ms {
            self.shrink_due_ms = now_ms + SHRINK_INTERVAL_MS;
            self.hub.shrink();
        }
    }

    /// Lets a connection that waited be read again.
    pub(crate) fn resume(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        connection.paused = false;
        connection.waits_for_outbox = false;
        connection.waits_for_history = false;
        self.queue_read(index);
    }

    pub(crate) fn queue_read(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        if connection.has_input() && !connection.queued {
            connection.queued = true;
            self.to_read.push_back(index);
        }
    }

    /// Event members only; a tutorial client cannot be asked, so TCP itself is (L).
    fn check_silence(&mut self, index: usize) {
        let Some(connection) = self.connections.get(index) else { return };
        let Some(member) = connection.member else { return };
        let limits = &self.config.limits;
        // One that the server keeps waiting cannot be heard; whether it is there, TCP knows.
        let heard_ms = if connection.paused { self.now.monotonic_ms } else { connection.heard_ms };
        let silent_ms = self.now.monotonic_ms.saturating_sub(heard_ms);
        if silent_ms >= limits.dead_after_ms {
            self.close(index, "silent");
        } else if silent_ms >= limits.ping_after_ms {
            let next_ms = (heard_ms + limits.dead_after_ms).min(self.now.monotonic_ms + limits.ping_after_ms);
            self.hub.tell_at_once(member, Event::Ping(Ping {}));
            self.timers.set(index, Kind::Silence, next_ms);
        } else {
            self.timers.set(index, Kind::Silence, heard_ms + limits.ping_after_ms);
        }
    }

    /// Closes a connection at once; a member departs with it.
    pub(crate) fn close(&mut self, index: usize, reason: &'static str) {
        self.leave_credit(index);
        let Some(connection) = self.connections.try_remove(index) else { return };
        self.timers.cancel_all(index);
        self.hub.forget(index);
        let is_parting = matches!(connection.phase, Phase::Parting);
        if is_parting {
            self.parting -= 1;
        }
        self.unregistered.remove(subnet(connection.peer.ip()), connection.serial);
        self.gate.leave(connection.peer.ip());
        // How a parting one ended was counted when it began to part.
        self.counters.add(if is_parting { "parted" } else { reason });
        match (connection.member, &connection.phase) {
            (Some(member), _) => self.depart(member, connection.peer, reason),
            // What became of it was logged when its last words were said.
            (None, Phase::Parting) => debug!(peer = %connection.peer, reason, "closed"),
            (None, _) => info!(peer = %connection.peer, reason, "refused"),
        }
    }

    pub(crate) fn depart(&mut self, member: MemberId, peer: SocketAddr, reason: &'static str) {
        let name = visible::one_line(self.hub.name(member));
        info!(%peer, name = &*name, reason, "left");
        self.hub.depart(member, self.now);
    }
}
