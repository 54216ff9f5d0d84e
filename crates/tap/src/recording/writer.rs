//! The thread that writes a recording, so that the line does not wait for the disk.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use super::batch::Batch;
use super::space::Space;

/// Buffers on their way to the file: one is written while another is filled.
const BUFFERS: usize = 2;
/// Time after which a file that takes nothing is given up: the line waits meanwhile. A disk that is
/// slow takes something; a pipe whose reader has stopped does not.
const WRITE_WAIT_MAX: Duration = Duration::from_secs(5);

/// A file that is written by a thread of its own, buffer by buffer.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` once nothing more comes.
    full: Option<SyncSender<Batch>>,
    written: Receiver<io::Result<Batch>>,
    /// Empty buffers.
    spare: Vec<Batch>,
}

impl Writer {
    /// Writes to a file in which there are so many bytes.
    pub(super) fn new(file: File, length: u64, buffer_bytes: usize) -> io::Result<Self> {
        let (full, to_write) = sync_channel(BUFFERS);
        let (done, written) = sync_channel(BUFFERS);
        let body = move || write(file, length, &to_write, &done);
        thread::Builder::new().name("recording".into()).spawn(body)?;
        let spare = (1..BUFFERS).map(|_| Batch::with_capacity(buffer_bytes)).collect();
        Ok(Self { full: Some(full), written, spare })
    }

    /// Returns whether some bytes are not in the file yet.
    pub(super) fn is_busy(&self) -> bool {
        self.spare.len() + 1 < BUFFERS
    }

    /// Hands a buffer over and returns an empty one; waits while all of them are full.
    ///
    /// # Errors
    /// An earlier buffer could not be written, or not within [`WRITE_WAIT_MAX`].
    pub(super) fn exchange(&mut self, buffer: Batch) -> io::Result<Batch> {
        self.check()?;
        let empty = match self.spare.pop() {
            Some(empty) => empty,
            None => self.next_written()?.ok_or_else(thread_ended)?,
        };
        match self.full.as_ref().map(|full| full.send(buffer)) {
            Some(Ok(())) => Ok(empty),
            _ => Err(self.written.try_recv().ok().and_then(Result::err).unwrap_or_else(thread_ended)),
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
                Err(TryRecvError::Disconnected) => return Err(thread_ended()),
            }
        }
    }

    /// Waits until the last buffer, too, is in the file.
    pub(super) fn finish(&mut self, last: Batch) -> io::Result<()> {
        let handed_over = self.exchange(last).map(drop);
        self.full = None;
        handed_over?;
        while self.next_written()?.is_some() {}
        Ok(())
    }

    /// Waits for a buffer that is in the file; `None` after the last one.
    fn next_written(&self) -> io::Result<Option<Batch>> {
        match self.written.recv_timeout(WRITE_WAIT_MAX) {
            Ok(result) => result.map(Some),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                let text = format!("nothing could be written for {} s", WRITE_WAIT_MAX.as_secs());
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
        }
    }
}

fn thread_ended() -> io::Error {
    io::Error::other("its thread has ended")
}

/// Writes whole buffers until there are no more; after an error cuts the file behind the last one.
fn write(mut file: File, mut length: u64, to_write: &Receiver<Batch>, done: &SyncSender<io::Result<Batch>>) {
    let mut space = Space::new(length);
    for mut buffer in to_write {
        let end = length + buffer.length() as u64;
        space.reserve(&file, end);
        if let Err(error) = buffer.write_to(&mut file, length).and_then(|()| check_name(&file)) {
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

/// Returns an error of the kind [`io::ErrorKind::NotFound`] if the file was removed: what is written
/// to it is lost. Pipes are not asked, as their readers have them open.
#[cfg(unix)]
fn check_name(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.nlink() == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
}

/// The number of a file's names is not known here.
#[cfg(not(unix))]
fn check_name(_: &File) -> io::Result<()> {
    Ok(())
}
