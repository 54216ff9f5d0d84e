//! The slash commands of the client: one table of names, arguments, help and meaning, and what is read from it.

mod disguise;
mod help;
mod interpret;
mod meaning;
mod privacy;
mod suggestion;
mod table;

pub(crate) use disguise::check_text;
pub(crate) use interpret::{interpret, is_reply};
pub(crate) use meaning::Meaning;
pub(crate) use privacy::{concealed, is_secret, is_storable, seals};
pub(crate) use table::{Argument, SlashCommand, all_names};

#[cfg(test)]
mod tests;
