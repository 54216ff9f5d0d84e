//! A relay under raw connections that speaks the test layer, so that peers which know nothing of it
//! reach a server that wants it, and clients that speak it reach a server of a test's own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use glassline_wire::layer::test_layer::TestLayer;
use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerState};
use rustix::event::{PollFd, PollFlags, poll};
use socket2::{Domain, SockRef, Socket, Type};

/// Returns whether servers and clients speak the test layer.
fn is_wanted() -> bool {
    std::env::var_os("GLASSLINE_TEST_LAYER").is_some_and(|value| value == "1")
}

/// Returns a plain stream to the server behind `server`, whose buffers are small where it is
/// `narrow`.
pub(crate) fn to_server(server: TcpStream, narrow: bool) -> TcpStream {
    if is_wanted() { relayed(server, TestLayer::client(), narrow) } else { server }
}

/// Returns a plain stream to the client behind `client`.
#[cfg(unix)]
pub(crate) fn to_client(client: TcpStream) -> TcpStream {
    if is_wanted() { relayed(client, TestLayer::server(), false) } else { client }
}

fn relayed(layered: TcpStream, layer: TestLayer, narrow: bool) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    if narrow {
        socket.set_recv_buffer_size(4 * 1024).expect("a small buffer");
    }
    socket.connect(&address.into()).expect("the relay accepts");
    let (plain, _) = listener.accept().expect("a connection");
    if narrow {
        SockRef::from(&plain).set_send_buffer_size(4 * 1024).expect("a small buffer");
    }
    thread::spawn(move || {
        let mut relay = Relay {
            plain: Side::new(plain),
            layered: Side::new(layered),
            layer,
            sent: Vec::new(),
            received_bytes_max: if narrow { 4 * 1024 } else { LAYER_BYTES_MAX },
        };
        if relay.run().is_err() {
            // One side was cut off, and so the other is, behind what came before.
            let _ = relay.plain.write();
            for end in [&relay.plain, &relay.layered] {
                let _ = SockRef::from(&end.stream).set_linger(Some(Duration::ZERO));
            }
        }
    });
    socket.into()
}

/// One of the two connections.
struct Side {
    stream: TcpStream,
    /// Bytes to be written.
    out: Vec<u8>,
    /// The other side sends nothing more.
    has_ended: bool,
    finished: bool,
}

impl Side {
    fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(true).expect("not blocking");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self { stream, out: Vec::new(), has_ended: false, finished: false }
    }

    /// Reads what is there.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(bytes) {
            Ok(0) => self.has_ended = true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            read => return read,
        }
        Ok(0)
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(count) => drop(self.out.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.out.is_empty() && !std::mem::replace(&mut self.finished, true) {
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    fn interest(&self, reads: bool) -> PollFlags {
        let read = if reads && !self.has_ended { PollFlags::IN } else { PollFlags::empty() };
        read | if self.out.is_empty() { PollFlags::empty() } else { PollFlags::OUT }
    }
}

struct Relay {
    plain: Side,
    layered: Side,
    layer: TestLayer,
    /// Plaintext that the layer has not taken.
    sent: Vec<u8>,
    received_bytes_max: usize,
}

impl Relay {
    /// Moves bytes until both sides have said that this is all.
    fn run(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            if self.sent.len() < buffer.len() {
                let count = self.plain.read(&mut buffer)?;
                self.sent.extend_from_slice(&buffer[..count]);
            }
            if self.plain.out.len() < self.received_bytes_max {
                let count = self.layered.read(&mut buffer)?;
                let received = self.layer.receive(&buffer[..count], &mut self.plain.out);
                received.map_err(|error| io::Error::other(error.to_string()))?;
            }
            let taken = self.layer.send(&[&self.sent]);
            self.sent.drain(..taken);
            let all_sent = self.plain.has_ended && self.sent.is_empty();
            if all_sent {
                self.layer.close();
            }
            self.layered.out.extend_from_slice(self.layer.output());
            self.layer.consume_output(usize::MAX);
            self.layered.write()?;
            self.plain.write()?;
            if all_sent {
                self.layered.finish()?;
            }
            if self.layered.has_ended || self.layer.state() == LayerState::PeerClosed {
                self.plain.finish()?;
            }
            let is_refused = self.layered.has_ended && self.layer.state() == LayerState::Handshaking;
            if is_refused || self.plain.finished && self.layered.finished {
                return Ok(());
            }
            self.wait()?;
        }
    }

    fn wait(&self) -> io::Result<()> {
        let interests = [
            (&self.plain, self.plain.interest(self.sent.len() < 16 * 1024)),
            (&self.layered, self.layered.interest(self.plain.out.len() < self.received_bytes_max)),
        ];
        let ends = interests.iter().filter(|(_, interest)| !interest.is_empty());
        let mut ends: Vec<PollFd<'_>> = ends.map(|(end, interest)| PollFd::new(&end.stream, *interest)).collect();
        match poll(&mut ends, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
