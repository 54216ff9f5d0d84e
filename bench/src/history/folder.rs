//! Folder of the histories of a run: beside the program, in cargo's folder, so that they lie on a
//! disk and not in memory.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::pinning::MEASURED_CORE;
use crate::systems::{Server, System};

/// The folder that outlives a run.
pub fn kept_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).context("this program lies in no folder")?;
    let folder = target.join("bench-history");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Removes the folders of runs that were ended before they could do so: each may hold a copy of a large history.
pub fn sweep() -> Result<()> {
    for entry in fs::read_dir(kept_folder()?)? {
        let entry = entry?;
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.rsplit_once('-')).and_then(|(_, id)| id.parse::<u32>().ok());
        let is_left = process.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists());
        if entry.file_type()?.is_dir() && is_left {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A folder for one history; removed with this value.
pub struct HistoryFolder(TempDir);

impl HistoryFolder {
    pub fn new(name: &str) -> Result<Self> {
        let (kept, name) = (kept_folder()?, format!("{name}-{}", std::process::id()));
        // A folder left by an earlier process with this id may go.
        let _ = fs::remove_dir_all(kept.join(&name));
        Ok(Self(tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(kept)?))
    }

    /// With a copy of this history in it.
    pub fn copy_of(history: &Path, name: &str) -> Result<Self> {
        let folder = Self::new(name)?;
        fs::copy(history, folder.history()).context("cannot copy the history; is there room on the disk?")?;
        // What is still on its way to the disk would be in the way of what is measured.
        fs::File::open(folder.history())?.sync_all()?;
        Ok(folder)
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn history(&self) -> PathBuf {
        self.0.path().join("history.db")
    }
}

/// Starts a server that keeps its history in `history`, or keeps none.
pub fn start(glassline: &Path, history: Option<&Path>) -> Result<Server> {
    let history = history.map_or_else(|| OsString::from("none"), |history| history.as_os_str().to_owned());
    let options = ["--history".into(), history, "--metrics".into(), "127.0.0.1:0".into()];
    System::Glassline.start_with(MEASURED_CORE, glassline, &options)
}

/// Returns the time in milliseconds that each of `times` appended and synced blocks of 4 KiB took.
pub fn append_and_sync(folder: &Path, times: usize) -> Result<Vec<f64>> {
    let path = folder.join("sync");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut millis = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        file.write_all(&[0x5A; 4096])?;
        file.sync_data()?;
        millis.push(started.elapsed().as_secs_f64() * 1e3);
    }
    std::fs::remove_file(path)?;
    Ok(millis)
}
