//! A terminal whose keys are read one by one, and that does not echo them, until it is given back.

use std::io;
use std::sync::{Mutex, PoisonError};

use crate::inbox::Inbox;
use crate::system::{self, TerminalModes};
use crate::terminal::key_reader::KeyReader;

/// The previous modes, restored when the process ends. A process has one terminal.
static BEFORE: Mutex<Option<TerminalModes>> = Mutex::new(None);

#[derive(Debug)]
pub(crate) struct EchoTerminal {
    keyboard: KeyReader,
}

impl EchoTerminal {
    /// Takes the terminal. Errors: there is none whose modes can be set, or another program echoes
    /// the input, as Emacs does in its shell.
    pub(crate) fn open(inbox: Inbox) -> io::Result<Self> {
        let before = TerminalModes::now()?;
        if !before.echoes_lines() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        before.set_for_keys()?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let opened = system::watch_terminal(inbox.clone()).and_then(|()| KeyReader::start(inbox));
        if opened.is_err() {
            give_back();
        }
        opened.map(|keyboard| Self { keyboard })
    }

    pub(crate) fn read_more(&self) {
        self.keyboard.read_more();
    }

    /// Stops the process until the shell continues it.
    pub(crate) fn suspend(&self) -> io::Result<()> {
        with_modes(TerminalModes::set_again)?;
        system::suspend()?;
        self.take_again()
    }

    /// Sets the modes again, also if they were changed.
    #[expect(clippy::unused_self, reason = "only who holds the terminal may take it")]
    pub(crate) fn take_again(&self) -> io::Result<()> {
        with_modes(TerminalModes::set_for_keys)
    }
}

impl Drop for EchoTerminal {
    fn drop(&mut self) {
        give_back();
    }
}

pub(crate) fn give_back() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    // A closed terminal needs no restoring.
    let _ = before.map(|before| before.set_again());
}

fn with_modes(set: fn(&TerminalModes) -> io::Result<()>) -> io::Result<()> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(Ok(()), set)
}
