//! Inputs of a session from its link, and its outputs.

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, History, Rejection};

use crate::ending::Ending;
use crate::prelude::*;

/// Choice of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DialectChoice {
    /// The event dialect, or the tutorial dialect if no `welcome` arrives (D3).
    #[default]
    Auto,
    /// The tutorial dialect at once.
    Tutorial,
    /// The event dialect or nothing.
    Event,
}

/// Dialect of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Pairs of frames (T).
    Tutorial,
    /// Frames of JSON (E).
    Event,
}

/// Event of the link.
#[derive(Debug)]
pub enum Input<'a> {
    /// The host has accepted the connection asked for, and its protection is not established yet.
    Reached,
    /// The connection asked for is established.
    Connected,
    /// The connection asked for failed: cause, and what to do.
    ConnectFailed(&'a str),
    /// The link is not the one that was asked for: cause, and what to do. The session ends, as
    /// another attempt would ask the same question again.
    LinkRefused(&'a str),
    Bytes(&'a [u8]),
    /// One [`Output::Send`] was taken by the operating system.
    Written,
    /// The connection is closed: cause.
    Closed(&'a str),
    /// A deadline may have passed.
    Tick,
}

/// Origin of a page of stored messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryQuery {
    /// Context that the server sends on joining, without a request.
    Context,
    /// Request for the newest.
    Latest,
    /// Request for those before the ones shown last.
    Older,
    /// Request for those on both sides of this number.
    Around(u64),
    Search {
        query: String,
        /// `true` for a further page of it.
        older: bool,
    },
}

/// Actions for the driver; taken in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a connection; the previous one is closed.
    Connect,
    /// Write these bytes, and report [`Input::Written`]. Never more than two of them wait at a
    /// time.
    Send(Vec<u8>),
    /// Close the sending side after the last bytes.
    HalfClose,
    Disconnect,
    /// Show this to the user; with the `ref` of the request that it answers.
    Show(Envelope<Update>),
    /// The session has ended; the last action.
    Ended(Ending),
}

/// Updates for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Event from the server; texts of a tutorial server become the same events.
    Received(Event),
    /// Message of the user that reached the server (`acknowledged`) or was at least written (tutorial
    /// dialect).
    Sent { event: Event, acknowledged: bool },
    /// Request that the server rejected.
    Rejected {
        rejection: Rejection,
        /// Text that was not delivered, if the request was a message.
        text: Option<String>,
    },
    /// Stored messages that the user asked for. Those without a request arrive as
    /// [`Update::Received`], and are context.
    HistoryPage {
        history: History,
        asked: HistoryQuery,
        /// Number of the newest message of the room, where it is known.
        newest: Option<u64>,
        /// Numbers of messages that the user ignores; they are no longer in `history`.
        hidden: Vec<u64>,
    },
    /// Notice of the client itself, mostly about the link.
    Notice(String),
    /// Room that messages are sent to; `None`: the client is in no room.
    CurrentRoom(Option<String>),
}
