//! The generator's side of all connections: one thread, one epoll loop, as cheap as can be, so that the server is
//! what is measured.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use crate::links::tls::{Config, Secured};
use crate::peers::{Partial, Peer, Role};
use crate::process::ListenQueue;
use crate::systems::{Server, System};
use crate::web::websocket::WebSocket;

const CONNECTIONS_PER_SOURCE: usize = 12_000;
const READ_BYTES: usize = 256 * 1024;
const EVENTS_PER_POLL: usize = 1024;
/// A system on which nothing arrives for this long has failed.
pub const STALL_LIMIT: Duration = Duration::from_secs(20);
/// From the first connect until everybody is reached by one message. ngIRCd tells each member of all
/// who come later, over TLS in a record each: seconds of CPU.
const JOIN_LIMIT: Duration = Duration::from_secs(90);
/// Wait for a probe's next delivery before another is sent; doubled each time.
const PROBE_PATIENCE: Duration = Duration::from_millis(100);
/// Longer than the quarter of a second at which a server may batch its announcements.
const QUIET: Duration = Duration::from_millis(300);

pub struct Clients {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    peer: Box<dyn Peer>,
    /// Connections are secured with it.
    tls: Option<Config>,
    /// Connections are WebSockets.
    in_websockets: bool,
    addr: SocketAddr,
    created_at: Instant,
    queue: ListenQueue,
    connects_at_once: usize,
    members: Vec<Member>,
    /// Per connection, how many of the messages sent so far it is done with: those it received, and its own where
    /// they do not come back. Connections that receive nothing are done with everything.
    done: Vec<u64>,
    sent: u64,
    deliveries: u64,
    last_bytes: Instant,
    last_delivery: Instant,
}

struct Member {
    stream: TcpStream,
    tls: Option<Box<Secured>>,
    websocket: Option<Box<WebSocket>>,
    partial: Partial,
    /// Bytes that the socket did not take yet.
    out: Vec<u8>,
    written: usize,
    receives: bool,
}

/// Reading behaviour of the connections of `Clients::add`.
#[derive(Clone, Copy)]
pub enum Reading {
    Always,
    /// Never reads, and offers the server a small receive buffer.
    Never {
        receive_buffer_bytes: usize,
    },
}

const DONE_WITH_ALL: u64 = u64::MAX;

impl Clients {
    pub fn new(system: System, server: &Server) -> Result<Self> {
        Self::of(system.peer(), system.connects_at_once(), server)
    }

