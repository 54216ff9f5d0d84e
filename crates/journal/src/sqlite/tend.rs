//! Maintenance between commits, in small steps, each kind in its turn: a load that never pauses
//! leaves time for one step now and then, and what always has something to do would leave none for
//! the others.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::engine::{Engine, Keep};
use super::opening::BUSY_WAIT;
use crate::store::StoreError;

/// Intended duration of one step: what a commit may wait for it.
pub(super) const STEP_AIM: Duration = Duration::from_millis(4);

/// Rows in the first step; then time tells.
pub(super) const STEP_ROWS_FIRST: u64 = 128;
const STEP_ROWS_MIN: u64 = 64;
const STEP_ROWS_MAX: u64 = 2_048;

/// Above this size the log is emptied even if readers must be waited for, and the file it leaves is cut to it; with `--keep-bytes`
/// above [`LOG_SHARE`] of that.
pub(super) const WAL_BYTES_MAX: u64 = 64 * 1024 * 1024;
const WAL_BYTES_MAX_LEAST: u64 = 4 * 1024 * 1024;
pub(super) const LOG_SHARE: u64 = 8;

/// The log is brought into the file from this share of its maximum on: large enough that pages written again and again are written
/// once, small enough that it takes some milliseconds.
const CHECKPOINT_SHARE: u64 = 16;
const CHECKPOINT_BYTES_LEAST: u64 = 1024 * 1024;

/// Wait of a checkpoint that must empty the log for readers of other programs, and shortest
/// interval to the next one after one that did not. Readers of this program make room
/// (`log_gate.rs`).
const READER_GRACE: Duration = Duration::from_millis(100);

/// Extent of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checkpoint {
    /// As far as it can without waiting for anybody.
    Passing,
    /// Waits for readers, so that the log starts again from its beginning.
    Restarting,
    /// As that, and the log's file is emptied.
    Whole,
}

/// Runs a checkpoint and returns whether it went to the end of the log.
pub(super) fn checkpoint(db: &Connection, how: Checkpoint) -> Result<bool, rusqlite::Error> {
    let pragma = match how {
        Checkpoint::Passing => "PRAGMA wal_checkpoint(PASSIVE)",
        Checkpoint::Restarting => "PRAGMA wal_checkpoint(RESTART)",
        Checkpoint::Whole => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    db.query_row(pragma, [], |row| {
        let (busy, pages, done): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && pages == done)
    })
}

/// Pages in the log, as `SQLite` knows them; those that need not wait for anybody are brought into the file meanwhile.
///
/// # Errors
/// The log has not what it should have.
pub(super) fn log_pages(db: &Connection) -> Result<u64, rusqlite::Error> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}

/// Rows for the next step after one that did `rows` in `took`.
pub(super) fn next_rows(planned: u64, rows: u64, took: Duration) -> u64 {
    next_step(planned, rows, took, STEP_ROWS_MIN, STEP_ROWS_MAX)
}

/// Returns the size of the next step, in whatever it counts, after one that was planned as
/// `planned`, did `done` and `took` so long.
pub(super) fn next_step(planned: u64, done: u64, took: Duration, min: u64, max: u64) -> u64 {
    if took > STEP_AIM {
        return (planned / 2).max(min);
    }
    if done >= planned && took < STEP_AIM / 2 {
        return (planned * 2).min(max);
    }
    planned
}

/// A kind of step. Behind the last comes the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Chore {
    /// Bringing the log into the file.
    #[default]
    Log,
    /// Forgetting what is too old or too much.
    Prune,
    /// Loading the ids of the most recent messages; then removing the table of ids of earlier
    /// versions.
    Ids,
    /// Merging the search index's segments; when there are none to merge, indexing: otherwise they would become many.
    Index,
    /// Checksums of messages from before there were any.
    Sum,
}

impl Chore {
    const COUNT: usize = 5;

    fn next(self) -> Self {
        match self {
            Self::Log => Self::Prune,
            Self::Prune => Self::Ids,
            Self::Ids => Self::Index,
            Self::Index => Self::Sum,
            Self::Sum => Self::Log,
        }
    }
}

