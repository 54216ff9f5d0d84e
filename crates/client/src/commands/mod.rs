//! Slash commands of the client: parsing, help, privacy and suggestions, from the table in the wire
//! crate.

mod help;
mod hidden_slash;
mod parse;
mod privacy;
mod suggestion;

use glassline_session::Command;

use crate::preferences::Bell;
pub(crate) use hidden_slash::check_text;
pub(crate) use parse::{is_reply, parse_line};
pub(crate) use privacy::{concealed, is_secret, is_storable, seals};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParsedLine {
    /// Something for the session.
    Session(Command),
    /// Say this to whoever wrote to the user only the last time.
    Reply(String),
    /// Show these blocks of rows.
    Help(Vec<String>),
    Keys,
    Clear,
    /// Show the rest of a shortened message: of the one with this number, or of the last one.
    More(Option<u64>),
    /// Show times or not; without a word, say which.
    Timestamps(Option<bool>),
    /// Ring the bell at this; without a word, say when it does.
    Bell(Option<Bell>),
    /// Do not show this person's words; without a name, say whose are not shown.
    Ignore(Option<String>),
    /// Show them again.
    Unignore(String),
}

#[cfg(test)]
mod tests;
