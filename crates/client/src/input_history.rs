//! Lines that were typed, kept in a file from session to session; several clients at once may use
//! it.
//!
//! One entry a line, its newlines escaped. Private messages are never stored
//! (`commands/privacy.rs`).

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use glassline_keyring::create_private_folder;

use crate::commands::{is_storable, seals};
use crate::file_lock::wait_for;
use crate::system::{append_private_file, edit_private_file};

const FILE_NAME: &str = "typed-lines";
/// Its former name, which was easily taken for the server's `history.db` beside it.
const OLD_FILE_NAME: &str = "history";
/// First bytes of a server's history, wherever its owner keeps it.
const DATABASE_START: &[u8] = b"SQLite format 3\0";
/// Entries kept; a file that is twice as long is cut down to this many.
const ENTRIES_MAX: usize = 1_000;
const BYTES_MAX: usize = 1024 * 1024;
/// A longer one is a document, not a line to find again.
const ENTRY_BYTES_MAX: usize = 16 * 1024;
/// Bytes read of a file that another program made longer.
const READ_BYTES_MAX: u64 = 4 * BYTES_MAX as u64;

/// Storage of typed lines; by default it keeps nothing.
#[derive(Debug, Default)]
pub(crate) struct InputHistory {
    /// `None`: nowhere, as it is off or has failed.
    path: Option<PathBuf>,
    /// All later lines are private.
    sealed: bool,
    /// Entries in the file, as far as this client knows.
    entries: usize,
    /// The file's last line was never finished.
    torn: bool,
    last: Option<String>,
}

impl InputHistory {
    /// Reads the lines of earlier sessions, the oldest first. Errors: a text for the user; no lines
    /// are kept then.
    pub(crate) fn open(state_folder: &Path) -> Result<(Self, Vec<String>), String> {
        let path = state_folder.join(FILE_NAME);
        let opened = create_private_folder(state_folder).and_then(|()| {
            take_over(&state_folder.join(OLD_FILE_NAME), &path);
            load(&path)
        });
        let loaded = opened.map_err(|error| complaint(&path, &error))?;
        let Loaded { mut lines, torn } = loaded;
        let mut history = Self { path: Some(path), sealed: false, entries: lines.len(), torn, last: None };
        history.cut_down_if_long()?;
        lines.drain(..first_kept(&lines));
        history.last = lines.last().cloned();
        Ok((history, lines))
    }

    /// Keeps a line that was sent, unless it may not be kept. Errors: a text for the user, once: no
    /// lines are kept from then on.
    pub(crate) fn add(&mut self, line: &str) -> Result<(), String> {
        self.sealed |= seals(line);
        let Some(path) = &self.path else { return Ok(()) };
        let is_unwanted = line.trim().is_empty() || line.len() > ENTRY_BYTES_MAX || self.last.as_deref() == Some(line);
        if self.sealed || !is_storable(line) || is_unwanted {
            return Ok(());
        }
        let start = if std::mem::take(&mut self.torn) { "\n" } else { "" };
        if let Err(error) = append(path, &format!("{start}{}\n", escaped(line))) {
            let complaint = complaint(path, &error);
            self.path = None;
            return Err(complaint);
        }
        self.last = Some(line.to_owned());
        self.entries += 1;
        self.cut_down_if_long()
    }

    fn cut_down_if_long(&mut self) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        if self.entries <= 2 * ENTRIES_MAX && bytes <= 2 * BYTES_MAX as u64 {
            return Ok(());
        }
        match cut_down(path) {
            Ok(entries) => {
                self.entries = entries;
                Ok(())
            }
            Err(error) => {
                let complaint = complaint(path, &error);
                self.path = None;
                Err(complaint)
            }
        }
    }
}

fn complaint(path: &Path, error: &io::Error) -> String {
    format!("typed lines are not kept for the next session: {}: {error}", path.display())
}

/// Renames a file of an earlier version. What is none, or cannot be renamed, stays; the lines begin
/// anew then.
fn take_over(old: &Path, path: &Path) {
    let is_new = path.symlink_metadata().is_err();
    let is_file = old.symlink_metadata().is_ok_and(|found| found.is_file());
    if is_new && is_file && !is_database(old) {
        let _ = fs::rename(old, path);
    }
}

/// Returns true for a server's history, and for what cannot be looked at.
fn is_database(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(DATABASE_START.len() as u64).read_to_end(&mut start));
    read.is_err() || start == DATABASE_START
}

struct Loaded {
    lines: Vec<String>,
    torn: bool,
}

fn load(path: &Path) -> io::Result<Loaded> {
    let mut file = edit_private_file(path)?;
    let _ = wait_for(|| file.try_lock_shared())?;
    read(&mut file)
}

fn read(file: &mut File) -> io::Result<Loaded> {
    let bytes = file.metadata()?.len();
    let skipped = bytes.saturating_sub(READ_BYTES_MAX);
    file.seek(SeekFrom::Start(skipped))?;
    let mut content = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut content)?;
    let torn = content.last().is_some_and(|&last| last != b'\n');
    let mut raw_lines = content.split(|&byte| byte == b'\n');
    if skipped > 0 {
        // Its start is not there.
        raw_lines.next();
    }
    Ok(Loaded { lines: raw_lines.filter_map(unescaped).collect(), torn })
}

/// Removes the oldest entries; how many are left.
fn cut_down(path: &Path) -> io::Result<usize> {
    let mut file = edit_private_file(path)?;
    if !wait_for(|| file.try_lock())? {
        // Another process is using it.
        return Ok(0);
    }
    let Loaded { lines, .. } = read(&mut file)?;
    let kept = &lines[first_kept(&lines)..];
    let content: String = kept.iter().map(|line| escaped(line) + "\n").collect();
    // In place, so that a client that has just opened it for its next entry does not write into a
    // file that is no longer there.
    file.seek(SeekFrom::Start(0))?;
    file.write_all(content.as_bytes())?;
    file.set_len(content.len() as u64)?;
    Ok(kept.len())
}

/// One write, so that entries of several clients do not mix.
fn append(path: &Path, entry: &str) -> io::Result<()> {
    let mut file = append_private_file(path)?;
    // A process that truncates the file now would cut the entry off.
    let _ = wait_for(|| file.try_lock_shared())?;
    file.write_all(entry.as_bytes())
}

/// Returns the index of the first entry that is kept.
fn first_kept(lines: &[String]) -> usize {
    let mut bytes = 0;
    let kept = lines.iter().rev().take(ENTRIES_MAX).take_while(|line| {
        bytes += line.len();
        bytes <= BYTES_MAX
    });
    lines.len() - kept.count()
}

fn escaped(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

/// The entry in a line of the file; `None` if it is none.
fn unescaped(raw: &[u8]) -> Option<String> {
    let raw = std::str::from_utf8(raw).ok()?;
    let mut line = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        line.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            },
            '\t' => '\t',
            c if c.is_control() => return None,
            c => c,
        });
    }
    (!line.trim().is_empty() && line.len() <= ENTRY_BYTES_MAX).then_some(line)
}

#[cfg(test)]
mod tests;
