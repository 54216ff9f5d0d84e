//! The relay: accepts clients, connects each to the server, and passes bytes on in both
//! directions. One thread with one loop; the only sockets of the tap.

mod clock;
mod connection;
mod descriptors;
mod handle;
mod interceptor;
mod link;
mod listener;
mod observer;
mod options;
mod peer;
mod pipe;
mod recording_sink;
mod sinks;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll, Token};
use slab::Slab;

use crate::frame::FrameId;
use crate::hook::{Consequences, HookError, Hooks};
use crate::line::{Decision, Line};
use crate::reach::{self, ReachError, Role};
use crate::recording::{DelayedRecorder, Recorder, RecordingError, SEGMENT_BYTES_MAX, Side};
use crate::relay::clock::Clock;
use crate::relay::connection::{Connection, Progress, Turn};
use crate::relay::handle::{COMMANDS_MAX, Command};
use crate::relay::listener::{Accepted, Listener};
use crate::relay::recording_sink::RecordingSink;
use crate::relay::sinks::Sinks;
use crate::rules::{Action, RuleSet};

pub use handle::RelayHandle;
pub use interceptor::{InterceptError, Interceptor};
pub use listener::is_unused;
pub use observer::{ChannelObserver, Observations, ObserveOutcome, Observer, channel};
pub use options::RelayOptions;
pub use sinks::Summary;

const WAKER: Token = Token(usize::MAX);
const LISTENER: Token = Token(usize::MAX - 1);
const EVENTS_PER_TURN: usize = 1_024;
/// Clients accepted in one turn of the loop, so that a rush does not keep others waiting.
const ACCEPTS_PER_TURN: usize = 64;
/// Bytes of one read, which are one packet of a recording. The buffer is shared, so that an idle
/// connection has none.
const BUFFER_BYTES: usize = SEGMENT_BYTES_MAX;

/// Reason for which a relay does not start or run.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The tap does not use one of the addresses.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The tap would connect to itself.
    #[error("the tap would relay {0} to itself: name another address with --listen or --to")]
    Loop(SocketAddr),
    /// The address to listen on cannot be used.
    #[error("cannot listen on {address}: {error}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Reason that the system gives.
        #[source]
        error: io::Error,
    },
    /// A hook cannot be started.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The system gives no event queue, or takes it away.
    #[error("the system's event queue has failed: {0}")]
    Events(#[source] io::Error),
}

/// A relay that listens.
pub struct Relay {
    poll: Poll,
    listener: Listener,
    address: SocketAddr,
    target: SocketAddr,
    handle: RelayHandle,
    commands: Receiver<Command>,
    /// Behind `commands`: a hook that waits to say something is not waited for.
    hooks: Hooks,
    clock: Clock,
    sinks: Sinks,
    rules: Arc<RuleSet>,
    interceptor: Option<Arc<Interceptor>>,
    buffer: Vec<u8>,
    plaintext: Vec<u8>,
    connections: Slab<Entry>,
    /// Connections with an event or more to read, each once.
    ready: Vec<usize>,
    /// Times at which connections are due although no event comes.
    due: BTreeSet<(u64, usize)>,
    /// Number of the last connection.
    number: u64,
    /// Connections by their numbers.
    keys: HashMap<u64, usize>,
}

/// A connection, and the places where it is listed.
struct Entry {
    connection: Connection,
    is_ready: bool,
    due_us: Option<u64>,
}

impl Entry {
    fn note_ready(&mut self, key: usize, ready: &mut Vec<usize>) {
        if !std::mem::replace(&mut self.is_ready, true) {
            ready.push(key);
        }
    }
}

