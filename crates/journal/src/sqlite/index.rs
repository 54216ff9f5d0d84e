//! The search index, which follows behind the commits: what is indexed and how far it got change in one transaction.

use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::engine::Engine;
use super::fold::index_form_into;
use super::place::{place, seq_of};
use super::renewal::of_index;
use super::tend::{next_rows, next_step};
use crate::store::StoreError;

/// Bytes of text in one step; the rest of a step's bound is its rows.
pub(super) const STEP_TEXT_BYTES: usize = 256 * 1024;

/// Rows of one step where an append waits for it.
const CATCH_UP_ROWS: u64 = 4_096;

/// Pages of the index that one step merges at most, and where they take long: those with much that is forgotten take many times as long as
/// others. What one piece of text has is not cut, and may be more.
pub(super) const MERGED_PAGES_MAX: u64 = 48;
const MERGED_PAGES_MIN: u64 = 3;

/// Rows per page of the index that is merged while an append waits.
const ROWS_A_MERGED_PAGE: u64 = 8;

/// Progress of a step.
struct Step {
    /// Messages that wait no longer.
    done: u64,
    /// The room it came to.
    turn: i64,
}

impl Engine {
    /// One transaction's worth, if any waits. Returns whether it did.
    pub(super) fn index_step(&mut self) -> Result<bool, StoreError> {
        if self.index_lag == 0 {
            return Ok(false);
        }
        let started = Instant::now();
        let done = self.index_rows(self.index_rows)?;
        self.index_rows = next_rows(self.index_rows, done, started.elapsed());
        Ok(true)
    }

    /// Indexes `wanted` messages, or all if there are fewer.
    pub(super) fn index_at_least(&mut self, wanted: u64) -> Result<(), StoreError> {
        let mut left = wanted.min(self.index_lag);
        while left > 0 {
            let done = self.index_rows(left.min(CATCH_UP_ROWS))?.max(1);
            self.merge(done.div_ceil(ROWS_A_MERGED_PAGE).cast_signed())?;
            left = left.saturating_sub(done);
        }
        Ok(())
    }

    /// Merges segments of the index a little, if there are any to merge. Returns whether anything was merged.
    pub(super) fn merge_step(&mut self) -> Result<bool, StoreError> {
        if !self.is_to_merge {
            return Ok(false);
        }
        self.merge_paced(1)?;
        Ok(self.is_to_merge)
    }

    /// Merges a little towards one segment that has nothing of what is deleted; the first step of them says so to the index. Returns how
    /// many pages. It is done when nothing is to be merged any more.
    pub(super) fn purge_step(&mut self, is_first: bool) -> Result<u64, StoreError> {
        self.merge_paced(if is_first { -1 } else { 1 })
    }

    fn merge_paced(&mut self, sign: i64) -> Result<u64, StoreError> {
        let (started, pages) = (Instant::now(), self.merged_pages);
        self.merge(sign * pages.cast_signed())?;
        self.merged_pages = next_step(pages, pages, started.elapsed(), MERGED_PAGES_MIN, MERGED_PAGES_MAX);
        Ok(pages)
    }

    /// Makes one segment of all there are; takes long.
    pub(super) fn merge_whole_index(&mut self) -> Result<(), StoreError> {
        self.with_index(|engine| {
            engine.db.execute_batch("INSERT INTO message_text(message_text) VALUES('optimize')").map_err(of_index)
        })?;
        Ok(())
    }

    /// A negative number of pages first marks all segments to be merged into one.
    fn merge(&mut self, pages: i64) -> Result<(), StoreError> {
        let merged = self.with_index(|engine| {
            let before = engine.db.total_changes();
            engine
                .db
                .prepare_cached("INSERT INTO message_text(message_text, rank) VALUES('merge', ?1)")
                .and_then(|mut merge| merge.execute([pages]))
                .map_err(of_index)?;
            // The command itself is one change; more say that something was merged.
            Ok(engine.db.total_changes() - before > 1)
        })?;
        self.is_to_merge = merged.unwrap_or(false);
        Ok(())
    }

    fn index_rows(&mut self, rows_max: u64) -> Result<u64, StoreError> {
        let indexed = self.with_index(|engine| index(&mut engine.db, engine.index_turn, rows_max))?;
        let Some(Step { done, turn }) = indexed else { return Ok(0) };
        self.index_turn = turn;
        self.is_to_merge |= done > 0;
        // A step that finds nothing to do says that nothing waits.
        self.index_lag = if done == 0 { 0 } else { self.index_lag.saturating_sub(done) };
        Ok(done)
    }
}

/// Room after room, each from where it stopped.
fn index(db: &mut Connection, mut turn: i64, rows_max: u64) -> Result<Step, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut done, mut bytes) = (0, 0);
    let mut indexed_text = String::new();
    let mut rooms_reached: Vec<(i64, u64)> = Vec::new();
    while done < rows_max && bytes < STEP_TEXT_BYTES {
        let Some((room_id, indexed, newest)) = behind(&transaction, turn)? else { break };
        // Round once: the first room comes again.
        if rooms_reached.first().is_some_and(|&(first, _)| first == room_id) {
            break;
        }
        turn = room_id;
        let mut reached = newest;
        {
            let mut messages = transaction.prepare_cached(
                "SELECT place, text FROM message WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT ?3",
            )?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO message_text(rowid, text) VALUES(?1, ?2)").map_err(of_index)?;
            let mut rows = messages.query((place(room_id, indexed), place(room_id, newest), rows_max - done))?;
            while let Some(row) = rows.next()? {
                // What is no text any more is not found by any.
                let (place, text): (i64, _) = (row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default());
                bytes += text.len();
                index_form_into(text, &mut indexed_text);
                insert.execute((place, &indexed_text)).map_err(of_index)?;
                done += 1;
                if done == rows_max || bytes >= STEP_TEXT_BYTES {
                    reached = seq_of(place);
                    break;
                }
            }
        }
        rooms_reached.push((room_id, reached));
    }
    // Not before: changing a row that has a checksum makes the index write what it has gathered (kept_checksums.rs).
    {
        let mut update = transaction.prepare_cached("UPDATE room SET indexed = ?2 WHERE id = ?1")?;
        for room_and_reached in rooms_reached {
            update.execute(room_and_reached).map_err(of_index)?;
        }
    }
    // The index is written at the commit, and nothing else reads then.
    transaction.commit().map_err(of_index)?;
    Ok(Step { done, turn })
}

/// The next room after `turn` that has messages to index, round and round, so that a busy one does not hold up the others.
fn behind(db: &Connection, turn: i64) -> Result<Option<(i64, u64, u64)>, rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "SELECT id, max(indexed, oldest - 1), newest FROM room INDEXED BY room_behind
         WHERE indexed < newest AND id > ?1 ORDER BY id LIMIT 1",
    )?;
    for after in [turn, 0] {
        let found = statement.query_row([after], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
