//! Recording of a tapped line as a pcapng file, which Wireshark, tshark and the tap itself
//! read.
//!
//! The tap sees streams, not packets: the packets in the file are made up, so no capture rights are
//! needed. The form of the file:
//!
//! - One section, little-endian, with two interfaces of link type RAW (101: a packet begins with
//!   its IP header): 0 is `client side`, the connection between client and tap; 1 is `server side`,
//!   the one between tap and server. What is relayed unchanged is on both; an edited frame differs,
//!   a dropped one is missing on the side of its receiver, an injected one on that of its sender.
//! - Times are in microseconds since 1970 (UTC).
//! - Each connection has a TCP connection on each side, between the addresses that it had: SYN,
//!   SYN/ACK and ACK, then segments of at most `SEGMENT_BYTES_MAX` bytes, then FIN or RST as they
//!   passed. Checksums, sequence numbers and acknowledgements are correct. A sequence begins at a
//!   number made from that of the connection, so that a port which is used again is a new
//!   connection to every reader.
//! - `epb_flags` tell the direction as the tap sees it: inbound is what it received.
//! - `opt_comment` of a packet names the rules that made it what it is.
//! - A Decryption Secrets Block has lines of a TLS key log (SSLKEYLOGFILE). It stands before the
//!   packet with the `ServerHello` whose connection they decrypt: readers look for secrets then, and
//!   never again.
//!
//! Blocks: draft-ietf-opsawg-pcapng. Headers: RFC 791, RFC 8200, RFC 9293; checksums: RFC 1071.

mod batch;
mod conversation;
mod delayed;
mod event;
mod hello;
mod key_log;
mod packet;
mod pcapng;
mod space;
mod writer;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::frame::Direction;
use crate::line::End;
use crate::private_file::{Existing, create_private};
use conversation::{Conversation, Passed};
pub(crate) use delayed::DelayedRecorder;
pub(crate) use event::Event;
use packet::Chunk;
pub(crate) use packet::SEGMENT_BYTES_MAX;
pub(crate) use pcapng::COMMENT_BYTES_MAX;
use pcapng::Output;

/// Side of the tap: each has an interface in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Between client and tap.
    Client,
    /// Between tap and server.
    Server,
}

impl Side {
    /// Both sides, the client's first: the order of the interfaces in the file.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// Returns the name of the interface.
    pub fn interface_name(self) -> &'static str {
        match self {
            Self::Client => "client side",
            Self::Server => "server side",
        }
    }

    /// Returns the side on which bytes of this direction arrive at the tap.
    pub fn of_arrival(direction: Direction) -> Self {
        match direction {
            Direction::ToServer => Self::Client,
            Direction::ToClient => Self::Server,
        }
    }

    fn opposite(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Addresses of one tapped connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Address of the client.
    pub client: SocketAddr,
    /// Address at which the tap accepted it.
    pub listen: SocketAddr,
    /// Address from which the tap connected to the server.
    pub local: SocketAddr,
    /// Address of the server.
    pub server: SocketAddr,
}

/// Error that ends a recording or keeps it from starting.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// There is a recording already, which may be of a tap that runs.
    #[error("{} exists; name another file, or give --overwrite", path.display())]
    Exists {
        /// Path of the file.
        path: PathBuf,
    },
    /// A tap that runs records to the file.
    #[error("another tap is recording to {}; end that one first, or name another file", path.display())]
    InUse {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot record to {} ({source}); name a file in a folder that exists and can be written", path.display())]
    Create {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The key log cannot be followed.
    #[error("cannot read the key log {} ({source}); name a plain file, which need not be there yet", path.display())]
    KeyLog {
        /// Path of the key log.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// Somebody has removed the file.
    #[error(
        "the recording {} stopped, since its file was removed, and what was recorded is lost; the connections go on; \
         start the tap again to record", path.display()
    )]
    Removed {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file cannot be written further.
    #[error(
        "the recording {} stopped ({source}); the connections go on, and what was recorded until now can be read; \
         make room on the disk, then start the tap again to record", path.display()
    )]
    Stopped {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
}

