//! Status of a session, for display.

use crate::prelude::*;

/// State of the link, for a status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// No `welcome` yet.
    Connecting,
    /// The connection is established, and nothing was received yet.
    Unanswered,
    /// The server has answered.
    Online,
    /// The link is lost; the next attempt is at this instant.
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
    /// Name of the user.
    pub name: String,
    /// Current room.
    pub room: Option<String>,
    /// `true` if that is known: a tutorial server may have moved the user and announced it in a
    /// notice of its own wording.
    pub is_room_known: bool,
    /// All rooms the client is in, in the order of entering.
    pub rooms: Vec<String>,
    /// Number of people in the current room, if the server sends it.
    pub people: Option<usize>,
    /// Some of them, by name, without the user: at most [`Status::OTHERS_MAX`].
    pub others: Vec<String>,
    /// Reason why the user is away.
    pub away: Option<String>,
    /// State of the link.
    pub link: LinkState,
    /// Messages not yet acknowledged (tutorial dialect: not yet sent).
    pub unsent: usize,
    /// Those of them that have waited for a while, oldest first: at most [`Status::LATE_MAX`].
    pub late: Vec<String>,
    /// Time at which another of them will have waited that long, on the session's clock.
    pub next_late_ms: Option<u64>,
}

impl Status {
    /// Names in [`Status::others`]: more would not fit a line.
    pub const OTHERS_MAX: usize = 8;
    /// Texts in [`Status::late`].
    pub const LATE_MAX: usize = 3;
}

/// Party that executes a line that starts with `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlashExecutor {
    /// This client, by requests.
    Client,
    /// The server, which has sent a notice as `*` (T10).
    Server,
    /// None: a tutorial server without commands.
    Nobody,
    /// Not known yet; it will be in a moment.
    Undecided,
}
