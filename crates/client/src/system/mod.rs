//! Differences between operating systems: the only place that asks which one this is.

#[cfg(not(unix))]
mod other;
mod silence;
#[cfg(unix)]
mod unix;

pub(crate) use silence::notice_silence;

#[cfg(not(unix))]
pub(crate) use other::{
    TerminalInput, TerminalModes, append_private_file, ask_to_end, create_private_file, create_private_folder,
    edit_private_file, editor_command, is_at, is_hangup_ignored, suspend, unbuffered_stdout, watch_interrupts,
    watch_terminal, write_at_once,
};
#[cfg(unix)]
pub(crate) use unix::{
    TerminalInput, TerminalModes, append_private_file, ask_to_end, create_private_file, create_private_folder,
    edit_private_file, editor_command, is_at, is_hangup_ignored, suspend, unbuffered_stdout, watch_interrupts,
    watch_terminal, write_at_once,
};
