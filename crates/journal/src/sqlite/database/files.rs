//! Which files a history is, and whether those that are open are still those of their names: what is written to a file that was
//! deleted or moved away is lost with the process, or goes where nobody looks for it.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::lock_file;
use crate::store::StoreError;

/// Links that are followed, as systems do.
const LINKS_MAX: usize = 40;

/// Returns the target of a name that is a link, whether that is there or not.
pub(in crate::sqlite) fn without_links(file: &Path) -> io::Result<PathBuf> {
    let mut file = file.to_path_buf();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&file) else { return Ok(file) };
        file = file.parent().unwrap_or_else(|| Path::new("")).join(target);
    }
    Err(io::Error::other("its links lead nowhere"))
}

/// The name of a file that belongs to a history: `SQLite` keeps it beside what a link leads to, and so does whoever asks for it by
/// another name.
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

/// More than what is left where a write of `SQLite` fails for want of space: it writes page by page.
const PROBE_BYTES: usize = 16 * 1024;

/// Returns whether this user gets no space for a file though the disk may have some; tried out in
/// the lock file, which holds a mark only.
pub(super) fn has_no_space_for(mut lock: &File) -> bool {
    let written = lock.rewind().and_then(|()| lock.write_all(&[0; PROBE_BYTES]));
    // What was written takes no place either way; an error here is the same one.
    let _ = lock.set_len(0).and_then(|()| lock_file::mark(lock));
    written.is_err_and(|error| matches!(error.kind(), io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull))
}

/// The open files of a history, each with the name it goes by.
pub(super) struct Files {
    history: Named,
    log: Named,
    lock: Named,
    /// The history was this large once. Nothing makes it shorter while it is open.
    history_bytes: u64,
}

struct Named {
    name: PathBuf,
    opened: Identity,
}

impl Files {
    /// The history by the name it was given, which may be a link, and its log and its lock beside what that leads to; all are open.
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

    /// Asked before each commit, so that what is acknowledged is where it will be looked for: each file is the one that its name leads
    /// to, and none is shorter than what was written to it. `log_bytes` are what the log has to have; of one that is shorter, `confirmed`
    /// is asked, since another program may have brought it into the file and emptied it.
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
    /// The file's length now, if it has `written_bytes`.
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

/// Refuses a file that has another name as well: by that, another server would have another log and another lock, and both would
/// destroy it.
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

/// An open file can be neither deleted nor moved there.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}
