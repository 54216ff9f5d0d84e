//! Choices of a person about the way a conversation is shown and kept.

use std::path::PathBuf;

/// The choices; each has a default that needs no thought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// `Some(true)` if each message shows its time; `None`: on a terminal yes, in lines no.
    pub timestamps: Option<bool>,
    /// When the terminal's bell rings.
    pub bell: Bell,
    /// `true` if names and highlights have colours.
    pub colour: bool,
    /// Names whose messages are not shown, in any case.
    pub ignore: Vec<String>,
    /// Messages that are also written to a file for each room in the state folder.
    pub log: LogScope,
    /// `true` if typed lines are found again in the next session.
    pub input_history: bool,
    /// Folder of logs and typed lines; `None`: nothing is kept.
    pub state_folder: Option<PathBuf>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            timestamps: None,
            bell: Bell::default(),
            colour: true,
            ignore: Vec::new(),
            log: LogScope::default(),
            input_history: true,
            state_folder: None,
        }
    }
}

/// Messages that are written to the rooms' logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogScope {
    /// None.
    #[default]
    Nothing,
    /// All but sealed ones.
    Unsealed,
    /// All: what is said in sealed rooms as well, readable.
    All,
}

/// When the terminal's bell rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bell {
    /// Never.
    Off,
    /// For mentions of the user's name and direct messages.
    #[default]
    Mentions,
    /// For every message of others.
    All,
}
