//! The terminal's own modes: changed on entering, put back on leaving, also when the thread that draws panics.

use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::thread;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{EndSynchronizedUpdate, disable_raw_mode, enable_raw_mode};

type PanicHook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync;

/// Keys come one by one and unechoed, and pastes are told from typing, until it is dropped.
pub(crate) struct Guard {
    hook_before: Arc<PanicHook>,
}

impl Guard {
    pub(crate) fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let hook_before: Arc<PanicHook> = panic::take_hook().into();
        let guard = Self { hook_before: Arc::clone(&hook_before) };
        let drawing = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // Another thread of the process (a connection of the server it hosts) may panic and the conversation go on.
            if thread::current().id() == drawing {
                restore();
            }
            hook_before(info);
        }));
        execute!(io::stdout(), EnableBracketedPaste)?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
        if !thread::panicking() {
            let hook_before = Arc::clone(&self.hook_before);
            panic::set_hook(Box::new(move |info| hook_before(info)));
        }
    }
}

/// Puts the terminal back. A terminal that is gone needs nothing any more, so failures are none.
pub(crate) fn restore() {
    let _ = execute!(io::stdout(), EndSynchronizedUpdate, DisableBracketedPaste);
    let _ = io::stdout().flush();
    let _ = disable_raw_mode();
}
