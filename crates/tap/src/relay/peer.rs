//! The socket of one side of a connection, with what is known of its readiness, and the layers
//! above it where its secure link ends at the tap.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use glassline_wire::layer::{LayerError, LayerStack};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, Socket, TcpKeepalive};

use crate::line::End;
use crate::relay::link::Link;

/// Silence after which TCP checks that a peer on another machine is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_mins(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// Client or server.
pub(crate) struct Peer {
    stream: TcpStream,
    token: Token,
    /// A read may find something: readiness is reported once, and remembered here.
    readable: bool,
    /// A write may find room.
    writable: bool,
    announced: Announced,
    /// `None` where bytes pass as they are.
    link: Option<Box<Link>>,
}

/// End of what the peer sends, as far as the kernel has announced it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announced {
    /// Nothing.
    Nothing,
    /// The end was received, so that a short read is not the last one.
    End,
    /// The peer has reset the connection, or TCP has given it up.
    Reset,
}

/// Result of one read.
pub(crate) enum ReadOutcome {
    /// So many bytes.
    Bytes(usize),
    /// The peer sends nothing more.
    Ended(End),
    /// Nothing for now.
    Nothing,
}

impl Peer {
    /// Takes a socket, and has the loop watch it.
    pub(crate) fn accepted(mut stream: TcpStream, registry: &Registry, token: Token) -> io::Result<Self> {
        // Where a kernel refuses an option the socket still works.
        let _ = stream.set_nodelay(true);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, token, readable: false, writable: false, announced: Announced::Nothing, link: None })
    }

    /// Begins to connect; the first writability says that it has succeeded or failed.
    pub(crate) fn connecting(socket: Socket, to: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        match socket.connect(&to.into()) {
            Err(error) if !is_in_progress(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Self::accepted(TcpStream::from_std(socket.into()), registry, token)
    }

    /// Has TCP notice that a peer on another machine is gone. On this machine the kernel says so.
    pub(crate) fn keep_alive(&self) {
        if self.stream.peer_addr().is_ok_and(|address| !address.ip().to_canonical().is_loopback()) {
            let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_INTERVAL);
            let _ = SockRef::from(&self.stream).set_tcp_keepalive(&keepalive);
        }
    }

    pub(crate) fn note_ready(&mut self, event: &Event) {
        if event.is_read_closed() && self.announced == Announced::Nothing {
            self.announced = Announced::End;
        }
        self.readable |= event.is_readable() || event.is_read_closed();
        self.writable |= event.is_writable();
        if event.is_error() {
            self.note_reset();
        }
    }

    /// Returns whether the connection was established; an error says why it was not.
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        match self.stream.take_error()? {
            // The server took the connection, and gave it up at once.
            Some(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(true),
            Some(error) => return Err(error),
            None => {}
        }
        match self.stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    pub(crate) fn is_readable(&self) -> bool {
        // The end that layers announce has no event.
        self.readable || self.link.as_ref().is_some_and(|link| link.is_closed_by_peer())
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.announced == Announced::Reset
    }

    /// Returns whether the kernel has announced that the peer sends nothing more.
    pub(crate) fn is_ended(&self) -> bool {
        self.announced != Announced::Nothing
    }

    fn note_reset(&mut self) {
        self.announced = Announced::Reset;
        // What it had sent before can still be read.
        self.readable = true;
    }

    /// Has these layers take the bytes of the socket from now on.
    pub(crate) fn protect(&mut self, layers: LayerStack) {
        self.link = Some(Box::new(Link::new(layers)));
    }

    pub(crate) fn is_protected(&self) -> bool {
        self.link.is_some()
    }

    /// Returns whether a secure link has begun and is not established.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_handshaking())
    }

    /// Appends the plaintext of bytes that were read on a secure link.
    ///
    /// # Errors
    /// The link has failed.
    pub(crate) fn open(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        self.link.as_mut().map_or(Ok(()), |link| link.receive(bytes, plaintext))
    }

    /// Reads once.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> ReadOutcome {
        if self.link.as_ref().is_some_and(|link| link.is_closed_by_peer()) {
            return ReadOutcome::Ended(End::Finished);
        }
        loop {
            match self.stream.read(buffer) {
                Ok(0) => {
                    self.readable = false;
                    return ReadOutcome::Ended(self.end_of_input());
                }
                Ok(length) => {
                    // A short read has emptied the socket, and more makes a new event.
                    self.readable = length == buffer.len() || self.announced != Announced::Nothing;
                    return ReadOutcome::Bytes(length);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    return ReadOutcome::Nothing;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.note_reset();
                    self.readable = false;
                    return ReadOutcome::Ended(End::Reset);
                }
            }
        }
    }

    /// Returns the meaning of the end of the stream.
    fn end_of_input(&self) -> End {
        match &self.link {
            _ if self.is_reset() => End::Reset,
            Some(link) => link.end_of_input(),
            None => End::Finished,
        }
    }

    /// Writes as much as the socket takes now, and returns how much that is. On a secure link it is
    /// what the layers take, whose output [`Self::flush`] writes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        match &mut self.link {
            Some(link) => link.send(bytes),
            None => self.write_socket(bytes),
        }
    }

    /// Writes the output of the layers, and passes what the socket has taken to `note_written`, with
    /// the rules that made some of it. Returns whether nothing is left.
    pub(crate) fn flush(&mut self, mut note_written: impl FnMut(&[u8], Option<&str>)) -> bool {
        // Its place is taken while the socket is written.
        let Some(mut link) = self.link.take() else { return true };
        while !link.output().is_empty() && !self.is_reset() {
            let written = self.write_socket(link.output());
            if written == 0 {
                break;
            }
            let comment = link.take_comment();
            note_written(&link.output()[..written], comment.as_deref());
            link.consume_output(written);
        }
        let is_empty = link.output().is_empty() || self.is_reset();
        self.link = Some(link);
        is_empty
    }

    /// Returns whether the layers have put out what is not written.
    pub(crate) fn has_output(&self) -> bool {
        self.link.as_ref().is_some_and(|link| !link.output().is_empty())
    }

    /// Gives up what the layers have put out.
    pub(crate) fn discard_output(&mut self) {
        if let Some(link) = &mut self.link {
            while !link.output().is_empty() {
                link.consume_output(link.output().len());
            }
        }
    }

    /// Has the layers announce that nothing more is sent.
    pub(crate) fn announce_end(&mut self) {
        if let Some(link) = &mut self.link {
            link.close();
        }
    }

    /// Notes which rules made what was written last.
    pub(crate) fn note_comment(&mut self, comment: &str) {
        if let Some(link) = &mut self.link {
            link.note_comment(comment);
        }
    }

    fn write_socket(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while self.writable && !self.is_reset() && written < bytes.len() {
            match self.stream.write(&bytes[written..]) {
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.note_reset(),
            }
        }
        written
    }

    /// Sends FIN behind everything written.
    pub(crate) fn finish(&mut self) {
        // Fails only if the peer has reset the connection, which its next read says.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Asks for an event once the kernel has sent everything that was written. A reset would
    /// discard what it has not sent.
    pub(crate) fn await_drained(&mut self, registry: &Registry) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if SockRef::from(&self.stream).set_tcp_notsent_lowat(1).is_ok() {
            self.writable = false;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.writable = registry.reregister(&mut self.stream, self.token, interest).is_err();
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = registry;
    }

    /// Closes with RST.
    pub(crate) fn reset(self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}
