//! The slash commands of the client: one table of names, arguments, help and meaning, and what is read from it.

mod help;
mod hidden_slash;
mod parse;
mod privacy;
mod suggestion;
mod table;

pub(crate) use hidden_slash::check_text;
pub(crate) use parse::{ParsedLine, is_reply, parse_line};
pub(crate) use privacy::{concealed, is_secret, is_storable, seals};
pub(crate) use table::{Argument, SlashCommand, all_names};

#[cfg(test)]
mod tests;
