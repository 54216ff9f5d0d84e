//! Moving the write-ahead log into the file, so that it stays small whatever is written and read.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use super::database::{Checkpoint, Database};
use crate::store::StoreError;

/// From this size on, the log is emptied even if readers must be waited for, and its file is cut to
/// this size; with `--keep-bytes`, from [`LOG_SHARE`] of those bytes on, between the two bounds.
pub(super) const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;
const LOG_BYTES_MAX_LEAST: u64 = 4 * 1024 * 1024;
pub(super) const LOG_SHARE: u64 = 8;

/// Checkpoints begin at this share of the log's maximum: large enough that pages written again and
/// again are written once, small enough that a checkpoint takes some milliseconds.
const CHECKPOINT_SHARE: u64 = 16;
const CHECKPOINT_BYTES_LEAST: u64 = 1024 * 1024;

/// Time that a checkpoint which must empty the log waits for readers of other programs, and
/// shortest interval after one that failed. Readers of this program wait at the [`LogGate`].
const READER_GRACE: Duration = Duration::from_millis(100);

/// Keeps this program's readers from beginning while the log is emptied: `SQLite` cannot start the
/// log again while it is being read. Shared by an engine and its readers; only the threads of
/// the journal wait here, each for one read or one checkpoint.
#[derive(Debug, Clone, Default)]
pub(super) struct LogGate(Arc<RwLock<()>>);

impl LogGate {
    /// Waits while the log is emptied. The log is in use until the guard is dropped.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct WalCheckpoint {
    /// Size from which on the log must be emptied.
    bytes_max: u64,
    gate: LogGate,
    /// Kind of the last checkpoint if a reader kept it from ending, and the earliest time of the
    /// next one of that kind.
    refused: Option<(Checkpoint, Instant)>,
}

impl WalCheckpoint {
    /// Policy for a history that keeps so many bytes.
    pub(super) fn new(keep_bytes: Option<u64>) -> Self {
        let share = |bytes: u64| (bytes / LOG_SHARE).clamp(LOG_BYTES_MAX_LEAST, LOG_BYTES_MAX);
        Self { bytes_max: keep_bytes.map_or(LOG_BYTES_MAX, share), gate: LogGate::default(), refused: None }
    }

    pub(super) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    pub(super) fn gate(&self) -> LogGate {
        self.gate.clone()
    }

    /// Runs a checkpoint if the log is large enough. Returns whether one was tried.
    pub(super) fn step(&mut self, db: &mut Database) -> Result<bool, StoreError> {
        self.run_from(db, (self.bytes_max / CHECKPOINT_SHARE).max(CHECKPOINT_BYTES_LEAST))
    }

    /// Empties the log before a commit if maintenance came too late for it. The commit waits for
    /// readers, which bounds the log whatever is written and read.
    pub(super) fn bound(&mut self, db: &mut Database) -> Result<(), StoreError> {
        self.run_from(db, self.bytes_max + self.bytes_max / 2).map(drop)
    }

    /// Runs a checkpoint if the log has at least `bytes_min` bytes. Returns whether one was tried.
    pub(super) fn run_from(&mut self, db: &mut Database, bytes_min: u64) -> Result<bool, StoreError> {
        let bytes = db.log_bytes();
        let extent = if bytes >= self.bytes_max { Checkpoint::Restart } else { Checkpoint::Passive };
        // A passive checkpoint that was stopped by a reader does not delay one that waits for
        // readers.
        let is_too_early = self.refused.is_some_and(|(refused, until)| refused == extent && Instant::now() < until);
        if bytes < bytes_min.max(1) || is_too_early {
            return Ok(false);
        }
        let is_complete = {
            let _closed =
                (extent == Checkpoint::Restart).then(|| self.gate.0.write().unwrap_or_else(PoisonError::into_inner));
            db.checkpoint(extent, READER_GRACE)?
        };
        self.refused = (!is_complete).then(|| (extent, Instant::now() + READER_GRACE));
        Ok(true)
    }
}
