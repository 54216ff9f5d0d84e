//! Unix: bytes from a terminal, signals, and files of one's own.

mod private;
mod signals;
mod terminal_input;

pub(crate) use private::{append_private_file, create_private_file, create_private_folder, edit_private_file, is_at};
pub(crate) use signals::{suspend, watch_interrupts, watch_terminal};
pub(crate) use terminal_input::TerminalInput;
