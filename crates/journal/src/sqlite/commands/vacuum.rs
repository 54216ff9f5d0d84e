//! Giving back the space of removed messages.

use std::path::Path;
use std::sync::Arc;

use super::opening::open_to_write;
use super::progress::{ProgressMonitor, Stage, report_steps, stop_reporting};
use crate::sqlite::database::{Database, create_checksum_triggers, verify_existing};
use crate::sqlite::legacy_ids::LegacyIds;
use crate::sqlite::search_index::{SearchIndex, forget_stray_pages, is_corruption, is_index_corrupt};
use crate::sqlite::{errors, rooms};
use crate::store::StoreError;

/// Steps of `SQLite` to copy a message and its index entries; an estimate.
const STEPS_PER_MESSAGE: u64 = 14;

/// Result of a vacuum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vacuumed {
    /// Bytes of the file before.
    pub before_bytes: u64,
    /// Bytes of the file after it.
    pub after_bytes: u64,
    /// The search index was damaged and is to be built again.
    pub rebuilds_index: bool,
}

/// Writes the file again without its free space. No server may have it open. Takes as much space
/// again beside the file and where the system keeps temporary files, and some seconds for each
/// gigabyte. A damaged search index is discarded; the next server builds it again.
///
/// # Errors
/// As [`open`](crate::open), and [`StoreError::Cancelled`]; the history is then as it was.
pub fn vacuum(file: &Path, monitor: &Arc<dyn ProgressMonitor>) -> Result<Vacuumed, StoreError> {
    verify_existing(file)?;
    let mut db = open_to_write(file)?;
    let opening = |error| errors::opening(&error, file);
    let writing = |error| errors::writing(&error, file);
    let mut index = SearchIndex::load(db.connection()).map_err(opening)?;
    let mut legacy_ids = LegacyIds::load(db.connection()).map_err(opening)?;
    // A reader keeps the file from shrinking until a server opens it; its pages are fewer already.
    let length = |db: &Database| {
        let pages = db.connection().pragma_query_value(None, "page_count", |row| row.get::<_, u64>(0));
        Ok::<_, StoreError>(pages.map_err(writing)? * db.page_bytes())
    };
    let before_bytes = length(&db)?;
    monitor.begin(Stage::MergingIndex, None);
    report_steps(db.connection_mut(), monitor, || false).map_err(writing)?;
    index.merge_all(&mut db)?;
    while legacy_ids.step(&mut db)? {
        if monitor.is_cancelled() {
            return Err(StoreError::Cancelled);
        }
    }
    let messages = rooms::message_count(db.connection()).map_err(writing)?;
    monitor.begin(Stage::Vacuuming, Some(messages.saturating_mul(STEPS_PER_MESSAGE)));
    report_steps(db.connection_mut(), monitor, || false).map_err(writing)?;
    // The new file is built as a temporary one, for which memory is too small. The change deletes
    // temporary triggers.
    db.connection().execute_batch("PRAGMA temp_store=FILE").map_err(writing)?;
    create_checksum_triggers(db.connection()).map_err(writing)?;
    match db.connection().execute_batch("VACUUM") {
        // It does not report where the damage is.
        Err(error) if is_corruption(&error) && is_index_corrupt(db.connection()).map_err(writing)? => {
            index.discard(&mut db, error.to_string())?;
            db.connection().execute_batch("VACUUM").map_err(writing)?;
        }
        vacuumed => vacuumed.map_err(writing)?,
    }
    stop_reporting(db.connection_mut()).map_err(writing)?;
    forget_stray_pages(db.connection()).map_err(writing)?;
    db.empty_log()?;
    let rebuilds_index = index.take_discard_reason().is_some();
    Ok(Vacuumed { before_bytes, after_bytes: length(&db)?, rebuilds_index })
}