/// A recording in progress. Its methods write to a buffer of 512 KiB. A thread writes it to the
/// file whenever it is full, by [`Recorder::flush_due`] once a second, and by [`Recorder::finish`];
/// so a killed tap loses a second at most. A disk that is slower than the line slows the line once
/// two buffers are full; so does a slow reader, if the file is a pipe (`wireshark -k -i PIPE`). A
/// file that takes nothing for 5 s is given up.
///
/// The first write error ends the recording: the next call returns it, and every later one does
/// nothing. The file is cut where the last whole buffer ends, which is between packets. On Unix a
/// file that somebody has removed is such an error, with the next buffer, and no second recorder
/// takes the file meanwhile.
///
/// On Linux the file has room for up to 32 MiB behind its end while it is written, which a killed
/// tap leaves allocated.
///
/// Memory is that of the buffers and about 200 bytes for each open connection.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    output: Output,
    connections: HashMap<u64, Connection>,
}

/// Both sides of one tapped connection.
#[derive(Debug)]
struct Connection {
    client: Conversation,
    server: Conversation,
}

impl Connection {
    fn side(&mut self, side: Side) -> &mut Conversation {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl Recorder {
    /// Begins a recording in a new or empty file that only its owner can read ([`create_private`]).
    ///
    /// # Errors
    /// Something is in the file, or it cannot be made, written, or made private.
    pub fn create(path: &Path, now_us: u64) -> Result<Self, RecordingError> {
        Self::begin(path, Existing::Keep, now_us)
    }

    /// Begins a recording as [`Recorder::create`] does; what is in the file is lost.
    ///
    /// # Errors
    /// The file cannot be made, written, or made private.
    pub fn overwrite(path: &Path, now_us: u64) -> Result<Self, RecordingError> {
        Self::begin(path, Existing::Overwrite, now_us)
    }

    fn begin(path: &Path, existing: Existing, now_us: u64) -> Result<Self, RecordingError> {
        let created = create_private(path, existing).and_then(|file| Output::new(file, now_us));
        let output = created.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => RecordingError::Exists { path: path.to_owned() },
            io::ErrorKind::ResourceBusy => RecordingError::InUse { path: path.to_owned() },
            _ => RecordingError::Create { path: path.to_owned(), source },
        })?;
        Ok(Self { path: path.to_owned(), output, connections: HashMap::new() })
    }

    /// Records that the tap accepted this connection and connected to the server: the handshakes of
    /// both sides.
    pub fn opened(&mut self, connection: u64, addresses: &Addresses, at_us: u64) -> Result<(), RecordingError> {
        let sequence = first_sequence(connection);
        let mut opened = Connection {
            client: Conversation::new(Side::Client, addresses.client, addresses.listen, sequence),
            server: Conversation::new(Side::Server, addresses.local, addresses.server, sequence),
        };
        for side in Side::BOTH {
            opened.side(side).open(&mut self.output, at_us);
        }
        self.connections.insert(connection, opened);
        self.write_if_full(at_us)
    }

    /// Records bytes that passed on one side in this direction. The comment is that of the first
    /// packet; without bytes, it is that of an empty packet: a rule left nothing of a frame.
    /// Ignores bytes behind an end and of a connection that is not open.
    pub fn data(
        &mut self,
        connection: u64,
        side: Side,
        direction: Direction,
        bytes: &[u8],
        at_us: u64,
        mut comment: Option<&str>,
    ) -> Result<(), RecordingError> {
        let Some(found) = self.connections.get_mut(&connection) else { return Ok(()) };
        if bytes.is_empty() && comment.is_some() {
            found.side(side).note(&mut self.output, Passed { direction, at_us, comment });
            return self.write_if_full(at_us);
        }
        for bytes in bytes.chunks(SEGMENT_BYTES_MAX) {
            let passed = Passed { direction, at_us, comment: comment.take() };
            found.side(side).data(&mut self.output, passed, &Chunk::new(bytes));
            write_if_full(&mut self.output, &self.path, at_us)?;
        }
        Ok(())
    }

