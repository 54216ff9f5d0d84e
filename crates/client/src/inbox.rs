//! The bounded channel into the driver: events of the link, the user and the system.

use std::net::TcpStream;
use std::sync::mpsc::SyncSender;

use crate::derived_key::Derived;
use crate::keyboard::event::TerminalEvent;
use crate::line_splitter::InputLine;

/// Capacity of the channel: small, as a key waits for the others. Senders block when it is full,
/// and so does the server.
pub(crate) const EVENTS_MAX: usize = 16;

pub(crate) type Inbox = SyncSender<DriverEvent>;

#[derive(Debug)]
pub(crate) enum DriverEvent {
    /// Event of the connection of this generation; one of an older generation is ignored.
    Link {
        /// Counts the connections of a session.
        generation: u64,
        event: LinkEvent,
    },
    User(UserInput),
    /// A key of a sealed room, or the reason why there is none.
    KeyDerived(Box<Derived>),
    /// The system asks the process to end.
    #[cfg_attr(not(unix), allow(dead_code, reason = "a signal asks"))]
    Interrupted,
}

#[derive(Debug)]
pub(crate) enum LinkEvent {
    Connected(TcpStream),
    ConnectFailed(String),
    Stream(StreamEvent),
}

#[derive(Debug)]
pub(crate) enum StreamEvent {
    Bytes(Vec<u8>),
    Written,
    Closed(String),
    /// Nothing was received within the time that the first bytes of a handshake take at most.
    Silent,
}

#[derive(Debug)]
pub(crate) enum UserInput {
    /// Whole lines, in order.
    Lines(Vec<InputLine>),
    End,
    Failed(String),
    /// A key, a paste, a resize.
    Terminal(TerminalEvent),
    /// The program that had the terminal has ended.
    EditorClosed,
}