    /// Clients that speak as `peer` does.
    pub fn of(peer: Box<dyn Peer>, connects_at_once: usize, server: &Server) -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_PER_POLL),
            buffer: vec![0; READ_BYTES],
            peer,
            tls: None,
            in_websockets: false,
            addr: server.addr,
            created_at: Instant::now(),
            queue: ListenQueue::of(server.addr),
            connects_at_once,
            members: Vec::new(),
            done: Vec::new(),
            sent: 0,
            deliveries: 0,
            last_bytes: Instant::now(),
            last_delivery: Instant::now(),
        })
    }

    /// Secures the connections that are made from now on.
    pub fn secure(&mut self) -> Result<()> {
        self.tls = Some(Config::new(self.peer.longest_record_bytes())?);
        Ok(())
    }

    /// Makes the connections WebSockets that are made from now on.
    pub fn use_websockets(&mut self) {
        self.in_websockets = true;
    }

    /// From now on takes the messages that arrive by the length of what arrives, without decrypting
    /// it, so that the generator is not the bottleneck. Each is as long as the latest, and nothing may
    /// be under way. Members that have received nothing decrypt as before.
    pub fn count_secured(&mut self) {
        for member in &mut self.members {
            match (&mut member.tls, member.partial.delivery_bytes()) {
                (Some(tls), message_bytes) if message_bytes > 0 => tls.count(message_bytes),
                _ => {}
            }
        }
    }

    pub fn peer(&self) -> &dyn Peer {
        &*self.peer
    }

    pub fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// Messages still to be received.
    pub fn in_flight(&self) -> u64 {
        let slowest = self.done.iter().copied().min().unwrap_or(DONE_WITH_ALL);
        self.sent.saturating_sub(slowest)
    }

    /// Connects `count` more and says hello; never more at once than the server's queue takes.
    pub fn add(&mut self, count: usize, role: Role, reading: Reading) -> Result<std::ops::Range<usize>> {
        let first = self.members.len();
        for at in first..first + count {
            self.connect(at, role, reading)?;
            if (at + 1 - first).is_multiple_of(self.connects_at_once) {
                self.wait_for_accepts()?;
            }
        }
        self.wait_for_accepts()?;
        Ok(first..first + count)
    }

    /// Adds readers, then a sender whose probes reach all of them; returns the sender.
    pub fn add_readers_and_sender(&mut self, readers: usize, text: &[u8]) -> Result<usize> {
        self.add(readers, Role::Member, Reading::Always)?;
        // The sender comes last: who accepts in order has everybody in when it speaks, and the first probe reaches all.
        let sender = self.add(1, Role::Sender, Reading::Always)?.start;
        self.probe_all(sender, text)?;
        Ok(sender)
    }

    fn connect(&mut self, at: usize, role: Role, reading: Reading) -> Result<()> {
        let socket = Socket::new(Domain::for_address(self.addr), Type::STREAM, None)
            .context("no descriptor for one more connection")?;
        if let Reading::Never { receive_buffer_bytes } = reading {
            socket.set_recv_buffer_size(receive_buffer_bytes)?;
        }
        if let Some(source) = source_address(at, self.addr) {
            socket.bind(&source.into())?;
        }
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&self.addr.into()) {
            Err(error) if error.raw_os_error() != Some(IN_PROGRESS) => {
                return Err(error).with_context(|| format!("connection {at}"));
            }
            _ => {}
        }
        let mut stream = TcpStream::from_std(socket.into());
        // A client that never reads needs no read events.
        let (interest, receives) = match reading {
            Reading::Always => {
                (Interest::READABLE | Interest::WRITABLE, role == Role::Member || !self.peer.publishes_apart())
            }
            Reading::Never { .. } => (Interest::WRITABLE, false),
        };
        self.poll.registry().register(&mut stream, Token(at), interest)?;
        let mut hello = Vec::new();
        self.peer.hello(at, role, &mut hello);
        let tls = match &self.tls {
            Some(config) => Some(Box::new(Secured::new(config, self.peer.greets_before_tls())?)),
            None => None,
        };
        let mut out = Vec::new();
        let websocket = self.in_websockets.then(|| Box::new(WebSocket::ask(&mut out)));
        let partial = Partial::default();
        let mut member = Member { stream, tls, websocket, partial, out, written: 0, receives };
        member.put(&hello)?;
        member.flush().with_context(|| format!("hello of member {at}"))?;
        self.members.push(member);
        self.done.push(if receives { 0 } else { DONE_WITH_ALL });
        Ok(())
    }

    fn wait_for_accepts(&mut self) -> Result<()> {
        self.pump(Duration::ZERO)?;
        self.check_join_limit()?;
        while self.has_many_waiting() {
            self.pump(Duration::from_millis(1))?;
            self.check_join_limit()?;
        }
        Ok(())
    }

    /// Returns whether as many as may be at once are not accepted yet, or shake hands: a server holds
    /// few who are no members.
    fn has_many_waiting(&self) -> bool {
        let many = self.connects_at_once.div_ceil(2);
        let latest = self.members.iter().rev().take(2 * self.connects_at_once);
        let shaking_hands = latest.filter(|member| member.is_shaking_hands()).count();
        shaking_hands >= many || self.queue.waiting().is_some_and(|waiting| waiting >= many)
    }

    fn check_join_limit(&self) -> Result<()> {
        ensure!(
            self.created_at.elapsed() < JOIN_LIMIT,
            "{} connections not all members after {JOIN_LIMIT:?}",
            self.members.len()
        );
        Ok(())
    }

    /// Sends `count` messages from one member, in one write if the socket takes them.
    pub fn send(&mut self, from: usize, count: u64, text: &[u8]) -> Result<()> {
        let member = &mut self.members[from];
        let mut messages = Vec::new();
        for _ in 0..count {
            self.peer.message(from, text, &mut messages);
        }
        member.put(&messages)?;
        self.sent += count;
        if member.receives && !self.peer.own_messages_return() {
            self.done[from] += count;
        }
        member.flush().with_context(|| format!("member {from} cannot send"))
    }

    /// Shows the server that everybody is there.
    pub fn keep_alive(&mut self) -> Result<()> {
        let mut keepalive = Vec::new();
        self.peer.keepalive(&mut keepalive);
        for (at, member) in self.members.iter_mut().enumerate() {
            member.put(&keepalive)?;
            member.flush().with_context(|| format!("member {at} cannot send"))?;
        }
        Ok(())
    }

    pub fn pump(&mut self, timeout: Duration) -> Result<()> {
        self.pump_watched(timeout, |_, _| {})
    }

    /// Waits for bytes and takes them all; `watch` gets each recipient and its message count.
    pub fn pump_watched(&mut self, timeout: Duration, mut watch: impl FnMut(usize, u64)) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let before = self.deliveries;
        let mut any_bytes = false;
        for event in &self.events {
            let Token(at) = event.token();
            let member = &mut self.members[at];
            if event.is_writable() && !member.out.is_empty() {
                member.flush().with_context(|| format!("member {at} cannot send"))?;
            }
            if !event.is_readable() {
                continue;
            }
            loop {
                let read = match member.stream.read(&mut self.buffer) {
                    Ok(0) => bail!("the server closed member {at}"),
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error).with_context(|| format!("member {at}")),
                };
                any_bytes = true;
                let got = member.take(&*self.peer, &self.buffer[..read])?;
                if got > 0 && member.receives {
                    self.done[at] += got;
                    self.deliveries += got;
                    watch(at, got);
                }
                // A short read emptied the socket; only a close would make no new edge.
                if read < self.buffer.len() && !event.is_read_closed() {
                    break;
                }
            }
        }
        if any_bytes {
            self.last_bytes = Instant::now();
        }
        if self.deliveries > before {
            self.last_delivery = self.last_bytes;
        }
        Ok(())
    }

    /// Fails when nothing at all has arrived for too long.
    pub fn check_alive(&self) -> Result<()> {
        ensure!(
            self.last_bytes.elapsed() < STALL_LIMIT,
            "nothing arrived for {STALL_LIMIT:?}, {} messages in flight",
            self.in_flight()
        );
        Ok(())
    }

    /// Waits for what is in flight, and makes sure that everybody got exactly what was sent.
    pub fn finish(&mut self) -> Result<()> {
        while self.in_flight() > 0 {
            self.pump(QUIET)?;
            self.check_alive()?;
        }
        let twice = self.done.iter().filter(|&&done| done != DONE_WITH_ALL && done > self.sent);
        let members = twice.count();
        ensure!(members == 0, "{members} members received more than was sent");
        Ok(())
    }

    /// Sends probes until everybody who receives has received one: only then is everybody a member.
    pub fn probe_all(&mut self, from: usize, text: &[u8]) -> Result<()> {
        let mut patience = PROBE_PATIENCE;
        let mut missing: Vec<usize> =
            (0..self.members.len()).filter(|&at| at != from && self.members[at].receives).collect();
        loop {
            self.send(from, 1, text)?;
            let mut waited_from = Instant::now();
            while waited_from.elapsed() < patience {
                self.pump(Duration::from_millis(1))?;
                missing.retain(|&at| self.done[at] == 0);
                if missing.is_empty() {
                    return Ok(());
                }
                waited_from = waited_from.max(self.last_delivery);
                self.check_join_limit()?;
            }
            patience *= 2;
        }
    }

    /// Waits until nothing more arrives, then counts from zero.
    pub fn settle(&mut self) -> Result<()> {
        let since = Instant::now();
        self.last_bytes = since;
        while self.last_bytes.elapsed() < QUIET {
            ensure!(since.elapsed() < STALL_LIMIT, "not quiet after {STALL_LIMIT:?}");
            self.pump(QUIET / 10)?;
        }
        self.sent = 0;
        self.deliveries = 0;
        for (done, member) in self.done.iter_mut().zip(&self.members) {
            *done = if member.receives { 0 } else { DONE_WITH_ALL };
        }
        self.last_bytes = Instant::now();
        Ok(())
    }
}

