//! `$EDITOR` for long texts: the terminal is another program's until it ends, and the conversation goes on meanwhile.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::inbox::{Arrival, Inbox, UserInput};
use crate::system;

/// Longest text that is read back; what is longer fits no message and no input line.
const TEXT_BYTES_MAX: u64 = 64 * 1024;
/// How often to look whether the program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A program that has the terminal.
#[derive(Debug)]
pub(super) struct Handover {
    child: Arc<Mutex<Child>>,
    draft: Draft,
}

/// The text in a file that only the user can read, gone with this.
#[derive(Debug)]
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // Whoever has removed it already did the same.
        let _ = fs::remove_file(&self.0);
    }
}

impl Handover {
    /// Starts the user's editor with a text. The inbox gets [`UserInput::EditorClosed`] when it has ended.
    ///
    /// # Errors
    /// The file cannot be written, or there is no such program; the terminal is still ours then.
    pub(super) fn start(editor: &str, text: &str, folder: &Path, inbox: Inbox) -> io::Result<Self> {
        let mut words = editor.split_whitespace();
        let program = words.next().ok_or_else(|| io::Error::other("no program is named"))?;
        let path = folder.join(format!("draft-{}.txt", std::process::id()));
        // One that an earlier process of the same number left behind.
        let _ = fs::remove_file(&path);
        let mut file = system::create_private_file(&path)?;
        let draft = Draft(path);
        file.write_all(text.as_bytes())?;
        let child = Arc::new(Mutex::new(Command::new(program).args(words).arg(&draft.0).spawn()?));
        let watched = Arc::clone(&child);
        thread::Builder::new().name("glassline-editor".to_owned()).spawn(move || {
            while matches!(lock(&watched).try_wait(), Ok(None)) {
                thread::sleep(LOOK_EVERY);
            }
            // Nobody listens any more: the session has ended.
            let _ = inbox.send(Arrival::User(UserInput::EditorClosed));
        })?;
        Ok(Self { child, draft })
    }

    /// The text as the editor left it, once it has ended.
    ///
    /// # Errors
    /// It ended badly, or what it left is no text that fits.
    pub(super) fn finish(self) -> io::Result<String> {
        let status = lock(&self.child).wait()?;
        if !status.success() {
            return Err(io::Error::other(format!("it ended with {status}")));
        }
        let mut text = String::new();
        let read = File::open(&self.draft.0)?.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
        if read as u64 > TEXT_BYTES_MAX {
            return Err(io::Error::other(format!("the text has more than {TEXT_BYTES_MAX} bytes")));
        }
        // Editors end the last line; a message does not.
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }

    /// Ends the program, as the session ends.
    pub(super) fn abandon(self) {
        // It may have ended by itself.
        let _ = lock(&self.child).kill();
        let _ = lock(&self.child).wait();
    }
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}
