//! The floor: one thread, one epoll loop, no protocol. What one socket sends goes to all others.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use socket2::{Domain, Type};

/// Thousands connect at once; the standard library's queue of 128 would make them wait for retransmissions.
const BACKLOG: i32 = 4096;
const LISTENER: Token = Token(usize::MAX);
const CHUNK_BYTES: usize = 64 * 1024;
const EVENTS_PER_TURN: usize = 1024;
/// A reader that lags this far is disconnected, so that memory has a bound.
const MOST_PENDING_BYTES: usize = 64 * 1024 * 1024;
const ACCEPT_RETRY: Duration = Duration::from_millis(10);

/// Returns the listening socket of a system that this program brings along.
pub fn bind(addr: SocketAddr) -> Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into()).with_context(|| format!("cannot listen on {addr}"))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

pub fn serve(addr: SocketAddr) -> Result<()> {
    let mut listener = TcpListener::from_std(bind(addr)?);
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(EVENTS_PER_TURN);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut sockets = Sockets::default();
    // An edge is reported once: what was left unread or unaccepted is remembered here and taken up in the next turn.
    let mut unread = VecDeque::new();
    let mut accept_again = false;
    loop {
        let timeout = match (unread.is_empty(), accept_again) {
            (false, _) => Some(Duration::ZERO),
            (true, true) => Some(ACCEPT_RETRY),
            (true, false) => None,
        };
        match poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for _ in 0..unread.len() {
            if let Some(from) = unread.pop_front()
                && sockets.relay_chunk(from, &mut chunk)
            {
                unread.push_back(from);
            }
        }
        for event in &events {
            let at = match event.token() {
                LISTENER => {
                    accept_again = true;
                    continue;
                }
                Token(at) => at,
            };
            if event.is_writable() {
                sockets.flush(at);
            }
            // A closed end goes round again until the read that tells so.
            if event.is_readable()
                && (sockets.relay_chunk(at, &mut chunk) || event.is_read_closed())
                && !unread.contains(&at)
            {
                unread.push_back(at);
            }
        }
        if accept_again {
            accept_again = !accept_all(&listener, poll.registry(), &mut sockets);
        }
    }
}

/// Accepts until none is pending; false if that failed and is to be retried.
fn accept_all(listener: &TcpListener, registry: &Registry, sockets: &mut Sockets) -> bool {
    loop {
        let accepted = listener.accept().and_then(|(stream, _)| sockets.add(stream, registry));
        match accepted {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                eprintln!("accept: {error}");
                return false;
            }
        }
    }
}

#[derive(Default)]
struct Sockets {
    /// `None` is a free place, listed in `free`.
    places: Vec<Option<Socket>>,
    free: Vec<usize>,
}

struct Socket {
    stream: TcpStream,
    /// Bytes that did not fit; empty while the socket takes everything.
    pending: Vec<u8>,
    written: usize,
}

impl Sockets {
    fn add(&mut self, mut stream: TcpStream, registry: &Registry) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let at = self.free.pop().unwrap_or(self.places.len());
        registry.register(&mut stream, Token(at), Interest::READABLE | Interest::WRITABLE)?;
        let socket = Some(Socket { stream, pending: Vec::new(), written: 0 });
        match self.places.get_mut(at) {
            Some(place) => *place = socket,
            None => self.places.push(socket),
        }
        Ok(())
    }

    fn remove(&mut self, at: usize) {
        if self.places[at].take().is_some() {
            self.free.push(at);
        }
    }

    /// Reads one chunk and sends it to all others; true if there may be more to read.
    fn relay_chunk(&mut self, from: usize, chunk: &mut [u8]) -> bool {
        let Some(Some(socket)) = self.places.get_mut(from) else {
            return false;
        };
        match socket.stream.read(chunk) {
            Ok(0) => {
                self.remove(from);
                false
            }
            Ok(read) => {
                for to in 0..self.places.len() {
                    if to != from {
                        self.send(to, &chunk[..read]);
                    }
                }
                // A short read emptied the socket: more makes a new edge.
                read == chunk.len()
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(_) => {
                self.remove(from);
                false
            }
        }
    }

    fn send(&mut self, to: usize, bytes: &[u8]) {
        let Some(Some(socket)) = self.places.get_mut(to) else {
            return;
        };
        if !socket.send(bytes) {
            self.remove(to);
        }
    }

    fn flush(&mut self, at: usize) {
        if let Some(Some(socket)) = self.places.get_mut(at)
            && !socket.flush()
        {
            self.remove(at);
        }
    }
}

impl Socket {
    /// Writes what the socket takes and keeps the rest; false if the socket is to go.
    fn send(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while self.pending.is_empty() && !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.pending.extend_from_slice(rest);
        self.pending.len() - self.written <= MOST_PENDING_BYTES
    }

    fn flush(&mut self) -> bool {
        while self.written < self.pending.len() {
            match self.stream.write(&self.pending[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.pending.clear();
        self.written = 0;
        true
    }
}
