//! Checksums for messages from before there were any, computed from the last message down in bounded steps while a server runs.
//!
//! Two facts say how far this has got: `unsummed`, the last place at which a message may be without a checksum, and a checksum of that.
//! Once all messages have one, neither is there, so that no single damaged value makes a message without a checksum pass.

use std::time::Instant;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::checksum;
use super::engine::Engine;
use super::page::{self, Soundness, TEXT_COLUMN, message_columns};
use super::tend::next_rows;
use crate::store::StoreError;

/// Bytes of text in one step; the rest of a step's bound is its rows.
const STEP_TEXT_BYTES: usize = 256 * 1024;

const UNSUMMED: &str = "unsummed";
const UNSUMMED_CHECKSUM: &str = "unsummed_checksum";

/// A step's outcome.
struct Step {
    rows: u64,
    unsummed: Option<i64>,
}

impl Engine {
    /// Computes the checksums of one transaction's worth of messages, if any are without. Returns whether any were.
    pub(super) fn sum_step(&mut self) -> Result<bool, StoreError> {
        let Some(unsummed) = self.unsummed else { return Ok(false) };
        let (started, rows) = (Instant::now(), self.sum_rows);
        let step = self.without_sync(|engine| sum(&mut engine.db, unsummed, rows))?;
        self.unsummed = step.unsummed;
        self.sum_rows = next_rows(rows, step.rows, started.elapsed());
        Ok(true)
    }
}

/// Returns the last place at which a message may be without a checksum.
///
/// # Errors
/// It cannot be read, or is damaged.
pub(super) fn unsummed(db: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    let fact = |name: &str| -> Result<Option<i64>, rusqlite::Error> {
        db.query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0)).optional()
    };
    match (fact(UNSUMMED)?, fact(UNSUMMED_CHECKSUM)?) {
        (None, None) => Ok(None),
        (Some(unsummed), Some(stored)) if stored == checksum_of(unsummed) => Ok(Some(unsummed)),
        _ => Err(checksum::damaged("how many messages are without a checksum cannot be told".to_string())),
    }
}

/// As the third migration computes it (schema.rs).
fn checksum_of(unsummed: i64) -> i64 {
    checksum::of_values([ValueRef::Text(b"fact"), ValueRef::Text(UNSUMMED.as_bytes()), ValueRef::Integer(unsummed)])
}

/// Goes through up to `rows_max` messages downwards from a place.
fn sum(db: &mut Connection, from: i64, rows_max: u64) -> Result<Step, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut step = Step { rows: 0, unsummed: None };
    {
        let mut computed: Vec<(i64, i64)> = Vec::new();
        let mut messages = transaction.prepare_cached(concat!(
            "SELECT ",
            message_columns!(),
            " FROM message m WHERE m.place <= ?1 ORDER BY m.place DESC LIMIT ?2"
        ))?;
        let mut rows = messages.query((from, rows_max))?;
        let mut bytes = 0;
        while step.unsummed.is_none()
            && let Some(row) = rows.next()?
        {
            let place: i64 = row.get(0)?;
            if page::soundness(row)? == Soundness::Unverified {
                computed.push((place, page::computed_checksum(row)?));
            }
            bytes += row.get_ref(TEXT_COLUMN)?.as_bytes().map_or(0, <[u8]>::len);
            step.rows += 1;
            step.unsummed = (step.rows == rows_max || bytes >= STEP_TEXT_BYTES).then_some(place - 1);
        }
        let mut update = transaction.prepare_cached("UPDATE message SET checksum = ?2 WHERE place = ?1")?;
        for place_and_checksum in computed {
            update.execute(place_and_checksum)?;
        }
        if let Some(unsummed) = step.unsummed {
            let mut update = transaction.prepare_cached("UPDATE fact SET value = ?2 WHERE name = ?1")?;
            update.execute((UNSUMMED, unsummed))?;
            update.execute((UNSUMMED_CHECKSUM, checksum_of(unsummed)))?;
        } else {
            transaction.execute("DELETE FROM fact WHERE name IN (?1, ?2)", [UNSUMMED, UNSUMMED_CHECKSUM])?;
        }
    }
    transaction.commit()?;
    Ok(step)
}
