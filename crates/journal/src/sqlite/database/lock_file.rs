//! Mark in a lock file that distinguishes a lock of this program from another program's. It counts
//! only while the file is locked: a killed process leaves its mark.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;

const NAME: &str = "glassline ";

/// Longest mark: the name, an id of a process and a line's end.
const MARK_BYTES_MAX: u64 = 32;

/// Reads of the mark before it counts as missing: a process marks the file after it has locked it.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Marks a file that this process has locked. Without space it stays empty.
pub(super) fn mark(mut lock: &File) -> io::Result<()> {
    // The mark of a process that was killed may be longer.
    lock.set_len(0)?;
    lock.rewind()?;
    lock.write_all(format!("{NAME}{}\n", process::id()).as_bytes())
}

/// Returns whether a file can be a lock: it holds nothing, a mark, or the beginning of one (on a
/// full disk).
pub(super) fn is_lock(lock: &File) -> io::Result<bool> {
    let content = content(lock)?;
    Ok(content.is_some_and(|content| content.starts_with(NAME) || NAME.starts_with(&content)))
}

/// Returns whether a process of this program holds the lock, according to its mark.
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

fn marked_by(lock: &File) -> io::Result<Option<u32>> {
    let content = content(lock)?.unwrap_or_default();
    let process = content.strip_prefix(NAME).and_then(|rest| rest.strip_suffix('\n'));
    Ok(process.and_then(|process| process.parse().ok()))
}

/// Returns the text of the file; nothing if it is longer than a mark or no text.
fn content(mut lock: &File) -> io::Result<Option<String>> {
    let mut content = String::new();
    lock.rewind()?;
    match lock.take(MARK_BYTES_MAX + 1).read_to_string(&mut content) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
        read => read?,
    };
    Ok(Some(content).filter(|content| content.len() as u64 <= MARK_BYTES_MAX))
}

/// Returns whether a process exists, or may exist where that cannot be seen.
fn is_running(process: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new("/proc").join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_replaces_a_longer_one() {
        let folder = glassline_testkit::Folder::new();
        let path = folder.join("lock");
        let lock = File::options().read(true).write(true).create(true).truncate(true).open(&path).expect("a file");
        for (left, is_expected) in [
            ("", true),
            ("glass", true),
            ("glassline 4294967295\n", true),
            ("glassline 12", true),
            ("somebody's notes", false),
            (&"glassline ".repeat(9), false),
        ] {
            std::fs::write(&path, left).expect("writes");
            assert_eq!(is_lock(&lock).expect("reads"), is_expected, "{left:?}");
        }
        mark(&lock).expect("marks");
        assert_eq!(marked_by(&lock).expect("reads"), Some(process::id()));
    }
}
