//! Forgetting what is too old ([`prune`]) or too much ([`super::displaced`]).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Params, TransactionBehavior};

use super::displaced::{Displaced, Excess, displace};
use super::engine::Engine;
use super::place::place;
use super::remove::{Removed, remove};
use super::renewal::of_index;
use super::shares::{CountedRow, row_bytes};
use super::tend::{LOG_SHARE, next_rows};
use crate::store::StoreError;

const DAY_MS: u64 = 86_400_000;

/// Age difference, in milliseconds, up to which a message goes before another room's older one:
/// rooms that speak in turns would otherwise be cut message by message.
const SLACK_MS: u64 = 60_000;

/// A stamp that lies further ahead of the clock than this is wrong: of an import, or of a clock that was. What is behind such a message
/// is not kept for its sake.
const AHEAD_MS: u64 = 3_600_000;

/// Rooms that begin with such a message and are looked at for one slice: some hundred microseconds.
const ROOMS_AHEAD_MAX: usize = 16;

/// Later than `SQLite`'s integers can say nothing was said.
const STORED_MS_MAX: u64 = i64::MAX.cast_unsigned();

/// Up to this share of what may be kept, the log is short.
const SHORT_LOG_SHARE: u64 = 16;

/// Bytes that are forgotten beyond what is too much, as a share of what may be kept: merging the index rewrites most of it.
const HEADROOM_SHARE: u64 = 32;

/// Above this share of what may be kept beyond it, messages go whether the index was merged or not.
const PURGE_OVER_SHARE: u64 = 5;

/// Messages forgotten with each that comes where the file is far larger than it may be.
const FORGOTTEN_WITH_EACH: u64 = 2;

/// Bytes of the search index merged there with each byte of text that comes: the index has up to five for it, and is rewritten some times.
const PURGED_WITH_EACH_BYTE: u64 = 20;

/// Messages counted with each that is forgotten while a commit waits.
const COUNTED_WITH_EACH: u64 = 4;

/// Messages that are only looked at and take as long as one that is forgotten.
const LOOKED_AT_FOR_ONE: u64 = 32;

