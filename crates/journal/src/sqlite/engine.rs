//! The store: parts with their own state, called in the order that appends and maintenance need.

#[cfg(test)]
mod id_tests;
#[cfg(test)]
pub(super) mod tests;

use std::path::Path;
use std::time::{Duration, Instant};

use glassline_wire::event::AuditEntry;
use glassline_wire::history::{CommitOutcome, NotAppended, Record};

use super::append::{self, Staged};
use super::checksum_backfill::ChecksumBackfill;
use super::database::{self, Database};
use super::id_window::{self, IdWindow};
use super::legacy_ids::LegacyIds;
use super::message_row::kind_and_text;
use super::reader::SqliteReader;
use super::retention::{Clock, Keep, Origins, Retention};
use super::room_quota::RoomQuota;
use super::rooms::RoomCache;
use super::search_index::SearchIndex;
use super::wal_checkpoint::WalCheckpoint;
use super::{audit_log, duplicates, errors};
use crate::store::{Damage, Reader, Sizes, Store, StoreError};

/// Opens the history in `file`, creates it if there is none, and holds it for this process until
/// the store is dropped.
///
/// # Errors
/// The variants of [`StoreError`]; a file that is something else is never overwritten.
pub fn open(file: &Path, keep: Keep) -> Result<Box<dyn Store>, StoreError> {
    open_with_ids_of(file, keep, id_window::MESSAGES_MAX)
}

/// As [`open`], with the ids of the most recent `messages_max` messages instead of 262,144 (E4):
/// for tests of earlier ones.
///
/// # Errors
/// As [`open`].
pub fn open_with_ids_of(file: &Path, keep: Keep, messages_max: usize) -> Result<Box<dyn Store>, StoreError> {
    Ok(Box::new(Engine::open(file, keep, messages_max)?))
}

/// Kind of maintenance step. Each has its turn: a load that never pauses leaves time for one step
/// now and then, and a kind that always has something to do would leave none for the others.
#[derive(Clone, Copy)]
enum Task {
    Checkpoint,
    Retention,
    /// Loading the ids of the most recent messages, then removing the table of ids of earlier
    /// versions.
    Ids,
    SearchIndex,
    Checksums,
}

const TASKS: [Task; 5] = [Task::Checkpoint, Task::Retention, Task::Ids, Task::SearchIndex, Task::Checksums];

/// The one writer of a history.
pub(super) struct Engine {
    db: Database,
    wal: WalCheckpoint,
    rooms: RoomCache,
    quota: RoomQuota,
    origins: Origins,
    ids: IdWindow,
    legacy_ids: LegacyIds,
    index: SearchIndex,
    retention: Retention,
    checksums: ChecksumBackfill,
    next_task: usize,
    /// Something was stored since the last maintenance: more may be to do at once.
    is_busy: bool,
}

impl Engine {
    fn open(file: &Path, keep: Keep, ids_max: usize) -> Result<Self, StoreError> {
        let wal = WalCheckpoint::new(keep.bytes);
        let db = Database::open(file, wal.bytes_max())?;
        let cannot_open = |error| errors::opening(&error, file);
        let connection = db.connection();
        Ok(Self {
            rooms: RoomCache::default(),
            quota: RoomQuota::load(connection, keep.bytes).map_err(cannot_open)?,
            origins: Origins::load(connection).map_err(cannot_open)?,
            ids: IdWindow::new(ids_max),
            legacy_ids: LegacyIds::load(connection).map_err(cannot_open)?,
            index: SearchIndex::load(connection).map_err(cannot_open)?,
            retention: Retention::new(keep, Clock::start()),
            checksums: ChecksumBackfill::load(connection).map_err(cannot_open)?,
            next_task: 0,
            is_busy: false,
            wal,
            db,
        })
    }

    /// Does one step of the next task that has anything to do. Returns whether any had.
    fn step(&mut self) -> Result<bool, StoreError> {
        for _ in TASKS {
            let task = TASKS[self.next_task];
            self.next_task = (self.next_task + 1) % TASKS.len();
            let is_done = match task {
                Task::Checkpoint => self.wal.step(&mut self.db)?,
                Task::Retention => self.retention.step(&mut self.db, &mut self.index, &mut self.wal)?,
                Task::Ids => self.ids.load_step(self.db.connection()) || self.legacy_ids.step(&mut self.db)?,
                Task::SearchIndex => self.index.step(&mut self.db)?,
                Task::Checksums => self.checksums.step(&mut self.db)?,
            };
            if is_done {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Store for Engine {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError> {
        let Self { db, wal, rooms, quota, origins, ids, index, retention, .. } = self;
        db.check_usable()?;
        db.check_files()?;
        ids.load(db.connection());
        let (mut messages, mut text_bytes) = (0, 0);
        for record in batch {
            if let Record::Message(entry) = record {
                (messages, text_bytes) = (messages + 1, text_bytes + kind_and_text(&entry.message).1.len() as u64);
            }
        }
        index.catch_up(db, messages)?;
        wal.bound(db)?;
        retention.make_way(db, index, wal, messages, text_bytes)?;
        rooms.trim();
        let staged = Staged { ids, quota };
        let growth = db.run(|connection| append::commit(connection, rooms, staged, *origins, batch))?;
        index.note_stored(growth.note(rooms));
        retention.note_stored();
        self.is_busy = true;
        Ok(growth.into_outcomes())
    }

    fn find_duplicates(&mut self, batch: &[Record]) -> Result<Vec<Option<NotAppended>>, StoreError> {
        self.db.check_usable()?;
        self.ids.load(self.db.connection());
        let found = duplicates::find_all(self.db.connection_mut(), &self.rooms, &self.ids, batch);
        found.map_err(|error| errors::reading(&error, self.db.path()))
    }

    fn maintain(&mut self, budget: Duration) -> Result<bool, StoreError> {
        self.db.check_usable()?;
        self.db.check_files()?;
        let started = Instant::now();
        while self.step()? {
            if started.elapsed() >= budget {
                self.is_busy = false;
                return Ok(true);
            }
        }
        Ok(std::mem::take(&mut self.is_busy))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let reader = SqliteReader::open(self.db.path(), self.index.corruption_flag(), self.wal.gate())?;
        Ok(Box::new(reader))
    }

    fn index_lag(&self) -> u64 {
        self.index.lag()
    }

    fn take_index_rebuild(&mut self) -> Option<String> {
        self.index.take_discard_reason()
    }

    fn acts(&mut self, take: &mut dyn FnMut(AuditEntry)) -> Result<(), StoreError> {
        audit_log::read_all(self.db.connection(), take).map_err(|error| errors::reading(&error, self.db.path()))
    }

    fn take_damage(&mut self) -> Option<Damage> {
        self.db.take_log_damage()
    }

    fn sizes(&self) -> Sizes {
        let used_bytes = self.db.used_bytes().unwrap_or(0);
        Sizes { used_bytes, log_bytes: database::log_bytes(self.db.path()).unwrap_or(0) }
    }
}