impl Relay {
    /// Checks the addresses, and listens.
    pub fn bind(options: RelayOptions) -> Result<Self, RelayError> {
        let RelayOptions { listen, to, permission, rules, observer, interceptor } = options;
        reach::check(Role::Listen, listen, permission)?;
        reach::check(Role::Target, to, permission)?;
        descriptors::raise_limit();
        let failed = |error| RelayError::Listen { address: listen, error };
        let mut listener = Listener::bind(listen, to).map_err(failed)?;
        let address = listener.address().map_err(failed)?;
        if address == to {
            return Err(RelayError::Loop(to));
        }
        let poll = Poll::new().map_err(RelayError::Events)?;
        listener.watch(poll.registry(), LISTENER).map_err(RelayError::Events)?;
        let (handle, commands) = RelayHandle::new(poll.registry(), WAKER).map_err(RelayError::Events)?;
        let listener_of_hooks = handle.clone();
        let mut hooks = Hooks::new(move || {
            let handle = listener_of_hooks.clone();
            Box::new(move |command, said| handle.give(Command::HookSaid(command.to_vec(), said)))
        });
        hooks.set(hook_commands(&rules))?;
        Ok(Self {
            poll,
            listener,
            address,
            target: to,
            handle,
            commands,
            hooks,
            clock: Clock::start(),
            sinks: Sinks::new(observer, interceptor.as_ref().map(|interceptor| interceptor.secrets())),
            rules,
            interceptor,
            buffer: vec![0; BUFFER_BYTES],
            plaintext: Vec::new(),
            connections: Slab::new(),
            ready: Vec::new(),
            due: BTreeSet::new(),
            number: 0,
            keys: HashMap::new(),
        })
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds what passes to this recording. It is begun after [`Relay::bind`], so that a relay that
    /// cannot listen touches no file.
    pub fn record(&mut self, recorder: Recorder) {
        self.sinks.record_to(RecordingSink::Direct(recorder));
    }

    /// Adds what passes to this recording, behind the secrets of each TLS connection, which its client
    /// writes to this key log (`glassline join --key-log`; `SSLKEYLOGFILE` of other programs). The
    /// recording waits for them within bounds, never the line; secrets that do not come in time are
    /// reported. The key log need not be there yet, and what is in it already is ignored.
    ///
    /// # Errors
    /// The key log is not a plain file, or cannot be read.
    pub fn record_with_key_log(&mut self, recorder: Recorder, key_log: &Path) -> Result<(), RecordingError> {
        let delayed = DelayedRecorder::new(recorder, key_log)?;
        self.sinks.record_to(RecordingSink::Delayed(Box::new(delayed)));
        Ok(())
    }

    /// Returns a handle for other threads.
    pub fn handle(&self) -> RelayHandle {
        self.handle.clone()
    }

    /// Relays until it is stopped, and returns what it has done.
    ///
    /// # Errors
    /// The event queue has failed. The recording is complete even then.
    pub fn run(mut self) -> Result<Summary, RelayError> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        let mut outcome = Ok(());
        while outcome.is_ok() && !self.handle.is_stopped() {
            outcome = self.turn(&mut events).map_err(RelayError::Events);
        }
        let summary = self.close_all();
        outcome.map(|()| summary)
    }

    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = self.timeout();
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            polled => polled?,
        }
        let now_us = self.clock.now_us();
        for event in &*events {
            self.note_event(event);
        }
        for _ in 0..ACCEPTS_PER_TURN {
            if !self.accept(now_us) {
                break;
            }
        }
        for _ in 0..COMMANDS_MAX {
            let Ok(command) = self.commands.try_recv() else { break };
            self.execute(command, now_us);
        }
        while let Some(&(due_us, key)) = self.due.first()
            && due_us <= now_us
        {
            self.due.remove(&(due_us, key));
            self.connections[key].due_us = None;
            self.note_ready(key);
        }
        if self.hooks.due_us().is_some_and(|due_us| due_us <= now_us) {
            let consequences = self.hooks.pass_deadlines(now_us);
            self.carry_out(consequences, now_us);
        }
        if self.sinks.due_us().is_some_and(|due_us| due_us <= now_us) {
            self.sinks.flush_due(now_us);
        }
        for key in std::mem::take(&mut self.ready) {
            self.pass(key, now_us);
        }
        Ok(())
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let due_us = self.due.first().map(|&(due_us, _)| due_us);
        let next_us =
            [due_us, self.listener.due_us(), self.hooks.due_us(), self.sinks.due_us()].into_iter().flatten().min()?;
        // The system waits in whole milliseconds; mio rounds up.
        Some(Duration::from_micros(next_us.saturating_sub(self.clock.now_us())))
    }

    fn note_event(&mut self, event: &Event) {
        match event.token() {
            WAKER => {}
            LISTENER => self.listener.note_ready(),
            Token(index) => {
                let (key, side) = (index / 2, Side::BOTH[index % 2]);
                if let Some(entry) = self.connections.get_mut(key) {
                    entry.connection.note_ready(side, event);
                    self.note_ready(key);
                }
            }
        }
    }

    fn execute(&mut self, command: Command, now_us: u64) {
        match command {
            Command::SetRules(rules) => {
                if let Err(error) = self.hooks.set(hook_commands(&rules)) {
                    self.sinks.problem(None, now_us, error.to_string());
                }
                for (key, entry) in &mut self.connections {
                    entry.connection.set_rules(&rules, now_us);
                    entry.note_ready(key, &mut self.ready);
                }
                self.rules = rules;
            }
            Command::Answer(frame, decision) => self.answer(frame, decision, now_us),
            Command::HookSaid(command, said) => {
                let consequences = self.hooks.said(&command, said);
                self.carry_out(consequences, now_us);
            }
        }
    }

    fn answer(&mut self, frame: FrameId, decision: Decision, now_us: u64) {
        // The connection may be over.
        let Some(&key) = self.keys.get(&frame.connection) else { return };
        self.connections[key].connection.answer(frame, decision, now_us);
        self.note_ready(key);
    }

    fn carry_out(&mut self, consequences: Consequences, now_us: u64) {
        for (frame, decision) in consequences.decisions {
            self.answer(frame, decision, now_us);
        }
        for problem in consequences.problems {
            self.sinks.problem(None, now_us, problem);
        }
    }

    fn note_ready(&mut self, key: usize) {
        self.connections[key].note_ready(key, &mut self.ready);
    }

    /// Accepts one client. Returns whether there may be another.
    fn accept(&mut self, now_us: u64) -> bool {
        let (client, client_address, socket) = match self.listener.accept(now_us) {
            Accepted::Client(client, address, socket) => (client, address, socket),
            Accepted::Nobody => return false,
            Accepted::Exhausted(error) => {
                let text = format!(
                    "no more clients are accepted until others leave: {error}; raise the limit of open files (ulimit -n)"
                );
                self.sinks.problem(None, now_us, text);
                return false;
            }
        };
        self.number += 1;
        let line = self.new_line(now_us);
        let place = self.connections.vacant_entry();
        let tokens = (Token(2 * place.key()), Token(2 * place.key() + 1));
        let (client, server) = ((client, client_address), (socket, self.target));
        let parts = (line, self.interceptor.clone());
        match Connection::open(self.number, client, server, tokens, parts, self.poll.registry()) {
            Ok(connection) => {
                self.keys.insert(self.number, place.key());
                place.insert(Entry { connection, is_ready: false, due_us: None });
            }
            Err(error) => {
                let text = format!("the client {client_address} was turned away: {error}");
                self.sinks.problem(Some(self.number), now_us, text);
            }
        }
        true
    }

    /// Returns what finds frames and applies rules, if anybody asks for frames.
    fn new_line(&self, now_us: u64) -> Option<Box<Line>> {
        if self.rules.is_empty() && !self.sinks.wants_frames() {
            return None;
        }
        let mut line = Box::new(Line::new(self.number));
        line.set_rules(Arc::clone(&self.rules), now_us);
        Some(line)
    }

    /// Returns the connections, and what each of them uses in its turn.
    fn parts(&mut self, now_us: u64) -> (&mut Slab<Entry>, Turn<'_>) {
        let turn = Turn {
            now_us,
            buffer: &mut self.buffer,
            plaintext: &mut self.plaintext,
            sinks: &mut self.sinks,
            hooks: &mut self.hooks,
            registry: self.poll.registry(),
        };
        (&mut self.connections, turn)
    }

    fn pass(&mut self, key: usize, now_us: u64) {
        let (connections, mut turn) = self.parts(now_us);
        let entry = &mut connections[key];
        entry.is_ready = false;
        match entry.connection.pass(&mut turn) {
            Progress::Closed => self.close(key, now_us),
            progress => {
                self.schedule(key);
                if progress == Progress::MoreToDo {
                    self.note_ready(key);
                }
            }
        }
    }

    /// Lists when a connection is due.
    fn schedule(&mut self, key: usize) {
        let entry = &mut self.connections[key];
        let due_us = entry.connection.due_us();
        if due_us == entry.due_us {
            return;
        }
        if let Some(previous_us) = std::mem::replace(&mut entry.due_us, due_us) {
            self.due.remove(&(previous_us, key));
        }
        if let Some(due_us) = due_us {
            self.due.insert((due_us, key));
        }
    }

    fn close(&mut self, key: usize, now_us: u64) {
        let entry = self.connections.remove(key);
        self.keys.remove(&entry.connection.number());
        if let Some(due_us) = entry.due_us {
            self.due.remove(&(due_us, key));
        }
        entry.connection.close(&mut self.parts(now_us).1);
        self.listener.note_closed();
    }

    fn close_all(&mut self) -> Summary {
        let now_us = self.clock.now_us();
        let (connections, mut turn) = self.parts(now_us);
        for mut entry in connections.drain() {
            entry.connection.stop(&mut turn);
            entry.connection.close(&mut turn);
        }
        self.sinks.finish(now_us)
    }
}

fn hook_commands(rules: &RuleSet) -> impl Iterator<Item = &Vec<String>> + Clone {
    rules.rules().iter().filter_map(|rule| match &rule.action {
        Action::Hook { command, .. } => Some(command),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