/// From this share of what may be kept above it, a file is far larger than it may be.
const FAR_OVER_SHARE: u64 = 8;

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
    /// One slice, if there is anything to forget or to count for it. Returns whether there was.
    pub(super) fn prune_step(&mut self) -> Result<bool, StoreError> {
        let Some(bytes_max) = self.bytes_max() else { return self.prune_old(self.prune_rows) };
        let is_counted = self.count_step()? > 0;
        let used = self.kept_bytes(bytes_max)?;
        if used <= bytes_max {
            return Ok(self.prune_old(self.prune_rows)? || is_counted);
        }
        // Until everything is counted, the heaviest may not be.
        if !self.counting.is_done {
            return Ok(true);
        }
        Ok(self.make_space(used, bytes_max, self.prune_rows)?.is_some())
    }

    /// Forgets for `brought` messages with `text_bytes` bytes of text, if the file is far larger
    /// than it may be: when commits leave no time for what follows behind them, they wait for what
    /// they bring to go, and no longer.
    pub(super) fn forget_far_over(&mut self, brought: u64, text_bytes: u64) -> Result<(), StoreError> {
        let Some(bytes_max) = self.bytes_max() else { return Ok(()) };
        let far_over = far_over(bytes_max);
        let mut rows_left = brought * FORGOTTEN_WITH_EACH;
        let mut pages_left = text_bytes * PURGED_WITH_EACH_BYTE / self.page_bytes.max(1) + 1;
        while rows_left > 0 && pages_left > 0 {
            let used = self.kept_bytes(far_over)?;
            if used <= far_over {
                break;
            }
            self.count_rows(rows_left.saturating_mul(COUNTED_WITH_EACH))?;
            let Some(done) = self.make_space(used, bytes_max, rows_left.min(self.prune_rows))? else { break };
            match done {
                Work::Rows(rows) => rows_left = rows_left.saturating_sub(rows.max(1)),
                Work::Pages(pages) => pages_left = pages_left.saturating_sub(pages.max(1)),
            }
        }
        Ok(())
    }

    /// One step towards `bytes_max`: up to `rows_max` messages go until there is some headroom; then the search index is merged, since
    /// it gives back only so what it had of them. To forget more before would be too much. Returns how much work it was; nothing if there
    /// is nothing to forget.
    fn make_space(&mut self, used: u64, bytes_max: u64, rows_max: u64) -> Result<Option<Work>, StoreError> {
        if let Space::Purging { is_begun } = self.space
            && used <= bytes_max.saturating_add(bytes_max / PURGE_OVER_SHARE)
        {
            let pages = self.purge_step(!is_begun)?;
            self.space = if self.is_to_merge { Space::Purging { is_begun: true } } else { Space::default() };
            return Ok(Some(Work::Pages(pages)));
        }
        let over = used.saturating_sub(bytes_max) + bytes_max / HEADROOM_SHARE;
        let bytes_left = if let Space::Forgetting { bytes_left } = self.space { bytes_left } else { None };
        let excess = Excess { used, over, bytes_left, rows_max };
        let started = Instant::now();
        let displaced = self.with_index(|engine| {
            let transaction = engine.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let displaced = displace(&transaction, excess, &mut engine.scans)?;
            // As in an index step.
            transaction.commit().map_err(of_index)?;
            Ok(displaced)
        });
        if !matches!(displaced, Ok(Some(_))) {
            // What was found for nothing is found again.
            self.scans.clear();
        }
        // Without the index it is tried again.
        let Some(displaced) = displaced? else { return Ok(Some(Work::Rows(1))) };
        let Some(Displaced { removed, bytes_left, looked_at }) = displaced else { return Ok(None) };
        self.space = if let Space::Purging { .. } = self.space {
            self.space
        } else if bytes_left > 0 {
            Space::Forgetting { bytes_left: Some(bytes_left) }
        } else {
            Space::Purging { is_begun: false }
        };
        self.note_removed(removed, started.elapsed());
        Ok(Some(Work::Rows(removed.rows + looked_at / LOOKED_AT_FOR_ONE)))
    }

    /// Forgets up to `rows_max` messages that are too old. Returns whether there were any.
    fn prune_old(&mut self, rows_max: u64) -> Result<bool, StoreError> {
        let Some(days) = self.keep.days else { return Ok(false) };
        let now_ms = self.clock.now_ms(Instant::now());
        let before_ms = now_ms.saturating_sub(u64::from(days) * DAY_MS);
        let slice = Slice { before_ms, rows_max, credible_ms: now_ms.saturating_add(AHEAD_MS).min(STORED_MS_MAX) };
        let started = Instant::now();
        let pruned = self.with_index(|engine| prune(&mut engine.db, &slice, &mut engine.ahead_turn))?;
        // Without the index it is tried again.
        let Some(pruned) = pruned else { return Ok(true) };
        let Some(removed) = pruned else { return Ok(false) };
        self.note_removed(removed, started.elapsed());
        Ok(true)
    }

    fn note_removed(&mut self, removed: Removed, took: Duration) {
        self.index_lag = self.index_lag.saturating_sub(removed.unindexed);
        self.messages = self.messages.saturating_sub(removed.rows);
        // What was deleted in the search index frees its space when it is merged.
        self.is_to_merge |= removed.rows > 0;
        self.prune_rows = next_rows(self.prune_rows, removed.rows, took);
    }

    /// Returns the bound of the bytes in use, where that can be told.
    fn bytes_max(&self) -> Option<u64> {
        self.keep.bytes.filter(|_| !self.renewal.has_stray_pages)
    }

    /// Bytes in use in the file and in its log. Where both are more than `bytes_max`, the log is emptied first, unless it is short.
    fn kept_bytes(&mut self, bytes_max: u64) -> Result<u64, StoreError> {
        let used = self.used_bytes();
        let used = self.conclude(used)?;
        if used + self.log_bytes() > bytes_max {
            self.checkpoint_from(bytes_max / SHORT_LOG_SHARE)?;
        }
        // While a reader keeps the log from being emptied, its length says little; messages are not forgotten for more than its share.
        Ok(used + self.log_bytes().min(bytes_max / LOG_SHARE))
    }

    /// Bytes of the file that hold something.
    pub(super) fn used_bytes(&self) -> Result<u64, rusqlite::Error> {
        let number = |pragma: &str| self.db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
        Ok(number("page_count")?.saturating_sub(number("freelist_count")?) * self.page_bytes)
    }
}

