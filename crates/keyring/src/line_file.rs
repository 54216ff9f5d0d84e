//! File of records, one a line, behind a heading of comments.

use std::path::{Path, PathBuf};

use crate::KeyringError;
use crate::private_file::{FileStamp, PrivateFile};

/// Record that is one line.
pub(crate) trait Line: Clone + PartialEq {
    /// Reads a line. Errors: what is wrong with it.
    fn parse(line: &str) -> Result<Self, &'static str>;

    /// Returns the line, with its end.
    fn line(&self) -> String;
}

/// Bounds and heading of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineFormat {
    /// First lines of the file, each a comment.
    pub(crate) heading: &'static str,
    /// Longest file: above `entries_max` lines.
    pub(crate) bytes_max: u64,
    /// Records in the file. Nothing is put out for a new one.
    pub(crate) entries_max: usize,
    /// Checks a line beyond its form. Errors: what is wrong with it.
    pub(crate) check: fn(&str) -> Result<(), &'static str>,
}

/// File of records.
#[derive(Debug, Clone)]
pub(crate) struct LineFile {
    file: PrivateFile,
    format: LineFormat,
}

impl LineFile {
    pub(crate) fn new(path: PathBuf, format: LineFormat) -> Self {
        Self { file: PrivateFile::new(path, format.bytes_max), format }
    }

    /// Returns what changes with each writing of the file; `None` if there is no file.
    pub(crate) fn stamp(&self) -> Option<FileStamp> {
        self.file.stamp()
    }

    /// Returns all records; none if there is no file.
    pub(crate) fn read<T: Line>(&self) -> Result<Vec<T>, KeyringError> {
        let text = self.file.read(false)?.unwrap_or_default();
        // Editors of other systems end lines with a carriage return, too.
        let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let read = |(at, line)| {
            let damaged = |why| KeyringError::Damaged { path: self.path().to_path_buf(), line: at + 1, why };
            (self.format.check)(line).and_then(|()| T::parse(line)).map_err(damaged)
        };
        lines.map(read).collect()
    }

    /// Changes the records under the folder's lock; returns what `change` does. A file whose records
    /// stay as they were is not written.
    pub(crate) fn edit<T: Line, R>(&self, change: impl FnOnce(&mut Vec<T>) -> R) -> Result<R, KeyringError> {
        let lock = self.file.lock()?;
        let before = self.read()?;
        let mut records = before.clone();
        let changed = change(&mut records);
        let entries_max = self.format.entries_max;
        if records.len() > entries_max && records.len() > before.len() {
            return Err(KeyringError::Full { path: self.path().to_path_buf(), entries_max });
        }
        if records != before {
            let lines: String = records.iter().map(T::line).collect();
            self.file.write(&lock, &format!("{}{lines}", self.format.heading))?;
        }
        Ok(changed)
    }

    /// Path of the file.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }
}
