//! What a person may choose about the way a conversation is shown and kept.

use std::path::PathBuf;

/// The choices; each has a default that needs no thought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Whether each message shows its time; `None`: on a terminal yes, in lines no.
    pub timestamps: Option<bool>,
    /// When the terminal's bell rings.
    pub bell: Bell,
    /// Whether names and highlights have colours.
    pub colour: bool,
    /// Whose words are not shown, whatever the case of the letters.
    pub ignore: Vec<String>,
    /// Whether each room's conversation is also written to a file in the state folder.
    pub log: bool,
    /// Whether typed lines are found again in the next session.
    pub input_history: bool,
    /// Where logs and typed lines are kept; `None`: nowhere.
    pub state_folder: Option<PathBuf>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            timestamps: None,
            bell: Bell::default(),
            colour: true,
            ignore: Vec::new(),
            log: false,
            input_history: true,
            state_folder: None,
        }
    }
}

/// When the terminal's bell rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bell {
    /// Never.
    Off,
    /// When somebody mentions the user's name or writes to the user only.
    #[default]
    Mentions,
    /// With every message of somebody else.
    All,
}
