//! The terminal: taken on entering, restored on leaving, also when the drawing thread panics.

use std::io::{self, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::Arc;
use std::thread;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, is_raw_mode_enabled,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};

type PanicHook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync;

/// Raw mode and the alternate screen until dropped.
pub(super) struct Screen {
    /// Not dropped: its end prints an error where the terminal has gone, and panics if that cannot be
    /// printed either.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
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
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal), hook_before }),
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

/// Gives the shell its line editing back, for a thread that ends the process while another one may
/// wait for the terminal in the middle of a drawing.
pub(crate) fn release_keyboard() {
    if is_raw_mode_enabled().unwrap_or(false) {
        let _ = disable_raw_mode();
    }
}

/// Restores the terminal. Errors are ignored: the terminal may be gone.
fn restore() {
    let mut stdout = io::stdout();
    let _ = queue!(stdout, EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = stdout.flush();
    let _ = disable_raw_mode();
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    #[test]
    #[ignore = "panics, in the terminal that the test below gives it"]
    fn panics_while_it_draws() {
        let mut screen = Screen::enter().expect("a terminal");
        screen.draw(|_| panic!("while drawing")).expect("it panics");
    }

    #[test]
    fn a_panic_returns_the_terminal_first() {
        let pair = native_pty_system().openpty(PtySize::default()).expect("a pseudo-terminal");
        let modes = || format!("{:?}", pair.master.get_termios().expect("modes"));
        let before = modes();
        let mut test = CommandBuilder::new(std::env::current_exe().expect("this test"));
        test.args(["--ignored", "--exact", "tap::view::screen::tests::panics_while_it_draws", "--nocapture"]);
        let mut child = pair.slave.spawn_command(test).expect("it starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let mut written = Vec::new();
        let mut buffer = [0; 1_024];
        while !String::from_utf8_lossy(&written).contains("test result: FAILED") {
            let bytes = reader.read(&mut buffer).expect("output");
            assert_ne!(bytes, 0, "it ended early");
            written.extend_from_slice(&buffer[..bytes]);
        }
        assert!(!child.wait().expect("it ends").success());
        assert_eq!(modes(), before);
        let written = String::from_utf8_lossy(&written);
        let place = |part: &str| written.find(part).unwrap_or_else(|| panic!("no {part:?} in {written:?}"));
        assert!(place("\u{1b}[?1049h") < place("\u{1b}[?1049l"));
        assert!(place("\u{1b}[?1049l") < place("while drawing"), "the words stand on the screen of the shell");
    }
}
