//! One connection: its transport, its protocol, and its state.

use std::io;
use std::net::SocketAddr;

use glassline_hub::{Hub, MemberId, Now};

use crate::Config;
use crate::admission::{Flood, Terms};
use crate::connection_key::ConnectionKey;
use crate::metrics::Traffic;
use crate::net::transport::{ReadBuffer, ReadError, Received, Socket, Transport};
use crate::protocol::{Protocol, SessionContext};

/// Largest read. A sender's burst should come in whole: what is read together is written together.
pub(crate) const READ_BYTES_MAX: usize = 64 * 1024;
/// Largest read from a connection with a flood limit: what has to wait is held, so it is kept
/// small.
const LIMITED_READ_BYTES_MAX: usize = 16 * 1024;

/// State of a connection; a closed one does not exist.
#[derive(Debug)]
pub(crate) enum ConnectionState {
    /// Its input is read and served.
    Open,
    /// Its input is neither read nor served until its wait ends.
    Paused(PauseReason),
    /// Its last output is being sent; its input is read and dropped.
    Draining(PeerInput),
}

#[derive(Debug)]
pub(crate) enum PauseReason {
    /// A time: its flood credit returns, or its turn comes among the new connections of its subnet.
    Timer,
    /// The history, which has to store its message or to answer its query.
    History,
    /// The peer, which has to read some of what is queued for it.
    SendQueue,
    /// The holder of the name it claims, which may be dead.
    Takeover(Box<Takeover>),
}

/// Input of a connection whose last output is being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerInput {
    MayFollow,
    Ended,
}

/// Order in which unregistered connections are closed for others, the first to be closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EvictionRank {
    HungUp,
    /// It was sent its last output.
    Ended,
    /// It was served over HTTP, and has no request.
    Served,
    /// Its turn has not come: its subnet opens too many connections.
    Delayed,
    /// Its bytes so far decide nothing.
    Incomplete,
    /// It is being sent an answer or a reason.
    Answered,
    WaitsForServer,
}

/// A name that is claimed from a connection which may be dead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Takeover {
    pub(crate) holder: MemberId,
    pub(crate) holder_connection: ConnectionKey,
    /// Number of reads from the holder when it was probed; it is alive if that has grown.
    pub(crate) holder_reads: u64,
}

#[derive(Debug)]
pub(crate) struct Connection<S> {
    transport: Transport<S>,
    peer: SocketAddr,
    state: ConnectionState,
    protocol: Protocol,
    /// Set once its name is accepted.
    member: Option<MemberId>,
    /// Bytes sent before those of the hub: refusals before it has a name, and its
    /// last output once it has left the hub.
    output: Vec<u8>,
    /// Bytes read that wait until it may resume.
    backlog: Box<[u8]>,
    /// Flood credit; `None` for an exempt address, and once its session has ended.
    flood: Option<Box<Flood>>,
    /// Nothing is read from it before: its subnet opened too many connections.
    served_from_ms: u64,
    /// It is in the loop's list of those to read.
    is_queued: bool,
    /// Number of reads that returned data.
    reads: u64,
    received_ms: u64,
}

impl<S: Socket> Connection<S> {
    pub(crate) fn new(transport: Transport<S>, peer: SocketAddr, terms: Terms, now_ms: u64) -> Self {
        let is_delayed = terms.delay_ms > 0;
        Self {
            transport,
            peer,
            state: if is_delayed { ConnectionState::Paused(PauseReason::Timer) } else { ConnectionState::Open },
            protocol: Protocol::default(),
            member: None,
            output: Vec::new(),
            backlog: Box::default(),
            flood: terms.flood.map(Box::new),
            served_from_ms: now_ms + terms.delay_ms,
            is_queued: false,
            reads: 0,
            received_ms: now_ms,
        }
    }

    pub(crate) fn transport(&self) -> &Transport<S> {
        &self.transport
    }

