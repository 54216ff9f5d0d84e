//! Relay between a peer that speaks layers and one that does not: plaintext on one connection, the
//! layers' bytes on the other.
//!
//! The end of either direction and a reset are passed on to the other connection, behind what came
//! before.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use glassline_wire::layer::{LAYER_BYTES_MAX, LayerStack, LayerState};
use rustix::event::{PollFd, PollFlags, poll};
use socket2::SockRef;

/// Bytes read at a time, and plaintext that may wait for the layer.
const READ_BYTES: usize = 16 * 1024;

/// Two connections and the layers between them.
#[derive(Debug)]
pub struct Relay {
    plain: Side,
    layered: Side,
    layers: LayerStack,
    /// Plaintext that the layers have not taken.
    sent: Vec<u8>,
    /// Plaintext that the plain side has not taken.
    received: Vec<u8>,
    /// Length of `received` from which on nothing is read from the layered side.
    received_bytes_max: usize,
}

impl Relay {
    /// Takes over both connections. `layers` are the relay's own side.
    ///
    /// # Errors
    /// The system refuses an option of a socket.
    pub fn new(plain: TcpStream, layered: TcpStream, layers: LayerStack) -> io::Result<Self> {
        let (plain, layered) = (Side::new(plain)?, Side::new(layered)?);
        let (sent, received) = (Vec::new(), Vec::new());
        Ok(Self { plain, layered, layers, sent, received, received_bytes_max: LAYER_BYTES_MAX })
    }

    /// Sets the plaintext that may wait for the plain side.
    #[must_use]
    pub fn with_received_bytes_max(self, received_bytes_max: usize) -> Self {
        Self { received_bytes_max, ..self }
    }

    /// Moves bytes until both connections have ended. If one is cut off, the other is reset.
    pub fn run(mut self) {
        if self.pass_on().is_err() {
            // What came before the cut still arrives, if the plain side takes it at once.
            let _ = self.plain.write(&self.received);
            for side in [&self.plain, &self.layered] {
                // A connection that is gone already needs no reset.
                let _ = SockRef::from(&side.stream).set_linger(Some(Duration::ZERO));
            }
        }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            self.read(&mut buffer)?;
            let taken = self.layers.send(&[&self.sent]);
            self.sent.drain(..taken);
            let is_all_sent = self.plain.has_ended && self.sent.is_empty();
            if is_all_sent {
                self.layers.close();
            }
            let written = self.layered.write(self.layers.output())?;
            self.layers.consume_output(written);
            let written = self.plain.write(&self.received)?;
            self.received.drain(..written);
            if is_all_sent && self.layers.output().is_empty() {
                self.layered.finish()?;
            }
            if self.is_all_received() && self.received.is_empty() {
                self.plain.finish()?;
            }
            let is_refused = self.layered.has_ended && self.layers.state() == LayerState::Handshaking;
            if is_refused || self.plain.is_finished && self.layered.is_finished {
                return Ok(());
            }
            self.wait()?;
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if self.sent.len() < READ_BYTES {
            let bytes = self.plain.read(buffer)?;
            self.sent.extend_from_slice(&buffer[..bytes]);
        }
        if self.received.len() < self.received_bytes_max {
            let bytes = self.layered.read(buffer)?;
            self.layers.receive(&buffer[..bytes], &mut self.received).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn is_all_received(&self) -> bool {
        self.layered.has_ended || self.layers.state() == LayerState::PeerClosed
    }

    /// Waits until one of the connections can go on.
    fn wait(&self) -> io::Result<()> {
        let reads = [self.sent.len() < READ_BYTES, self.received.len() < self.received_bytes_max];
        let writes = [!self.received.is_empty(), !self.layers.output().is_empty()];
        let mut interests = Vec::new();
        for (side, (reads, writes)) in [&self.plain, &self.layered].into_iter().zip(reads.into_iter().zip(writes)) {
            let mut interest = PollFlags::empty();
            interest.set(PollFlags::IN, reads && !side.has_ended);
            interest.set(PollFlags::OUT, writes);
            // A connection that is only watched would report its end again and again.
            if !interest.is_empty() {
                interests.push(PollFd::new(&side.stream, interest));
            }
        }
        match poll(&mut interests, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// One of the two connections.
#[derive(Debug)]
struct Side {
    stream: TcpStream,
    /// The peer sends nothing more.
    has_ended: bool,
    /// The sending side is closed.
    is_finished: bool,
}

impl Side {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, has_ended: false, is_finished: false })
    }

    /// Reads once; 0 if nothing is there.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_ended {
            return Ok(0);
        }
        let bytes = or_none(self.stream.read(buffer))?;
        self.has_ended = bytes == Some(0);
        Ok(bytes.unwrap_or(0))
    }

    /// Writes what the socket takes of `bytes`, and returns the number.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < bytes.len() {
            match or_none(self.stream.write(&bytes[written..]))? {
                Some(more) => written += more,
                None => break,
            }
        }
        Ok(written)
    }

    /// Closes the sending side. Again, it does nothing.
    fn finish(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_finished, true) {
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }
}

/// Returns `None` where the socket cannot do it now.
fn or_none(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        done => done.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::TestLayer;

    /// Limit on each wait; nothing here takes long.
    const WAIT_MAX: Duration = Duration::from_secs(20);

    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let one = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (other, _) = listener.accept().expect("a connection");
        for stream in [&one, &other] {
            stream.set_read_timeout(Some(WAIT_MAX)).expect("a deadline");
        }
        (one, other)
    }

    /// Returns the plain ends of two relays that speak the layer to each other, and their threads.
    fn pair() -> (TcpStream, TcpStream, [JoinHandle<()>; 2]) {
        let (client, plain_client) = connected();
        let (layered_client, layered_server) = connected();
        let (server, plain_server) = connected();
        let run = |plain, layered, layer| {
            let relay = Relay::new(plain, layered, LayerStack::new(vec![Box::new(layer)])).expect("a relay");
            thread::spawn(move || relay.run())
        };
        let threads = [
            run(plain_client, layered_client, TestLayer::client()),
            run(plain_server, layered_server, TestLayer::server()),
        ];
        (client, server, threads)
    }

    #[test]
    fn each_direction_ends_behind_its_bytes() {
        let (mut client, mut server, threads) = pair();
        let text: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        client.write_all(&text).expect("taken");
        client.shutdown(Shutdown::Write).expect("connected");
        let mut received = Vec::new();
        server.read_to_end(&mut received).expect("an orderly end");
        assert!(received == text);
        server.write_all(b"goodbye").expect("the other direction is open");
        drop(server);
        received.clear();
        client.read_to_end(&mut received).expect("an orderly end");
        assert_eq!(received, b"goodbye");
        for thread in threads {
            thread.join().expect("no panic");
        }
    }

    #[test]
    fn a_reset_is_passed_on_behind_what_came_before() {
        let (client, mut server, threads) = pair();
        (&client).write_all(b"last").expect("taken");
        let mut received = [0; 4];
        server.read_exact(&mut received).expect("it arrives");
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
        drop(client);
        let cut = server.read(&mut received).expect_err("no orderly end");
        assert_eq!(cut.kind(), ErrorKind::ConnectionReset);
        for thread in threads {
            thread.join().expect("no panic");
        }
    }
}
