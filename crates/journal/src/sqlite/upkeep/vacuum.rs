//! Giving space back that forgotten messages left.

use std::fs;
use std::path::Path;

use crate::sqlite::engine::{Engine, Keep};
use crate::sqlite::fault;
use crate::sqlite::tend::{Checkpoint, checkpoint};
use crate::store::StoreError;

/// What it was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vacuumed {
    /// Bytes of the file before.
    pub before_bytes: u64,
    /// Bytes of the file behind it.
    pub after_bytes: u64,
}

/// Writes the file anew without the space that is not in use. No server may have it open; it takes as much space again while it
/// runs, and some seconds for each gigabyte.
///
/// # Errors
/// As [`open`](crate::open); the history is then as it was.
pub fn vacuum(file: &Path) -> Result<Vacuumed, StoreError> {
    crate::sqlite::opening::look_at_found(file)?;
    let engine = Engine::open(file, Keep::default())?;
    let writing = |error| fault::writing(&error, file);
    let length = || fs::metadata(file).map(|metadata| metadata.len()).map_err(|error| fault::opening_io(&error, file));
    let before_bytes = length()?;
    engine
        .db
        .execute_batch("INSERT INTO message_text(message_text) VALUES('optimize'); VACUUM;")
        .and_then(|()| checkpoint(&engine.db, Checkpoint::Whole))
        .map_err(writing)?;
    Ok(Vacuumed { before_bytes, after_bytes: length()? })
}
