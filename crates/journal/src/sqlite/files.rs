//! Whether the files that are open are still those of their names: what is written to a file that was deleted or moved away is lost
//! with the process, or goes where nobody looks for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::opening::beside;
use crate::store::StoreError;

/// The open files of a history.
pub(super) struct Files(Vec<(PathBuf, Identity)>);

impl Files {
    /// The history and its log, both open.
    pub(super) fn of(history: &Path) -> io::Result<Self> {
        let history = fs::canonicalize(history)?;
        let log = beside(&history, "-wal");
        let identified = [history, log].into_iter().map(|file| identity(&file).map(|identity| (file, identity)));
        Ok(Self(identified.collect::<io::Result<_>>()?))
    }

    /// Asked before each commit, so that what is acknowledged is where it will be looked for.
    pub(super) fn check_in_place(&self, named: &Path) -> Result<(), StoreError> {
        let is_in_place = |(file, opened): &(PathBuf, Identity)| identity(file).is_ok_and(|found| found == *opened);
        if self.0.iter().all(is_in_place) { Ok(()) } else { Err(StoreError::NotInPlace(named.to_path_buf())) }
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
