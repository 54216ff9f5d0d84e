//! Checksums for messages from before there were any, computed from the first message on in bounded steps while a server runs: in this
//! order the rows, which grow by a few bytes, leave their pages fullest.
//!
//! Three facts say how far this has got: the first and the last place at which a message may be without a checksum, and a checksum of
//! these. Once all messages have one, none is there, so that no single damaged value makes a message without a checksum pass.

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

const FIRST: &str = "unsummed_first";
const LAST: &str = "unsummed_last";
const CHECKSUM: &str = "unsummed_checksum";

/// The places between which a message may be without a checksum, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unsummed {
    first: i64,
    last: i64,
}

impl Unsummed {
    /// As the third migration computes it (schema.rs).
    fn checksum(self) -> i64 {
        checksum::of_values([ValueRef::Text(b"unsummed"), ValueRef::Integer(self.first), ValueRef::Integer(self.last)])
    }
}

/// A step's outcome.
struct Step {
    rows: u64,
    left: Option<Unsummed>,
}

impl Engine {
    /// Computes the checksums of one transaction's worth of messages, if any are without. Returns whether any were.
    pub(super) fn sum_step(&mut self) -> Result<bool, StoreError> {
        let Some(unsummed) = self.unsummed else { return Ok(false) };
        let (started, rows) = (Instant::now(), self.sum_rows);
        let step = self.without_sync(|engine| sum(&mut engine.db, unsummed, rows))?;
        self.unsummed = step.left;
        self.sum_rows = next_rows(rows, step.rows, started.elapsed());
        Ok(true)
    }
}

/// Returns between which places a message may be without a checksum.
///
/// # Errors
/// It cannot be read, or is damaged.
pub(super) fn unsummed(db: &Connection) -> Result<Option<Unsummed>, rusqlite::Error> {
    let fact = |name: &str| -> Result<Option<i64>, rusqlite::Error> {
        db.query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0)).optional()
    };
    match (fact(FIRST)?, fact(LAST)?, fact(CHECKSUM)?) {
        (None, None, None) => Ok(None),
        (Some(first), Some(last), Some(stored)) if stored == Unsummed { first, last }.checksum() => {
            Ok(Some(Unsummed { first, last }))
        }
        _ => Err(checksum::damaged("which messages are without a checksum cannot be told".to_string())),
    }
}

/// Goes through up to `rows_max` messages.
fn sum(db: &mut Connection, unsummed: Unsummed, rows_max: u64) -> Result<Step, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut step = Step { rows: 0, left: None };
    let mut computed: Vec<(i64, i64)> = Vec::new();
    {
        let mut messages = transaction.prepare_cached(concat!(
            "SELECT ",
            message_columns!(),
            " FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place LIMIT ?3"
        ))?;
        let mut rows = messages.query((unsummed.first, unsummed.last, rows_max))?;
        let mut bytes = 0;
        while step.left.is_none()
            && let Some(row) = rows.next()?
        {
            let place: i64 = row.get(0)?;
            if page::soundness(row)? == Soundness::Unverified {
                computed.push((place, page::computed_checksum(row)?));
            }
            bytes += row.get_ref(TEXT_COLUMN)?.as_bytes().map_or(0, <[u8]>::len);
            step.rows += 1;
            let is_full = step.rows == rows_max || bytes >= STEP_TEXT_BYTES;
            step.left = (is_full && place < unsummed.last).then_some(Unsummed { first: place + 1, ..unsummed });
        }
        let mut update = transaction.prepare_cached("UPDATE message SET checksum = ?2 WHERE place = ?1")?;
        for place_and_checksum in computed {
            update.execute(place_and_checksum)?;
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
