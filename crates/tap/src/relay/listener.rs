//! Accepts clients while there are descriptors for both sides of a connection.

use std::io;
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds while the loop is busy.
const BACKLOG: i32 = 4_096;
const BACKOFF_MIN_US: u64 = 10_000;
const BACKOFF_MAX_US: u64 = 1_000_000;

/// Result of one attempt to accept.
pub(crate) enum Accepted {
    /// A client, and a socket for its way to the server.
    Client(TcpStream, SocketAddr, Socket),
    /// Nobody waits, or not yet.
    Nobody,
    /// Descriptors or memory are used up since this attempt; the next one is later.
    Exhausted(io::Error),
}

pub(crate) struct Listener {
    socket: TcpListener,
    target_domain: Domain,
    /// Taken before a client is accepted, so that nobody is accepted whom no descriptor is left to
    /// connect for.
    spare: Option<Socket>,
    /// A client may wait.
    pending: bool,
    exhausted: Option<Exhausted>,
}

struct Exhausted {
    retry_at_us: u64,
    backoff_us: u64,
}

impl Listener {
    pub(crate) fn bind(address: SocketAddr, target: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A tap that restarts must not wait for its old connections to be forgotten.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: TcpListener::from_std(socket.into()),
            target_domain: Domain::for_address(target),
            spare: None,
            pending: true,
            exhausted: None,
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(crate) fn watch(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// Notes that a client may wait.
    pub(crate) fn note_ready(&mut self) {
        self.pending = true;
    }

    /// Returns when to call [`Self::accept`] next, if a client may wait.
    pub(crate) fn due_us(&self) -> Option<u64> {
        self.pending.then(|| self.exhausted.as_ref().map_or(0, |exhausted| exhausted.retry_at_us))
    }

    /// Notes that descriptors were closed.
    pub(crate) fn note_closed(&mut self) {
        if let Some(exhausted) = &mut self.exhausted {
            exhausted.retry_at_us = 0;
        }
    }

    pub(crate) fn accept(&mut self, now_us: u64) -> Accepted {
        if self.due_us().is_none_or(|due_us| due_us > now_us) {
            return Accepted::Nobody;
        }
        loop {
            match self.accept_pair() {
                Ok((client, address, spare)) => {
                    self.exhausted = None;
                    return Accepted::Client(client, address, spare);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pending = false;
                    return Accepted::Nobody;
                }
                Err(error) if is_about_one_client(&error) => {}
                Err(error) => return self.back_off(error, now_us),
            }
        }
    }

    fn accept_pair(&mut self) -> io::Result<(TcpStream, SocketAddr, Socket)> {
        let spare = match self.spare.take() {
            Some(spare) => spare,
            None => Socket::new(self.target_domain, Type::STREAM, Some(Protocol::TCP))?,
        };
        match self.socket.accept() {
            Ok((client, address)) => Ok((client, address, spare)),
            Err(error) => {
                self.spare = Some(spare);
                Err(error)
            }
        }
    }

    /// Waits longer each time; says so only the first time.
    fn back_off(&mut self, error: io::Error, now_us: u64) -> Accepted {
        let previous_us = self.exhausted.as_ref().map(|exhausted| exhausted.backoff_us);
        let backoff_us = previous_us.map_or(BACKOFF_MIN_US, |backoff_us| (backoff_us * 2).min(BACKOFF_MAX_US));
        self.exhausted = Some(Exhausted { retry_at_us: now_us + backoff_us, backoff_us });
        if previous_us.is_none() { Accepted::Exhausted(error) } else { Accepted::Nobody }
    }
}

/// Returns whether nothing listens on an address of this machine. It is found out by binding it
/// shortly and not by a connection, which a server would take for a client. Returns false for
/// addresses of other machines, and where the system permits two programs on one port.
pub fn is_unused(address: SocketAddr) -> bool {
    let bind = || -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Linux permits it beside connections of a server that has ended, not beside one that listens.
        #[cfg(target_os = "linux")]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())
    };
    cfg!(unix) && bind().is_ok()
}

/// Returns whether an error says nothing about the next client: this one gave up while it was
/// queued, or a signal came.
fn is_about_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
