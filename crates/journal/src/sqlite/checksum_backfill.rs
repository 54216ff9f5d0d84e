//! Checksums for messages of versions that had none, computed in bounded steps while a server runs.
//! In the order of the rows, which grow by a few bytes, this leaves their pages fullest.
//!
//! Three facts record the progress: the first and the last rowid at which a message may be without
//! a checksum, and a checksum of these. Once all messages have one, there is none, so that no
//! single damaged value makes a message without a checksum pass.

use std::time::Instant;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, OptionalExtension, TransactionBehavior};

use super::checksum;
use super::database::Database;
use super::message_row::{self, Integrity, TEXT_COLUMN, select_messages};
use super::pacer::Pacer;
use crate::store::StoreError;

/// Bytes of text in one step, which is also bounded in rows.
const STEP_TEXT_BYTES: usize = 256 * 1024;

const FIRST: &str = "unsummed_first";
const LAST: &str = "unsummed_last";
const CHECKSUM: &str = "unsummed_checksum";

/// Rowids between which a message may be without a checksum, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnverifiedRange {
    first: i64,
    last: i64,
}

impl UnverifiedRange {
    /// Returns the same as the third migration (schema.rs).
    fn checksum(self) -> i64 {
        checksum::of_values([ValueRef::Text(b"unsummed"), ValueRef::Integer(self.first), ValueRef::Integer(self.last)])
    }
}

struct BackfillStep {
    rows: u64,
    left: Option<UnverifiedRange>,
}

pub(super) struct ChecksumBackfill {
    /// Messages that may be without a checksum; nothing if all have one.
    unverified: Option<UnverifiedRange>,
    rows: Pacer,
}

impl ChecksumBackfill {
    pub(super) fn load(db: &Connection) -> Result<Self, Error> {
        Ok(Self { unverified: unverified(db)?, rows: Pacer::rows() })
    }

    /// Computes the checksums of one transaction's worth of messages. Returns whether any may have
    /// been without.
    pub(super) fn step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        let Some(unverified) = self.unverified else { return Ok(false) };
        let (started, rows_max) = (Instant::now(), self.rows.size());
        let step = db.run_without_sync(|connection| backfill(connection, unverified, rows_max))?;
        self.unverified = step.left;
        self.rows.note(step.rows, started.elapsed());
        Ok(true)
    }
}

/// Returns the rowids between which a message may be without a checksum.
///
/// # Errors
/// It cannot be read, or is damaged.
pub(super) fn unverified(db: &Connection) -> Result<Option<UnverifiedRange>, Error> {
    let fact = |name: &str| -> Result<Option<i64>, Error> {
        db.query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0)).optional()
    };
    match (fact(FIRST)?, fact(LAST)?, fact(CHECKSUM)?) {
        (None, None, None) => Ok(None),
        (Some(first), Some(last), Some(stored)) if stored == UnverifiedRange { first, last }.checksum() => {
            Ok(Some(UnverifiedRange { first, last }))
        }
        _ => Err(checksum::damaged("which messages are without a checksum cannot be told".to_string())),
    }
}

/// Verifies up to `rows_max` messages and adds the checksums that are missing.
fn backfill(db: &mut Connection, unverified: UnverifiedRange, rows_max: u64) -> Result<BackfillStep, Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut step = BackfillStep { rows: 0, left: None };
    let mut computed: Vec<(i64, i64)> = Vec::new();
    {
        let mut messages = transaction.prepare_cached(select_messages!(
            "FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place LIMIT ?3"
        ))?;
        let mut rows = messages.query((unverified.first, unverified.last, rows_max))?;
        let mut bytes = 0;
        while step.left.is_none()
            && let Some(row) = rows.next()?
        {
            let rowid: i64 = row.get(0)?;
            if message_row::integrity(row)? == Integrity::Unverified {
                computed.push((rowid, message_row::computed_checksum(row)?));
            }
            bytes += row.get_ref(TEXT_COLUMN)?.as_bytes().map_or(0, <[u8]>::len);
            step.rows += 1;
            let is_full = step.rows == rows_max || bytes >= STEP_TEXT_BYTES;
            step.left =
                (is_full && rowid < unverified.last).then_some(UnverifiedRange { first: rowid + 1, ..unverified });
        }
        let mut update = transaction.prepare_cached("UPDATE message SET checksum = ?2 WHERE place = ?1")?;
        for rowid_and_checksum in computed {
            update.execute(rowid_and_checksum)?;
        }
    }
    if let Some(left) = step.left {
        let mut update = transaction.prepare_cached("UPDATE fact SET value = ?2 WHERE name = ?1")?;
        update.execute((FIRST, left.first))?;
        update.execute((CHECKSUM, left.checksum()))?;
    } else {
        transaction.execute("DELETE FROM fact WHERE name IN (?1, ?2, ?3)", [FIRST, LAST, CHECKSUM])?;
    }
    transaction.commit()?;
    Ok(step)
}
