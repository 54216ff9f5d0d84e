//! One connection: bytes that wait to be written, frames that were read, and whether the other side is still there.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use glassline_testkit::frame::Frames;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::fault::Fault;

/// A server on this machine takes a connection at once, or its queue is full.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Taken at once: a burst of ordinary messages.
const READ_BYTES: usize = 16 * 1024;

/// A connection that never blocks.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    frames: Frames,
    /// Bounded by what a peer keeps in flight.
    out: Vec<u8>,
    written: usize,
    /// Description of the other side's end, once it ended.
    ended: Option<String>,
}

impl Connection {
    /// Connects, and watches the connection as `token`.
    pub(crate) fn open(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, frames: Frames::default(), out: Vec::new(), written: 0, ended: None })
    }

    /// Returns the buffer to which output is appended.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Returns the description of the other side's end, if it ended.
    pub(crate) fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    pub(crate) fn flush(&mut self) {
        while self.ended.is_none() && self.written < self.out.len() {
            match self.stream.write(&self.out[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Bytes sent before it closed are still to be read: reading returns the cause.
                Err(_) => break,
            }
        }
        self.out.clear();
        self.written = 0;
    }

    /// Reads what is there. Returns whether there may be more.
    pub(crate) fn fill(&mut self) -> bool {
        let mut bytes = [0; READ_BYTES];
        if self.ended.is_some() {
            return false;
        }
        match self.stream.read(&mut bytes) {
            Ok(0) => self.ended = Some("closed".to_owned()),
            Ok(read) => self.frames.push(&bytes[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => self.ended = Some(error.to_string()),
        }
        self.ended.is_none()
    }

    /// The next payload that was read.
    pub(crate) fn payload(&mut self, by: &str) -> Result<Option<Vec<u8>>, Fault> {
        let payload = self.frames.next_payload().map_err(|error| Fault::malformed(by, error.to_string()))?;
        Ok(payload.map(<[u8]>::to_vec))
    }
}
