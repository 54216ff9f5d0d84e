//! The link: bytes to and from one peer. Plaintext TCP, the only kind so far.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use glassline_room::SLICES_MAX;
use mio::event::Source;
use mio::net::TcpStream;
use socket2::{SockRef, TcpKeepalive};

/// One peer's socket.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
}

impl Link {
    /// Takes an accepted socket; a peer that is `dead_after` silent on the TCP level is reported as an error (L).
    pub(crate) fn new(stream: TcpStream, dead_after: Duration) -> Self {
        // Where a kernel refuses an option the link still works, with the kernel's own patience.
        let _ = stream.set_nodelay(true);
        let socket = SockRef::from(&stream);
        let keepalive = TcpKeepalive::new().with_time(dead_after * 2 / 5).with_interval(dead_after / 5);
        #[cfg(unix)]
        let keepalive = keepalive.with_retries(3);
        let _ = socket.set_tcp_keepalive(&keepalive);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = socket.set_tcp_user_timeout(Some(dead_after));
        Self { stream }
    }

    pub(crate) fn source(&mut self) -> &mut impl Source {
        &mut self.stream
    }

    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.stream.local_addr().ok()
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    pub(crate) fn write(&mut self, slices: &[&[u8]]) -> io::Result<usize> {
        if let [one] = slices {
            return self.stream.write(one);
        }
        let mut vectors = [IoSlice::new(&[]); SLICES_MAX];
        let count = slices.len().min(SLICES_MAX);
        for (vector, slice) in vectors.iter_mut().zip(slices) {
            *vector = IoSlice::new(slice);
        }
        self.stream.write_vectored(&vectors[..count])
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        // Fails only where the peer has closed already, and then it needs no telling.
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}
