//! Whether the files that are open are still those of their names: what is written to a file that was deleted or moved away is lost
//! with the process, or goes where nobody looks for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::opening::beside;
use crate::store::StoreError;

/// The open files of a history, each with the name it goes by.
pub(super) struct Files(Vec<(PathBuf, Identity)>);

impl Files {
    /// The history by the name it was given, which may be a link, and its log and its lock beside what that leads to; all are open.
    pub(super) fn of(history: &Path) -> io::Result<Self> {
        let beside_it = fs::canonicalize(history)?;
        let files = [history.to_path_buf(), beside(&beside_it, "-wal"), beside(&beside_it, ".lock")];
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
