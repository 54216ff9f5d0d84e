//! What differs from system to system: the only place that asks which one this is.

#[cfg(not(unix))]
#[allow(dead_code, reason = "what uses all of it is being written")]
mod other;
mod silence;
#[cfg(unix)]
#[allow(dead_code, reason = "what uses all of it is being written")]
mod unix;

pub(crate) use silence::notice_silence;

#[cfg(not(unix))]
#[allow(unused_imports, reason = "what uses them is being written")]
pub(crate) use other::{
    TerminalInput, append_private_file, create_private_file, create_private_folder, edit_private_file, suspend,
    watch_interrupts, watch_terminal,
};
#[cfg(unix)]
#[allow(unused_imports, reason = "what uses them is being written")]
pub(crate) use unix::{
    TerminalInput, append_private_file, create_private_file, create_private_folder, edit_private_file, suspend,
    watch_interrupts, watch_terminal,
};
