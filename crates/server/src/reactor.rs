//! The loop: wait for something to happen, read, write, and keep the deadlines. One thread does all of it.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use glassline_journal::Store;
use glassline_room::{Hub, MemberId, Now, Rules};
use glassline_wire::event::{Event, Ping};
use glassline_wire::visible;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;
use tracing::{debug, info, warn};

use crate::Config;
use crate::clock::Clock;
use crate::connection::{Connection, Phase};
use crate::counters::Counters;
use crate::gate::Gate;
use crate::history::History;
use crate::link::Link;
use crate::listener::{Accepted, Listener};
use crate::shutdown::Shutdown;
use crate::timers::{Kind, Timers};
use crate::watching::Traffic;

const WAKER: Token = Token(usize::MAX);
/// Listeners have the tokens just below the waker's; connections have those from 0 on.
const FIRST_LISTENER: usize = usize::MAX / 2;
/// Connections accepted in one turn of the loop, so that a rush of arrivals does not keep members waiting.
const ACCEPTS_PER_TURN: usize = 64;
/// Largest read. A sender's burst should come in whole: what is read together is written together.
pub(crate) const READ_BYTES_MAX: usize = 64 * 1024;
/// Rooms' idle memory is given back so often.
const SHRINK_INTERVAL_MS: u64 = 10_000;

/// Serves until `shutdown` is requested. With a store, what is said is stored before anybody is sent it.
///
/// # Errors
/// The operating system gives no event queue, or takes a listener away; or the store cannot be read at the start or written later.
pub fn run(
    listeners: Vec<StdListener>,
    config: Config,
    store: Option<Box<dyn Store>>,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let mut reactor = Reactor::new(listeners, config, store.is_some())?;
    let waker = Arc::new(Waker::new(reactor.poll.registry(), WAKER)?);
    shutdown.wake_with(Arc::clone(&waker));
    if let Some(store) = store {
        // A loop that cannot be woken sees what came back with its next event.
        let wake = move || drop(waker.wake());
        reactor.history = Some(History::start(store, &mut reactor.hub, wake).map_err(io::Error::other)?);
    }
    while !shutdown.is_requested() {
        if let Err(error) = reactor.turn() {
            // What was said and not stored is not acknowledged; who said it is told that nothing goes on.
            reactor.history = None;
            let closed = reactor.close_down("the server stops, because something failed; come back later");
            return closed.and(Err(error));
        }
    }
    reactor.close_down("the server is closing down; goodbye")
}

pub(crate) struct Reactor {
    poll: Poll,
    events: Events,
    listeners: Vec<Listening>,
    pub(crate) connections: Slab<Connection>,
    pub(crate) hub: Hub,
    pub(crate) history: Option<History>,
    pub(crate) config: Config,
    pub(crate) timers: Timers,
    pub(crate) gate: Gate,
    pub(crate) counters: Counters,
    pub(crate) traffic: Traffic,
    /// Number of the last question of a watcher that was answered.
    pub(crate) last_answer: u64,
    clock: Clock,
    pub(crate) now: Now,
    /// Connections that may have something to read.
    pub(crate) to_read: VecDeque<usize>,
    /// Connections without a name, oldest first.
    pub(crate) nameless: BTreeMap<u64, usize>,
    pub(crate) buffer: Vec<u8>,
    /// Connections in [`Phase::Parting`].
    pub(crate) parting: usize,
    pub(crate) closing_down: bool,
    next_serial: u64,
    shrink_due_ms: u64,
}

struct Listening {
    listener: Listener,
    /// There may be somebody to accept.
    pending: bool,
    not_before_ms: u64,
}

impl Reactor {
    fn new(listeners: Vec<StdListener>, config: Config, durable: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let limits = &config.limits;
        let mut listening = Vec::new();
        for (index, listener) in listeners.into_iter().enumerate() {
            let mut listener = Listener::new(listener, limits.accept_backoff_min_ms, limits.accept_backoff_max_ms)?;
            poll.registry().register(&mut listener.socket, Token(FIRST_LISTENER + index), Interest::READABLE)?;
            listening.push(Listening { listener, pending: true, not_before_ms: 0 });
        }
        let rules = Rules {
            pure: config.pure,
            log_bytes_max: limits.log_bytes_max,
            logs_bytes_max: limits.logs_bytes_max,
            outbox_bytes_max: limits.outbox_bytes_max,
            durable,
            replay: config.replay,
            replay_tutorial: config.replay_tutorial,
            operator_token: config.operator_token.clone(),
            server: concat!("glassline/", env!("CARGO_PKG_VERSION")).to_string(),
            ..Rules::default()
        };
        let clock = Clock::start();
        Ok(Self {
            poll,
            events: Events::with_capacity(1_024),
            listeners: listening,
            connections: Slab::new(),
            hub: Hub::new(rules),
            history: None,
            config,
            timers: Timers::default(),
            gate: Gate::default(),
            counters: Counters::default(),
            traffic: Traffic::default(),
            last_answer: 0,
            now: clock.now(),
            clock,
            to_read: VecDeque::new(),
            nameless: BTreeMap::new(),
            buffer: vec![0; READ_BYTES_MAX],
            parting: 0,
            closing_down: false,
            next_serial: 0,
            shrink_due_ms: SHRINK_INTERVAL_MS,
        })
    }

