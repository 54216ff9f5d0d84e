//! Removal of messages that are too old ([`expiry`]) or too many ([`eviction`]).

mod eviction;
mod expiry;
mod removal;
mod shares;

use std::time::Instant;

use rusqlite::TransactionBehavior;

use self::eviction::{Evicted, Excess, ScanPositions, evict};
pub(super) use self::expiry::Clock;
use self::expiry::Expiry;
use self::removal::Removed;
use self::shares::ShareCounter;
pub(super) use self::shares::{Origins, UNKNOWN_ORIGIN};
#[cfg(test)]
pub(super) use self::{removal::remove, shares::CountedRow};
use super::database::Database;
use super::pacer::Pacer;
use super::search_index::{SearchIndex, index_error};
use super::wal_checkpoint::{LOG_SHARE, WalCheckpoint};
use crate::store::StoreError;

/// Up to this share of what may be kept, the log is short.
const SHORT_LOG_SHARE: u64 = 16;

/// Bytes removed beyond the excess, as a share of what may be kept: merging the index rewrites most
/// of it.
const HEADROOM_SHARE: u64 = 32;

/// Above this share of what may be kept beyond it, messages are removed whether the index was
/// merged or not.
const PURGE_OVER_SHARE: u64 = 5;

/// Messages removed for each that an append brings where the file is far larger than it may be.
const REMOVED_PER_APPENDED: u64 = 2;

/// Bytes of the search index merged there for each byte of text appended: the index has up to five
/// for it, and is rewritten some times.
const PURGED_PER_APPENDED_BYTE: u64 = 20;

/// Messages counted for each that is removed while an append waits.
const COUNTED_PER_REMOVED: u64 = 4;

/// Messages that are only read in the time in which one is removed.
const READ_PER_REMOVED: u64 = 32;

/// From this share of what may be kept above it, a file is far larger than it may be.
const FAR_OVER_SHARE: u64 = 8;

/// Bounds of the stored history; older messages go, oldest first. Without a bound everything
/// stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Messages older than this many days are removed. One stamped later than now goes with those
    /// after it.
    pub days: Option<u32>,
    /// Above this many bytes in use in the file and its log, messages go: of the rooms and senders
    /// that have most (`shares.rs`), the oldest. From an eighth above on, appends wait for twice as
    /// many messages to go as they bring; while the index is merged, a load that never pauses was
    /// seen to make it two fifths larger.
    pub bytes: Option<u64>,
}

/// Progress of removing messages beyond the bounds of [`Keep`].
pub(super) struct Retention {
    bytes_max: Option<u64>,
    rows: Pacer,
    expiry: Option<Expiry>,
    shares: ShareCounter,
    scan_positions: ScanPositions,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Messages are removed, until their shares make so many bytes; nothing if that is not decided
    /// yet.
    Evicting { bytes_left: Option<u64> },
    /// Their entries in the search index are removed.
    Purging { is_begun: bool },
}

impl Retention {
    pub(super) fn new(keep: Keep, clock: Clock) -> Self {
        Self {
            bytes_max: keep.bytes,
            rows: Pacer::rows(),
            expiry: keep.days.map(|days| Expiry::new(days, clock)),
            shares: ShareCounter::new(),
            scan_positions: ScanPositions::new(),
            phase: Phase::Evicting { bytes_left: None },
        }
    }

    pub(super) fn note_stored(&mut self) {
        self.shares.note_stored();
    }

    /// Removes, or counts for that, one transaction's worth of messages. Returns whether there was
    /// anything to do.
    pub(super) fn step(
        &mut self,
        db: &mut Database,
        index: &mut SearchIndex,
        wal: &mut WalCheckpoint,
    ) -> Result<bool, StoreError> {
        let Some(bytes_max) = self.bytes_max(index) else { return self.expire(db, index) };
        let is_counted = self.shares.step(db)? > 0;
        let used = kept_bytes(db, wal, bytes_max)?;
        if used <= bytes_max {
            return Ok(self.expire(db, index)? || is_counted);
        }
        // Until everything is counted, the heaviest may not be.
        if !self.shares.is_complete() {
            return Ok(true);
        }
        Ok(self.make_space(db, index, used, bytes_max, self.rows.size())?.is_some())
    }

