//! Forgetting the oldest messages. Their numbers are not given again: a room remembers where what it still has begins.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::engine::Engine;
use super::place::{place, seq_of};
use super::tend::next_rows;
use crate::store::StoreError;

const DAY_MS: u64 = 86_400_000;

/// How much younger than another room's oldest message one may be and still go before it: rooms that speak in turns would
/// otherwise be cut message by message.
const SLACK_MS: u64 = 60_000;

/// The time by which messages are too old: the system's when the history was opened, and what passed since. The system's clock itself
/// may be set forward while the server runs, and everything would be forgotten at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Since 1970.
    opened_ms: u64,
    opened: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self::set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now())
    }

    /// One that says `since_1970` at `opened`.
    pub(super) fn set(since_1970: Duration, opened: Instant) -> Self {
        Self { opened_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX), opened }
    }

    fn now_ms(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.opened).as_millis();
        self.opened_ms.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }
}

impl Engine {
    /// One slice, if there is anything to forget. Returns whether there was.
    pub(super) fn prune_step(&mut self) -> Result<bool, StoreError> {
        let Some((before_ms, rows_max)) = self.prune_before()? else { return Ok(false) };
        let started = Instant::now();
        let pruned = self.without_sync(|engine| prune(&mut engine.db, before_ms, rows_max))?;
        let Some(Pruned { rows, unindexed }) = pruned else { return Ok(false) };
        self.index_lag = self.index_lag.saturating_sub(unindexed);
        self.messages = self.messages.saturating_sub(rows);
        self.ids_dead += rows;
        // What was deleted in the search index frees its space when it is merged.
        self.is_to_merge = true;
        self.prune_rows = next_rows(self.prune_rows, rows, started.elapsed());
        Ok(true)
    }

    /// Messages from before this instant go, in ms since 1970, and so many in one slice. Where the file is too large, that is any
    /// message, and no more of them than take up, on average, what is too much.
    fn prune_before(&mut self) -> Result<Option<(u64, u64)>, StoreError> {
        if let Some(bytes_max) = self.keep.bytes {
            let used = self.used_bytes();
            let used = self.conclude(used)?;
            if used > bytes_max {
                let share = u128::from(used - bytes_max) * u128::from(self.messages) / u128::from(used);
                let rows_max = u64::try_from(share).unwrap_or(u64::MAX).clamp(1, self.prune_rows);
                return Ok(Some((u64::MAX, rows_max)));
            }
        }
        let now_ms = self.clock.now_ms(Instant::now());
        let before_ms = self.keep.days.map(|days| now_ms.saturating_sub(u64::from(days) * DAY_MS));
        Ok(before_ms.map(|before_ms| (before_ms, self.prune_rows)))
    }

    /// Bytes of the file that hold something.
    pub(super) fn used_bytes(&self) -> Result<u64, rusqlite::Error> {
        let number = |pragma: &str| self.db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
        Ok(number("page_count")?.saturating_sub(number("freelist_count")?) * self.page_bytes)
    }
}

/// What a slice took away.
struct Pruned {
    rows: u64,
    /// Of these, how many were not in the search index yet.
    unindexed: u64,
}

/// A room that has messages, and the first of them.
struct Prefix {
    room_id: i64,
    oldest: u64,
    newest: u64,
    indexed: u64,
    at_ms: u64,
}

/// Takes up to `rows_max` messages from the start of the room whose first message is the oldest, as long as they are from before
/// `before_ms` and not much younger than what other rooms start with.
fn prune(db: &mut Connection, before_ms: u64, rows_max: u64) -> Result<Option<Pruned>, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some((room, next_at_ms)) = oldest(&transaction)? else { return Ok(None) };
    if room.at_ms >= before_ms {
        return Ok(None);
    }
    let until_ms = next_at_ms.max(room.at_ms.saturating_add(SLACK_MS)).min(before_ms - 1);
    let last = last_to_go(&transaction, &room, until_ms, rows_max)?;
    {
        let mut delete = transaction.prepare_cached("DELETE FROM message_text WHERE rowid = ?1")?;
        for seq in room.oldest..=last.min(room.indexed) {
            delete.execute([place(room.room_id, seq)])?;
        }
    }
    transaction
        .prepare_cached("DELETE FROM message WHERE place BETWEEN ?1 AND ?2")?
        .execute((place(room.room_id, room.oldest), place(room.room_id, last)))?;
    let at_ms: Option<u64> = transaction
        .prepare_cached("SELECT at_ms FROM message WHERE place = ?1")?
        .query_row([place(room.room_id, last + 1)], |row| row.get(0))
        .optional()?;
    transaction
        .prepare_cached("UPDATE room SET oldest = ?2, indexed = max(indexed, ?2 - 1), oldest_at_ms = ?3 WHERE id = ?1")?
        .execute((room.room_id, last + 1, at_ms.unwrap_or(0)))?;
    // Their ids stay in their table, at places all over it, until it is swept.
    let rows = last + 1 - room.oldest;
    transaction.prepare_cached("UPDATE fact SET value = value + ?1 WHERE name = 'ids_dead'")?.execute([rows])?;
    transaction.commit()?;
    Ok(Some(Pruned { rows, unindexed: rows - (last.min(room.indexed) + 1).saturating_sub(room.oldest) }))
}

/// The room whose first message is the oldest, and when the next room's first message was said.
fn oldest(db: &Connection) -> Result<Option<(Prefix, u64)>, rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "SELECT id, oldest, newest, indexed, oldest_at_ms FROM room INDEXED BY room_oldest
         WHERE oldest <= newest ORDER BY oldest_at_ms LIMIT 2",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let room = Prefix {
        room_id: row.get(0)?,
        oldest: row.get(1)?,
        newest: row.get(2)?,
        indexed: row.get(3)?,
        at_ms: row.get(4)?,
    };
    let next_at_ms = match rows.next()? {
        Some(row) => row.get(4)?,
        None => u64::MAX,
    };
    Ok(Some((room, next_at_ms)))
}

/// The number of the last message of the slice: the first always goes, its successors if they are old enough too.
fn last_to_go(db: &Connection, room: &Prefix, until_ms: u64, rows_max: u64) -> Result<u64, rusqlite::Error> {
    let mut statement =
        db.prepare_cached("SELECT place, at_ms FROM message WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT ?3")?;
    let (from, to) = (place(room.room_id, room.oldest), place(room.room_id, room.newest));
    let mut rows = statement.query((from, to, rows_max.max(1) - 1))?;
    let mut last = room.oldest;
    while let Some(row) = rows.next()? {
        if row.get::<_, u64>(1)? > until_ms {
            break;
        }
        last = seq_of(row.get(0)?);
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_on_from_when_the_history_was_opened() {
        let opened = Instant::now();
        let clock = Clock::set(Duration::from_secs(1), opened);
        assert_eq!(clock.now_ms(opened), 1_000);
        assert_eq!(clock.now_ms(opened + Duration::from_hours(24)), 1_000 + DAY_MS);
    }
}
