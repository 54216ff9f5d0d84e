//! Connection that only reads, until a deadline.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use glassline_wire::history::{Head, Page};
use glassline_wire::request::{HistoryRange, Search};
use rusqlite::{Connection, Error, OpenFlags};

use super::message_row::{self, DamagedRows};
use super::rooms::RoomRow;
use super::rowid::rowid;
use super::search::{CREATE_VOCABULARY, SearchCursor};
use super::search_index::CorruptionFlag;
use super::wal_checkpoint::LogGate;
use super::{errors, range};
use crate::store::{Damage, Reader, SearchProgress, StoreError};

/// Pages a reader keeps in memory: 16 MiB, given to `SQLite` in KiB as a negative number.
const CACHE_KIB: i64 = -16 * 1024;

/// Longest wait for the writer where even a reader must wait: when the log starts again, some
/// microseconds.
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// Steps of `SQLite`'s machine between two looks at the clock, some microseconds apart.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

pub(super) struct SqliteReader {
    db: Connection,
    path: PathBuf,
    corruption: CorruptionFlag,
    log_gate: LogGate,
    /// Damage because of which the last answer lacks messages.
    damage: Option<Damage>,
}

impl SqliteReader {
    /// Opens a file that has a writer. Searches report damage of the index with `corruption`.
    pub(super) fn open(path: &Path, corruption: CorruptionFlag, log_gate: LogGate) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let db = Connection::open_with_flags(path, flags)?;
            db.busy_timeout(BUSY_WAIT)?;
            db.execute_batch(&format!(
                "PRAGMA cache_size={CACHE_KIB}; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; {CREATE_VOCABULARY}"
            ))?;
            Ok(db)
        };
        let db = open().map_err(|error| errors::opening(&error, path))?;
        Ok(Self { db, path: path.to_path_buf(), corruption, log_gate, damage: None })
    }

    /// Reads in one transaction, so that everything is of one moment, until the deadline.
    fn read<T>(
        &mut self,
        deadline: Instant,
        ask: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        if Instant::now() >= deadline {
            return Err(StoreError::TooSlow);
        }
        let _reading = self.log_gate.read();
        let asked =
            self.db.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() >= deadline)).and_then(|()| {
                // A transaction that could not be ended would hold up the log for good.
                if !self.db.is_autocommit() {
                    self.db.execute_batch("ROLLBACK")?;
                }
                let transaction = self.db.unchecked_transaction()?;
                let answer = ask(&transaction)?;
                // There is nothing to commit, and with a damaged search index a commit would fail.
                transaction.rollback()?;
                Ok(answer)
            });
        asked.map_err(|error| errors::reading(&error, &self.path))
    }

    /// Notes what an answer lacks. A page that is empty for that reason must not pass for one
    /// without messages.
    fn without(
        &mut self,
        room: &str,
        damaged_rows: DamagedRows,
        page: Result<Page, StoreError>,
    ) -> Result<Page, StoreError> {
        let DamagedRows { first, last, count } = damaged_rows;
        self.damage = (count > 0).then(|| Damage::Messages { room: room.to_string(), first, last, count });
        match (page, &self.damage) {
            (Ok(page), Some(damage)) if page.messages.is_empty() => Err(StoreError::Damaged(damage.clone())),
            (page, _) => page,
        }
    }
}

impl Reader for SqliteReader {
    fn head(&mut self, room: &str, deadline: Instant) -> Result<Head, StoreError> {
        self.read(deadline, |db| {
            let Some(room) = RoomRow::with_name(db, room)? else {
                return Ok(Head { oldest: 1, newest: 0, newest_is_sealed: None });
            };
            let newest_is_sealed = message_row::is_stored_sealed(db, rowid(room.id, room.newest))?;
            Ok(Head { oldest: room.oldest, newest: room.newest, newest_is_sealed })
        })
    }

    fn range(&mut self, range: &HistoryRange, deadline: Instant) -> Result<Page, StoreError> {
        let mut damaged_rows = DamagedRows::default();
        let page = self.read(deadline, |db| match RoomRow::with_name(db, &range.room)? {
            Some(room) => range::page(db, room, range, &mut damaged_rows),
            None => Ok(Page::default()),
        });
        self.without(&range.room, damaged_rows, page)
    }

    /// At the deadline the messages found until then are the answer, with `more` set.
    fn search_slice(
        &mut self,
        search: &Search,
        progress: &mut SearchProgress,
        slice_end: Instant,
        deadline: Instant,
    ) -> Result<Option<Page>, StoreError> {
        let corruption = self.corruption.clone();
        let cursor = progress.state::<Option<SearchCursor>>();
        let is_done = self.read(deadline, |db| match RoomRow::with_name(db, &search.room)? {
            Some(room) => {
                cursor.get_or_insert_with(|| SearchCursor::new(search, room)).slice(db, room, &corruption, slice_end)
            }
            None => Ok(true),
        });
        let is_cut = match is_done {
            Ok(true) => false,
            Ok(false) => return Ok(None),
            Err(StoreError::TooSlow) => true,
            Err(error) => return Err(error),
        };
        let damaged_rows = cursor.as_ref().map(SearchCursor::damaged_rows).unwrap_or_default();
        let page = match cursor.take() {
            Some(cursor) if !is_cut || cursor.has_found() => Ok(cursor.into_page(is_cut)),
            None if !is_cut => Ok(Page::default()),
            _ => Err(StoreError::TooSlow),
        };
        self.without(&search.room, damaged_rows, page).map(Some)
    }

    fn take_damage(&mut self) -> Option<Damage> {
        self.damage.take()
    }
}