    pub(crate) fn transport_mut(&mut self) -> &mut Transport<S> {
        &mut self.transport
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    pub(crate) fn member(&self) -> Option<MemberId> {
        self.member
    }

    /// Takes the member out: later output is the connection's own.
    pub(crate) fn take_member(&mut self) -> Option<MemberId> {
        self.member.take()
    }

    pub(crate) fn served_from_ms(&self) -> u64 {
        self.served_from_ms
    }

    #[cfg(any(test, feature = "test-server"))]
    pub(crate) fn held_bytes(&self) -> usize {
        self.output.len() + self.backlog.len()
    }

    pub(crate) fn flood_mut(&mut self) -> Option<&mut Flood> {
        self.flood.as_deref_mut()
    }

    /// Takes the flood credit out; the connection has no limit from then on.
    pub(crate) fn take_flood(&mut self) -> Option<Flood> {
        self.flood.take().map(|flood| *flood)
    }

    /// Rank among the unregistered connections of which one is closed for a new one: the lowest
    /// goes first, of equals the oldest, but of delayed ones the newest, so that the others have
    /// their turn. How much was sent so far does not count: part of a `hello`, a request or a
    /// handshake costs a hostile peer nothing, while an honest one completes it long before its
    /// connection is the oldest.
    pub(crate) fn eviction_rank(&self, now_ms: u64) -> EvictionRank {
        match self.state {
            _ if self.is_served() => EvictionRank::Served,
            _ if self.transport.is_hung_up() => EvictionRank::HungUp,
            _ if self.has_output() => EvictionRank::Answered,
            ConnectionState::Draining(_) => EvictionRank::Ended,
            _ if now_ms < self.served_from_ms => EvictionRank::Delayed,
            ConnectionState::Paused(PauseReason::History | PauseReason::Takeover(_)) => EvictionRank::WaitsForServer,
            _ => EvictionRank::Incomplete,
        }
    }

    /// Returns whether output waits for the peer to take it, in the layers too: those leave a socket
    /// only where it is full.
    fn has_output(&self) -> bool {
        !self.output.is_empty() || !self.transport.is_writable()
    }

    fn is_served(&self) -> bool {
        !self.has_output() && matches!(&self.protocol, Protocol::Http(session) if session.is_idle())
    }

    // State.

    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.state, ConnectionState::Draining(_))
    }

    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.state, ConnectionState::Paused(_))
    }

    pub(crate) fn pause(&mut self, reason: PauseReason) {
        self.state = ConnectionState::Paused(reason);
    }

    pub(crate) fn resume(&mut self) {
        if self.is_paused() {
            self.state = ConnectionState::Open;
        }
    }

    /// Resumes it if it waited for the history. Returns whether it did.
    pub(crate) fn resume_from_history(&mut self) -> bool {
        let is_waiting = matches!(self.state, ConnectionState::Paused(PauseReason::History));
        if is_waiting {
            self.state = ConnectionState::Open;
        }
        is_waiting
    }

    pub(crate) fn waits_for_send_queue(&self) -> bool {
        matches!(self.state, ConnectionState::Paused(PauseReason::SendQueue))
    }

    /// Ends the claim on another connection's name, if it is waiting for one.
    pub(crate) fn take_takeover(&mut self) -> Option<Takeover> {
        match std::mem::replace(&mut self.state, ConnectionState::Open) {
            ConnectionState::Paused(PauseReason::Takeover(takeover)) => Some(*takeover),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Begins the end: the session and held input are dropped. Returns whether it is new.
    pub(crate) fn drain(&mut self) -> bool {
        if self.is_draining() {
            return false;
        }
        self.state = ConnectionState::Draining(PeerInput::MayFollow);
        self.protocol = Protocol::default();
        self.backlog = Box::default();
        true
    }

    /// Records the end of the peer's input, when none of it is served.
    pub(crate) fn note_end_of_input(&mut self) {
        if self.is_draining() {
            self.state = ConnectionState::Draining(PeerInput::Ended);
        }
    }

    // Input.

    /// Returns whether there may be unprocessed input, held back or in the socket.
    pub(crate) fn has_input(&self) -> bool {
        let may_be_read = match self.state {
            ConnectionState::Open | ConnectionState::Draining(PeerInput::MayFollow) => true,
            ConnectionState::Paused(_) | ConnectionState::Draining(PeerInput::Ended) => false,
        };
        may_be_read && (!self.backlog.is_empty() || self.transport.is_readable())
    }

    /// Returns whether it is to be put in the loop's list of those to read; it counts as put there.
    pub(crate) fn enqueue(&mut self) -> bool {
        let is_new = self.has_input() && !self.is_queued;
        self.is_queued |= is_new;
        is_new
    }

    pub(crate) fn dequeue(&mut self) {
        self.is_queued = false;
    }

    pub(crate) fn take_backlog(&mut self) -> Box<[u8]> {
        std::mem::take(&mut self.backlog)
    }

    /// Keeps input until it resumes, unless there is earlier input, of which it is a part.
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        if self.backlog.is_empty() {
            self.backlog = rest.into();
        }
    }

    /// Reads once, as [`Transport::read`]; less where a flood limit may hold back what was read.
    ///
    /// # Errors
    /// As of [`Transport::read`].
    pub(crate) fn read<'b>(
        &mut self,
        buffer: &'b mut ReadBuffer,
        traffic: &mut Traffic,
        now_ms: u64,
    ) -> Result<Received<'b>, ReadError> {
        let bytes_max = if self.flood.is_some() { LIMITED_READ_BYTES_MAX } else { READ_BYTES_MAX };
        let is_handshaking = self.transport.is_handshaking();
        let received = self.transport.read(buffer, bytes_max, traffic)?;
        if let Received::Plaintext { plaintext, overhead_bytes } = received {
            // Output of a layer itself does not show that the program is alive.
            if !plaintext.is_empty() {
                self.received_ms = now_ms;
                self.reads += 1;
            }
            if let Some(flood) = self.flood.as_deref_mut().filter(|_| overhead_bytes > 0 && !is_handshaking) {
                flood.take_overhead(overhead_bytes, plaintext.is_empty(), now_ms);
            }
        }
        Ok(received)
    }

    /// Milliseconds for which the layers' own bytes delay the next read, if they do.
    pub(crate) fn overhead_wait_ms(&mut self, now_ms: u64) -> Option<u64> {
        let is_open = matches!(self.state, ConnectionState::Open);
        let flood = self.flood.as_deref_mut().filter(|_| is_open)?;
        Some(flood.bytes_wait_ms(now_ms)).filter(|&wait_ms| wait_ms > 0)
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads
    }

    /// Time at which bytes last arrived. A connection that the server keeps waiting is not read, so
    /// it counts as alive; TCP detects a dead one.
    pub(crate) fn received_ms(&self, now_ms: u64) -> u64 {
        if self.is_paused() { now_ms } else { self.received_ms }
    }

    /// Returns whether it has sent bytes since `reads` reads, or is kept waiting itself.
    pub(crate) fn has_answered(&self, reads: u64) -> bool {
        let is_kept_waiting = self.is_paused() || self.transport.is_readable() || !self.backlog.is_empty();
        self.reads > reads || is_kept_waiting
    }

    pub(crate) fn with_context<T>(
        &mut self,
        key: ConnectionKey,
        hub: &mut Hub,
        now: Now,
        config: &Config,
        may_register: bool,
        act: impl FnOnce(&mut Protocol, &mut SessionContext<'_>) -> T,
    ) -> T {
        let mut context = SessionContext {
            hub,
            now,
            connection: key.index(),
            address: self.peer.ip(),
            carrier: &self.transport,
            member: &mut self.member,
            flood: self.flood.as_deref_mut(),
            pre_login_output: &mut self.output,
            pure: config.pure,
            links: &config.links,
            web: config.web.as_ref(),
            may_register,
        };
        act(&mut self.protocol, &mut context)
    }

    // Output.

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    pub(crate) fn output_bytes(&self) -> usize {
        self.output.len()
    }

    /// Writes the layers' output and its own. Returns whether nothing of that is
    /// left and more may be written.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn write_output(&mut self, traffic: &mut Traffic) -> io::Result<bool> {
        if !self.transport.flush()? || !self.transport.is_writable() {
            return Ok(false);
        }
        if !self.output.is_empty() {
            let written = self.transport.write(&[&self.output], traffic)?;
            if written > 0 {
                self.output = self.output.split_off(written);
            }
        }
        Ok(self.output.is_empty() && self.transport.is_writable())
    }

    /// Closes the sending side, once the last output is sent. Returns whether the connection is
    /// over: this end is sent, and the peer's has arrived.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn finish_if_drained(&mut self) -> io::Result<bool> {
        let ConnectionState::Draining(input) = self.state else { return Ok(false) };
        if !self.output.is_empty() {
            return Ok(false);
        }
        self.transport.finish()?;
        Ok(self.transport.is_finished() && input == PeerInput::Ended)
    }
}
