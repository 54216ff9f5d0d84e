//! Systems that are not Unix: the terminal's events as crossterm finds them; the rest is the
//! system's own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::inbox::Inbox;
use crate::keyboard::event::{Code, Key, Paste, PasteEnd, TerminalEvent};

/// Interval at which the reading thread checks that it is still wanted.
const POLL: Duration = Duration::from_millis(500);

/// Ctrl-C is a key in raw mode, and ends the process elsewhere as it always does.
#[expect(clippy::unnecessary_wraps, reason = "the same as where it can fail")]
pub(crate) fn watch_interrupts(_: Inbox, _: fn(), _: fn() -> bool) -> io::Result<()> {
    Ok(())
}

/// Returns false: there is no SIGHUP here.
pub(crate) fn is_hangup_ignored() -> bool {
    false
}

/// The sizes come with the keys.
#[expect(clippy::unnecessary_wraps, reason = "the same as where it can fail")]
pub(crate) fn watch_terminal(_: Inbox) -> io::Result<()> {
    Ok(())
}

/// Nothing stops a process here.
#[expect(clippy::unnecessary_wraps, reason = "the same as where it can fail")]
pub(crate) fn suspend() -> io::Result<()> {
    Ok(())
}

/// Creates a file that is not there yet, in a folder that is the user's own.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Opens a file for appending, and creates it if it does not exist.
pub(crate) fn append_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Opens a file to read and rewrite it, and creates it if it is not there.
pub(crate) fn edit_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Returns whether the file is still the one at that path, judged by its length.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(there) => Ok(there.len() == file.metadata()?.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The command that opens a file in an editor: a program and its options, without quotes.
pub(crate) fn editor_command(editor: &str, file: &Path) -> Command {
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).arg(file);
    command
}

/// Kills a child: there is no signal that requests its end.
pub(crate) fn ask_to_end(child: &mut Child) -> io::Result<()> {
    child.kill()
}

/// Nothing is known here of what another program does to the terminal's modes.
#[derive(Debug)]
pub(crate) struct TerminalModes;

impl TerminalModes {
    #[expect(clippy::unnecessary_wraps, reason = "the same as where it can fail")]
    pub(crate) fn now() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "the same as where it is known")]
    pub(crate) fn echoes_lines(&self) -> bool {
        false
    }

    /// Lines are edited by the system.
    #[expect(clippy::unused_self, reason = "the same as where there is something to do")]
    pub(crate) fn set_for_keys(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same as where there is something to do")]
    pub(crate) fn set_again(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Called by no signal here.
#[expect(clippy::needless_pass_by_value, reason = "the same as where a thread takes them")]
pub(crate) fn write_at_once(bytes: Vec<u8>) {
    let _ = io::stdout().write_all(&bytes);
}

/// The standard output; a drawing may take more than one write.
#[expect(clippy::unnecessary_wraps, reason = "the same as where it can fail")]
pub(crate) fn unbuffered_stdout() -> io::Result<Box<dyn Write>> {
    Ok(Box::new(io::stdout()))
}

/// Events from the process's terminal.
#[derive(Debug)]
pub(crate) struct TerminalInput;

impl TerminalInput {
    #[expect(clippy::unnecessary_wraps, reason = "the same as where it can fail")]
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next event; `None` once it is over.
    #[expect(clippy::unused_self, reason = "the same as where there is a state")]
    pub(crate) fn next_event(&mut self, over: &AtomicBool) -> io::Result<Option<TerminalEvent>> {
        while !over.load(Ordering::Relaxed) {
            if crossterm::event::poll(POLL)?
                && let Some(event) = converted(crossterm::event::read()?)
            {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

fn converted(event: Event) -> Option<TerminalEvent> {
    match event {
        Event::Key(event) if event.kind != KeyEventKind::Release => key(event).map(TerminalEvent::Key),
        Event::Paste(text) => Some(TerminalEvent::Paste(Paste { text, end: PasteEnd::Whole, is_damaged: false })),
        Event::Resize(columns, rows) => Some(TerminalEvent::Resized { columns, rows }),
        Event::FocusGained => Some(TerminalEvent::FocusGained),
        Event::FocusLost => Some(TerminalEvent::FocusLost),
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        KeyCode::Char(c) if !c.is_control() => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Tab | KeyCode::BackTab => Code::Tab,
        KeyCode::Esc => Code::Escape,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        _ => return None,
    };
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    // AltGr arrives as both, and types.
    let alt_graph = control && alt && matches!(code, Code::Char(_));
    let shift = event.modifiers.contains(KeyModifiers::SHIFT) || event.code == KeyCode::BackTab;
    Some(Key { code, control: control && !alt_graph, alt: alt && !alt_graph, shift })
}
