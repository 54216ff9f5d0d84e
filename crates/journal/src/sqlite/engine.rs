//! The engine's state, and the trait's calls handed to the file each is done in.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use glassline_wire::event::AuditEntry;
use glassline_wire::history::{CommitOutcome, Record};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::displaced::Scans;
use super::files::{self, Files};
use super::id_loading::IdLoading;
use super::id_window::{self, IdWindow};
use super::index_form::old_form_behind;
use super::log_gate::LogGate;
use super::old_ids::OldIds;
use super::openings::Openings;
use super::prune::{AheadTurn, Clock, Space};
use super::reader::SqliteReader;
use super::renewal::{Renewal, has_stray_pages};
use super::rooms::CachedRoom;
use super::shares::Counting;
use super::summing::{self, Unsummed};
use super::tend::{Checkpoint, Chore, checkpoint, log_pages};
use super::{acts, fault, lock_mark, opening, wal};
use crate::store::{Damage, Reader, Sizes, Store, StoreError};

/// Bounds of the history that is kept; what is older goes, oldest first. Without a bound everything
/// stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Messages older than this many days go. One that is stamped later than now goes with what was said behind it.
    pub days: Option<u32>,
    /// Above this many bytes in use in the file and its log, messages go: of the rooms and senders that have most (`shares.rs`), and
    /// of these the oldest. From an eighth above on, commits wait for as many messages to go as they
    /// bring, and again as many; while the index is merged, a load that never pauses was seen to make it two fifths larger.
    pub bytes: Option<u64>,
}

/// Opens the history in `file`, makes it if there is none, and holds it for this process until the store is dropped.
///
/// # Errors
/// The variants of [`StoreError`] say why not; nothing is ever written over a file that is something else.
pub fn open(file: &Path, keep: Keep) -> Result<Box<dyn Store>, StoreError> {
    Ok(Box::new(Engine::open(file, keep)?))
}

/// As [`open`], with the ids of the most recent `messages_max` messages instead of 262,144 (E4):
/// for tests of what lies before them.
///
/// # Errors
/// As [`open`].
pub fn open_with_ids_of(file: &Path, keep: Keep, messages_max: usize) -> Result<Box<dyn Store>, StoreError> {
    let mut engine = Engine::open(file, keep)?;
    engine.ids = IdWindow::new(messages_max);
    Ok(Box::new(engine))
}

/// The one writer of a history.
pub(crate) struct Engine {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
    pub(super) keep: Keep,
    pub(super) clock: Clock,
    /// Ids of the most recent messages.
    pub(super) ids: IdWindow,
    /// Those that are not read yet since the file was opened, until all are.
    pub(super) id_loading: Option<IdLoading>,
    /// The table of ids that the file has from an earlier version, until it is gone.
    pub(super) old_ids: Option<OldIds>,
    /// Messages there are.
    pub(super) messages: u64,
    /// Something was stored since it was tended last: there is no quiet.
    pub(super) is_busy: bool,
    /// Messages that may be without a checksum; nothing if all have one.
    pub(super) unsummed: Option<Unsummed>,
    /// Damage that nobody was told of.
    damage: Option<Damage>,
    /// Number of rooms that each account opened.
    pub(super) openings: Openings,
    /// Rooms written to lately.
    pub(super) rooms: HashMap<String, CachedRoom>,
    /// Messages stored and not indexed, in all rooms.
    pub(super) index_lag: u64,
    /// The room that was indexed last; the next comes after it.
    pub(super) index_turn: i64,
    /// Next maintenance task.
    pub(super) chore: Chore,
    /// Entries of the search index behind this place have an older form.
    pub(super) old_form_behind: Option<i64>,
    /// Secret that mixes subnets into origins.
    pub(super) origin_secret: u128,
    /// Progress of the count of shares, and the positions of the search for messages to remove.
    pub(super) counting: Counting,
    pub(super) scans: Scans,
    pub(super) space: Space,
    /// Progress of forgetting in rooms whose stamps are wrong.
    pub(super) ahead_turn: AheadTurn,
    /// Rows in one step of each kind, so that it takes [`super::tend::STEP_AIM`].
    pub(super) ids_rows: u64,
    pub(super) index_rows: u64,
    pub(super) prune_rows: u64,
    pub(super) sum_rows: u64,
    pub(super) renewal: Renewal,
    /// Pages of the search index in the next step that merges.
    pub(super) merged_pages: u64,
    /// The search index may have segments to merge.
    pub(super) is_to_merge: bool,
    /// Pages in the write-ahead log after the last commit.
    pub(super) wal_pages: Arc<AtomicU64>,
    /// Closed to readers while the log is emptied.
    pub(super) log_gate: LogGate,
    /// Kind of the last checkpoint if a reader stood in its way, and when the next of that kind may be tried.
    pub(super) refused_checkpoint: Option<(Checkpoint, Instant)>,
    pub(super) page_bytes: u64,
    broken: bool,
    files: Files,
    /// Locked as long as it is open.
    lock: File,
}