    /// Records bytes that passed on both sides alike: as [`Recorder::data`] for both. They are copied
    /// and their checksum is computed once.
    pub fn relayed(
        &mut self,
        connection: u64,
        direction: Direction,
        bytes: &[u8],
        at_us: u64,
    ) -> Result<(), RecordingError> {
        let Some(found) = self.connections.get_mut(&connection) else { return Ok(()) };
        let arrival = Side::of_arrival(direction);
        for bytes in bytes.chunks(SEGMENT_BYTES_MAX) {
            let chunk = Chunk::shared(&mut self.output, bytes);
            for side in [arrival, arrival.opposite()] {
                found.side(side).data(&mut self.output, Passed { direction, at_us, comment: None }, &chunk);
            }
            write_if_full(&mut self.output, &self.path, at_us)?;
        }
        Ok(())
    }

    /// Records secrets of TLS, as lines of a key log. Packets before them stay encrypted.
    pub fn secrets(&mut self, lines: &str, at_us: u64) -> Result<(), RecordingError> {
        self.output.secrets(lines);
        self.write_if_full(at_us)
    }

    /// Records how the sender of this direction ended it on one side: by a FIN or an RST. A side is
    /// over after an RST, or after a FIN of each direction. Ignores a second end, except an RST that
    /// follows a FIN.
    pub fn ended(
        &mut self,
        connection: u64,
        side: Side,
        direction: Direction,
        end: End,
        at_us: u64,
    ) -> Result<(), RecordingError> {
        let Some(found) = self.connections.get_mut(&connection) else { return Ok(()) };
        found.side(side).end(&mut self.output, Passed { direction, at_us, comment: None }, end);
        if found.client.is_over() && found.server.is_over() {
            self.connections.remove(&connection);
        }
        self.write_if_full(at_us)
    }

    /// Forgets a connection of which nothing more will be recorded. One that ended on both sides is
    /// forgotten already.
    pub fn closed(&mut self, connection: u64) {
        self.connections.remove(&connection);
    }

    /// Returns when [`Recorder::flush_due`] is to be called; `None` while everything is written.
    pub fn due_us(&self) -> Option<u64> {
        self.output.due_us()
    }

    /// Writes what is buffered if the last write is a second ago, without waiting for the disk.
    pub fn flush_due(&mut self, now_us: u64) -> Result<(), RecordingError> {
        if self.output.due_us().is_some_and(|due_us| due_us <= now_us) {
            let flushed = self.output.flush(now_us);
            return flushed.map_err(|source| stopped(&self.path, source));
        }
        Ok(())
    }

    /// Completes the file, and returns its packets.
    pub fn finish(mut self) -> Result<u64, RecordingError> {
        self.output.finish().map_err(|source| stopped(&self.path, source))?;
        Ok(self.output.packets())
    }

    fn write_if_full(&mut self, now_us: u64) -> Result<(), RecordingError> {
        write_if_full(&mut self.output, &self.path, now_us)
    }
}

fn write_if_full(output: &mut Output, path: &Path, now_us: u64) -> Result<(), RecordingError> {
    output.write_if_full(now_us).map_err(|source| stopped(path, source))
}

fn stopped(path: &Path, source: io::Error) -> RecordingError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => RecordingError::Removed { path },
        _ => RecordingError::Stopped { path, source },
    }
}

/// Returns the sequence number before the first byte of a connection: far from that of the
/// connections before and after it.
fn first_sequence(connection: u64) -> u32 {
    // The odd number next to 2^32 divided by the golden ratio spreads consecutive numbers.
    (connection as u32).wrapping_mul(0x9e37_79b9)
}

#[cfg(test)]
mod tests;