/// From how many bytes on a file is far larger than `bytes_max`.
fn far_over(bytes_max: u64) -> u64 {
    bytes_max.saturating_add(bytes_max / FAR_OVER_SHARE)
}

/// Work done by a step of forgetting.
enum Work {
    /// So many messages, forgotten or looked at for it.
    Rows(u64),
    /// So many pages of the search index, merged.
    Pages(u64),
}

/// Progress of making space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Messages go, so many bytes by their shares; nothing if that is still to be said.
    Forgetting { bytes_left: Option<u64> },
    /// Removal of their entries in the search index.
    Purging { is_begun: bool },
}

impl Default for Space {
    fn default() -> Self {
        Self::Forgetting { bytes_left: None }
    }
}

/// Bounds of what a slice may remove.
struct Slice {
    /// Messages from before this instant.
    before_ms: u64,
    rows_max: u64,
    /// A later stamp is wrong: it lies ahead of the clock.
    credible_ms: u64,
}

/// A room that has messages, and the first of them.
struct Prefix {
    room_id: i64,
    oldest: u64,
    newest: u64,
    /// When the first was said.
    at_ms: u64,
    /// That is told by one behind it, since its own stamp lies ahead of the clock.
    is_ahead: bool,
}

/// Takes messages from the start of the room whose first message is the oldest, as long as they are old enough and not much younger than
/// what other rooms start with.
fn prune(db: &mut Connection, slice: &Slice, turn: &mut AheadTurn) -> Result<Option<Removed>, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some((room, next_at_ms)) = oldest(&transaction, slice.credible_ms, turn)? else { return Ok(None) };
    if room.at_ms >= slice.before_ms {
        return Ok(None);
    }
    let until_ms = next_at_ms.max(room.at_ms.saturating_add(SLACK_MS)).min(slice.before_ms - 1);
    let rows = rows_to_go(&transaction, &room, until_ms, slice)?;
    let removed = remove(&transaction, room.room_id, &rows)?;
    // As in an index step.
    transaction.commit().map_err(of_index)?;
    Ok(Some(removed))
}

/// Which of the rooms that begin ahead of the clock was looked at last: its first message's stamp, and its id.
pub(super) type AheadTurn = (u64, i64);

/// The room whose first message is the oldest, and when the next room's first message was said.
fn oldest(db: &Connection, credible_ms: u64, turn: &mut AheadTurn) -> Result<Option<(Prefix, u64)>, rusqlite::Error> {
    let mut rooms = prefixes(
        db,
        "SELECT id, oldest, newest, oldest_at_ms FROM room INDEXED BY room_oldest
         WHERE oldest <= newest AND oldest_at_ms <= ?1 ORDER BY oldest_at_ms LIMIT ?2",
        (credible_ms, 2),
    )?;
    let (stamp, id) = (*turn).max((credible_ms, i64::MAX));
    let ahead = prefixes(
        db,
        "SELECT id, oldest, newest, oldest_at_ms FROM room INDEXED BY room_oldest
         WHERE oldest <= newest AND (oldest_at_ms, id) > (?1, ?2) ORDER BY oldest_at_ms, id LIMIT ?3",
        (stamp, id, ROOMS_AHEAD_MAX),
    )?;
    // Behind the last of them the first has its turn again.
    *turn = match ahead.last() {
        Some(last) if ahead.len() == ROOMS_AHEAD_MAX => (last.at_ms, last.room_id),
        _ => AheadTurn::default(),
    };
    for mut room in ahead {
        if let Some(at_ms) = said_behind(db, &room, credible_ms)? {
            (room.at_ms, room.is_ahead) = (at_ms, true);
        }
        rooms.push(room);
    }
    rooms.sort_by_key(|room| room.at_ms);
    let mut rooms = rooms.into_iter();
    Ok(rooms.next().map(|room| (room, rooms.next().map_or(u64::MAX, |next| next.at_ms))))
}

