//! Files of a history, and the check that the open ones are still those of their names: what is
//! written to a file that was deleted or moved is lost with the process, or goes to an unused
//! file.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::lock_file;
use crate::store::StoreError;

const LINKS_MAX: usize = 40;

/// Returns the target of a link, whether it exists or not.
pub(in crate::sqlite) fn without_links(file: &Path) -> io::Result<PathBuf> {
    let mut file = file.to_path_buf();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&file) else { return Ok(file) };
        file = file.parent().unwrap_or_else(|| Path::new("")).join(target);
    }
    Err(io::Error::other("its links lead nowhere"))
}

/// Returns the name of a file beside a history: `SQLite` keeps it beside the target of a link.
pub(in crate::sqlite) fn beside(history: &Path, ending: &str) -> io::Result<PathBuf> {
    let mut name = OsString::from(without_links(history)?);
    name.push(ending);
    Ok(PathBuf::from(name))
}

/// Returns the size of the log in bytes; 0 where there is none.
pub(in crate::sqlite) fn log_bytes(history: &Path) -> io::Result<u64> {
    match fs::metadata(beside(history, "-wal")?) {
        Ok(log) => Ok(log.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Bytes that do not fit where a write of `SQLite` fails for want of space: it writes page by page.
const PROBE_BYTES: usize = 16 * 1024;

/// Returns whether this user gets no space for a file though the disk may have some. Tries it in
/// the lock file, which holds a mark only.
pub(super) fn has_no_space_for(mut lock: &File) -> bool {
    let written = lock.rewind().and_then(|()| lock.write_all(&[0; PROBE_BYTES]));
    // An error here is the same one.
    let _ = lock.set_len(0).and_then(|()| lock_file::mark(lock));
    written.is_err_and(|error| matches!(error.kind(), io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull))
}

pub(super) struct Files {
    history: Named,
    log: Named,
    lock: Named,
    /// Length that the history had once; nothing makes it shorter while it is open.
    history_bytes: u64,
}

struct Named {
    name: PathBuf,
    opened: Identity,
}

impl Files {
    /// Notes the open files: the history by its given name, which may be a link, and its log and
    /// lock beside the target.
    pub(super) fn of(history: &Path) -> io::Result<Self> {
        let named = |name: PathBuf| {
            let opened = identity(&fs::metadata(&name)?);
            Ok::<_, io::Error>(Named { name, opened })
        };
        Ok(Self {
            history_bytes: fs::metadata(history)?.len(),
            history: named(history.to_path_buf())?,
            log: named(beside(history, "-wal")?)?,
            lock: named(beside(history, ".lock")?)?,
        })
    }

    /// Checks, before each commit, that each file is the one its name leads to, and not shorter
    /// than what was written to it. The log must have `log_bytes`; if it is shorter, it must have
    /// `confirmed()`, since another program may have moved it into the file.
    pub(super) fn check(&mut self, log_bytes: u64, confirmed: impl FnOnce() -> u64) -> Result<(), StoreError> {
        self.history_bytes = self.history.length(self.history_bytes)?;
        self.lock.length(0)?;
        match self.log.length(log_bytes) {
            Err(StoreError::Corrupt { .. }) => self.log.length(confirmed()),
            checked => checked,
        }
        .map(drop)
    }
}

impl Named {
    /// Returns the file's length, which is at least `written_bytes`.
    fn length(&self, written_bytes: u64) -> Result<u64, StoreError> {
        let found = fs::metadata(&self.name).ok().filter(|found| identity(found) == self.opened);
        let Some(found) = found else { return Err(StoreError::NotInPlace(self.name.clone())) };
        if found.len() >= written_bytes {
            return Ok(found.len());
        }
        let detail = format!("it was cut short under this server: {} of {written_bytes} bytes are left", found.len());
        Err(StoreError::Corrupt { path: self.name.clone(), detail })
    }
}

/// Refuses a file with another name: opened by that, it would have another log and another lock,
/// and both servers would destroy it.
pub(super) fn require_single_name(file: &Path) -> Result<(), StoreError> {
    match fs::metadata(file).map(|found| links(&found)) {
        Ok(links) if links > 1 => Err(StoreError::HardLinked { path: file.to_path_buf(), links }),
        _ => Ok(()),
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(found: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(unix)]
fn links(found: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    found.nlink()
}

/// An open file cannot be deleted or moved there.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}
