//! Input of an import: a file, a pipe, a terminal or a socket.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::interrupt::Interrupt;

/// Bytes read at once from what may have to be waited for, and how many such chunks may wait.
const CHUNK_BYTES: usize = 64 * 1024;
const CHUNKS_WAITING_MAX: usize = 4;
/// Longest time that a signal may go unnoticed.
const PATIENCE: Duration = Duration::from_millis(50);

/// Opens a file, or stdin where none is named. Returns its length too, if it is a plain file.
/// Errors: the file cannot be opened.
pub(super) fn open(file: Option<&Path>, interrupt: &Interrupt) -> io::Result<(Box<dyn BufRead>, Option<u64>)> {
    if let Some(file) = file {
        let found = fs::metadata(file)?;
        if found.is_file() {
            return Ok((Box::new(BufReader::new(File::open(file)?)), Some(found.len())));
        }
    }
    let (chunks, read) = sync_channel(CHUNKS_WAITING_MAX);
    let file = file.map(Path::to_path_buf);
    thread::Builder::new().name("input".to_string()).spawn(move || pass_on(file, &chunks))?;
    Ok((Box::new(InterruptibleInput { read, interrupt: interrupt.clone(), chunk: Vec::new(), taken: 0 }), None))
}

/// Reads to the end, or until the receiver is gone. Opening a pipe may block too.
fn pass_on(file: Option<PathBuf>, chunks: &SyncSender<io::Result<Vec<u8>>>) {
    let opened: io::Result<Box<dyn Read>> = match file {
        Some(file) => File::open(file).map(|file| Box::new(file) as Box<dyn Read>),
        None => Ok(Box::new(io::stdin().lock())),
    };
    let mut input = match opened {
        Ok(input) => input,
        Err(error) => return drop(chunks.send(Err(error))),
    };
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match input.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => {
                chunk.truncate(count);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let has_failed = read.is_err();
        if chunks.send(read).is_err() || has_failed {
            return;
        }
    }
}

/// Input that a thread waits for, so that a signal can end the waiting.
struct InterruptibleInput {
    read: Receiver<io::Result<Vec<u8>>>,
    interrupt: Interrupt,
    chunk: Vec<u8>,
    taken: usize,
}

impl BufRead for InterruptibleInput {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.chunk.len() {
            match self.read.recv_timeout(PATIENCE) {
                Ok(chunk) => {
                    self.chunk = chunk?;
                    self.taken = 0;
                }
                Err(RecvTimeoutError::Timeout) if self.interrupt.exit_code().is_none() => {}
                Err(RecvTimeoutError::Timeout) => return Err(io::Error::other("interrupted")),
                Err(RecvTimeoutError::Disconnected) => return Ok(&[]),
            }
        }
        Ok(&self.chunk[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        self.taken += count;
    }
}

impl Read for InterruptibleInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
