//! Taking the ids of forgotten messages out of their table, from its start to its end: where they stand is chance, so that one at a
//! time would cost a page each.

use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::engine::Engine;
use super::ids::IdPlace;
use super::place::SEQ_BITS;
use super::tend::next_rows;
use crate::store::StoreError;

/// Fewer are not worth reading the table for.
const DEAD_WORTH: u64 = 64 * 1024;

/// From a quarter of the messages on they are.
const DEAD_SHARE: u64 = 4;

/// A sweep on its way. After a restart it begins again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep {
    /// Everything up to here is swept.
    upto: IdPlace,
    /// How many were dead when it began: at its end they are gone.
    dead: u64,
}

impl Engine {
    /// One transaction's worth, if it is worth it. Returns whether it was.
    pub(super) fn sweep_step(&mut self) -> Result<bool, StoreError> {
        let is_worth = self.ids_dead >= DEAD_WORTH.max(self.messages / DEAD_SHARE);
        if self.sweep.is_none() && !is_worth {
            return Ok(false);
        }
        let sweep = self.sweep.unwrap_or(Sweep { upto: (i32::MIN, i64::MIN), dead: self.ids_dead });
        let started = Instant::now();
        let rows = self.ids_rows;
        let upto = self.without_sync(|engine| delete_dead(&mut engine.db, sweep, rows))?;
        self.ids_rows = next_rows(rows, rows, started.elapsed());
        self.sweep = upto.map(|upto| Sweep { upto, ..sweep });
        if upto.is_none() {
            self.ids_dead = self.ids_dead.saturating_sub(sweep.dead);
        }
        Ok(true)
    }
}

/// Looks at `rows` entries. Returns the last of them, or nothing at the table's end.
fn delete_dead(db: &mut Connection, sweep: Sweep, rows: u64) -> Result<Option<IdPlace>, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (key, place) = sweep.upto;
    let last: Option<IdPlace> = transaction
        .prepare_cached(
            "SELECT key, place FROM message_id WHERE (key, place) > (?1, ?2) ORDER BY key, place LIMIT 1 OFFSET ?3",
        )?
        .query_row((key, place, rows), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (last_key, last_place) = last.unwrap_or((i32::MAX, i64::MAX));
    transaction
        .prepare_cached(
            "DELETE FROM message_id WHERE (key, place) > (?1, ?2) AND (key, place) <= (?3, ?4)
             AND place < (SELECT id << ?5 | oldest FROM room WHERE id = place >> ?5)",
        )?
        .execute((key, place, last_key, last_place, SEQ_BITS))?;
    if last.is_none() {
        transaction
            .prepare_cached("UPDATE fact SET value = max(value - ?1, 0) WHERE name = 'ids_dead'")?
            .execute([sweep.dead])?;
    }
    transaction.commit()?;
    Ok(last)
}
