//! Search index, built after the commits: its entries and its progress change in one transaction.

mod rebuild;
mod refold;

use std::time::Instant;

use rusqlite::{Connection, Error, Row, TransactionBehavior};

pub(super) use self::rebuild::{
    CorruptionFlag, forget_stray_pages, has_stray_pages, index_error, is_corruption, is_index_corrupt,
};
use super::database::Database;
use super::folding::index_form_into;
use super::message_row::KIND_SEALED;
use super::pacer::Pacer;
use super::rooms::{message_count, next_room};
use super::rowid::{rowid, seq_of};
use crate::store::StoreError;

/// Bytes of text in one step, which is also bounded in rows.
const STEP_TEXT_BYTES: usize = 256 * 1024;

/// Rows of one step where an append waits for it.
const CATCH_UP_ROWS: u64 = 4_096;

/// Pages of the index that one step merges: fewer where they take long, since those with many
/// removed entries take many times as long as others. The entries of one term are not cut, and may
/// be more.
const MERGED_PAGES_MAX: u64 = 48;
const MERGED_PAGES_MIN: u64 = 3;

/// Rows per page of the index that is merged while an append waits.
const ROWS_PER_MERGED_PAGE: u64 = 8;

/// Most messages that wait to be indexed: a minute's work. Above it an append first indexes twice
/// as many as it brings, so that they become fewer; never all, which after an import would hold up
/// everybody for minutes.
pub(super) const LAG_MAX: u64 = 1_000_000;

/// Messages indexed for each one of an append where too many wait.
const INDEXED_PER_APPENDED: u64 = 2;

/// Progress of indexing after the commits, and the repair of the index.
pub(super) struct SearchIndex {
    /// Messages stored and not indexed, in all rooms.
    lag: u64,
    /// Id of the room that was indexed last; the next one follows.
    last_room: i64,
    rows: Pacer,
    merged_pages: Pacer,
    is_to_merge: bool,
    /// Rowid after which entries have an older form; nothing if none has.
    old_form_after: Option<i64>,
    /// The index was discarded since the history was opened.
    is_discarded: bool,
    /// Some pages belong to nothing and yet are in use by the file's own count: nothing is removed
    /// by its size.
    has_stray_pages: bool,
    /// Reason why the index was discarded, until reported.
    unreported: Option<String>,
    corruption: CorruptionFlag,
}

impl SearchIndex {
    pub(super) fn load(db: &Connection) -> Result<Self, Error> {
        Ok(Self {
            lag: lag(db)?,
            last_room: 0,
            rows: Pacer::rows(),
            merged_pages: Pacer::new(MERGED_PAGES_MAX, MERGED_PAGES_MIN, MERGED_PAGES_MAX),
            is_to_merge: true,
            old_form_after: refold::load(db)?,
            is_discarded: false,
            has_stray_pages: has_stray_pages(db)?,
            unreported: None,
            corruption: CorruptionFlag::default(),
        })
    }

    pub(super) fn lag(&self) -> u64 {
        self.lag
    }

    pub(super) fn is_to_merge(&self) -> bool {
        self.is_to_merge
    }

    pub(super) fn has_stray_pages(&self) -> bool {
        self.has_stray_pages
    }

    /// Flag for readers, with which they report corruption of the index.
    pub(super) fn corruption_flag(&self) -> CorruptionFlag {
        self.corruption.clone()
    }

    /// Returns, once, why the index was discarded.
    pub(super) fn take_discard_reason(&mut self) -> Option<String> {
        self.unreported.take()
    }

    pub(super) fn note_stored(&mut self, messages: u64) {
        self.lag += messages;
    }

    /// Counts messages that were removed, `unindexed` of which had no entry.
    pub(super) fn note_removed(&mut self, messages: u64, unindexed: u64) {
        self.lag = self.lag.saturating_sub(unindexed);
        // Removed entries free their space when they are merged.
        self.is_to_merge |= messages > 0;
    }

