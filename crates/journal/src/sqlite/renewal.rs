//! A search index that is damaged is thrown away and built again: it is made of the messages, which are all there. What is damaged
//! elsewhere stays an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};

use super::checksum::is_row_damage;
use super::engine::Engine;
use super::schema::{MESSAGE_TEXT, MESSAGE_TEXT_TABLES};
use crate::store::StoreError;

/// Says of what a statement on the search index alone came to that it is the index that is damaged, if `SQLite` says that something is:
/// it cannot tell which table a page was of.
pub(super) fn of_index(error: rusqlite::Error) -> rusqlite::Error {
    if !is_damage(&error) || is_row_damage(&error) {
        return error;
    }
    let index = ffi::Error::new(ffi::SQLITE_CORRUPT_VTAB);
    rusqlite::Error::SqliteFailure(index, Some(format!("its search index: {error}")))
}

/// Returns whether `SQLite` met damage, wherever.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

/// Returns whether it was met in the search index.
fn is_index_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CORRUPT_VTAB)
}

/// State of an engine's knowledge of damage in its search index.
#[derive(Default)]
pub(super) struct Renewal {
    /// The index was thrown away.
    is_done: bool,
    /// Some pages belong to nothing and yet are in use by the file's own count: nothing is forgotten by its size.
    pub(super) has_stray_pages: bool,
    /// Why, until somebody is told.
    pub(super) untold: Option<String>,
    /// Flag with which searches report damage.
    pub(super) met: Met,
}

impl Renewal {
    /// Of a file that was just opened.
    pub(super) fn of(has_stray_pages: bool) -> Self {
        Self { has_stray_pages, ..Self::default() }
    }
}

/// Flag with which a search reports damage to the writer.
#[derive(Debug, Clone, Default)]
pub(super) struct Met(Arc<AtomicBool>);

impl Met {
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Engine {
    /// As [`Engine::without_sync`], for work on the search index among others. Where that turns out to be damaged, nothing comes of the
    /// work and the index is thrown away; a second time it is an error, since then it is the disk that damages it.
    pub(super) fn with_index<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, StoreError> {
        let done = self.without_sync(|engine| match work(engine) {
            Err(error) if is_index_damage(&error) && !engine.renewal.is_done && engine.db.is_autocommit() => {
                Ok(Err(error))
            }
            done => done.map(Ok),
        })?;
        match done {
            Ok(done) => Ok(Some(done)),
            Err(damage) => self.renew_index(damage.to_string()).map(|()| None),
        }
    }

    /// Throws the index away if a search met damage in it. Returns whether it did.
    pub(super) fn renewal_step(&mut self) -> Result<bool, StoreError> {
        // A search that was on its way may have met the one that is gone.
        let is_met = self.renewal.met.take() && !self.renewal.is_done;
        if is_met {
            self.renew_index("its search index: a search met it".to_string())?;
        }
        Ok(is_met)
    }

    /// Throws the index away; indexing begins again with the oldest messages. `damage` is what is told of it.
    pub(super) fn renew_index(&mut self, damage: String) -> Result<(), StoreError> {
        let thrown = self.without_sync(|engine| match empty(&mut engine.db) {
            // Neither can it be dropped: both read all its pages.
            Err(error) if is_damage(&error) => replace(&mut engine.db),
            emptied => emptied,
        });
        thrown?;
        let has_stray_pages = has_stray_pages(&self.db);
        self.renewal.has_stray_pages = self.conclude(has_stray_pages)?;
        self.renewal.is_done = true;
        self.renewal.untold = Some(damage);
        self.index_lag = self.messages;
        self.index_turn = 0;
        Ok(())
    }
}

/// Takes everything out of the index.
fn empty(db: &mut Connection) -> Result<(), rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("INSERT INTO message_text(message_text) VALUES('delete-all')")?;
    transaction.execute_batch(INDEX_NOTHING)?;
    transaction.commit()
}

/// Puts an empty index in the place of one that cannot be emptied. The pages of the old one belong to nothing from then on, until the
/// file is vacuumed: so long nobody can tell by its size how much is stored.
fn replace(db: &mut Connection) -> Result<(), rusqlite::Error> {
    let replaced = replace_tables(db);
    // Only the schema as it is then is believed, and it may not be written any more.
    db.execute_batch("PRAGMA writable_schema=RESET")?;
    replaced
}

fn replace_tables(db: &mut Connection) -> Result<(), rusqlite::Error> {
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

/// The fact that pages of an index that was replaced belong to nothing, and are no space in use.
const STRAY_PAGES: &str = "stray_pages";

/// Returns whether a file has such pages.
pub(super) fn has_stray_pages(db: &Connection) -> Result<bool, rusqlite::Error> {
    db.query_row("SELECT EXISTS(SELECT 1 FROM fact WHERE name = ?1)", [STRAY_PAGES], |row| row.get(0))
}

/// Notes that a file has none any more, since it was written anew.
pub(super) fn forget_stray_pages(db: &Connection) -> Result<(), rusqlite::Error> {
    db.execute("DELETE FROM fact WHERE name = ?1", [STRAY_PAGES]).map(drop)
}

const INDEX_NOTHING: &str = "UPDATE room SET indexed = oldest - 1";

/// Returns whether the index is damaged. Reads all of it.
pub(super) fn is_index_damaged(db: &Connection) -> Result<bool, rusqlite::Error> {
    for table in MESSAGE_TEXT_TABLES {
        match db.query_row(&format!("PRAGMA integrity_check({table})"), [], |row| row.get::<_, String>(0)) {
            Ok(found) if found == "ok" => {}
            Ok(_) => return Ok(true),
            Err(error) if is_damage(&error) => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
