//! The terminal: taken on entering, restored on leaving, also when the drawing thread panics.

use std::io::{self, Stdout, Write};
use std::panic;
use std::sync::Arc;
use std::thread;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};

type PanicHook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync;

/// Raw mode and the alternate screen until dropped.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    hook_before: Arc<PanicHook>,
}

impl Screen {
    /// Takes the terminal. Errors: the standard output is none, or it refuses.
    pub(super) fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let hook_before: Arc<PanicHook> = panic::take_hook().into();
        let then = Arc::clone(&hook_before);
        let drawing = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // The view survives the panic of another thread, which the terminal could not show.
            if thread::current().id() == drawing {
                restore();
            }
            then(info);
        }));
        let entered = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match entered {
            Ok(terminal) => Ok(Self { terminal, hook_before }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Forgets what stands on the terminal, so that everything is drawn anew.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Draws a whole screen; only what differs from the last one is written.
    pub(super) fn draw(&mut self, drawn: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(drawn)?;
        execute!(io::stdout(), EndSynchronizedUpdate)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
        if !thread::panicking() {
            let hook_before = Arc::clone(&self.hook_before);
            panic::set_hook(Box::new(move |info| hook_before(info)));
        }
    }
}

/// Restores the terminal. Errors are ignored: the terminal may be gone.
pub(super) fn restore() {
    let mut stdout = io::stdout();
    let _ = queue!(stdout, EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = stdout.flush();
    let _ = disable_raw_mode();
}
