//! Commands of the user.

use glassline_wire::event::ErrorCode;
use glassline_wire::request::Request;

use crate::prelude::*;

/// Command of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Send a message to the current room.
    Say(String),
    /// Send a message to this room, whatever room is the current one.
    SayIn {
        /// Room of the text.
        room: String,
        /// Text to say.
        text: String,
    },
    /// Send an action (`/me`) to the current room.
    Action(String),
    /// Send a direct message to one person.
    Direct {
        /// Its recipient.
        to: String,
        /// Text to send.
        text: String,
    },
    /// Reply to one person, and to nobody else who may have the name by now.
    Reply {
        /// Its recipient.
        to: String,
        /// Text to send.
        text: String,
    },
    /// Enter a room, or go to one already entered.
    Join(String),
    /// Leave a room; the current one if none is named.
    LeaveRoom(Option<String>),
    /// Take another name.
    Rename(String),
    /// Ask who is in a room; the current one if none is named.
    Members(Option<String>),
    /// Ask about one person.
    Whois(String),
    /// Operator command: its line, without the slash.
    Operate(String),
    /// Ask which rooms there are.
    Rooms,
    /// Mark the user as away, for this reason.
    Away(Option<String>),
    /// Mark the user as back.
    Back,
    /// Ask for stored messages of the current room.
    History(HistorySelection),
    /// Ask for the page before the stored messages shown last, of the same kind.
    Older,
    /// Search the stored messages of the current room.
    Search(String),
    /// Request as a program wrote it.
    Request(Request),
    /// Command of the server, on a tutorial session.
    ServerLine(String),
    /// Show this help on the client's own commands, and ask a server that has commands for its help.
    Help(String),
    /// Leave once all messages are acknowledged, however long that takes while the link stands.
    Finish,
    /// Leave now; what is not acknowledged gets a moment, and all of it two seconds.
    Leave,
}

/// Selection of stored messages to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistorySelection {
    /// The newest, this many of them.
    Latest(u64),
    /// Those on both sides of this number.
    Around(u64),
}

/// Reason why a command was not taken. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The text is empty.
    #[error("there is nothing to send")]
    Empty,
    /// The text is longer than the server takes.
    #[error("the text has {bytes} bytes, the limit is {bytes_max}; send it in parts")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest taken.
        bytes_max: usize,
    },
    /// The request is longer than the server takes.
    #[error("the request has {bytes} bytes, the limit is {bytes_max}; make its fields shorter")]
    RequestTooLong {
        /// Its length.
        bytes: usize,
        /// The longest taken.
        bytes_max: usize,
    },
    /// Too much waits for the server's acknowledgement.
    #[error("{0} messages wait for the server already; send it when they are through")]
    Full(usize),
    /// Messages for the room have not gone out yet: after the leave they would be refused.
    #[error("{unsent} of your messages have not gone out into {room} yet; leave it when they are through")]
    StillSaying {
        /// The room.
        room: String,
        /// Number of messages that have not gone out.
        unsent: usize,
    },
    /// Several requests wait for their answers.
    #[error("the server has not answered your last questions yet; ask again when it has")]
    StillAsking,
    /// Only a standing link can carry this.
    #[error("not connected at the moment; try again when the status says online")]
    NotConnected,
    /// The dialect has no such request.
    #[error("this server speaks the plain tutorial dialect, which has no {0}")]
    NotInTutorial(&'static str),
    /// The client is not in the room.
    #[error("you are not in the room {0}; enter it with /join {0}")]
    NotInRoom(String),
    /// Others would read an operator token.
    #[error(
        "this holds something of the form of an operator token, which others must not read; write /op and the token, and nothing before it"
    )]
    Token,
    /// The client is in no room at all.
    #[error("you are in no room; enter one with /join ROOM")]
    NowhereToTalk,
    /// `hello` and `pong` are the session's.
    #[error("the client itself sends `hello` and `pong`")]
    NotForUsers,
    /// The session is on its way out.
    #[error("already leaving")]
    Leaving,
}

impl CommandError {
    /// Returns the code of the event dialect for this cause, for programs.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Empty => ErrorCode::EmptyText,
            Self::TooLong { .. } | Self::RequestTooLong { .. } => ErrorCode::TooLong,
            Self::Full(_) | Self::StillSaying { .. } | Self::StillAsking | Self::NotConnected => ErrorCode::Busy,
            Self::NotInTutorial(_) => ErrorCode::UnknownType,
            Self::Token => ErrorCode::BadField,
            Self::NotInRoom(_) | Self::NowhereToTalk => ErrorCode::UnknownRoom,
            Self::NotForUsers | Self::Leaving => ErrorCode::OutOfOrder,
        }
    }
}
