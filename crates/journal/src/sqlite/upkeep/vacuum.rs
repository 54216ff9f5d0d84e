//! Giving space back that forgotten messages left.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::monitor::{Monitor, Stage, unmonitored, unwatch, watch};
use crate::sqlite::engine::{Engine, Keep};
use crate::sqlite::renewal::{forget_stray_pages, is_damage, is_index_damaged};
use crate::sqlite::tend::{Checkpoint, checkpoint};
use crate::sqlite::{fault, kept_checksums};
use crate::store::{Store, StoreError};

/// Estimate of the steps in which `SQLite` copies a message, its id and its index entries; measured.
const STEPS_PER_MESSAGE: u64 = 14;

/// Result of a vacuum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vacuumed {
    /// Bytes of the file before.
    pub before_bytes: u64,
    /// Bytes of the file behind it.
    pub after_bytes: u64,
    /// Its search index was damaged, and is to be built again.
    pub index_renewed: bool,
}

/// Writes the file anew without the space that is not in use. No server may have it open. While it runs it takes as much space again
/// beside the file, and where the system keeps temporary files; and some seconds for each gigabyte. A search index that is damaged is
/// left behind, and the next server builds it again.
///
/// # Errors
/// As [`open`](crate::open); the history is then as it was.
pub fn vacuum(file: &Path) -> Result<Vacuumed, StoreError> {
    vacuum_monitored(file, &unmonitored())
}

/// Works as [`vacuum`], reports progress and can be cancelled: the history is then as it was.
///
/// # Errors
/// Those of [`vacuum`], and [`StoreError::Cancelled`].
pub fn vacuum_monitored(file: &Path, monitor: &Arc<dyn Monitor>) -> Result<Vacuumed, StoreError> {
    crate::sqlite::opening::look_at_found(file)?;
    let mut engine = Engine::open(file, Keep::default())?;
    if let Some(damage) = engine.take_damage() {
        return Err(StoreError::Damaged(damage));
    }
    let writing = |error| fault::writing(&error, file);
    let number = |db: &Connection, pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    // Somebody who reads meanwhile keeps the file from shrinking until a server opens it; its pages are fewer all the same.
    let length = |db: &Connection| {
        number(db, "page_count").and_then(|pages| Ok(pages * number(db, "page_size")?)).map_err(writing)
    };
    let before_bytes = length(&engine.db)?;
    monitor.begin(Stage::MergingIndex, None);
    watch(&mut engine.db, monitor, || false).map_err(writing)?;
    engine.merge_whole_index()?;
    while engine.drop_old_ids_step()? {
        if monitor.is_cancelled() {
            return Err(StoreError::Cancelled);
        }
    }
    monitor.begin(Stage::Vacuuming, Some(engine.messages.saturating_mul(STEPS_PER_MESSAGE)));
    watch(&mut engine.db, monitor, || false).map_err(writing)?;
    // The new file is built as a temporary one first, for which memory is no place.
    engine.db.execute_batch("PRAGMA temp_store=FILE").map_err(writing)?;
    // That deletes what is temporary.
    kept_checksums::keep(&engine.db).map_err(writing)?;
    match engine.db.execute_batch("VACUUM") {
        // It does not tell where.
        Err(error) if is_damage(&error) && is_index_damaged(&engine.db).map_err(writing)? => {
            engine.renew_index(error.to_string())?;
            engine.db.execute_batch("VACUUM").map_err(writing)?;
        }
        vacuumed => vacuumed.map_err(writing)?,
    }
    unwatch(&mut engine.db).map_err(writing)?;
    forget_stray_pages(&engine.db).map_err(writing)?;
    checkpoint(&engine.db, Checkpoint::Whole).map_err(writing)?;
    let index_renewed = engine.renewal.untold.is_some();
    Ok(Vacuumed { before_bytes, after_bytes: length(&engine.db)?, index_renewed })
}
