//! Unix: bytes from a terminal, signals, other programs, and files of one's own.

mod private;
mod programs;
mod signals;
mod terminal_input;
mod terminal_modes;

pub(crate) use private::{append_private_file, create_private_file, edit_private_file, is_at};
pub(crate) use programs::{ask_to_end, editor_command};
pub(crate) use signals::{is_hangup_ignored, suspend, watch_interrupts, watch_terminal};
pub(crate) use terminal_input::{TerminalInput, unbuffered_stdout};
pub(crate) use terminal_modes::{TerminalModes, write_at_once};
