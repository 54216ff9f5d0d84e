//! The slash commands of the client: one table of names, arguments, help and meaning, and what is read from it.

mod help;
mod hidden_slash;
mod parse;
mod privacy;
mod suggestion;

pub(crate) use hidden_slash::check_text;
pub(crate) use parse::{ParsedLine, is_reply, parse_line};
pub(crate) use privacy::{concealed, is_secret, is_storable, seals};

#[cfg(test)]
mod tests;