impl Engine {
    /// See [`open`].
    pub(crate) fn open(file: &Path, keep: Keep) -> Result<Self, StoreError> {
        let opening::Opened { mut db, lock, log_damage } = opening::open(file, keep)?;
        let wal_pages = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&wal_pages);
        let cannot_open = |error| fault::opening(&error, file);
        db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            seen.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
        .map_err(cannot_open)?;
        Ok(Self {
            path: file.to_path_buf(),
            keep,
            clock: Clock::start(),
            ids: IdWindow::new(id_window::MESSAGES_MAX),
            id_loading: Some(IdLoading::new()),
            old_ids: OldIds::find(&db).map_err(cannot_open)?,
            messages: opening::message_count(&db).map_err(cannot_open)?,
            is_busy: false,
            unsummed: summing::unsummed(&db).map_err(cannot_open)?,
            damage: log_damage,
            openings: Openings::load(&db, keep).map_err(cannot_open)?,
            rooms: HashMap::new(),
            index_lag: opening::index_lag(&db).map_err(cannot_open)?,
            index_turn: 0,
            chore: Chore::default(),
            old_form_behind: old_form_behind(&db).map_err(cannot_open)?,
            origin_secret: opening::origin_secret(&db).map_err(cannot_open)?,
            counting: Counting::default(),
            scans: Scans::new(),
            space: Space::default(),
            ahead_turn: AheadTurn::default(),
            ids_rows: super::tend::STEP_ROWS_FIRST,
            index_rows: super::tend::STEP_ROWS_FIRST,
            prune_rows: super::tend::STEP_ROWS_FIRST,
            sum_rows: super::tend::STEP_ROWS_FIRST,
            renewal: Renewal::of(has_stray_pages(&db).map_err(cannot_open)?),
            merged_pages: super::index::MERGED_PAGES_MAX,
            is_to_merge: true,
            wal_pages,
            log_gate: LogGate::default(),
            refused_checkpoint: None,
            page_bytes: db.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(cannot_open)?,
            broken: false,
            files: Files::of(file).map_err(|error| fault::opening_io(&error, file))?,
            lock,
            db,
        })
    }

    /// Concludes a call that writes: no transaction stays open, and after a fatal error there is no
    /// other call.
    pub(super) fn conclude<T>(&mut self, result: Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) if fault::is_failed_write(&error) && files::has_no_space_for(&self.lock) => StoreError::Full,
            Err(error) => fault::writing(&error, &self.path),
        };
        let error = if self.db.is_autocommit() {
            error
        } else {
            StoreError::WriteFailed(format!("what failed could not be undone: {error}"))
        };
        self.broken |= error.is_fatal();
        Err(error)
    }

    /// Does work whose commit need not wait for the disk: what can be done again after a crash. The log keeps its order, so that the next
    /// commit that does wait brings this one along.
    pub(super) fn without_sync<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let relaxed = self.db.execute_batch("PRAGMA synchronous=NORMAL");
        self.conclude(relaxed)?;
        let done = work(self);
        if let Err(error) = self.db.execute_batch("PRAGMA synchronous=FULL") {
            self.broken = true;
            return Err(StoreError::WriteFailed(format!("commits would not wait for the disk: {error}")));
        }
        self.conclude(done)
    }

    fn check_files(&mut self) -> Result<(), StoreError> {
        let log_bytes = |pages: u64| wal::bytes_of(pages, self.page_bytes);
        let pages = self.wal_pages.load(Ordering::Relaxed);
        let checked = self.files.check(log_bytes(pages), || {
            let pages = log_pages(&self.db).unwrap_or(pages);
            self.wal_pages.store(pages, Ordering::Relaxed);
            log_bytes(pages)
        });
        self.broken |= checked.as_ref().is_err_and(StoreError::is_fatal);
        checked
    }

    fn check_usable(&self) -> Result<(), StoreError> {
        if self.broken { Err(StoreError::WriteFailed("it failed before".to_string())) } else { Ok(()) }
    }
}

impl Drop for Engine {
    /// Behind an orderly end the one file has everything. Where that fails, the log beside it still has the rest; and it keeps it where
    /// the file is not in its place, so that a copy of it and the log are the whole history.
    fn drop(&mut self) {
        if !self.broken && !std::thread::panicking() && self.check_files().is_ok() {
            let _ = checkpoint(&self.db, Checkpoint::Whole);
        } else {
            // Else closing does it: a file that was cut short would look whole, with nothing where it was cut.
            let _ = self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        // The lock itself goes with its file.
        let _ = lock_mark::unmark(&self.lock);
    }
}

impl Store for Engine {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError> {
        self.check_usable()?;
        self.check_files()?;
        self.append_batch(batch)
    }

    fn repeats(&mut self, batch: &[Record]) -> Result<Vec<Option<CommitOutcome>>, StoreError> {
        self.check_usable()?;
        self.repeats_of(batch)
    }

    fn tend(&mut self, budget: Duration) -> Result<bool, StoreError> {
        self.check_usable()?;
        self.check_files()?;
        self.tend_for(budget)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(SqliteReader::open(&self.path, self.renewal.met.clone(), self.log_gate.clone())?))
    }

    fn index_lag(&self) -> u64 {
        self.index_lag
    }

    fn take_renewal(&mut self) -> Option<String> {
        self.renewal.untold.take()
    }

    fn acts(&mut self, take: &mut dyn FnMut(AuditEntry)) -> Result<(), StoreError> {
        acts::read_all(&self.db, take).map_err(|error| fault::reading(&error, &self.path))
    }

    fn take_damage(&mut self) -> Option<Damage> {
        self.damage.take()
    }

    fn sizes(&self) -> Sizes {
        let used_bytes = self.used_bytes().unwrap_or(0);
        Sizes { used_bytes, log_bytes: files::log_bytes(&self.path).unwrap_or(0) }
    }
}
