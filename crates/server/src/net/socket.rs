//! A peer's TCP socket.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};

use crate::net::transport::{SOCKET_SLICES_MAX, Socket};

#[derive(Debug)]
pub(crate) struct TcpSocket {
    stream: TcpStream,
    /// Registry of the poll that watches it.
    registry: Option<Rc<Registry>>,
}

impl TcpSocket {
    /// Takes an accepted socket; TCP reports a peer that is `dead_after` silent as an error (L).
    pub(crate) fn new(stream: TcpStream, dead_after: Duration) -> Self {
        // Where a kernel refuses an option the socket still works, with the kernel's own patience.
        let _ = stream.set_nodelay(true);
        let socket = SockRef::from(&stream);
        let keepalive = TcpKeepalive::new().with_time(dead_after * 2 / 5).with_interval(dead_after / 5);
        #[cfg(unix)]
        let keepalive = keepalive.with_retries(3);
        let _ = socket.set_tcp_keepalive(&keepalive);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = socket.set_tcp_user_timeout(Some(dead_after));
        Self { stream, registry: None }
    }

    /// Has the poll of `registry` watch the socket until it is closed.
    pub(crate) fn register(&mut self, registry: &Rc<Registry>, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.registry = Some(Rc::clone(registry));
        Ok(())
    }
}

impl Drop for TcpSocket {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.take() {
            // Closing the descriptor ends the watch too; a failure here has nothing left to harm.
            let _ = registry.deregister(&mut self.stream);
        }
    }
}

impl Socket for TcpSocket {
    fn local_address(&self) -> Option<SocketAddr> {
        self.stream.local_addr().ok()
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    fn write(&mut self, slices: &[&[u8]]) -> io::Result<usize> {
        if let [one] = slices {
            return self.stream.write(one);
        }
        let mut vectors = [IoSlice::new(&[]); SOCKET_SLICES_MAX];
        let count = slices.len().min(SOCKET_SLICES_MAX);
        for (vector, slice) in vectors.iter_mut().zip(slices) {
            *vector = IoSlice::new(slice);
        }
        self.stream.write_vectored(&vectors[..count])
    }

    fn finish(&mut self) {
        // Fails only if the peer has closed already; then there is nothing to signal.
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}
