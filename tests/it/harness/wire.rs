//! One socket and the frames on it.

use std::io::{self, ErrorKind, Read, Write};
use std::iter;
#[cfg(target_os = "linux")]
use std::net::IpAddr;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use glassline_testkit::frame::{Frames, frame};
use socket2::{Domain, SockRef, Socket, Type};

/// Longest wait of a client for a byte. It ends with the byte, so it is as long as a busy machine with
/// few cores may need.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Longest time of what takes milliseconds, where it is measured: a busy machine pauses a process for
/// as long as a second.
pub(crate) const PROMPT: Duration = Duration::from_secs(2);

/// End of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// In order, between two frames.
    Closed,
    /// By a reset, or inside a frame.
    Cut,
    /// It has not, but nothing came for as long as anybody waits here.
    Silent,
}

/// A blocking socket with a deadline on every read.
pub(crate) struct Wire {
    stream: TcpStream,
    frames: Frames,
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("the server accepts"), false)
    }

    /// A member of a pure server. That confirms no join, so another one repeats a text until it
    /// arrives.
    #[track_caller]
    pub(crate) fn enter_pure(address: SocketAddr, name: &str) -> Self {
        let (mut wire, mut other) = (Self::connect(address), Self::connect(address));
        wire.send(frame(name));
        other.send(frame("other"));
        let mut arrivals = iter::repeat_with(|| {
            other.send(frame("again"));
            wire.has_bytes_within(Duration::from_millis(100))
        });
        assert!(arrivals.by_ref().take(300).any(|has_arrived| has_arrived), "nothing is relayed");
        other.send(frame("last"));
        while wire.payload().expect("a text") != b"last" {}
        wire
    }

    /// A peer with another of this machine's addresses.
    #[cfg(target_os = "linux")]
    pub(crate) fn connect_from(own: IpAddr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(own, 0).into()).expect("an address of this machine");
        socket.connect(&address.into()).expect("the server accepts");
        Self::over(socket.into(), false)
    }

    /// A peer whose socket holds next to nothing, so that what it does not read stays with the
    /// server.
    pub(crate) fn connect_narrow(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4 * 1024).expect("a small buffer");
        socket.connect(&address.into()).expect("the server accepts");
        Self::over(socket.into(), true)
    }

    /// A peer that reaches the server through a relay of its own; `relay` returns the near end.
    #[cfg(unix)]
    pub(crate) fn relayed(stream: TcpStream, relay: impl FnOnce(TcpStream) -> TcpStream) -> Self {
        #[cfg(feature = "test-layer")]
        let stream = super::layer::to_server(stream, false);
        Self::of(relay(stream))
    }

    #[cfg_attr(not(feature = "test-layer"), expect(unused_variables, reason = "a relay has buffers of its own"))]
    fn over(stream: TcpStream, narrow: bool) -> Self {
        #[cfg(feature = "test-layer")]
        let stream = super::layer::to_server(stream, narrow);
        Self::of(stream)
    }

    fn of(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("TCP_NODELAY");
        stream.set_write_timeout(Some(PATIENCE)).expect("a write deadline");
        Self { stream, frames: Frames::default() }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server takes what it is sent");
    }

    /// Sends what the server may no longer want.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// The next payload, or how the stream ended.
    #[track_caller]
    pub(crate) fn payload(&mut self) -> Result<Vec<u8>, End> {
        loop {
            let payload = self.frames.next_payload().expect("what a server writes is canonical (T2)");
            if let Some(payload) = payload {
                return Ok(payload.to_vec());
            }
            self.fill()?;
        }
    }

    #[track_caller]
    fn fill(&mut self) -> Result<(), End> {
        let mut chunk = [0; 16 * 1024];
        match self.read_within(PATIENCE, &mut chunk) {
            Ok(0) if self.frames.rest().is_empty() => Err(End::Closed),
            Ok(0) => Err(End::Cut),
            Ok(count) => {
                self.frames.push(&chunk[..count]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(End::Cut),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(End::Silent),
            Err(error) => panic!("reading failed: {error}"),
        }
    }

    /// Everything up to the end of the stream, frames or not.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let end = loop {
            if let Err(end) = self.fill() {
                break end;
            }
        };
        assert_ne!(end, End::Silent, "it was not closed; unread: {:?}", String::from_utf8_lossy(self.frames.rest()));
        self.frames.rest().to_vec()
    }

    /// Returns whether the stream has ended, after waiting `patience` for that to happen.
    #[track_caller]
    pub(crate) fn ends_within(&mut self, patience: Duration) -> bool {
        match self.read_within(patience, &mut [0; 1]) {
            Ok(0) => true,
            Ok(_) => panic!("a byte came where only an end was expected"),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => false,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => true,
            Err(error) => panic!("neither a byte nor an end: {error}"),
        }
    }

    /// One read with a deadline, whatever wakes it before: a process that was paused gets `EINTR`
    /// when it goes on.
    fn read_within(&mut self, patience: Duration, buffer: &mut [u8]) -> io::Result<usize> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(left)).expect("a read deadline");
            match self.stream.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted && Instant::now() < until => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(ErrorKind::TimedOut.into()),
                read => return read,
            }
        }
    }

    /// Returns whether bytes or the end have arrived, after waiting at most `patience`.
    #[track_caller]
    pub(crate) fn has_bytes_within(&self, patience: Duration) -> bool {
        self.stream.set_read_timeout(Some(patience)).expect("a read deadline");
        self.stream.peek(&mut [0; 1]).is_ok()
    }

    /// Returns whether the stream is open now.
    pub(crate) fn is_open(&self) -> bool {
        self.stream.set_nonblocking(true).expect("not blocking");
        let peeked = self.stream.peek(&mut [0; 1]);
        self.stream.set_nonblocking(false).expect("blocking");
        match peeked {
            Ok(count) => count > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    /// Closes the sending side.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("still connected");
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
    }
}
