//! `GET /metrics` and `GET /healthz` over HTTP, on one thread of its own that never waits for a
//! peer.
//!
//! A bounded number of connections is served at once. Past it the oldest that has not sent a whole
//! request is closed, so silent connections do not block others.

use std::io;
use std::net::TcpListener as StdListener;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use tracing::warn;

use crate::metrics::http_connection::HttpConnection;
use crate::metrics::pages::Page;
use crate::metrics::{ANSWER_TIMEOUT, Watch};
use crate::net::listener::is_about_one_peer;
use crate::shutdown::Shutdown;

/// Connections served at once. A scraper and a probe or two are all there should be.
const CONNECTIONS_MAX: usize = 64;
/// Wait after a connection could not be accepted, or the system gave no events.
const BACKOFF: Duration = Duration::from_millis(500);
const LISTENER: Token = Token(usize::MAX);

/// Serves on `listener` the state that `watch` reads of the server that ends with `shutdown`, until
/// the process ends.
///
/// # Errors
/// The system gives no thread, no event queue, or no second handle of the listener.
pub fn serve_http(listener: &StdListener, watch: &Watch, shutdown: &Shutdown) -> io::Result<()> {
    let mut server = HttpServer::new(listener.try_clone()?, watch.clone(), shutdown.clone())?;
    let named = thread::Builder::new().name("metrics".to_string());
    named.spawn(move || {
        loop {
            if let Err(error) = server.turn() {
                warn!(%error, "cannot wait for requests for metrics; trying again");
                thread::sleep(BACKOFF);
            }
        }
    })?;
    Ok(())
}

struct HttpServer {
    poll: Poll,
    events: Events,
    listener: TcpListener,
    /// No connection is accepted before; `None` while none is pending.
    accept_from: Option<Instant>,
    connections: Slab<HttpConnection>,
    accepted: u64,
    watch: Watch,
    shutdown: Shutdown,
}

impl HttpServer {
    fn new(listener: StdListener, watch: Watch, shutdown: Shutdown) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(2 * CONNECTIONS_MAX),
            listener,
            accept_from: Some(Instant::now()),
            connections: Slab::with_capacity(CONNECTIONS_MAX),
            accepted: 0,
            watch,
            shutdown,
        })
    }

    fn turn(&mut self) -> io::Result<()> {
        let due = self.connections.iter().filter_map(|(_, connection)| connection.due()).chain(self.accept_from).min();
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            polled => polled?,
        }
        let now = Instant::now();
        let mut ready = Vec::new();
        for event in &self.events {
            match event.token() {
                LISTENER => self.accept_from = Some(self.accept_from.unwrap_or(now)),
                Token(index) => ready.push(index),
            }
        }
        for index in ready {
            self.advance(index, now);
        }
        self.accept_turn(now);
        self.answer();
        self.connections.retain(|_, connection| connection.due().is_none_or(|due| due > now));
        Ok(())
    }

    fn advance(&mut self, index: usize, now: Instant) {
        // A peer that disconnects is no error.
        if let Some(connection) = self.connections.get_mut(index)
            && !connection.advance(now).unwrap_or(false)
        {
            self.connections.remove(index);
        }
    }

    fn accept_turn(&mut self, now: Instant) {
        for _ in 0..CONNECTIONS_MAX {
            if self.accept_from.is_none_or(|from| from > now) || self.all_wait_for_pages() {
                return;
            }
            match self.listener.accept() {
                Ok((stream, _)) => {
                    self.accepted += 1;
                    self.admit(HttpConnection::new(stream, self.accepted, now), now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.accept_from = None,
                Err(error) if is_about_one_peer(&error) => {}
                Err(error) => {
                    warn!(%error, "cannot accept who asks for metrics; trying again");
                    self.accept_from = Some(now + BACKOFF);
                }
            }
        }
    }

    fn admit(&mut self, mut connection: HttpConnection, now: Instant) {
        self.make_room(now);
        let entry = self.connections.vacant_entry();
        let index = entry.key();
        if connection.register(self.poll.registry(), Token(index)).is_ok() {
            entry.insert(connection);
            // Its request may have arrived already.
            self.advance(index, now);
        }
    }

    /// Returns whether none can be closed for another one, as all wait for their answers.
    fn all_wait_for_pages(&self) -> bool {
        self.connections.len() >= CONNECTIONS_MAX && self.first_to_close().is_none()
    }

    fn first_to_close(&self) -> Option<((u8, u64), usize)> {
        let ranked = self.connections.iter().filter_map(|(index, connection)| Some((connection.rank()?, index)));
        ranked.min()
    }

    fn make_room(&mut self, now: Instant) {
        while self.connections.len() >= CONNECTIONS_MAX
            && let Some((rank, index)) = self.first_to_close()
        {
            // What arrived since it was last read may be the rest of a request.
            self.advance(index, now);
            if self.connections.get(index).is_some_and(|connection| connection.rank() == Some(rank)) {
                self.connections.remove(index);
            }
        }
    }

    /// Answers all requests that wait for the server's loop, with one request to it.
    fn answer(&mut self) {
        let waiting = self.connections.iter().filter_map(|(index, connection)| Some((index, connection.page()?)));
        let waiting: Vec<(usize, Page)> = waiting.collect();
        if waiting.is_empty() {
            return;
        }
        // A loop that shuts down no longer answers; its last numbers are used.
        let is_closing = self.shutdown.is_requested();
        let timeout = if is_closing { Duration::ZERO } else { ANSWER_TIMEOUT };
        let seen = self.watch.ask(&self.shutdown, timeout);
        let now = Instant::now();
        for (index, page) in waiting {
            if let Some(connection) = self.connections.get_mut(index) {
                connection.reply(&page.render(&seen, is_closing), now);
                self.advance(index, now);
            }
        }
    }
}