    /// Does one transaction's worth of what there is to do: discard a corrupt index, merge, index,
    /// or bring entries to the current form. Merging goes before indexing: otherwise segments would
    /// become many. Returns whether there was anything.
    pub(super) fn step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        Ok(self.discard_step(db)? || self.merge_step(db)? || self.index_step(db)? || self.refold_step(db)?)
    }

    /// Works as [`Database::run_without_sync`] on tables of which the index is one. If the index is
    /// corrupt, the work has no effect and the index is discarded; a second time that is an error,
    /// since then the disk damages it.
    pub(super) fn run<T>(
        &mut self,
        db: &mut Database,
        work: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<Option<T>, StoreError> {
        let done = db.run_without_sync(|connection| match work(connection) {
            Err(error) if rebuild::is_index_corruption(&error) && !self.is_discarded && connection.is_autocommit() => {
                Ok(Err(error))
            }
            done => done.map(Ok),
        })?;
        match done {
            Ok(done) => Ok(Some(done)),
            Err(damage) => self.discard(db, damage.to_string()).map(|()| None),
        }
    }

    /// Discards the index if a search found it corrupt. Returns whether it did.
    fn discard_step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        // A search that began earlier may have read the index that is gone.
        let is_corrupt = self.corruption.take() && !self.is_discarded;
        if is_corrupt {
            self.discard(db, "its search index: a search met it".to_string())?;
        }
        Ok(is_corrupt)
    }

    /// Discards the index; indexing begins again with the oldest messages. `damage` is reported.
    pub(super) fn discard(&mut self, db: &mut Database, damage: String) -> Result<(), StoreError> {
        db.run_without_sync(rebuild::clear)?;
        (self.has_stray_pages, self.lag) =
            db.run(|connection| Ok((has_stray_pages(connection)?, message_count(connection)?)))?;
        self.is_discarded = true;
        self.unreported = Some(damage);
        self.last_room = 0;
        Ok(())
    }

    fn index_step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        if self.lag == 0 {
            return Ok(false);
        }
        let started = Instant::now();
        let done = self.index_rows(db, self.rows.size())?;
        self.rows.note(done, started.elapsed());
        Ok(true)
    }

    /// Indexes for an append of `appended` messages, if too many wait.
    pub(super) fn catch_up(&mut self, db: &mut Database, appended: u64) -> Result<(), StoreError> {
        let excess = (self.lag + appended).saturating_sub(LAG_MAX);
        let mut left = excess.min(appended * INDEXED_PER_APPENDED).min(self.lag);
        while left > 0 {
            let done = self.index_rows(db, left.min(CATCH_UP_ROWS))?.max(1);
            self.merge(db, done.div_ceil(ROWS_PER_MERGED_PAGE).cast_signed())?;
            left = left.saturating_sub(done);
        }
        Ok(())
    }

    fn index_rows(&mut self, db: &mut Database, rows_max: u64) -> Result<u64, StoreError> {
        let last_room = self.last_room;
        let indexed = self.run(db, |connection| index(connection, last_room, rows_max))?;
        let Some(IndexStep { done, last_room }) = indexed else { return Ok(0) };
        self.last_room = last_room;
        self.is_to_merge |= done > 0;
        // A step without work reports that nothing waits.
        self.lag = if done == 0 { 0 } else { self.lag.saturating_sub(done) };
        Ok(done)
    }

    fn merge_step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        if !self.is_to_merge {
            return Ok(false);
        }
        self.merge_paced(db, 1)?;
        Ok(self.is_to_merge)
    }

    /// Merges some pages towards one segment without removed entries; the first step marks all
    /// segments for that. Returns the number of pages. Done when [`Self::is_to_merge`] is false.
    pub(super) fn purge_step(&mut self, db: &mut Database, is_first: bool) -> Result<u64, StoreError> {
        self.merge_paced(db, if is_first { -1 } else { 1 })
    }

    fn merge_paced(&mut self, db: &mut Database, sign: i64) -> Result<u64, StoreError> {
        let (started, pages) = (Instant::now(), self.merged_pages.size());
        self.merge(db, sign * pages.cast_signed())?;
        self.merged_pages.note(pages, started.elapsed());
        Ok(pages)
    }

    /// Merges so many pages. A negative number first marks all segments to be merged into one.
    fn merge(&mut self, db: &mut Database, pages: i64) -> Result<(), StoreError> {
        let merged = self.run(db, |connection| {
            let before = connection.total_changes();
            connection
                .prepare_cached("INSERT INTO message_text(message_text, rank) VALUES('merge', ?1)")
                .and_then(|mut merge| merge.execute([pages]))
                .map_err(index_error)?;
            // The command itself is one change; more mean that something was merged.
            Ok(connection.total_changes() - before > 1)
        })?;
        self.is_to_merge = merged.unwrap_or(false);
        Ok(())
    }

    pub(super) fn merge_all(&mut self, db: &mut Database) -> Result<(), StoreError> {
        let optimize = "INSERT INTO message_text(message_text) VALUES('optimize')";
        self.run(db, |connection| connection.execute_batch(optimize).map_err(index_error)).map(drop)
    }

    /// Brings some entries to the current form. Returns whether there were older ones.
    pub(super) fn refold_step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        let Some(after) = self.old_form_after else { return Ok(false) };
        let (started, rows) = (Instant::now(), self.rows.size());
        let refolded = self.run(db, |connection| refold::refold(connection, after, rows))?;
        let Some((done, last)) = refolded else { return Ok(true) };
        self.old_form_after = last;
        self.is_to_merge |= done > 0;
        self.rows.note(done, started.elapsed());
        Ok(true)
    }

    #[cfg(test)]
    pub(super) fn old_form_after(&self) -> Option<i64> {
        self.old_form_after
    }
}

