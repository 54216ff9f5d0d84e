//! The thread that writes a recording, so that the line does not wait for the disk.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use super::batch::Batch;
use super::space::Space;

/// Buffers on their way to the file: one is written while another is filled.
const BUFFERS: usize = 2;

/// A file that is written by a thread of its own, buffer by buffer.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` once nothing more comes.
    full: Option<SyncSender<Batch>>,
    written: Receiver<io::Result<Batch>>,
    /// Empty buffers.
    spare: Vec<Batch>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Writes to a file in which there are so many bytes.
    pub(super) fn new(file: File, length: u64, buffer_bytes: usize) -> io::Result<Self> {
        let (full, to_write) = sync_channel(BUFFERS);
        let (done, written) = sync_channel(BUFFERS);
        let body = move || write(file, length, &to_write, &done);
        let thread = thread::Builder::new().name("recording".into()).spawn(body)?;
        let spare = (1..BUFFERS).map(|_| Batch::with_capacity(buffer_bytes)).collect();
        Ok(Self { full: Some(full), written, spare, thread: Some(thread) })
    }

    /// Returns whether some bytes are not in the file yet.
    pub(super) fn is_busy(&self) -> bool {
        self.spare.len() + 1 < BUFFERS
    }

    /// Hands a buffer over and returns an empty one; waits while all of them are full.
    ///
    /// # Errors
    /// An earlier buffer could not be written.
    pub(super) fn exchange(&mut self, buffer: Batch) -> io::Result<Batch> {
        self.check()?;
        let empty = match self.spare.pop() {
            Some(empty) => empty,
            None => self.written.recv().unwrap_or_else(|_| Err(gone()))?,
        };
        match self.full.as_ref().map(|full| full.send(buffer)) {
            Some(Ok(())) => Ok(empty),
            _ => Err(self.written.try_recv().ok().and_then(Result::err).unwrap_or_else(gone)),
        }
    }

    /// Takes back what was written.
    ///
    /// # Errors
    /// A buffer could not be written.
    pub(super) fn check(&mut self) -> io::Result<()> {
        loop {
            match self.written.try_recv() {
                Ok(result) => self.spare.push(result?),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(gone()),
            }
        }
    }

    /// Waits until the last buffer, too, is in the file.
    pub(super) fn finish(&mut self, last: Batch) -> io::Result<()> {
        let handed_over = self.exchange(last).map(drop);
        self.full = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        handed_over?;
        self.written.try_iter().find_map(Result::err).map_or(Ok(()), Err)
    }
}

fn gone() -> io::Error {
    io::Error::other("its thread has ended")
}

/// Writes whole buffers until there are no more; after an error cuts the file behind the last one.
fn write(mut file: File, mut length: u64, to_write: &Receiver<Batch>, done: &SyncSender<io::Result<Batch>>) {
    let mut space = Space::new(length);
    for mut buffer in to_write {
        let end = length + buffer.length() as u64;
        space.reserve(&file, end);
        if let Err(error) = buffer.write_to(&mut file, length) {
            // A pipe cannot be cut; its reader has what it has.
            let _ = file.set_len(length);
            let _ = done.send(Err(error));
            return;
        }
        length = end;
        buffer.clear();
        if done.send(Ok(buffer)).is_err() {
            break;
        }
    }
    space.release(&file, length);
}
