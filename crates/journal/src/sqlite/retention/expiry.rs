//! Removal of messages that are too old.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Error, OptionalExtension, Params, TransactionBehavior};

use super::removal::{Removed, remove};
use super::shares::{CountedRow, select_counted};
use crate::sqlite::rowid::rowid;
use crate::sqlite::search_index::index_error;

const DAY_MS: u64 = 86_400_000;

/// Age difference, in milliseconds, up to which a message goes before another room's older one:
/// rooms with messages in turns would otherwise be removed message by message.
const SLACK_MS: u64 = 60_000;

/// A stamp further ahead of the clock is wrong: from an import, or from a wrong clock.
/// Messages after it are not kept for its sake.
const AHEAD_MS: u64 = 3_600_000;

/// Rooms that begin with such a message and are examined in one step: some hundred microseconds.
const ROOMS_AHEAD_MAX: usize = 16;

/// Latest stamp that `SQLite`'s integers hold.
const STORED_MS_MAX: u64 = i64::MAX.cast_unsigned();

pub(super) struct Expiry {
    days: u32,
    clock: Clock,
    cursor: AheadCursor,
}

impl Expiry {
    pub(super) fn new(days: u32, clock: Clock) -> Self {
        Self { days, clock, cursor: AheadCursor::default() }
    }

    /// Removes up to `rows_max` messages from the start of the room whose first message is the
    /// oldest, while they are old enough and not much younger than other rooms' first ones. Returns
    /// nothing if none is too old.
    pub(super) fn expire(&mut self, db: &mut Connection, rows_max: u64) -> Result<Option<Removed>, Error> {
        let now_ms = self.clock.now_ms(Instant::now());
        let before_ms = now_ms.saturating_sub(u64::from(self.days) * DAY_MS);
        let plausible_ms = now_ms.saturating_add(AHEAD_MS).min(STORED_MS_MAX);
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some((room, next_at_ms)) = oldest(&transaction, plausible_ms, &mut self.cursor)? else { return Ok(None) };
        if room.at_ms >= before_ms {
            return Ok(None);
        }
        let until_ms = next_at_ms.max(room.at_ms.saturating_add(SLACK_MS)).min(before_ms - 1);
        let rows = expired_rows(&transaction, &room, until_ms, plausible_ms, rows_max)?;
        let removed = remove(&transaction, room.room_id, &rows)?;
        transaction.commit().map_err(index_error)?;
        Ok(Some(removed))
    }
}

/// Clock of the system when the history was opened, advanced by a monotonic one: if the system's
/// clock is set forward while the server runs, not everything becomes too old at once.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) struct Clock {
    opened_ms: u64,
    opened: Instant,
}

impl Clock {
    pub(in crate::sqlite) fn start() -> Self {
        Self::set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now())
    }

    /// Clock that shows `since_1970` at `opened`.
    pub(in crate::sqlite) fn set(since_1970: Duration, opened: Instant) -> Self {
        Self { opened_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX), opened }
    }

    fn now_ms(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.opened).as_millis();
        self.opened_ms.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }
}

struct Prefix {
    room_id: i64,
    oldest: u64,
    newest: u64,
    at_ms: u64,
    /// The first message's stamp is ahead of the clock, and `at_ms` is of a later one.
    is_ahead: bool,
}

/// Room that was examined last among those that begin ahead of the clock: its first message's
/// stamp, and its id.
type AheadCursor = (u64, i64);