    /// Removes messages for `appended` ones with `text_bytes` bytes of text, if the file is far
    /// larger than it may be: when appends leave no time for maintenance, they wait for as much to
    /// be removed as they bring, and no longer.
    pub(super) fn make_way(
        &mut self,
        db: &mut Database,
        index: &mut SearchIndex,
        wal: &mut WalCheckpoint,
        appended: u64,
        text_bytes: u64,
    ) -> Result<(), StoreError> {
        let Some(bytes_max) = self.bytes_max(index) else { return Ok(()) };
        let far_over = bytes_max.saturating_add(bytes_max / FAR_OVER_SHARE);
        let mut rows_left = appended * REMOVED_PER_APPENDED;
        let mut pages_left = text_bytes * PURGED_PER_APPENDED_BYTE / db.page_bytes().max(1) + 1;
        while rows_left > 0 && pages_left > 0 {
            let used = kept_bytes(db, wal, far_over)?;
            if used <= far_over {
                break;
            }
            self.shares.count(db, rows_left.saturating_mul(COUNTED_PER_REMOVED))?;
            let rows_max = rows_left.min(self.rows.size());
            match self.make_space(db, index, used, bytes_max, rows_max)? {
                Some((rows, pages)) => {
                    (rows_left, pages_left) = (rows_left.saturating_sub(rows), pages_left.saturating_sub(pages));
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Returns the bound of the bytes in use, if their number is known.
    fn bytes_max(&self, index: &SearchIndex) -> Option<u64> {
        self.bytes_max.filter(|_| !index.has_stray_pages())
    }

    /// Does one step towards `bytes_max`: removes up to `rows_max` messages until there is some
    /// headroom, then merges the search index, which only then gives back the space that their
    /// entries had. To remove more before would be too much. Returns the work done; nothing if
    /// there is nothing to remove.
    fn make_space(
        &mut self,
        db: &mut Database,
        index: &mut SearchIndex,
        used: u64,
        bytes_max: u64,
        rows_max: u64,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        if let Phase::Purging { is_begun } = self.phase
            && used <= bytes_max.saturating_add(bytes_max / PURGE_OVER_SHARE)
        {
            let pages = index.purge_step(db, !is_begun)?;
            self.phase = if index.is_to_merge() {
                Phase::Purging { is_begun: true }
            } else {
                Phase::Evicting { bytes_left: None }
            };
            return Ok(Some((0, pages.max(1))));
        }
        let over = used.saturating_sub(bytes_max) + bytes_max / HEADROOM_SHARE;
        let bytes_left = if let Phase::Evicting { bytes_left } = self.phase { bytes_left } else { None };
        let excess = Excess { used, over, bytes_left, rows_max };
        let started = Instant::now();
        let evicted = index.run(db, |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let evicted = evict(&transaction, excess, &mut self.scan_positions)?;
            transaction.commit().map_err(index_error)?;
            Ok(evicted)
        });
        if !matches!(evicted, Ok(Some(_))) {
            // Messages that were found and not removed are to be found again.
            self.scan_positions.clear();
        }
        // Without the index it is tried again.
        let Some(evicted) = evicted? else { return Ok(Some((1, 0))) };
        let Some(Evicted { removed, bytes_left, read }) = evicted else { return Ok(None) };
        if let Phase::Evicting { .. } = self.phase {
            self.phase = if bytes_left > 0 {
                Phase::Evicting { bytes_left: Some(bytes_left) }
            } else {
                Phase::Purging { is_begun: false }
            };
        }
        self.note_removed(index, removed, started);
        Ok(Some(((removed.rows + read / READ_PER_REMOVED).max(1), 0)))
    }

    fn expire(&mut self, db: &mut Database, index: &mut SearchIndex) -> Result<bool, StoreError> {
        let Some(expiry) = &mut self.expiry else { return Ok(false) };
        let (started, rows_max) = (Instant::now(), self.rows.size());
        let expired = index.run(db, |connection| expiry.expire(connection, rows_max))?;
        // Without the index it is tried again.
        let Some(expired) = expired else { return Ok(true) };
        let Some(removed) = expired else { return Ok(false) };
        self.note_removed(index, removed, started);
        Ok(true)
    }

    fn note_removed(&mut self, index: &mut SearchIndex, removed: Removed, started: Instant) {
        index.note_removed(removed.rows, removed.unindexed);
        self.rows.note(removed.rows, started.elapsed());
    }
}

/// Returns the bytes in use in the file and in its log. Where both are more than `bytes_max`, the
/// log is emptied first, unless it is short.
fn kept_bytes(db: &mut Database, wal: &mut WalCheckpoint, bytes_max: u64) -> Result<u64, StoreError> {
    let used = db.used_bytes();
    let used = db.run(|_| used)?;
    if used + db.log_bytes() > bytes_max {
        wal.run_from(db, bytes_max / SHORT_LOG_SHARE)?;
    }
    // While a reader keeps the log from being emptied, its length is no measure of what is stored:
    // messages are removed for its share at most.
    Ok(used + db.log_bytes().min(bytes_max / LOG_SHARE))
}