    fn turn(&mut self) -> io::Result<()> {
        self.wait(self.wait_ms())?;
        self.take_from_history()?;
        self.accept_turn();
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

    /// Whether what is read can be kept: members are not owed too much, and the history is not behind.
    pub(crate) fn may_read(&self) -> bool {
        !self.hub.is_flooded() && !self.history.as_ref().is_some_and(History::is_full)
    }

    fn take_from_history(&mut self) -> io::Result<()> {
        if let Some(history) = &mut self.history {
            history.take_in(&mut self.hub)?;
            // Before anything of theirs that waited goes on.
            self.keep_order();
            self.resume_settled();
        }
        Ok(())
    }

    fn give_to_history(&mut self) {
        if let Some(history) = &mut self.history {
            history.hand_over(&mut self.hub);
        }
    }

    /// Waits for events and notes what they say.
    fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout_ms.map(Duration::from_millis)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        self.now = self.clock.now();
        for event in &self.events {
            let Token(index) = event.token();
            if event.token() == WAKER {
                continue;
            }
            if index >= FIRST_LISTENER {
                if let Some(listening) = self.listeners.get_mut(index - FIRST_LISTENER) {
                    listening.pending = true;
                }
                continue;
            }
            let Some(connection) = self.connections.get_mut(index) else { continue };
            connection.read_closed |= event.is_read_closed() || event.is_error();
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                connection.readable = true;
                if connection.has_input() && !connection.queued {
                    connection.queued = true;
                    self.to_read.push_back(index);
                }
            }
            if event.is_writable() && !connection.writable {
                connection.writable = true;
                match connection.member {
                    Some(member) => self.hub.wake(member),
                    None => self.to_read.push_front(index),
                }
            }
        }
        Ok(())
    }

    /// How long nothing will have to be done; not at all if there is work left.
    fn wait_ms(&self) -> Option<u64> {
        let now_ms = self.now.monotonic_ms;
        let accept_due = self.listeners.iter().filter(|l| l.pending).map(|l| l.not_before_ms).min();
        let history_has_done = self.history.as_ref().is_some_and(History::has_done);
        if (!self.to_read.is_empty() && self.may_read()) || self.hub.has_writes() || history_has_done {
            return Some(0);
        }
        let due = [accept_due, self.timers.next_due_ms(), self.hub.next_deadline_ms()];
        let shrink_due = (!self.hub.is_empty()).then_some(self.shrink_due_ms);
        due.into_iter().flatten().chain(shrink_due).min().map(|due_ms| due_ms.saturating_sub(now_ms))
    }

    fn accept_turn(&mut self) {
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                let listening = &mut self.listeners[index];
                if !listening.pending || listening.not_before_ms > self.now.monotonic_ms {
                    break;
                }
                match listening.listener.accept() {
                    Accepted::Peer(stream, peer) => self.admit(stream, peer),
                    Accepted::Nobody => listening.pending = false,
                    Accepted::Exhausted { retry_after_ms, error } => {
                        listening.not_before_ms = self.now.monotonic_ms + retry_after_ms;
                        self.counters.add("accept_failed");
                        warn!(%error, retry_after_ms, "cannot accept; raise the descriptor limit (ulimit -n) if this goes on");
                    }
                }
            }
        }
    }

    fn admit(&mut self, stream: mio::net::TcpStream, peer: std::net::SocketAddr) {
        if let Err(reason) = self.gate.enter(peer.ip(), &self.config.limits) {
            self.counters.add(reason);
            info!(%peer, reason, "connection refused");
            return;
        }
        if self.nameless.len() >= self.config.limits.nameless_max
            && let Some((_, &oldest)) = self.nameless.first_key_value()
        {
            self.close(oldest, "crowded_out");
        }
        let now_ms = self.now.monotonic_ms;
        let link = Link::new(stream, Duration::from_millis(self.config.limits.dead_after_ms));
        let flood = self.config.flood.buckets(peer.ip(), now_ms);
        let serial = self.next_serial;
        self.next_serial += 1;
        let index = self.connections.insert(Connection::new(link, peer, serial, flood, now_ms));
        self.nameless.insert(serial, index);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(self.connections[index].link.source(), Token(index), interest);
        if let Err(error) = registered {
            warn!(%peer, %error, "cannot watch a connection");
            self.close(index, "not_watched");
            return;
        }
        self.timers.set(index, Kind::Greeting, now_ms + self.config.limits.greeting_timeout_ms);
        debug!(%peer, "connected");
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
            self.hub.tell(member, &Event::Ping(Ping {}));
            self.timers.set(index, Kind::Silence, next_ms);
        } else {
            self.timers.set(index, Kind::Silence, heard_ms + limits.ping_after_ms);
        }
    }

    /// Closes a connection at once; a member departs with it.
    pub(crate) fn close(&mut self, index: usize, reason: &'static str) {
        let Some(mut connection) = self.connections.try_remove(index) else { return };
        // Closing the descriptor ends the watch too; a failure here has nothing left to harm.
        let _ = self.poll.registry().deregister(connection.link.source());
        self.timers.cancel_all(index);
        self.hub.forget(index);
        let is_parting = matches!(connection.phase, Phase::Parting);
        if is_parting {
            self.parting -= 1;
        }
        let was_nameless = self.nameless.remove(&connection.serial).is_some();
        self.gate.leave(connection.peer.ip(), was_nameless);
        // How a parting one ended was counted when it began to part.
        self.counters.add(if is_parting { "parted" } else { reason });
        match (connection.member, &connection.phase) {
            (Some(member), _) => self.depart(member, connection.peer, reason),
            // What became of it was logged when its last words were said.
            (None, Phase::Parting) => debug!(peer = %connection.peer, reason, "closed"),
            (None, _) => info!(peer = %connection.peer, reason, "refused"),
        }
    }

    pub(crate) fn depart(&mut self, member: MemberId, peer: std::net::SocketAddr, reason: &'static str) {
        let name = visible::one_line(self.hub.name(member)).into_owned();
        info!(%peer, ?name, reason, "left");
        self.hub.depart(member, self.now);
    }

    /// Says goodbye, writes out what waits, and closes; all within the limit.
    fn close_down(mut self, goodbye: &str) -> io::Result<()> {
        for mut listening in std::mem::take(&mut self.listeners) {
            let _ = self.poll.registry().deregister(&mut listening.listener.socket);
        }
        info!(members = self.hub.len(), "closing down");
        self.closing_down = true;
        let started_ms = self.now.monotonic_ms;
        let limit_ms = self.config.limits.shutdown_timeout_ms;
        self.settle_all(started_ms + limit_ms / 2)?;
        self.hub.say_goodbye(goodbye);
        let write_until_ms = started_ms + limit_ms - self.config.limits.farewell_timeout_ms;
        loop {
            self.write_turn();
            let is_blocked = self.connections.iter().any(|(_, connection)| !connection.writable);
            let left_ms = write_until_ms.saturating_sub(self.now.monotonic_ms);
            if left_ms == 0 || !(is_blocked || self.hub.has_writes()) {
                break;
            }
            // Nothing is read any more, so what may be read is no reason to hurry.
            self.wait(Some(if self.hub.has_writes() { 0 } else { left_ms }))?;
        }
        self.part_all()
    }

    /// Waits for what was said to be stored, and sends it on.
    fn settle_all(&mut self, until_ms: u64) -> io::Result<()> {
        while self.history.is_some() && self.hub.unstored() > 0 && self.now.monotonic_ms < until_ms {
            self.give_to_history();
            self.write_turn();
            let left_ms = until_ms.saturating_sub(self.now.monotonic_ms);
            self.wait(Some(if self.hub.has_writes() { 0 } else { left_ms }))?;
            if let Some(history) = &mut self.history {
                history.take_in(&mut self.hub)?;
            }
        }
        Ok(())
    }

    /// Closes every connection behind its last word, and waits a moment for the peers to do so first.
    fn part_all(mut self) -> io::Result<()> {
        let indices: Vec<usize> = self.connections.iter().map(|(index, _)| index).collect();
        for index in indices {
            self.part(index, "server_closing", Vec::new());
        }
        let close_at_ms = self.now.monotonic_ms + self.config.limits.farewell_timeout_ms;
        while !self.connections.is_empty() && self.now.monotonic_ms < close_at_ms {
            self.write_turn();
            self.read_turn();
            let left_ms = close_at_ms.saturating_sub(self.now.monotonic_ms);
            self.wait(Some(if self.to_read.is_empty() { left_ms } else { 0 }))?;
        }
        info!(counts = self.counters.summary(), "closed down");
        self.history.map_or(Ok(()), |history| history.close().map_err(io::Error::other))
    }
}
