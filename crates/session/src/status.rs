//! Status of a session, for display.

use alloc::string::String;
use alloc::vec::Vec;

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
