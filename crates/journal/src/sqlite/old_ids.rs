//! Removing the table of ids that files of version 2 and before have: in steps, because dropping a
//! large one at once would hold up everything.

use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::engine::Engine;
use super::tend::next_rows;
use crate::store::StoreError;

/// The table, where a file has it.
#[derive(Debug)]
pub(super) struct OldIds;

impl OldIds {
    pub(super) fn find(db: &Connection) -> Result<Option<Self>, rusqlite::Error> {
        let find = "SELECT 1 FROM sqlite_schema WHERE name = 'message_id'";
        db.query_row(find, [], |_| Ok(Self)).optional()
    }
}

impl Engine {
    /// Deletes some of its rows, and the table when none are left. Returns whether there was one.
    pub(super) fn drop_old_ids_step(&mut self) -> Result<bool, StoreError> {
        if self.old_ids.is_none() {
            return Ok(false);
        }
        let started = Instant::now();
        let rows = self.ids_rows;
        let is_gone = self.without_sync(|engine| delete_first(&mut engine.db, rows))?;
        self.ids_rows = next_rows(rows, rows, started.elapsed());
        if is_gone {
            self.old_ids = None;
        }
        Ok(true)
    }
}

/// Drops the table where that is no work: a file that was just made has it empty.
pub(super) fn drop_if_empty(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let is_empty: bool = transaction.query_row("SELECT NOT EXISTS(SELECT 1 FROM message_id)", [], |row| row.get(0))?;
    if is_empty { transaction.execute_batch("DROP TABLE message_id") } else { Ok(()) }
}

/// Deletes up to `rows` rows. Returns whether the table is gone.
fn delete_first(db: &mut Connection, rows: u64) -> Result<bool, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last: Option<(i64, i64)> = transaction
        .prepare_cached("SELECT key, place FROM message_id ORDER BY key, place LIMIT 1 OFFSET ?1")?
        .query_row([rows], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match last {
        Some(last) => {
            transaction.prepare_cached("DELETE FROM message_id WHERE (key, place) < (?1, ?2)")?.execute(last)?;
        }
        None => transaction.execute_batch("DROP TABLE message_id")?,
    }
    transaction.commit()?;
    Ok(last.is_none())
}
