//! Files that an import creates, and removes again if it fails.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use crate::sqlite::database::{beside, without_links};
use crate::sqlite::errors;
use crate::store::StoreError;

pub(super) struct CreatedFiles {
    file: PathBuf,
    absent: Vec<PathBuf>,
    /// Folders that are not there, the innermost first.
    folders: Vec<PathBuf>,
    is_empty: bool,
}

impl CreatedFiles {
    pub(super) fn before_opening(history: &Path) -> Result<Self, StoreError> {
        let io = |error| errors::opening_io(&error, history);
        let file = without_links(history).map_err(io)?;
        let is_absent = |path: &PathBuf| matches!(fs::symlink_metadata(path), Err(error) if error.kind() == std::io::ErrorKind::NotFound);
        let mut files = vec![file.clone()];
        for ending in ["-wal", "-shm", ".lock"] {
            files.push(beside(history, ending).map_err(io)?);
        }
        let folders = file.ancestors().skip(1).map(Path::to_path_buf);
        let folders = folders.take_while(|folder| !folder.as_os_str().is_empty() && is_absent(folder)).collect();
        let is_empty = fs::metadata(&file).is_ok_and(|found| found.len() == 0);
        Ok(Self { absent: files.into_iter().filter(is_absent).collect(), folders, is_empty, file })
    }

    /// Removes what was created since. The history must still be open, and so locked.
    pub(super) fn remove(&self) {
        // An empty history may stay; there is an error to report already.
        if self.absent.contains(&self.file) {
            for file in &self.absent {
                let _ = fs::remove_file(file);
            }
            for folder in &self.folders {
                let _ = fs::remove_dir(folder);
            }
        } else if self.is_empty {
            let _ = OpenOptions::new().write(true).open(&self.file).and_then(|file| file.set_len(0));
        }
    }
}
