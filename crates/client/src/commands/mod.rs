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
    /// Reply to the last sender of a direct message.
    Reply(String),
    /// Show these blocks of rows.
    Help(Vec<String>),
    Keys,
    /// Ask for the passphrase of the current room.
    Seal,
    /// End the sealing of the current room.
    Unseal,
    Clear,
    /// Show the address of the server's web page: the one with this number, or the best one.
    Qr(Option<usize>),
    /// Show the rest of a shortened message: of the one with this number, or of the last one.
    More(Option<u64>),
    /// Show times or not; without an argument, show the setting.
    Timestamps(Option<bool>),
    /// Ring the bell at this; without an argument, show the setting.
    Bell(Option<Bell>),
    /// Hide this person's messages; without a name, list the ignored people.
    Ignore(Option<String>),
    /// Show them again.
    Unignore(String),
}

#[cfg(test)]
mod tests;
