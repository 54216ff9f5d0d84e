//! The mark in a lock file that tells a lock of this program from one of another program.
//!
//! It counts only while the file is locked: a process that was killed leaves it behind.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;

const NAME: &str = "glassline ";

/// Longest mark: the name, an id of a process and a line's end.
const MARK_BYTES_MAX: u64 = 32;

/// Whoever has just locked the file gets this long to mark it, in so many looks.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Marks a file that this process has locked. Without space it stays empty.
pub(super) fn mark(mut lock: &File) -> io::Result<()> {
    lock.rewind()?;
    lock.write_all(format!("{NAME}{}\n", process::id()).as_bytes())
}

/// Takes the mark away; the file is still locked.
pub(super) fn unmark(lock: &File) -> io::Result<()> {
    lock.set_len(0)
}

/// Whether a file is empty or marked, and so can be a lock.
pub(super) fn is_lock(lock: &File) -> io::Result<bool> {
    Ok(lock.metadata()?.len() == 0 || marked_by(lock)?.is_some())
}

/// Whether a process of this program holds the lock, as far as its mark says.
pub(super) fn is_held_by_glassline(lock: &File) -> bool {
    for look in 0..LOOKS {
        match marked_by(lock) {
            Ok(Some(process)) => return is_running(process),
            Ok(None) if look + 1 < LOOKS => thread::sleep(BETWEEN_LOOKS),
            Ok(None) => {}
            // Some systems keep others from reading a locked file.
            Err(_) => return true,
        }
    }
    false
}

/// The process whose mark is in the file.
fn marked_by(mut lock: &File) -> io::Result<Option<u32>> {
    let mut content = String::new();
    lock.rewind()?;
    match lock.take(MARK_BYTES_MAX + 1).read_to_string(&mut content) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
        read => read?,
    };
    let process = content.strip_prefix(NAME).and_then(|rest| rest.strip_suffix('\n'));
    Ok(process.and_then(|process| process.parse().ok()))
}

/// Whether there is such a process, where that can be seen.
fn is_running(process: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new("/proc").join(process.to_string()).exists()
}
