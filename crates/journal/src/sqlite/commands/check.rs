//! Verification of a whole history, while a server may write to it. As long as one read goes on,
//! the write-ahead log cannot start again: so everything is read in chunks, and what cannot be cut
//! is interrupted when the log grows large.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::opening::open_to_read;
use super::progress::{ProgressMonitor, Stage, report_steps, stop_reporting};
use crate::sqlite::checksum::is_row_damage;
use crate::sqlite::database::{beside, is_in_use, log_damage};
use crate::sqlite::message_row::{self, DamagedRows, Integrity, select_messages};
use crate::sqlite::rooms::{RoomRow, message_count};
use crate::sqlite::rowid::{SEQ_MAX, room_of, rowid, seq_of};
use crate::sqlite::search_index::has_stray_pages;
use crate::sqlite::wal_checkpoint::LOG_BYTES_MAX;
use crate::sqlite::{audit_log, checksum_backfill, errors};
use crate::store::StoreError;

/// Faults that are listed; there may be more.
const FAULTS_MAX: usize = 100;

/// Numbers of a room in one read: some tens of milliseconds, even if all texts are long.
const CHUNK: u64 = 2_000;

/// Steps of `SQLite` to verify the structure of a message; an estimate, wrong where texts are long.
const STEPS_PER_MESSAGE: u64 = 28;

/// Result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rooms that ever had a message.
    pub rooms: u64,
    /// Messages stored.
    pub messages: u64,
    /// Operators' acts stored.
    pub acts: u64,
    /// Messages of versions without checksums, which a server adds; no fault.
    pub unverified: u64,
    /// Messages not in the search index yet; no fault.
    pub index_lag: u64,
    /// `true` if the verification of the file's structure was interrupted because a server's log
    /// grew large. All messages were read nevertheless.
    pub pages_left_out: bool,
    /// `true` if pages belong to nothing since the search index was replaced: lost space, which a
    /// vacuum gives back.
    pub stray_pages: bool,
    /// Faults, in sentences, up to a hundred.
    pub faults: Vec<String>,
}

impl Report {
    /// Returns whether there are no faults.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Verifies that the file is sound, that each room's numbers have no hole, and that the indexes
/// agree with the messages. A server may have it open, and its log stays small: see
/// [`Report::pages_left_out`]. Takes some seconds for each gigabyte.
///
/// # Errors
/// It cannot be opened, is no history, or the check was cancelled. Faults are in the report.
pub fn check(file: &Path, monitor: &Arc<dyn ProgressMonitor>) -> Result<Report, StoreError> {
    check_with(file, LOG_BYTES_MAX, monitor, &mut || {})
}

/// Works as [`check`]; `between` is called between chunks, when nothing is being read.
pub(crate) fn check_with(
    file: &Path,
    log_bytes_max: u64,
    monitor: &Arc<dyn ProgressMonitor>,
    between: &mut dyn FnMut(),
) -> Result<Report, StoreError> {
    // A server that has it open has verified its log when it began.
    let log_damage =
        if is_in_use(file) { None } else { log_damage(file).map_err(|error| errors::opening_io(&error, file))? };
    let db = open_to_read(file)?;
    let log = beside(file, "-wal").map_err(|error| errors::opening_io(&error, file))?;
    let mut checking =
        Checking { db, log, log_bytes_max, report: Report::default(), monitor: Arc::clone(monitor), between };
    if let Some(damage) = log_damage {
        checking.fault(damage.to_string());
    }
    let read = checking.file_itself();
    checking.note("the file", read);
    let read = checking.rooms();
    checking.note("the rooms", read);
    let read = checking.strays();
    checking.note("what belongs to a room", read);
    let read = checking.acts();
    checking.note("the operators' acts", read);
    let read = checksum_backfill::unverified(&checking.db).map(drop);
    checking.note("the progress of the checksums", read);
    if monitor.is_cancelled() { Err(StoreError::Cancelled) } else { Ok(checking.report) }
}

struct Checking<'c> {
    db: Connection,
    log: PathBuf,
    log_bytes_max: u64,
    report: Report,
    monitor: Arc<dyn ProgressMonitor>,
    between: &'c mut dyn FnMut(),
}