/// Returns the room whose first message is the oldest, and the time of the next room's first
/// message.
fn oldest(db: &Connection, plausible_ms: u64, cursor: &mut AheadCursor) -> Result<Option<(Prefix, u64)>, Error> {
    let mut rooms = prefixes(
        db,
        "SELECT id, oldest, newest, oldest_at_ms FROM room INDEXED BY room_oldest
         WHERE oldest <= newest AND oldest_at_ms <= ?1 ORDER BY oldest_at_ms LIMIT ?2",
        (plausible_ms, 2),
    )?;
    let (stamp, id) = (*cursor).max((plausible_ms, i64::MAX));
    let ahead = prefixes(
        db,
        "SELECT id, oldest, newest, oldest_at_ms FROM room INDEXED BY room_oldest
         WHERE oldest <= newest AND (oldest_at_ms, id) > (?1, ?2) ORDER BY oldest_at_ms, id LIMIT ?3",
        (stamp, id, ROOMS_AHEAD_MAX),
    )?;
    // After the last room follows the first.
    *cursor = match ahead.last() {
        Some(last) if ahead.len() == ROOMS_AHEAD_MAX => (last.at_ms, last.room_id),
        _ => AheadCursor::default(),
    };
    for mut room in ahead {
        if let Some(at_ms) = first_plausible_stamp(db, &room, plausible_ms)? {
            (room.at_ms, room.is_ahead) = (at_ms, true);
        }
        rooms.push(room);
    }
    rooms.sort_by_key(|room| room.at_ms);
    let mut rooms = rooms.into_iter();
    Ok(rooms.next().map(|room| (room, rooms.next().map_or(u64::MAX, |next| next.at_ms))))
}

fn prefixes(db: &Connection, sql: &str, bounds: impl Params) -> Result<Vec<Prefix>, Error> {
    db.prepare_cached(sql)?
        .query_map(bounds, |row| {
            Ok(Prefix {
                room_id: row.get(0)?,
                oldest: row.get(1)?,
                newest: row.get(2)?,
                at_ms: row.get(3)?,
                is_ahead: false,
            })
        })?
        .collect()
}

/// Returns the stamp of the first message of a room that does not lie ahead of the clock, by
/// bisection: wrong stamps are taken for one stretch. If they are not, the stamp is of a later
/// message. Returns nothing if all seem to lie ahead.
fn first_plausible_stamp(db: &Connection, room: &Prefix, plausible_ms: u64) -> Result<Option<u64>, Error> {
    // Not every number has a message.
    let mut statement =
        db.prepare_cached("SELECT at_ms FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT 1")?;
    let newest = rowid(room.room_id, room.newest);
    let mut plausible_at = |seq: u64| -> Result<Option<u64>, Error> {
        let at_ms: Option<u64> =
            statement.query_row((rowid(room.room_id, seq), newest), |row| row.get(0)).optional()?;
        Ok(at_ms.filter(|at_ms| *at_ms <= plausible_ms))
    };
    let (mut ahead, mut step) = (room.oldest, 1);
    let (mut found, mut at_ms) = loop {
        let seq = room.newest.min(ahead + step);
        if seq == ahead {
            return Ok(None);
        }
        if let Some(at_ms) = plausible_at(seq)? {
            break (seq, at_ms);
        }
        (ahead, step) = (seq, step * 2);
    };
    while found - ahead > 1 {
        let middle = ahead + (found - ahead) / 2;
        match plausible_at(middle)? {
            Some(earlier_ms) => (found, at_ms) = (middle, earlier_ms),
            None => ahead = middle,
        }
    }
    Ok(Some(at_ms))
}

/// Reads the messages to remove: the first one, and its successors while they are old enough or as
/// wrongly stamped as it.
fn expired_rows(
    db: &Connection,
    room: &Prefix,
    until_ms: u64,
    plausible_ms: u64,
    rows_max: u64,
) -> Result<Vec<CountedRow>, Error> {
    let mut statement = db.prepare_cached(select_counted!("WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3"))?;
    let (from, to) = (rowid(room.room_id, room.oldest), rowid(room.room_id, room.newest));
    let mut rows = statement.query((from, to, rows_max.max(1)))?;
    let (mut going, mut is_ahead) = (Vec::new(), room.is_ahead);
    while let Some(row) = rows.next()? {
        let at_ms: u64 = row.get(3)?;
        is_ahead &= at_ms > plausible_ms;
        if !going.is_empty() && at_ms > until_ms && !is_ahead {
            break;
        }
        going.push(CountedRow::of(row)?);
    }
    Ok(going)
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
