//! Inputs of a session from its link, and its outputs.

use alloc::string::String;
use alloc::vec::Vec;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, History, Rejection};

use crate::ending::Ending;

/// Choice of the dialect to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DialectChoice {
    /// The event dialect, or the tutorial dialect where no `welcome` comes (D3).
    #[default]
    Auto,
    /// The tutorial dialect at once.
    Tutorial,
    /// The event dialect or nothing.
    Event,
}

/// The dialect of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Pairs of frames (T).
    Tutorial,
    /// Frames of JSON (E).
    Event,
}

/// Something that happened to the link.
#[derive(Debug)]
pub enum Input<'a> {
    /// The connection asked for stands.
    Connected,
    /// It does not; why, and what to do.
    ConnectFailed(&'a str),
    /// The server sent these bytes.
    Bytes(&'a [u8]),
    /// One [`Output::Send`] has been taken by the operating system.
    Written,
    /// The connection is gone, and why.
    Closed(&'a str),
    /// A deadline may have passed.
    Tick,
}

/// Request that stored messages answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryQuery {
    /// Nothing: it is what was said before the user came.
    Context,
    /// The question for the newest.
    Latest,
    /// That for what stands before those shown last.
    Older,
    /// That for what stands on both sides of this number.
    Around(u64),
    /// A search.
    Search {
        /// Text that was searched for.
        query: String,
        /// Going on with it.
        older: bool,
    },
}

/// Actions for the driver; taken in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a connection; the one before is gone.
    Connect,
    /// Write these bytes, and report [`Input::Written`]. Never more than two of them wait at a
    /// time.
    Send(Vec<u8>),
    /// Close the sending side behind the last bytes.
    HalfClose,
    /// Close the connection.
    Disconnect,
    /// Tell the user; with the `ref` of the request that this answers.
    Show(Envelope<Update>),
    /// Nothing comes after this.
    Ended(Ending),
}

/// Something the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// The server said it; words of a tutorial server come as the same events.
    Received(Event),
    /// The user's own message reached the server (`acknowledged`), or at least left for it
    /// (tutorial dialect).
    Sent {
        /// A `message` or a `direct`.
        event: Event,
        /// `true` if the server confirmed it.
        acknowledged: bool,
    },
    /// The server refused a request.
    Rejected {
        /// Its words.
        rejection: Rejection,
        /// The text that was not delivered, if the request was to say something.
        text: Option<String>,
    },
    /// Stored messages that the user asked for. Those that nobody asked for come as
    /// [`Update::Received`], and are context.
    HistoryPage {
        /// The messages.
        history: History,
        /// Request that they answer.
        asked: HistoryQuery,
        /// The number of the newest message of the room, where it is known.
        newest: Option<u64>,
        /// The numbers of those among them that the user does not want to see; they are not in
        /// `history` any more.
        hidden: Vec<u64>,
    },
    /// The client's own words, about the link for the most part.
    Notice(String),
    /// Room to which messages go now; `None`: the client is in no room.
    CurrentRoom(Option<String>),
}