/// Past some thousands of connections the kernel searches long for a free port; the next loopback address has all
/// of its ports free.
fn source_address(at: usize, server: SocketAddr) -> Option<SocketAddr> {
    let block = u8::try_from(at / CONNECTIONS_PER_SOURCE).ok()?;
    (block > 0 && server.ip().is_loopback() && server.is_ipv4())
        .then(|| SocketAddr::from((Ipv4Addr::new(127, 0, 0, 1 + block), 0)))
}

/// `EINPROGRESS`: a connect that continues in the background.
const IN_PROGRESS: i32 = 115;

impl Member {
    fn is_shaking_hands(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
            || self.websocket.as_ref().is_some_and(|websocket| websocket.is_asking())
    }

    /// Appends plaintext to what is to be written.
    fn put(&mut self, plaintext: &[u8]) -> Result<()> {
        match (&mut self.tls, &mut self.websocket) {
            (Some(tls), _) => return tls.seal(plaintext, &mut self.out),
            (None, Some(websocket)) => websocket.put(plaintext, &mut self.out),
            (None, None) => self.out.extend_from_slice(plaintext),
        }
        Ok(())
    }

    /// Returns the number of messages that end in `bytes`.
    fn take(&mut self, peer: &dyn Peer, bytes: &[u8]) -> Result<u64> {
        match (&mut self.tls, &mut self.websocket) {
            (None, None) => peer.deliveries(&mut self.partial, bytes),
            (None, Some(websocket)) => {
                let count = |content: &[u8]| peer.deliveries(&mut self.partial, content);
                let got = websocket.deliveries(bytes, &mut self.out, count)?;
                self.flush()?;
                Ok(got)
            }
            (Some(tls), _) => {
                let got =
                    tls.deliveries(bytes, &mut self.out, |plaintext| peer.deliveries(&mut self.partial, plaintext))?;
                self.flush()?;
                Ok(got)
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        while self.written < self.out.len() {
            match self.stream.write(&self.out[self.written..]) {
                Ok(written) => self.written += written,
                // Either error means not connected yet.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(())
    }
}
