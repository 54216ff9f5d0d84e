//! Time that the disk itself takes for one durable write.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

const BYTES: usize = 4096;

/// Appends 4 KiB and waits for the disk, again and again: milliseconds, each.
pub fn append_and_sync(folder: &Path, times: usize) -> Result<Vec<f64>> {
    let path = folder.join("sync");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut millis = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        file.write_all(&[0x5A; BYTES])?;
        file.sync_data()?;
        millis.push(started.elapsed().as_secs_f64() * 1e3);
    }
    std::fs::remove_file(path)?;
    Ok(millis)
}
