//! Accepting while there are descriptors, and retrying later when there are none.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, SocketAddrV6, TcpListener as StdListener};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Connections the kernel holds for a server that is busy: a class that arrives at once.
const BACKLOG: i32 = 4_096;

/// Opens a listening socket; port 0 takes a free one. `[::]` takes IPv4 connections too, where the
/// system allows it.
///
/// # Errors
/// The address is not this machine's, is in use, or is not allowed to this user.
pub fn listen(address: SocketAddr) -> io::Result<StdListener> {
    bound(address, |_| Ok(()))
}

/// Opens a listening socket that takes IPv6 connections only, so that one for IPv4 can have the
/// same port.
///
/// # Errors
/// As of [`listen`].
pub fn listen_ipv6_only(address: SocketAddrV6) -> io::Result<StdListener> {
    bound(address.into(), |socket| socket.set_only_v6(true))
}

/// Returns whether connections over IPv4 reach a listener: one for IPv6 may take them too.
pub fn takes_ipv4(listener: &StdListener) -> bool {
    let is_ipv4 = listener.local_addr().is_ok_and(|address| address.is_ipv4());
    is_ipv4 || SockRef::from(listener).only_v6().is_ok_and(|only_ipv6| !only_ipv6)
}

fn bound(address: SocketAddr, prepare: impl FnOnce(&Socket) -> io::Result<()>) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A server that restarts must not wait for its old connections to be forgotten.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    prepare(&socket)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

pub(crate) enum Accepted {
    Peer(TcpStream, SocketAddr),
    Nobody,
    /// Out of descriptors or memory: not before this many milliseconds.
    Exhausted {
        retry_after_ms: u64,
        error: io::Error,
    },
}

#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    backoff_ms: u64,
    backoff_min_ms: u64,
    backoff_max_ms: u64,
    /// Held so that it can be given up: with it a peer is accepted and closed, instead of left
    /// hanging in the queue.
    spare: Option<File>,
}

impl Listener {
    pub(crate) fn new(listener: StdListener, backoff_min_ms: u64, backoff_max_ms: u64) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let socket = TcpListener::from_std(listener);
        Ok(Self { socket, backoff_ms: backoff_min_ms, backoff_min_ms, backoff_max_ms, spare: spare_descriptor() })
    }

    pub(crate) fn accept(&mut self) -> Accepted {
        loop {
            match self.socket.accept() {
                Ok((stream, peer)) => {
                    self.backoff_ms = self.backoff_min_ms;
                    if self.spare.is_none() {
                        self.spare = spare_descriptor();
                    }
                    return Accepted::Peer(stream, peer);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Accepted::Nobody,
                Err(error) if is_about_one_peer(&error) => {}
                Err(error) => {
                    self.turn_one_away();
                    let retry_after_ms = self.backoff_ms;
                    self.backoff_ms = (self.backoff_ms * 2).min(self.backoff_max_ms);
                    return Accepted::Exhausted { retry_after_ms, error };
                }
            }
        }
    }

    fn turn_one_away(&mut self) {
        if self.spare.take().is_some() {
            drop(self.socket.accept());
            self.spare = spare_descriptor();
        }
    }
}

/// Returns whether an error of `accept` concerns this peer only: it gave up while it was queued, or
/// a signal arrived.
pub(crate) fn is_about_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

fn spare_descriptor() -> Option<File> {
    #[cfg(unix)]
    return File::open("/dev/null").ok();
    #[cfg(not(unix))]
    None
}
