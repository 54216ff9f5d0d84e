//! Whoever keeps the bytes that pass. The loop calls it, so a slow disk belongs to another thread.

use std::io;
use std::net::SocketAddr;

use crate::frame::Direction;
use crate::line::End;

/// One of the two TCP connections that the tap joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Between client and tap.
    Client,
    /// Between tap and server.
    Server,
}

impl Side {
    /// Both sides, the client's first.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// Returns the side from which bytes of this direction arrive.
    pub fn source_of(direction: Direction) -> Self {
        match direction {
            Direction::ToServer => Self::Client,
            Direction::ToClient => Self::Server,
        }
    }

    /// Returns the side to which bytes of this direction are forwarded.
    pub fn sink_of(direction: Direction) -> Self {
        Self::source_of(direction.opposite())
    }
}

/// Addresses of a connection, on both sides of the tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The client.
    pub client: SocketAddr,
    /// The tap, as the client sees it.
    pub tap_for_client: SocketAddr,
    /// The tap, as the server sees it.
    pub tap_for_server: SocketAddr,
    /// The server.
    pub server: SocketAddr,
}

/// What happened on one side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity<'a> {
    /// Both sides are connected.
    Opened(Addresses),
    /// Bytes passed: they arrived at the tap, or were forwarded by it. A side sees both directions.
    Bytes {
        /// Connection on which they passed.
        side: Side,
        /// Their direction.
        direction: Direction,
        /// The bytes.
        bytes: &'a [u8],
        /// Rules that made them.
        comment: Option<&'a str>,
    },
    /// A direction ended on this side.
    Ended {
        /// Connection on which it ended.
        side: Side,
        /// The direction.
        direction: Direction,
        /// A FIN or an RST; an RST ends the other direction of this side as well.
        end: End,
    },
    /// Nothing more follows for this connection.
    Closed,
}

/// Keeps what passes. An error ends the recording, never the line, and is reported to the user.
pub trait Recorder: Send {
    /// Takes what happened on a connection, in order; `at_us` is in microseconds since 1970 (UTC).
    ///
    /// # Errors
    /// The recording cannot be continued; its text says why.
    fn record(&mut self, connection: u64, at_us: u64, activity: Activity<'_>) -> io::Result<()>;

    /// Completes the recording. Called once, unless an error ended it before.
    ///
    /// # Errors
    /// The end of the recording cannot be stored.
    fn finish(&mut self) -> io::Result<()>;
}
