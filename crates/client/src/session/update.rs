//! Inputs of a session from its user and its link, and its outputs.

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, History, Rejection};
use glassline_wire::request::Request;

use crate::ending::Ending;

/// Which dialect to speak.
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

/// Something the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Say it in the current room.
    Say(String),
    /// Say it in this room, whatever room is the current one.
    SayIn {
        /// Room of the text.
        room: String,
        /// Text to say.
        text: String,
    },
    /// Say what the user does (`/me`).
    Action(String),
    /// Say it to one person.
    Direct {
        /// To whom.
        to: String,
        /// Text to send.
        text: String,
    },
    /// Answer one person, and nobody else who may have the name by now.
    Reply {
        /// Its recipient.
        to: String,
        /// Its words.
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
    /// Do what operators do: their line, without its slash.
    Operate(String),
    /// Ask which rooms there are.
    Rooms,
    /// Be away for this reason.
    Away(Option<String>),
    /// Be back.
    Back,
    /// Ask for stored messages of the current room.
    History(HistoryWish),
    /// Ask for what stands before the stored messages shown last, of the same kind.
    Older,
    /// Look for stored messages in the current room.
    Search(String),
    /// A request as a program wrote it.
    Request(Request),
    /// A command of the server's own, on a tutorial session.
    ServerLine(String),
    /// Show these words about the client's own commands, then ask a server that has commands for its own.
    Help(String),
    /// Leave once everything said is acknowledged, however long that takes while the link stands.
    Finish,
    /// Leave now; what is not acknowledged gets a moment, and all of it two seconds.
    Leave,
}

/// Which stored messages to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryWish {
    /// The newest, so many of them.
    Latest(u64),
    /// Those on both sides of this number.
    Around(u64),
}

/// Request that stored messages answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
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
    /// Write these bytes, and report [`Input::Written`]. Never more than two of them wait at a time.
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
    Heard(Event),
    /// The user's own message reached the server (`acknowledged`), or at least left for it (tutorial dialect).
    Said {
        /// A `message` or a `direct`.
        event: Event,
        /// `true` if the server confirmed it.
        acknowledged: bool,
    },
    /// The server refused a request.
    Refused {
        /// Its words.
        rejection: Rejection,
        /// The text that was not delivered, if the request was to say something.
        text: Option<String>,
    },
    /// Stored messages that the user asked for. Those that nobody asked for come as [`Update::Heard`], and are context.
    Past {
        /// The messages.
        history: History,
        /// Request that they answer.
        asked: Asked,
        /// The number of the newest message of the room, where it is known.
        newest: Option<u64>,
        /// The numbers of those among them that the user does not want to see; they are not in
        /// `history` any more.
        hidden: Vec<u64>,
    },
    /// The client's own words, about the link for the most part.
    Notice(String),
    /// Room to which messages go now; `None`: the client is in no room.
    Room(Option<String>),
}

/// The state of the link, for a status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// No `welcome` yet.
    Connecting,
    /// The connection stands, and nothing has come over it.
    Unanswered,
    /// Messages flow.
    Online,
    /// Lost; the next try comes at this instant.
    Waiting {
        /// On the session's clock.
        until_ms: u64,
    },
    /// Saying goodbye.
    Leaving,
}

/// Contents of a status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The name the user goes by.
    pub name: String,
    /// The current room.
    pub room: Option<String>,
    /// `true` if that is known: a tutorial server may have moved the user and said so in words of
    /// its own.
    pub is_room_told: bool,
    /// All rooms the client is in, in the order of entering.
    pub rooms: Vec<String>,
    /// Number of people in the current room, while the server says.
    pub people: Option<usize>,
    /// Some of them, by name, without the user: at most [`Status::OTHERS_MAX`].
    pub others: Vec<String>,
    /// Why the user is away.
    pub away: Option<String>,
    /// The link.
    pub link: LinkState,
    /// Messages not yet acknowledged (tutorial dialect: not yet sent).
    pub unsent: usize,
    /// Those of them that have waited for a while, oldest first: at most [`Status::LATE_MAX`].
    pub late: Vec<String>,
    /// When another of them will have waited that long, on the session's clock.
    pub next_late_ms: Option<u64>,
}

impl Status {
    /// Names in [`Status::others`]: more would not fit a line.
    pub const OTHERS_MAX: usize = 8;
    /// Texts in [`Status::late`].
    pub const LATE_MAX: usize = 3;
}

/// Party that carries out a line that starts with `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlashCommands {
    /// This client, by requests.
    Client,
    /// The server, which has spoken as `*` (T10).
    Server,
    /// Nobody: a tutorial server without words of its own.
    Nobody,
    /// It will be known in a moment.
    Undecided,
}

/// Why a command was not taken. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
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
    /// Several questions wait for their answers.
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

impl Declined {
    /// The same cause in the words of the event dialect, for programs.
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
