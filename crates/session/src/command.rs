//! Commands of the user.

use glassline_wire::event::ErrorCode;
use glassline_wire::request::Request;

use crate::prelude::*;

/// Command of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "some say it by their names")]
pub enum Command {
    /// Send a message to the current room.
    Say(String),
    /// Send a message to this room, also if it is not the current one.
    SayIn {
        room: String,
        text: String,
    },
    /// Send an action (`/me`) to the current room.
    Action(String),
    /// Send a direct message to one person.
    Direct {
        to: String,
        text: String,
    },
    /// Reply to one person, and not to a later holder of the name.
    Reply {
        to: String,
        text: String,
    },
    /// Enter a room, or go to one already entered.
    Join(String),
    /// Leave a room; the current one if none is named.
    LeaveRoom(Option<String>),
    Rename(String),
    /// Ask who is in a room; the current one if none is named.
    Members(Option<String>),
    Whois(String),
    /// Operator command: its line, without the slash.
    Operate(String),
    Rooms,
    /// Mark the user as away, for this reason.
    Away(Option<String>),
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
    /// Leave once all messages are acknowledged, without a time limit while the link is up.
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
#[expect(missing_docs, reason = "their texts say it")]
pub enum CommandError {
    #[error("there is nothing to send")]
    Empty,
    #[error("the text has {bytes} bytes, the limit is {bytes_max}; send it in parts")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("the request has {bytes} bytes, the limit is {bytes_max}; make its fields shorter")]
    RequestTooLong { bytes: usize, bytes_max: usize },
    #[error("{0} messages wait for the server already; send it when they are through")]
    Full(usize),
    /// Messages for the room are not sent yet: after the leave they would be refused.
    #[error("{unsent} of your messages have not gone out into {room} yet; leave it when they are through")]
    UnsentMessages { room: String, unsent: usize },
    #[error("the server has not answered your last questions yet; ask again when it has")]
    AnswerPending,
    #[error("not connected at the moment; try again when the status says online")]
    NotConnected,
    #[error("this server uses the plain tutorial dialect, which has no {0}")]
    NotInTutorial(&'static str),
    #[error("you are not in the room {0}; enter it with /join {0}")]
    NotInRoom(String),
    #[error(
        "this holds something of the form of an operator token, which others must not read; write /op and the token, and nothing before it"
    )]
    Token,
    #[error("this room is sealed, and {0}")]
    NotSealed(String),
    #[error("this server does not relay sealed messages, and the room is sealed here; /unseal ends that")]
    ServerCannotSeal,
    #[error(
        "sealed messages need the event dialect, and this link has the plain tutorial dialect, which has none; join without \
         `--dialect tutorial`, a server that knows the event dialect, or speak in another room"
    )]
    NoSealInTutorial,
    #[error("you are in no room; enter one with /join ROOM")]
    NoCurrentRoom,
    #[error("the client itself sends `hello` and `pong`")]
    NotForUsers,
    #[error("already leaving")]
    Leaving,
}

impl CommandError {
    /// Returns the code of the event dialect for this cause, for programs.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Empty => ErrorCode::EmptyText,
            Self::TooLong { .. } | Self::RequestTooLong { .. } => ErrorCode::TooLong,
            Self::Full(_) | Self::UnsentMessages { .. } | Self::AnswerPending | Self::NotConnected => ErrorCode::Busy,
            Self::NotInTutorial(_) => ErrorCode::UnknownType,
            Self::Token => ErrorCode::BadField,
            Self::NotSealed(_) | Self::ServerCannotSeal | Self::NoSealInTutorial => ErrorCode::RoomSealed,
            Self::NotInRoom(_) | Self::NoCurrentRoom => ErrorCode::UnknownRoom,
            Self::NotForUsers | Self::Leaving => ErrorCode::OutOfOrder,
        }
    }
}
