//! A link that can be cut: a server between a client and the real one.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Treatment of bytes that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Handed on.
    Open,
    /// The server's answers are lost; the client's requests arrive.
    AnswersLost,
    /// Nothing arrives anywhere.
    Closed,
}

#[derive(Debug)]
struct State {
    /// The server that new connections lead to.
    server: SocketAddr,
    passage: Passage,
    is_over: bool,
    /// Both ends of each connection.
    streams: Vec<TcpStream>,
    /// Everything that clients sent, also what was lost.
    said: Vec<u8>,
}

/// See the module.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// A way to a server.
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = State { server, passage: Passage::Open, is_over: false, streams: Vec::new(), said: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut state = lock(&shared);
                if state.is_over {
                    return;
                }
                // Dropped: a client that comes while the way is closed sees it closed at once.
                if state.passage == Passage::Closed {
                    continue;
                }
                let client = client.expect("a client");
                // Nothing listens there any more when a test ends.
                let Ok(server) = TcpStream::connect(state.server) else { continue };
                let client = super::accepted(client);
                #[cfg(feature = "test-layer")]
                let server = super::layer::to_server(server, false);
                let twice = |stream: &TcpStream| stream.try_clone().expect("a second handle");
                state.streams.extend([twice(&client), twice(&server)]);
                let (from_client, to_client) = (twice(&client), client);
                let (from_server, to_server) = (twice(&server), server);
                let (up, down) = (Arc::clone(&shared), Arc::clone(&shared));
                thread::spawn(move || hand_on(from_client, to_server, &up, true));
                thread::spawn(move || hand_on(from_server, to_client, &down, false));
            }
        });
        Self { address, state }
    }

    /// Sets the treatment of bytes and connections from now on; connections that stand are left
    /// standing.
    pub(crate) fn set(&self, passage: Passage) {
        lock(&self.state).passage = passage;
    }

    /// Leads new connections to another server.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        lock(&self.state).server = server;
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        for stream in lock(&self.state).streams.drain(..) {
            // It may have ended already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Everything that clients sent.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&lock(&self.state).said).into_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        lock(&self.state).is_over = true;
        self.cut();
        // Wakes who waits for clients.
        let _ = TcpStream::connect(self.address);
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, state: &Mutex<State>, is_up: bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        let passes = {
            let mut state = lock(state);
            if is_up {
                state.said.extend_from_slice(&buffer[..bytes]);
            }
            state.passage == Passage::Open || (is_up && state.passage == Passage::AnswersLost)
        };
        if passes && to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
    }
    // The other way ends by itself.
    let _ = to.shutdown(Shutdown::Write);
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
