//! Repair of the search index: a damaged one is discarded and built again from the messages. Damage
//! elsewhere stays an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, Error, ErrorCode, TransactionBehavior, ffi};

use crate::sqlite::checksum::is_row_damage;
use crate::sqlite::database::{MESSAGE_TEXT, MESSAGE_TEXT_TABLES};

/// Marks an error of a statement on the search index alone as damage of the index, if it is damage:
/// `SQLite` does not report which table a page belongs to.
pub(in crate::sqlite) fn index_error(error: Error) -> Error {
    if !is_corruption(&error) || is_row_damage(&error) {
        return error;
    }
    let index = ffi::Error::new(ffi::SQLITE_CORRUPT_VTAB);
    Error::SqliteFailure(index, Some(format!("its search index: {error}")))
}

/// Returns whether an error is damage, of any table.
pub(in crate::sqlite) fn is_corruption(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

pub(super) fn is_index_corruption(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CORRUPT_VTAB)
}

/// Flag with which a search reports damage of the index to the writer.
#[derive(Debug, Clone, Default)]
pub(in crate::sqlite) struct CorruptionFlag(Arc<AtomicBool>);

impl CorruptionFlag {
    pub(in crate::sqlite) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Empties the index, or replaces it where it cannot be emptied.
pub(super) fn clear(db: &mut Connection) -> Result<(), Error> {
    match empty(db) {
        // Dropping it would fail as well: both read all its pages.
        Err(error) if is_corruption(&error) => replace(db),
        emptied => emptied,
    }
}

fn empty(db: &mut Connection) -> Result<(), Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("INSERT INTO message_text(message_text) VALUES('delete-all')")?;
    transaction.execute_batch(INDEX_NOTHING)?;
    transaction.commit()
}

/// Replaces the index by an empty one. The pages of the old one then belong to nothing until the
/// file is vacuumed, and its size does not show how much is stored.
fn replace(db: &mut Connection) -> Result<(), Error> {
    let replaced = replace_tables(db);
    // This reads the schema again, and makes it read-only again.
    db.execute_batch("PRAGMA writable_schema=RESET")?;
    replaced
}

fn replace_tables(db: &mut Connection) -> Result<(), Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("PRAGMA writable_schema=ON")?;
    for table in MESSAGE_TEXT_TABLES {
        transaction.execute("DELETE FROM sqlite_schema WHERE tbl_name = ?1", [table])?;
    }
    transaction.execute_batch("PRAGMA writable_schema=RESET")?;
    transaction.execute_batch(MESSAGE_TEXT)?;
    transaction.execute_batch(INDEX_NOTHING)?;
    transaction.execute("INSERT OR REPLACE INTO fact VALUES(?1, 1)", [STRAY_PAGES])?;
    transaction.commit()
}

/// Fact that pages of a replaced index belong to nothing.
const STRAY_PAGES: &str = "stray_pages";

pub(in crate::sqlite) fn has_stray_pages(db: &Connection) -> Result<bool, Error> {
    db.query_row("SELECT EXISTS(SELECT 1 FROM fact WHERE name = ?1)", [STRAY_PAGES], |row| row.get(0))
}

/// Records that a file has none after it was vacuumed.
pub(in crate::sqlite) fn forget_stray_pages(db: &Connection) -> Result<(), Error> {
    db.execute("DELETE FROM fact WHERE name = ?1", [STRAY_PAGES]).map(drop)
}

const INDEX_NOTHING: &str = "UPDATE room SET indexed = oldest - 1";

/// Returns whether the index is damaged. Reads all of it.
pub(in crate::sqlite) fn is_index_corrupt(db: &Connection) -> Result<bool, Error> {
    for table in MESSAGE_TEXT_TABLES {
        match db.query_row(&format!("PRAGMA integrity_check({table})"), [], |row| row.get::<_, String>(0)) {
            Ok(found) if found == "ok" => {}
            Ok(_) => return Ok(true),
            Err(error) if is_corruption(&error) => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
