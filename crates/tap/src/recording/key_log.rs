//! A key log that another program writes: lines of the NSS format, as they come.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of one read, of which one call makes one.
const READ_BYTES: usize = 64 * 1024;
/// Longest line: a label, the client's random of 64 digits, and a secret of 128.
const LINE_BYTES_MAX: usize = 512;

/// A file that grows, from where it ended when the following began.
#[derive(Debug)]
pub(super) struct KeyLog {
    path: PathBuf,
    /// `None` as long as nobody has made it.
    file: Option<File>,
    /// Bytes that were read.
    offset: u64,
    /// Beginning of a line.
    partial: Vec<u8>,
}

impl KeyLog {
    /// Follows a file, which need not be there yet. What is in it already is of other connections.
    ///
    /// # Errors
    /// It is not a plain file, or cannot be read.
    pub(super) fn follow(path: &Path) -> io::Result<Self> {
        let mut log = Self { path: path.to_owned(), file: None, offset: 0, partial: Vec::new() };
        log.open()?;
        if let Some(file) = &mut log.file {
            log.offset = file.seek(SeekFrom::End(0))?;
        }
        Ok(log)
    }

    fn open(&mut self) -> io::Result<()> {
        // A pipe would make the relay wait.
        match std::fs::metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is not a plain file")),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            _ => {}
        }
        self.file = Some(File::open(&self.path)?);
        Ok(())
    }

    /// Passes whole lines that were added to `take`. Returns whether there may be more at once.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read(&mut self, mut take: impl FnMut(&str)) -> io::Result<bool> {
        if self.file.is_none() {
            self.open()?;
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        if file.metadata()?.len() < self.offset {
            // Somebody has begun it anew.
            (self.offset, self.partial) = (0, Vec::new());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        let length = file.take(READ_BYTES as u64).read_to_end(&mut bytes)?;
        self.offset += length as u64;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.partial.len() + piece.len() <= LINE_BYTES_MAX {
                self.partial.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.partial);
                if let Ok(line) = std::str::from_utf8(&line) {
                    take(line.trim_end());
                }
            }
        }
        Ok(length == READ_BYTES)
    }
}
