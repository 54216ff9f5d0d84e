//! `$EDITOR` for long texts. The editor uses the terminal until it ends; the session continues
//! meanwhile.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use glassline_keyring::create_private_folder;

use crate::inbox::{DriverEvent, Inbox, UserInput};
use crate::system::{self, TerminalModes};

/// Longest text that is read back; what is longer fits no message and no input line.
const TEXT_BYTES_MAX: u64 = 64 * 1024;
/// Interval of the check that the program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Time after which a program that was asked to end is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// Draft files that one process may keep in the folder.
const DRAFTS_MAX: u32 = 1_000;
/// Exit codes of a shell that finds no such program, or cannot run it.
const NOT_RUN_CODES: [i32; 2] = [126, 127];
/// Offset that a shell adds to the number of the signal that ended its program.
const SIGNAL_CODES_FROM: i32 = 128;
/// Resets the modes that a killed program may leave: alternate screen, scroll region, colours,
/// hidden cursor, application keys, mouse. The cursor's position is unknown then, so it goes to the
/// last row and one further.
const STRAIGHT: &[u8] =
    b"\x1b[?1049l\x1b[r\x1b[m\x1b[?25h\x1b[?1l\x1b>\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[999;1H\r\n";

/// The editor that the user has chosen; a blank variable counts as none.
pub(super) fn chosen_editor(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    ["VISUAL", "EDITOR"].into_iter().find_map(|name| variable(name).filter(|editor| !editor.trim().is_empty()))
}

#[derive(Debug)]
pub(super) struct ExternalEditor {
    editor: String,
    child: Arc<Mutex<Child>>,
    draft: Draft,
    /// Modes of the terminal before the program started.
    modes: Option<TerminalModes>,
}

/// A text in a private file, removed on drop unless kept.
#[derive(Debug)]
struct Draft {
    path: PathBuf,
    given: String,
    is_kept: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            // It may be removed already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Draft {
    fn create(folder: &Path, text: &str) -> io::Result<Self> {
        create_private_folder(folder)?;
        let (path, mut file) = create_file(folder)?;
        let draft = Self { path, given: text.to_owned(), is_kept: false };
        file.write_all(text.as_bytes())?;
        Ok(draft)
    }

    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        let read = File::open(&self.path)?.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
        if read as u64 > TEXT_BYTES_MAX {
            return Err(io::Error::other(format!("the text has more than {TEXT_BYTES_MAX} bytes")));
        }
        Ok(text)
    }

    /// Returns whether the file holds unsaved changes.
    fn is_changed(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(there) => there.len() > 0 && self.read().map_or(true, |text| text != self.given),
            Err(error) => error.kind() != ErrorKind::NotFound,
        }
    }

    fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        std::mem::take(&mut self.path)
    }
}

/// A file with a unique name: an older one was kept for its user.
fn create_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    for number in 1..=DRAFTS_MAX {
        let path = folder.join(format!("draft-{process}-{number}.txt"));
        match system::create_private_file(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return Ok((path, created?)),
        }
    }
    Err(io::Error::other("too many drafts lie there"))
}

impl ExternalEditor {
    /// Starts the user's editor with a text. The inbox gets [`UserInput::EditorClosed`] when it has
    /// ended. Errors: a text for the user; the editor has not taken the terminal then.
    pub(super) fn start(editor: &str, text: &str, folder: &Path, inbox: Inbox) -> Result<Self, String> {
        let draft = Draft::create(folder, text).map_err(|error| {
            format!("cannot write the line to a file in {} for the editor: {error}; make room there", folder.display())
        })?;
        let not_run = |error| format!("cannot run {editor}: {error}; set EDITOR to a program that is there");
        let modes = TerminalModes::now().ok();
        let child = system::editor_command(editor, &draft.path).spawn().map_err(not_run)?;
        let external_editor = Self { editor: editor.to_owned(), child: Arc::new(Mutex::new(child)), draft, modes };
        let watched = Arc::clone(&external_editor.child);
        let watch = move || {
            while matches!(lock(&watched).try_wait(), Ok(None)) {
                thread::sleep(LOOK_EVERY);
            }
            // Fails only if the session has ended.
            let _ = inbox.send(DriverEvent::User(UserInput::EditorClosed));
        };
        match thread::Builder::new().name("glassline-editor".to_owned()).spawn(watch) {
            Ok(_) => Ok(external_editor),
            Err(error) => {
                // Its end would go unnoticed.
                let _ = external_editor.end_program();
                Err(not_run(error))
            }
        }
    }

    /// The text as the editor left it, once it has ended. Errors: a text for the user: it failed,
    /// or its file holds no text that fits.
    pub(super) fn finish(self, terminal: &mut impl Write) -> Result<String, String> {
        let status = lock(&self.child).wait();
        self.put_terminal_straight(&status, terminal);
        let left = status.and_then(|status| {
            if status.success() { self.draft.read() } else { Err(io::Error::other(format!("it ended with {status}"))) }
        });
        let mut text = left.map_err(|error| self.failed(&error))?;
        // Editors end the last line; a message does not.
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }

    fn failed(self, error: &io::Error) -> String {
        let code = lock(&self.child).wait().ok().and_then(|status| status.code());
        if !self.draft.is_changed() {
            return match code {
                Some(code) if NOT_RUN_CODES.contains(&code) => {
                    format!("cannot run {}: {error}; set EDITOR to a program that is there", self.editor)
                }
                _ => format!("the line is as it was, for the editor failed: {error}"),
            };
        }
        let path = self.draft.keep();
        format!("the line is as it was, for the editor failed: {error}; the text is in {}", path.display())
    }

    /// Ends the program at the end of the session, and returns a notice about its file.
    pub(super) fn abandon(self, terminal: &mut impl Write) -> Option<String> {
        let status = self.end_program();
        self.put_terminal_straight(&status, terminal);
        let is_empty = fs::metadata(&self.draft.path).is_ok_and(|there| there.len() == 0);
        let is_gone = !self.draft.path.exists();
        (!is_empty && !is_gone).then(|| {
            let path = self.draft.keep();
            format!("the editor was ended; the text, as it was saved last, is in {}", path.display())
        })
    }

    /// Asks the program to end and waits for it, but not for long.
    fn end_program(&self) -> io::Result<ExitStatus> {
        let until = Instant::now() + ENDS_WITHIN;
        let mut child = lock(&self.child);
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        system::ask_to_end(&mut child)?;
        while Instant::now() < until {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(LOOK_EVERY);
        }
        child.kill()?;
        child.wait()
    }

    /// Restores the terminal's modes, and resets what a failed program has left.
    fn put_terminal_straight(&self, status: &io::Result<ExitStatus>, terminal: &mut impl Write) {
        // A terminal that is gone needs nothing.
        if let Some(modes) = &self.modes {
            let _ = modes.set_again();
        }
        let code = status.as_ref().ok().and_then(ExitStatus::code);
        if code.is_none_or(|code| code >= SIGNAL_CODES_FROM) {
            let _ = terminal.write_all(STRAIGHT).and_then(|()| terminal.flush());
        }
    }
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
