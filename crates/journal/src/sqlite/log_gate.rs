//! Keeps this program's readers from beginning while the log is emptied: `SQLite` cannot start the log
//! again while anybody reads from it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Shared by an engine and its readers. Only the threads of the journal wait here, each for one read
/// or one checkpoint; the server's loop does not come by.
#[derive(Debug, Clone, Default)]
pub(super) struct LogGate(Arc<RwLock<()>>);

impl LogGate {
    /// Waits while the log is emptied; until the guard goes, the log is read from.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the reads under way; until the guard goes, no other begins.
    pub(super) fn close(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