/// Returns the number of messages that are stored and not indexed, in all rooms.
fn lag(db: &Connection) -> Result<u64, Error> {
    db.query_row(
        "SELECT coalesce(sum(newest - max(indexed, oldest - 1)), 0) FROM room INDEXED BY room_behind WHERE indexed < newest",
        [],
        |row| row.get(0),
    )
}

/// Statement that reads a room with messages to index: its id, the last number indexed, and its
/// newest one.
const LAGGING_ROOM: &str = "SELECT id, max(indexed, oldest - 1), newest FROM room INDEXED BY room_behind
     WHERE indexed < newest AND id > ?1 ORDER BY id LIMIT 1";

struct IndexStep {
    /// Messages that no longer wait.
    done: u64,
    last_room: i64,
}

/// Indexes up to `rows_max` messages, room after room, each from where it stopped.
fn index(db: &mut Connection, mut last_room: i64, rows_max: u64) -> Result<IndexStep, Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut done, mut bytes) = (0, 0);
    let mut indexed_text = String::new();
    let mut rooms_reached: Vec<(i64, u64)> = Vec::new();
    while done < rows_max && bytes < STEP_TEXT_BYTES {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let Some((room_id, indexed, newest)) = next_room(&transaction, LAGGING_ROOM, last_room, read)? else { break };
        // All rooms had a turn: starts again with the first.
        if rooms_reached.first().is_some_and(|&(first, _)| first == room_id) {
            break;
        }
        last_room = room_id;
        let mut reached = newest;
        {
            let mut messages = transaction.prepare_cached(
                "SELECT place, iif(kind = ?4, '', text) FROM message WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT ?3",
            )?;
            let mut insert = transaction
                .prepare_cached("INSERT INTO message_text(rowid, text) VALUES(?1, ?2)")
                .map_err(index_error)?;
            let bounds = (rowid(room_id, indexed), rowid(room_id, newest), rows_max - done, KIND_SEALED);
            let mut rows = messages.query(bounds)?;
            while let Some(row) = rows.next()? {
                // A sealed message has an empty entry, so that each message has one. Invalid text
                // is not found by any query.
                let (rowid, text): (i64, _) = (row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default());
                bytes += text.len();
                index_form_into(text, &mut indexed_text);
                insert.execute((rowid, &indexed_text)).map_err(index_error)?;
                done += 1;
                if done == rows_max || bytes >= STEP_TEXT_BYTES {
                    reached = seq_of(rowid);
                    break;
                }
            }
        }
        rooms_reached.push((room_id, reached));
    }
    // Last, since changing a row with a checksum makes the index write what it has gathered
    // (checksum_triggers.rs).
    {
        let mut update = transaction.prepare_cached("UPDATE room SET indexed = ?2 WHERE id = ?1")?;
        for room_and_reached in rooms_reached {
            update.execute(room_and_reached).map_err(index_error)?;
        }
    }
    // The index is written at the commit, and nothing else reads then.
    transaction.commit().map_err(index_error)?;
    Ok(IndexStep { done, last_room })
}
