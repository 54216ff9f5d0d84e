//! The writer's connection to the file of a history, with the lock that keeps other writers away.

mod checkpoint;
mod checksum_triggers;
mod files;
mod lock_file;
mod opening;
mod schema;
mod wal_scan;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error};

pub(super) use self::checkpoint::Checkpoint;
pub(super) use self::checksum_triggers::create as create_checksum_triggers;
pub(super) use self::files::{beside, log_bytes, without_links};
pub(super) use self::opening::{is_in_use, verify_existing};
pub(super) use self::schema::{Kind, MESSAGE_TEXT, MESSAGE_TEXT_TABLES, kind, show_as_current};
pub(super) use self::wal_scan::damage as log_damage;
use super::errors;
use crate::store::{Damage, StoreError};

/// An open history that only this process may write.
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
    /// Pages in the write-ahead log after the last commit.
    log_pages: Arc<AtomicU64>,
    page_bytes: u64,
    files: files::Files,
    /// Locked as long as the history is open.
    lock: File,
    /// A fatal error occurred: the file's content is unknown.
    is_broken: bool,
    /// Damaged part of the log that could not be read when the history was opened, until reported.
    log_damage: Option<Damage>,
}

impl Database {
    /// Opens the history in `path`, and creates it if there is none. Its log's file is cut to
    /// `log_bytes_max` when the log starts again.
    pub(super) fn open(path: &Path, log_bytes_max: u64) -> Result<Self, StoreError> {
        let (mut connection, lock, log_damage) = opening::open(path, log_bytes_max)?;
        let log_pages = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&log_pages);
        let cannot_open = |error| errors::opening(&error, path);
        connection
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
                seen.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(cannot_open)?;
        Ok(Self {
            path: path.to_path_buf(),
            log_pages,
            page_bytes: connection.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(cannot_open)?,
            files: files::Files::of(path).map_err(|error| errors::opening_io(&error, path))?,
            lock,
            is_broken: false,
            log_damage,
            connection,
        })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn page_bytes(&self) -> u64 {
        self.page_bytes
    }

    /// Returns, once, damage of the log that was found when the history was opened.
    pub(super) fn take_log_damage(&mut self) -> Option<Damage> {
        self.log_damage.take()
    }

    /// Works on the connection. No transaction stays open, and after a fatal error the database is
    /// no longer usable.
    pub(super) fn run<T>(&mut self, work: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, StoreError> {
        let error = match work(&mut self.connection) {
            Ok(value) => return Ok(value),
            Err(error) if errors::is_failed_write(&error) && files::has_no_space_for(&self.lock) => StoreError::Full,
            Err(error) => errors::writing(&error, &self.path),
        };
        let error = if self.connection.is_autocommit() {
            error
        } else {
            StoreError::WriteFailed(format!("what failed could not be undone: {error}"))
        };
        self.is_broken |= error.is_fatal();
        Err(error)
    }

    /// Does work whose commit need not wait for the disk, because it can be repeated after a crash.
    /// The log keeps its order: the next commit that waits makes this one durable as well.
    pub(super) fn run_without_sync<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        self.run(|connection| connection.execute_batch("PRAGMA synchronous=NORMAL"))?;
        let done = work(&mut self.connection);
        if let Err(error) = self.connection.execute_batch("PRAGMA synchronous=FULL") {
            self.is_broken = true;
            return Err(StoreError::WriteFailed(format!("commits would not wait for the disk: {error}")));
        }
        self.run(|_| done)
    }

    /// # Errors
    /// There was a fatal error before.
    pub(super) fn check_usable(&self) -> Result<(), StoreError> {
        if self.is_broken { Err(StoreError::WriteFailed("it failed before".to_string())) } else { Ok(()) }
    }

    /// # Errors
    /// A file of the history is not in its place, or shorter than what was written to it.
    pub(super) fn check_files(&mut self) -> Result<(), StoreError> {
        let bytes_of = |pages| wal_scan::bytes_of(pages, self.page_bytes);
        let pages = self.log_pages.load(Ordering::Relaxed);
        let checked = self.files.check(bytes_of(pages), || {
            // Pages that need not wait for readers are written into the file meanwhile.
            let known = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1));
            let pages = known.unwrap_or(pages);
            self.log_pages.store(pages, Ordering::Relaxed);
            bytes_of(pages)
        });
        self.is_broken |= checked.as_ref().is_err_and(StoreError::is_fatal);
        checked
    }

    /// Bytes of pages in the log, which are not in the file yet or may be in both.
    pub(super) fn log_bytes(&self) -> u64 {
        self.log_pages.load(Ordering::Relaxed) * self.page_bytes
    }

    pub(super) fn used_bytes(&self) -> Result<u64, Error> {
        let number = |pragma: &str| self.connection.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
        Ok(number("page_count")?.saturating_sub(number("freelist_count")?) * self.page_bytes)
    }

    /// Writes the log's pages into the file, and waits for readers up to `wait`, if the checkpoint
    /// waits for any. Returns whether all pages were written.
    pub(super) fn checkpoint(&mut self, extent: Checkpoint, wait: Duration) -> Result<bool, StoreError> {
        let is_complete = self.run(|connection| {
            if extent == Checkpoint::Passive {
                return extent.run(connection);
            }
            connection.busy_timeout(wait)?;
            let is_complete = extent.run(connection);
            connection.busy_timeout(opening::BUSY_WAIT)?;
            is_complete
        })?;
        if is_complete {
            self.log_pages.store(0, Ordering::Relaxed);
        }
        Ok(is_complete)
    }

    pub(super) fn empty_log(&mut self) -> Result<(), StoreError> {
        self.checkpoint(Checkpoint::Truncate, opening::BUSY_WAIT).map(drop)
    }
}

impl Drop for Database {
    /// After an orderly end the one file holds everything. Where that fails, the log beside it
    /// holds the rest; so it does where the file is not in its place, so that a copy of it and the
    /// log are the whole history.
    fn drop(&mut self) {
        if !self.is_broken && !std::thread::panicking() && self.check_files().is_ok() {
            let _ = Checkpoint::Truncate.run(&self.connection);
        } else {
            // Closing would run a checkpoint: a file that was cut short would look whole, with
            // zeros where it was cut.
            let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        // Removes the mark; closing the file releases the lock.
        let _ = self.lock.set_len(0);
    }
}