#[derive(Default)]
struct Tally {
    /// Numbers without a message.
    missing: u64,
    /// Entries of the search index that are missing, or should not be there.
    indexed: u64,
    unverified: u64,
    /// Messages that are not as they were stored.
    damaged: u64,
    /// Their numbers, up to [`FAULTS_MAX`].
    damaged_seqs: Vec<u64>,
}

impl Checking<'_> {
    fn fault(&mut self, what: String) {
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(what);
        }
    }

    fn note(&mut self, what: &str, read: Result<(), rusqlite::Error>) {
        if let Err(error) = read {
            self.fault(format!("{what} cannot be read: {error}"));
        }
    }

    /// Verifies the pages, the indexes of tables, and the search index in itself, in one read. It
    /// can be interrupted between pages and rows, but not within the search index, which comes
    /// last.
    fn file_itself(&mut self) -> Result<(), rusqlite::Error> {
        let (log, log_bytes_max) = (self.log.clone(), self.log_bytes_max);
        let is_log_large = move || fs::metadata(&log).map_or(0, |log| log.len()) > log_bytes_max;
        let messages = message_count(&self.db).ok();
        let steps = messages.map(|messages| messages.saturating_mul(STEPS_PER_MESSAGE));
        self.monitor.begin(Stage::CheckingStructure, steps);
        report_steps(&mut self.db, &self.monitor, is_log_large)?;
        let found = self.integrity();
        stop_reporting(&mut self.db)?;
        match found {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                self.report.pages_left_out = true;
                Ok(())
            }
            Err(error) => Err(error),
            Ok(found) => {
                found.into_iter().filter(|found| found != "ok").for_each(|found| self.fault(found));
                Ok(())
            }
        }
    }

    /// Runs table by table where pages are known to belong to nothing: those would be most of the
    /// faults.
    fn integrity(&mut self) -> Result<Vec<String>, rusqlite::Error> {
        self.report.stray_pages = has_stray_pages(&self.db)?;
        let of = |what: &str| -> Result<Vec<String>, rusqlite::Error> {
            let mut statement = self.db.prepare(&format!("PRAGMA integrity_check({what})"))?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        if !self.report.stray_pages {
            return of(&FAULTS_MAX.to_string());
        }
        let mut tables = self.db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let found: Result<Vec<Vec<String>>, _> = tables.iter().map(|table| of(table)).collect();
        Ok(found?.concat())
    }

    fn rooms(&mut self) -> Result<(), rusqlite::Error> {
        self.monitor.begin(Stage::CheckingMessages, message_count(&self.db).ok());
        let mut after = i64::MIN;
        while !self.monitor.is_cancelled() {
            let next: Option<(i64, String)> = self
                .db
                .prepare_cached("SELECT id, name FROM room WHERE id > ?1 ORDER BY id LIMIT 1")?
                .query_row([after], |row| {
                    let name = row.get_ref(1)?.as_bytes().unwrap_or_default();
                    Ok((row.get(0)?, String::from_utf8_lossy(name).into_owned()))
                })
                .optional()?;
            let Some((id, name)) = next else { return Ok(()) };
            if id <= after {
                self.fault(format!("the rooms are out of order: {id} stands behind {after}"));
                return Ok(());
            }
            let read = self.room(id, &name);
            self.note(&format!("room {name:?}"), read);
            after = id;
        }
        Ok(())
    }

    /// Verifies the room's numbers, then its messages. Meanwhile a server may remove the oldest and
    /// store others.
    fn room(&mut self, id: i64, name: &str) -> Result<(), rusqlite::Error> {
        let (room, is_sound) = self.room_row(id, name)?;
        self.report.rooms += u64::from(room.newest > 0);
        self.report.index_lag += room.newest - room.indexed.max(room.oldest.saturating_sub(1)).min(room.newest);
        let found = self.room_messages(&room)?;
        self.report_damage(name, &found);
        let (missing, not_stored) = match found.missing {
            1.. if is_sound => (self.lost(id)?, "of its messages are not stored"),
            missing => (missing, "of its numbers have no message: it was forgotten, or is lost"),
        };
        for (count, what) in [
            (missing, not_stored),
            (found.indexed, "of its messages are missing in the search index, or should not be in it"),
        ] {
            if count > 0 {
                self.fault(format!("room {name:?}: {count} {what}"));
            }
        }
        Ok(())
    }

    /// Verifies the room's row. Returns it as [`room_now`] does.
    fn room_row(&mut self, id: i64, name: &str) -> Result<(RoomRow, bool), rusqlite::Error> {
        let transaction = self.db.unchecked_transaction()?;
        let (room, is_sound) = room_now(&transaction, id)?;
        let contradiction = if is_sound {
            contradiction(&transaction, &room)?
        } else {
            Some("its row is not as it was written".to_string())
        };
        transaction.commit()?;
        if let Some(contradiction) = contradiction {
            self.fault(format!("room {name:?}: {contradiction}"));
        }
        Ok((room, is_sound))
    }

    /// Verifies the messages that the room has by its row, chunk by chunk.
    fn room_messages(&mut self, room: &RoomRow) -> Result<Tally, rusqlite::Error> {
        let mut found = Tally::default();
        let mut from = room.oldest.max(1);
        while from <= room.newest && !self.monitor.is_cancelled() {
            (self.between)();
            let transaction = self.db.unchecked_transaction()?;
            let now = room_now(&transaction, room.id)?;
            from = from.max(now.0.oldest);
            let to = from.saturating_add(CHUNK - 1).min(room.newest);
            if from <= to {
                self.report.messages += check_chunk(&transaction, now, (from, to), &mut found)?;
            }
            transaction.commit()?;
            self.monitor.advance(self.report.messages);
            from = to.max(from.saturating_sub(1)) + 1;
        }
        Ok(found)
    }

    fn report_damage(&mut self, name: &str, found: &Tally) {
        self.report.unverified += found.unverified;
        for seq in &found.damaged_seqs {
            self.fault(format!("room {name:?}: number {seq} is not as it was stored"));
        }
        let unlisted = found.damaged - found.damaged_seqs.len() as u64;
        if unlisted > 0 {
            self.fault(format!("room {name:?}: {unlisted} more messages are not as they were stored"));
        }
    }

    /// Returns the number of a room's messages that are missing and were not removed by retention.
    /// Read at one moment, since a server may remove others.
    fn lost(&self, id: i64) -> Result<u64, rusqlite::Error> {
        let transaction = self.db.unchecked_transaction()?;
        let RoomRow { oldest, newest, removed, .. } = room_now(&transaction, id)?.0;
        let stored: u64 = transaction
            .prepare_cached("SELECT count(*) FROM message WHERE place BETWEEN ?1 AND ?2")?
            .query_row((rowid(id, oldest), rowid(id, newest)), |row| row.get(0))?;
        transaction.commit()?;
        Ok((newest + 1).saturating_sub(oldest + removed + stored))
    }

    /// Finds messages and entries of the search index whose room or number does not exist.
    fn strays(&mut self) -> Result<(), rusqlite::Error> {
        for (what, find) in [
            ("messages", "SELECT place FROM message WHERE place >= ?1 ORDER BY place LIMIT 1"),
            ("entries of the search index", "SELECT id FROM message_text_docsize WHERE id >= ?1 ORDER BY id LIMIT 1"),
        ] {
            let mut from = i64::MIN;
            let mut strange = 0_u64;
            while !self.monitor.is_cancelled() {
                let transaction = self.db.unchecked_transaction()?;
                let next = |from: i64| transaction.prepare_cached(find)?.query_row([from], |row| row.get(0)).optional();
                let found: Option<i64> = next(from)?;
                let Some(found) = found else { break };
                if found < from {
                    self.report.faults.push(format!("{what} are out of order"));
                    break;
                }
                let id = room_of(found);
                let room = room_now(&transaction, id).optional()?;
                let newest = room.map_or(0, |(room, _)| room.newest);
                // No message may be after the room's last number, or before its oldest.
                let later: Option<i64> = next(rowid(id, newest).saturating_add(1))?;
                let is_later = later.is_some_and(|later| room_of(later) == id);
                let is_before = room.is_none_or(|(room, _)| found < rowid(id, room.oldest));
                strange += u64::from(is_later || is_before);
                transaction.commit()?;
                let Some(next_room) = rowid(id, SEQ_MAX).checked_add(1) else { break };
                from = next_room;
            }
            if strange > 0 {
                self.fault(format!("{what} of {strange} rooms stand where none should be"));
            }
        }
        Ok(())
    }

    fn acts(&mut self) -> Result<(), rusqlite::Error> {
        let (mut after, mut expected) = (i64::MIN, 1);
        while !self.monitor.is_cancelled() {
            let next: Option<(i64, bool)> = self
                .db
                .prepare_cached("SELECT * FROM act WHERE number > ?1 ORDER BY number LIMIT 1")?
                .query_row([after], |row| Ok((row.get("number")?, audit_log::verified(row).is_ok())))
                .optional()?;
            let Some((number, is_sound)) = next else { return Ok(()) };
            if number <= after {
                self.fault(format!("the operators' acts are out of order: {number} stands behind {after}"));
                return Ok(());
            }
            if number != expected {
                self.fault(format!("operators' acts before number {number} are missing"));
            }
            if !is_sound {
                self.fault(format!("the operators' act number {number} is not as it was stored"));
            }
            self.report.acts += 1;
            (after, expected) = (number, number.saturating_add(1));
        }
        Ok(())
    }
}

