//! Which files a history is, and whether those that are open are still those of their names: what is written to a file that was
//! deleted or moved away is lost with the process, or goes where nobody looks for it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::lock_mark;
use crate::store::StoreError;

/// Links that are followed, as systems do.
const LINKS_MAX: usize = 40;

/// What a name leads to if it is a link, whether that is there or not.
pub(super) fn without_links(file: &Path) -> io::Result<PathBuf> {
    let mut file = file.to_path_buf();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&file) else { return Ok(file) };
        file = file.parent().unwrap_or_else(|| Path::new("")).join(target);
    }
    Err(io::Error::other("its links lead nowhere"))
}

/// The name of a file that belongs to a history: `SQLite` keeps it beside what a link leads to, and so does whoever asks for it by
/// another name.
pub(super) fn beside(history: &Path, ending: &str) -> io::Result<PathBuf> {
    let mut name = OsString::from(without_links(history)?);
    name.push(ending);
    Ok(PathBuf::from(name))
}

/// What is in the log; nothing where there is none.
pub(super) fn log_bytes(history: &Path) -> io::Result<u64> {
    match fs::metadata(beside(history, "-wal")?) {
        Ok(log) => Ok(log.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// More than what is left where a write of `SQLite` fails for want of space: it writes page by page.
const PROBE_BYTES: usize = 16 * 1024;

/// Whether this user gets no space for a file though the disk may have some; tried out in the lock file, which holds a mark only.
pub(super) fn has_no_space_for(mut lock: &File) -> bool {
    let written = lock.rewind().and_then(|()| lock.write_all(&[0; PROBE_BYTES]));
    // What was written takes no place either way; an error here is the same one.
    let _ = lock.set_len(0).and_then(|()| lock_mark::mark(lock));
    written.is_err_and(|error| matches!(error.kind(), io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull))
}

/// The open files of a history, each with the name it goes by.
pub(super) struct Files(Vec<(PathBuf, Identity)>);

impl Files {
    /// The history by the name it was given, which may be a link, and its log and its lock beside what that leads to; all are open.
    pub(super) fn of(history: &Path) -> io::Result<Self> {
        let files = [history.to_path_buf(), beside(history, "-wal")?, beside(history, ".lock")?];
        let identified = files.into_iter().map(|file| identity(&file).map(|identity| (file, identity)));
        Ok(Self(identified.collect::<io::Result<_>>()?))
    }

    /// Asked before each commit, so that what is acknowledged is where it will be looked for.
    pub(super) fn check_in_place(&self) -> Result<(), StoreError> {
        let is_elsewhere = |(file, opened): &&(PathBuf, Identity)| !identity(file).is_ok_and(|found| found == *opened);
        match self.0.iter().find(is_elsewhere) {
            Some((file, _)) => Err(StoreError::NotInPlace(file.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(file).map(|found| (found.dev(), found.ino()))
}

/// An open file can be neither deleted nor moved there.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_: &Path) -> io::Result<Identity> {
    Ok(())
}