/// Size from which on the log of a history that keeps so much must be emptied.
pub(super) fn log_bytes_max(keep: Keep) -> u64 {
    keep.bytes.map_or(WAL_BYTES_MAX, |bytes| (bytes / LOG_SHARE).clamp(WAL_BYTES_MAX_LEAST, WAL_BYTES_MAX))
}

impl Engine {
    pub(super) fn tend_for(&mut self, budget: Duration) -> Result<bool, StoreError> {
        let started = Instant::now();
        loop {
            if !self.tend_step()? {
                // Looked at again in a quiet, there may be more.
                return Ok(std::mem::take(&mut self.is_busy));
            }
            if started.elapsed() >= budget {
                self.is_busy = false;
                return Ok(true);
            }
        }
    }

    /// One step of whatever is next and has something to do. Returns whether anything had.
    fn tend_step(&mut self) -> Result<bool, StoreError> {
        for _ in 0..Chore::COUNT {
            let chore = self.chore;
            self.chore = chore.next();
            let is_done = match chore {
                Chore::Log => self.checkpoint_step()?,
                Chore::Prune => self.prune_step()?,
                Chore::Ids => self.load_ids_step() || self.drop_old_ids_step()?,
                Chore::Index => self.renewal_step()? || self.merge_step()? || self.index_step()? || self.form_step()?,
                Chore::Sum => self.sum_step()?,
            };
            if is_done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn checkpoint_step(&mut self) -> Result<bool, StoreError> {
        self.checkpoint_from((self.log_bytes_max() / CHECKPOINT_SHARE).max(CHECKPOINT_BYTES_LEAST))
    }

    /// Empties the log before a commit where what follows behind commits came too late for it. The commit waits for readers, which
    /// bounds the log whatever is written and read.
    pub(super) fn bound_log(&mut self) -> Result<(), StoreError> {
        let bytes = self.log_bytes_max();
        self.checkpoint_from(bytes + bytes / 2).map(drop)
    }

    /// Bytes of commits that are not in the file yet, or could be there twice.
    pub(super) fn log_bytes(&self) -> u64 {
        self.wal_pages.load(Ordering::Relaxed) * self.page_bytes
    }

    /// Size from which on the log must be emptied.
    pub(super) fn log_bytes_max(&self) -> u64 {
        log_bytes_max(self.keep)
    }

    /// Brings the log into the file if it has so many bytes. Returns whether it was tried.
    pub(super) fn checkpoint_from(&mut self, bytes_min: u64) -> Result<bool, StoreError> {
        let bytes = self.log_bytes();
        let how = if bytes >= self.log_bytes_max() { Checkpoint::Restarting } else { Checkpoint::Passing };
        // A passing checkpoint that met a reader says nothing about one that waits for readers.
        let is_too_early =
            self.refused_checkpoint.is_some_and(|(refused, until)| refused == how && Instant::now() < until);
        if bytes < bytes_min.max(1) || is_too_early {
            return Ok(false);
        }
        let done = if how == Checkpoint::Restarting { self.restart_log() } else { checkpoint(&self.db, how) };
        if self.conclude(done)? {
            self.wal_pages.store(0, Ordering::Relaxed);
            self.refused_checkpoint = None;
        } else {
            self.refused_checkpoint = Some((how, Instant::now() + READER_GRACE));
        }
        Ok(true)
    }

    /// Readers are waited for, but commits wait meanwhile. Those of this program begin no other read until it is done.
    fn restart_log(&self) -> Result<bool, rusqlite::Error> {
        let _closed = self.log_gate.close();
        self.db.busy_timeout(READER_GRACE)?;
        let done = checkpoint(&self.db, Checkpoint::Restarting);
        self.db.busy_timeout(BUSY_WAIT)?;
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_shrink_when_they_are_slow_and_grow_when_fast_and_full() {
        assert_eq!(next_rows(256, 256, STEP_AIM * 2), 128);
        assert_eq!(next_rows(STEP_ROWS_MIN, STEP_ROWS_MIN, STEP_AIM * 2), STEP_ROWS_MIN);
        assert_eq!(next_rows(256, 256, STEP_AIM / 4), 512);
        assert_eq!(next_rows(256, 3, STEP_AIM / 4), 256);
        assert_eq!(next_rows(STEP_ROWS_MAX, STEP_ROWS_MAX, Duration::ZERO), STEP_ROWS_MAX);
    }
}