/// Returns a room, and whether its row is sound. If not, its numbers are those of its messages.
fn room_now(db: &Connection, id: i64) -> Result<(RoomRow, bool), rusqlite::Error> {
    match RoomRow::with_id(db, id) {
        Err(error) if is_row_damage(&error) => Ok((room_by_messages(db, id)?, false)),
        row => Ok((row?.ok_or(rusqlite::Error::QueryReturnedNoRows)?, true)),
    }
}

fn room_by_messages(db: &Connection, id: i64) -> Result<RoomRow, rusqlite::Error> {
    let (first, last): (Option<i64>, Option<i64>) = db
        .prepare_cached(
            "SELECT (SELECT min(place) FROM message WHERE place BETWEEN ?1 AND ?2),
                    (SELECT max(place) FROM message WHERE place BETWEEN ?1 AND ?2)",
        )?
        .query_row((rowid(id, 0), rowid(id, SEQ_MAX)), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (oldest, newest) = (first.map_or(1, seq_of), last.map_or(0, seq_of));
    Ok(RoomRow { id, newest, oldest, indexed: newest, oldest_at_ms: 0, removed: 0 })
}

/// Describes how a room's row contradicts itself or its messages.
fn contradiction(db: &Connection, room: &RoomRow) -> Result<Option<String>, rusqlite::Error> {
    let RoomRow { id, newest, oldest, indexed, oldest_at_ms, .. } = *room;
    if !room.is_consistent() {
        return Ok(Some(format!("its numbers contradict each other: {oldest} to {newest}, {indexed} indexed")));
    }
    let first_at_ms: Option<u64> = db
        .prepare_cached("SELECT at_ms FROM message WHERE place = ?1")?
        .query_row([rowid(id, oldest)], |row| row.get(0))
        .optional()?;
    let is_other = oldest <= newest && first_at_ms.is_some_and(|at_ms| at_ms != oldest_at_ms);
    Ok(is_other.then(|| "its oldest message is from another time than it says".to_string()))
}

/// Verifies the numbers `from` to `to` of a room. Returns how many have messages.
fn check_chunk(
    db: &Connection,
    (room, is_sound): (RoomRow, bool),
    (from, to): (u64, u64),
    found: &mut Tally,
) -> Result<u64, rusqlite::Error> {
    let rowids = (rowid(room.id, from), rowid(room.id, to));
    let mut messages = db.prepare_cached(select_messages!("FROM message m WHERE m.place BETWEEN ?1 AND ?2"))?;
    let mut rows = messages.query(rowids)?;
    let (mut count, mut to_be_indexed) = (0, 0);
    while let Some(row) = rows.next()? {
        count += 1;
        found.unverified += u64::from(message_row::integrity(row)? == Integrity::Unverified);
        let seq = seq_of(row.get(0)?);
        to_be_indexed += u64::from(seq <= room.indexed);
        if message_row::readable("", row, &mut DamagedRows::default())?.is_none() {
            found.damaged += 1;
            if found.damaged_seqs.len() < FAULTS_MAX {
                found.damaged_seqs.push(seq);
            }
        }
    }
    found.missing += (to - from + 1).saturating_sub(count);
    if !is_sound {
        return Ok(count);
    }
    let indexed: u64 = db
        .prepare_cached("SELECT count(*) FROM message_text_docsize WHERE id BETWEEN ?1 AND ?2")?
        .query_row(rowids, |row| row.get(0))?;
    found.indexed += indexed.abs_diff(to_be_indexed);
    Ok(count)
}