fn prefixes(db: &Connection, sql: &str, bounds: impl Params) -> Result<Vec<Prefix>, rusqlite::Error> {
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

/// The stamp of the first message of a room that does not lie ahead of the clock, as a few looks find it: those with wrong stamps are
/// taken for one stretch. If they are none, it is that of one behind, later rather than earlier. Nothing if all seem to lie ahead.
fn said_behind(db: &Connection, room: &Prefix, credible_ms: u64) -> Result<Option<u64>, rusqlite::Error> {
    // Not every number has a message.
    let mut statement =
        db.prepare_cached("SELECT at_ms FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT 1")?;
    let newest = place(room.room_id, room.newest);
    let mut credible = |seq: u64| -> Result<Option<u64>, rusqlite::Error> {
        let at_ms: Option<u64> =
            statement.query_row((place(room.room_id, seq), newest), |row| row.get(0)).optional()?;
        Ok(at_ms.filter(|at_ms| *at_ms <= credible_ms))
    };
    let (mut ahead, mut step) = (room.oldest, 1);
    let (mut found, mut at_ms) = loop {
        let seq = room.newest.min(ahead + step);
        if seq == ahead {
            return Ok(None);
        }
        if let Some(at_ms) = credible(seq)? {
            break (seq, at_ms);
        }
        (ahead, step) = (seq, step * 2);
    };
    while found - ahead > 1 {
        let middle = ahead + (found - ahead) / 2;
        match credible(middle)? {
            Some(earlier_ms) => (found, at_ms) = (middle, earlier_ms),
            None => ahead = middle,
        }
    }
    Ok(Some(at_ms))
}

/// The messages of the slice: the first always goes, its successors if they are old enough too, or as wrongly stamped as the first.
fn rows_to_go(
    db: &Connection,
    room: &Prefix,
    until_ms: u64,
    slice: &Slice,
) -> Result<Vec<CountedRow>, rusqlite::Error> {
    let mut statement = db.prepare_cached(concat!(
        "SELECT place, origin, ",
        row_bytes!(),
        ", at_ms FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3"
    ))?;
    let (from, to) = (place(room.room_id, room.oldest), place(room.room_id, room.newest));
    let mut rows = statement.query((from, to, slice.rows_max.max(1)))?;
    let (mut going, mut is_ahead) = (Vec::new(), room.is_ahead);
    while let Some(row) = rows.next()? {
        let at_ms: u64 = row.get(3)?;
        is_ahead &= at_ms > slice.credible_ms;
        if !going.is_empty() && at_ms > until_ms && !is_ahead {
            break;
        }
        going.push(CountedRow::of(row)?);
    }
    Ok(going)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Folder, batch_of};
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_log_that_a_reader_holds_costs_its_share_at_most() {
        let folder = Folder::new("held-log");
        let mut engine = folder.engine();
        engine.keep.bytes = Some(1024 * 1024);
        let say = |engine: &mut Engine| {
            engine.append(&batch_of(vec!["word ".repeat(1_000); 20].iter())).expect("stores");
            while engine.tend(Duration::from_millis(50)).expect("tends") {}
        };
        (0..10).for_each(|_| say(&mut engine));
        let before = engine.messages;
        let held = Connection::open(&engine.path).expect("opens");
        let reading = held.unchecked_transaction().expect("begins");
        reading.query_row("SELECT count(*) FROM room", [], |row| row.get::<_, u64>(0)).expect("reads");
        (0..10).for_each(|_| say(&mut engine));
        assert!(engine.log_bytes() > 1024 * 1024, "{} bytes of log", engine.log_bytes());
        assert!(engine.messages > before / 2, "{} messages are left of {before}", engine.messages);
    }

    #[test]
    fn the_clock_goes_on_from_when_the_history_was_opened() {
        let opened = Instant::now();
        let clock = Clock::set(Duration::from_secs(1), opened);
        assert_eq!(clock.now_ms(opened), 1_000);
        assert_eq!(clock.now_ms(opened + Duration::from_hours(24)), 1_000 + DAY_MS);
    }
}
