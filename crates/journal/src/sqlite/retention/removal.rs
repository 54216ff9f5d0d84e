//! Removal of messages from anywhere in a room. Their numbers are not given again: a room's row has
//! its oldest number, and how many numbers after it have no message.

use rusqlite::{OptionalExtension, Transaction};

use super::shares::{CountedRow, ShareChanges};
use crate::sqlite::rowid::{rowid, seq_of};
use crate::sqlite::search_index::index_error;

#[derive(Debug, Default, Clone, Copy)]
pub(in crate::sqlite) struct Removed {
    pub(in crate::sqlite) rows: u64,
    /// Bytes that they counted for in the shares.
    pub(super) bytes: u64,
    /// Messages of these that were not in the search index.
    pub(super) unindexed: u64,
}

/// Removes these messages of a room, in the order of their numbers.
pub(in crate::sqlite) fn remove(
    transaction: &Transaction<'_>,
    room_id: i64,
    rows: &[CountedRow],
) -> Result<Removed, rusqlite::Error> {
    let (oldest, newest, indexed, counted, account): (u64, u64, u64, u64, i64) = transaction
        .prepare_cached("SELECT oldest, newest, indexed, counted, account FROM room WHERE id = ?1")?
        .query_row([room_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    let is_indexed = |row: &&CountedRow| seq_of(row.rowid) <= indexed;
    {
        let mut unindex =
            transaction.prepare_cached("DELETE FROM message_text WHERE rowid = ?1").map_err(index_error)?;
        for row in rows.iter().take_while(is_indexed) {
            unindex.execute([row.rowid]).map_err(index_error)?;
        }
    }
    let (mut removed, mut changes) = (Removed::default(), ShareChanges::default());
    removed.unindexed = rows.iter().skip_while(is_indexed).count() as u64;
    let mut delete = transaction.prepare_cached("DELETE FROM message WHERE place = ?1")?;
    for row in rows {
        removed.bytes += row.bytes;
        removed.rows += delete.execute([row.rowid])? as u64;
        if seq_of(row.rowid) <= counted {
            changes.add((room_id, account), row.origin, -row.bytes.cast_signed());
        }
    }
    changes.write(transaction)?;
    let first: Option<(i64, u64)> = transaction
        .prepare_cached("SELECT place, at_ms FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT 1")?
        .query_row((rowid(room_id, oldest), rowid(room_id, newest)), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (now_oldest, at_ms) = first.map_or((newest + 1, 0), |(rowid, at_ms)| (seq_of(rowid), at_ms));
    transaction
        .prepare_cached(
            "UPDATE room SET oldest = ?2, oldest_at_ms = ?3, indexed = max(indexed, ?2 - 1),
             counted = max(counted, ?2 - 1), forgotten = max(forgotten + ?4 - (?2 - oldest), 0) WHERE id = ?1",
        )?
        .execute((room_id, now_oldest, at_ms, removed.rows))
        .map_err(index_error)?;
    Ok(removed)
}
