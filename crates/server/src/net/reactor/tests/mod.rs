//! A whole server without sockets, clocks or threads: everything between the socket and the history
//! is the real thing.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use glassline_hub::Now;
use glassline_journal::Journal;
use glassline_wire::layer::LayerStack;

use crate::Config;
use crate::history::History;
use crate::net::reactor::Reactor;
use crate::net::transport::Transport;

#[cfg(test)]
mod cases;
mod pipe;

pub use pipe::Pipe;
use pipe::{PipeEnd, pair};

/// A server that is driven by hand: connect, change the far ends, then have it make turns until it
/// wants to wait.
pub struct TestServer {
    reactor: Reactor<PipeEnd>,
}

impl TestServer {
    /// Opens. With a journal, the lobby continues from the number of its newest message there.
    pub fn open(config: Config, journal: Option<(Journal, u64)>, now: Now) -> Self {
        let mut reactor = Reactor::new(config, journal.is_some(), now);
        if let Some((journal, newest_in_lobby)) = journal {
            let opened = reactor.start_history(|hub| Ok::<_, Infallible>(History::of(journal, newest_in_lobby, hub)));
            let Ok(()) = opened;
        }
        Self { reactor }
    }

    /// Opens a connection whose server side buffers so many bytes of output. One that is refused is
    /// closed at once.
    pub fn connect(&mut self, peer: SocketAddr, send_buffer_bytes: usize) -> Pipe {
        self.connect_through(peer, send_buffer_bytes, LayerStack::default())
    }

    /// As [`connect`](Self::connect), through layers.
    fn connect_through(&mut self, peer: SocketAddr, send_buffer_bytes: usize, layers: LayerStack) -> Pipe {
        let (near, far) = pair(send_buffer_bytes);
        self.reactor.admit(peer, || Transport::new(near, layers));
        far
    }

    /// One turn of the loop: what the far ends did is noted, then everything that is due is done.
    ///
    /// # Errors
    /// The journal failed: the server must stop.
    pub fn turn(&mut self, now: Now) -> io::Result<()> {
        self.reactor.set_now(now);
        self.note_events();
        self.reactor.turn()
    }

    fn note_events(&mut self) {
        let sockets = self.reactor.connections.iter().map(|(key, connection)| (key.index(), connection.transport()));
        let events: Vec<_> = sockets.map(|(index, transport)| (index, transport.socket().take_readiness())).collect();
        for (index, event) in events {
            self.reactor.note_ready(index, event);
        }
    }

    /// Returns the time that it would wait for something to happen, from the last turn on; for ever
    /// if there is nothing to wait for.
    pub fn wait_ms(&self) -> Option<u64> {
        self.reactor.wait_ms(None)
    }

    /// Messages that were handed over and have not come back.
    pub fn unstored(&self) -> usize {
        self.reactor.hub.unstored()
    }

    /// Bytes that all rooms' logs keep.
    pub fn log_bytes(&self) -> usize {
        self.reactor.hub.log_bytes()
    }

    /// The most bytes that are held for one connection alone, beside the hub's own.
    pub fn held_bytes_max(&self) -> usize {
        let held = self.reactor.connections.iter().map(|(_, connection)| {
            let queued = connection.member().map_or(0, |member| self.reactor.hub.queued_bytes(member));
            connection.held_bytes() + queued
        });
        held.max().unwrap_or(0)
    }

    /// Returns the counts of events; `session_failed` is a panic that was caught.
    pub fn counts(&self) -> String {
        self.reactor.counters.summary()
    }
}
