//! Unix: bytes from a terminal, and signals.

mod signals;
mod terminal_input;

pub(crate) use signals::{watch_interrupts, watch_terminal};
pub(crate) use terminal_input::TerminalInput;
