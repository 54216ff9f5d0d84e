//! Removal of the table of ids that files of version 2 and before have: in steps, because dropping
//! a large one at once would hold up everything.

use std::time::Instant;

use rusqlite::{Connection, Error, OptionalExtension, TransactionBehavior};

use super::database::Database;
use super::pacer::Pacer;
use crate::store::StoreError;

pub(super) struct LegacyIds {
    is_present: bool,
    rows: Pacer,
}

impl LegacyIds {
    pub(super) fn load(db: &Connection) -> Result<Self, Error> {
        let find = "SELECT EXISTS(SELECT 1 FROM sqlite_schema WHERE name = 'message_id')";
        Ok(Self { is_present: db.query_row(find, [], |row| row.get(0))?, rows: Pacer::rows() })
    }

    /// Deletes some rows, and the table when none are left. Returns whether there was a table.
    pub(super) fn step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        if !self.is_present {
            return Ok(false);
        }
        let (started, rows) = (Instant::now(), self.rows.size());
        self.is_present = !db.run_without_sync(|connection| delete_first(connection, rows))?;
        self.rows.note(rows, started.elapsed());
        Ok(true)
    }
}

/// Deletes up to `rows` rows. Returns whether the table is gone.
fn delete_first(db: &mut Connection, rows: u64) -> Result<bool, Error> {
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
