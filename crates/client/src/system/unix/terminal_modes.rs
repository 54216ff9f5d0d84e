//! The modes of the terminal, and writes to it that do not block.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::terminal_input;

/// A terminal that takes bytes takes a few of them within this.
const WRITE_WAIT: Duration = Duration::from_millis(100);
/// In place of a key that makes a signal: none does.
const NO_KEY: u8 = if cfg!(any(target_os = "linux", target_os = "android")) { 0 } else { 0xff };

/// Modes of the terminal for input and output, as they were at a moment.
#[derive(Debug)]
pub(crate) struct TerminalModes {
    terminal: File,
    modes: Termios,
}

impl TerminalModes {
    pub(crate) fn now() -> io::Result<Self> {
        let terminal = terminal_input::open()?;
        let modes = tcgetattr(&terminal)?;
        Ok(Self { terminal, modes })
    }

    /// Returns true if the terminal reads whole lines and echoes them, as it does where no other
    /// program edits lines.
    pub(crate) fn echoes_lines(&self) -> bool {
        self.modes.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Sets them so that keys come one by one and unechoed. Ctrl-C stays a signal; the two others
    /// that keys make become keys.
    pub(crate) fn set_for_keys(&self) -> io::Result<()> {
        let mut modes = self.modes.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        modes.special_codes[SpecialCodeIndex::VQUIT] = NO_KEY;
        modes.special_codes[SpecialCodeIndex::VSUSP] = NO_KEY;
        Ok(tcsetattr(&self.terminal, OptionalActions::Now, &modes)?)
    }

    /// Sets them again, after changes by another program.
    pub(crate) fn set_again(&self) -> io::Result<()> {
        // Now: a terminal that takes no bytes is not waited for.
        Ok(tcsetattr(&self.terminal, OptionalActions::Now, &self.modes)?)
    }
}

/// Writes to the standard output if it takes the bytes at once. A thread blocked in a write
/// holds the lock of `io::stdout`, so this bypasses it; and as that it can be written to does
/// not mean that there is room for all, a thread of its own waits.
pub(crate) fn write_at_once(bytes: Vec<u8>) {
    let Ok(out) = io::stdout().as_fd().try_clone_to_owned() else { return };
    let (done, is_done) = sync_channel(1);
    let writer = thread::Builder::new().name("glassline-last-words".to_owned()).spawn(move || {
        let _ = File::from(out).write_all(&bytes);
        let _ = done.send(());
    });
    if writer.is_ok() {
        let _ = is_done.recv_timeout(WRITE_WAIT);
    }
}
