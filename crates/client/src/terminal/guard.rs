//! The terminal's modes: set on entering, restored on leaving, also when the drawing thread panics.

use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::terminal::{EnableLineWrap, EndSynchronizedUpdate, disable_raw_mode, enable_raw_mode};
use crossterm::{execute, queue};

use crate::system;

/// Another program uses the terminal. A process has one terminal.
static PAUSED: AtomicBool = AtomicBool::new(false);

type PanicHook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync;

/// Raw mode, bracketed paste and focus events until dropped.
pub(crate) struct TerminalGuard {
    hook_before: Arc<PanicHook>,
}

#[expect(clippy::unused_self, reason = "only who holds the terminal may give it away")]
impl TerminalGuard {
    pub(crate) fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let hook_before: Arc<PanicHook> = panic::take_hook().into();
        let guard = Self { hook_before: Arc::clone(&hook_before) };
        let drawing = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // Another thread of the process (a connection of the server it hosts) may panic and the
            // conversation go on.
            if thread::current().id() == drawing {
                restore();
            }
            hook_before(info);
        }));
        switch_on()?;
        Ok(guard)
    }

    /// Restores the modes for another program or the shell.
    pub(crate) fn pause(&self) {
        PAUSED.store(true, Ordering::SeqCst);
        restore();
    }

    /// Sets the modes again.
    pub(crate) fn resume(&self) -> io::Result<()> {
        // Without this crossterm would not set the modes again: it does not know that another
        // program changed them.
        let _ = disable_raw_mode();
        enable_raw_mode()?;
        PAUSED.store(false, Ordering::SeqCst);
        switch_on()
    }
}

fn switch_on() -> io::Result<()> {
    execute!(io::stdout(), EnableBracketedPaste, EnableFocusChange)
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
        if !thread::panicking() {
            let hook_before = Arc::clone(&self.hook_before);
            panic::set_hook(Box::new(move |info| hook_before(info)));
        }
    }
}

/// Returns whether another program uses the terminal, and gets Ctrl-C.
pub(crate) fn is_paused() -> bool {
    PAUSED.load(Ordering::SeqCst)
}

/// Restores the terminal if it is in raw mode.
///
/// For a thread that ends the process while the drawing thread may be blocked in a write: this does
/// not block, and restores first what needs no write.
pub(crate) fn restore_if_taken() {
    if crossterm::terminal::is_raw_mode_enabled().unwrap_or(false) {
        let _ = disable_raw_mode();
        system::write_at_once(all_off());
    }
}

/// Restores the terminal. Errors are ignored: the terminal may be gone.
fn restore() {
    let _ = io::stdout().write_all(&all_off());
    let _ = io::stdout().flush();
    let _ = disable_raw_mode();
}

/// Returns the sequences that switch off every mode that was switched on.
fn all_off() -> Vec<u8> {
    let mut bytes = Vec::new();
    // Memory takes it.
    let _ = queue!(bytes, EndSynchronizedUpdate, EnableLineWrap, DisableFocusChange, DisableBracketedPaste);
    bytes
}

#[cfg(all(test, unix))]
mod tests;
