//! Opening of a history: its folder, its lock, its format, and whether it can be trusted.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::checkpoint::Checkpoint;
use super::files::{beside, has_no_space_for, log_bytes, require_single_name, without_links};
use super::schema::{self, Kind};
use super::{checksum_triggers, lock_file, wal_scan};
use crate::sqlite::{errors, rooms};
use crate::store::{Damage, StoreError};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Longest wait for another program that writes to the file (a shell, a backup).
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Pages the writer keeps in memory: 64 MiB, given to `SQLite` in KiB as a negative number.
const CACHE_KIB: i64 = -64 * 1024;

/// Statements that are kept compiled; there are fewer.
const STATEMENTS_KEPT: usize = 64;

/// Returns a connection that may write, the lock that shows it to others, and damage of the log,
/// which cannot be read there.
pub(super) fn open(file: &Path, log_bytes_max: u64) -> Result<(Connection, File, Option<Damage>), StoreError> {
    let io = |error: io::Error| errors::opening_io(&error, file);
    if let Some(folder) = without_links(file).map_err(io)?.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder).map_err(io)?;
    }
    require_regular_file(file)?;
    require_single_name(file)?;
    let lock = lock(file)?;
    create_or_verify(file)?;
    // Before the log is moved into the file, and unreadable parts are overwritten.
    let log_damage = wal_scan::damage(file).map_err(io)?;
    match connect(file, log_bytes_max) {
        Ok(connection) => Ok((connection, lock, log_damage)),
        // SQLite reports it in many ways, none of which names it.
        Err(StoreError::CannotOpen { .. }) if has_no_space_for(&lock) => Err(StoreError::Full),
        Err(error) => Err(error),
    }
}

fn connect(file: &Path, log_bytes_max: u64) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(file, flags).map_err(|error| errors::opening(&error, file))?;
    let opening = |error| errors::opening(&error, file);
    db.busy_timeout(BUSY_WAIT).map_err(opening)?;
    let kind = schema::kind(&db, file)?;
    set_up(&db, file, log_bytes_max)?;
    let version = match kind {
        Kind::Empty => 0,
        Kind::History(version) => version,
    };
    checksum_triggers::add_functions(&db)
        .and_then(|()| schema::migrate(&mut db, version))
        .and_then(|()| checksum_triggers::create(&db))
        .map_err(opening)?;
    // Moves what a crash left in the log into the file, whose length can then be verified.
    let is_whole = Checkpoint::Truncate.run(&db).map_err(opening)?;
    if is_whole {
        check_length(&db, file)?;
    }
    rooms::verify_all(&db).map_err(opening)?;
    rooms::verify_numbers(&db, file)?;
    Ok(db)
}

/// Refuses what is not a regular file: opening a pipe would wait for its other end.
fn require_regular_file(file: &Path) -> Result<(), StoreError> {
    match fs::metadata(file) {
        Ok(found) if !found.is_file() => {
            Err(StoreError::CannotOpen { path: file.to_path_buf(), detail: "it is no plain file".to_string() })
        }
        _ => Ok(()),
    }
}

/// Locks a file beside the history: a lock of its own would meet those of `SQLite`.
fn lock(file: &Path) -> Result<File, StoreError> {
    let name = beside(file, ".lock").map_err(|error| errors::opening_io(&error, file))?;
    let io = |error: io::Error| errors::opening_io(&error, &name);
    require_regular_file(&name)?;
    let lock =
        private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(&name).map_err(io)?;
    if !lock_file::is_lock(&lock).map_err(io)? {
        let detail = "it is no lock: something is in it".to_string();
        return Err(StoreError::CannotOpen { path: name, detail });
    }
    match lock.try_lock() {
        Ok(()) => {
            // On a full disk it stays unmarked, and is a lock all the same.
            let _ = lock_file::mark(&lock);
            give_to_owner_of(file, &lock);
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) if lock_file::is_held_by_glassline(&lock) => {
            Err(StoreError::InUse(file.to_path_buf()))
        }
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(name)),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Returns whether the history's lock is held, or may be for all that can be seen.
pub(in crate::sqlite) fn is_in_use(file: &Path) -> bool {
    match beside(file, ".lock").and_then(File::open) {
        Ok(lock) => lock.try_lock_shared().is_err(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// Creates the file if there is none; otherwise verifies that it may be opened.
fn create_or_verify(file: &Path) -> Result<(), StoreError> {
    let io = |error: io::Error| errors::opening_io(&error, file);
    match OpenOptions::new().read(true).write(true).open(file) {
        Ok(found) if found.metadata().map_err(io)?.len() > 0 => return verify_existing(file),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    if log_bytes(file).map_err(io)? > 0 {
        let detail = "it is empty, and the log of one that was not is beside it".to_string();
        return Err(StoreError::Corrupt { path: file.to_path_buf(), detail });
    }
    private(OpenOptions::new().write(true).create(true).truncate(false)).open(file).map_err(io)?;
    Ok(())
}

/// Verifies that a file exists and is one of `SQLite`.
pub(in crate::sqlite) fn verify_existing(file: &Path) -> Result<(), StoreError> {
    require_regular_file(file)?;
    require_single_name(file)?;
    let mut start = Vec::new();
    File::open(file)
        .and_then(|found| found.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(|error| errors::opening_io(&error, file))?;
    if start == MAGIC { Ok(()) } else { Err(StoreError::NotAHistory(file.to_path_buf())) }
}

fn set_up(db: &Connection, file: &Path, log_bytes_max: u64) -> Result<(), StoreError> {
    let opening = |error| errors::opening(&error, file);
    let refuse = |detail: &str| StoreError::CannotOpen { path: file.to_path_buf(), detail: detail.to_string() };
    let mode: String = db.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).map_err(opening)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(refuse("this file system gives no shared memory, which the write-ahead log needs"));
    }
    // Where a plain sync does not reach the disk (macOS), a full one is used. Only
    // wal_checkpoint.rs moves the log into the file.
    let settings = format!(
        "PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON; PRAGMA wal_autocheckpoint=0;
         PRAGMA cache_size={CACHE_KIB}; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;
         PRAGMA journal_size_limit={log_bytes_max};"
    );
    db.execute_batch(&settings).map_err(opening)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    let synchronous: i64 = db.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(opening)?;
    if synchronous != 2 {
        return Err(refuse("commits would not wait for the disk"));
    }
    Ok(())
}

fn check_length(db: &Connection, file: &Path) -> Result<(), StoreError> {
    let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    let promised = number("page_count").and_then(|pages| Ok(pages * number("page_size")?));
    let promised = promised.map_err(|error| errors::opening(&error, file))?;
    let length = fs::metadata(file).map_err(|error| errors::opening_io(&error, file))?.len();
    if length < promised {
        let detail = format!("it is cut short: {length} of {promised} bytes");
        return Err(StoreError::Corrupt { path: file.to_path_buf(), detail });
    }
    Ok(())
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Gives a lock that root has created to the history's owner, who could not open it, as `SQLite`
/// does with its own files.
#[cfg(unix)]
fn give_to_owner_of(file: &Path, lock: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if let (Ok(history), Ok(own)) = (fs::metadata(file), lock.metadata())
        && (history.uid(), history.gid()) != (own.uid(), own.gid())
    {
        // A user who may not give files away has the history's rights as far as they go.
        let _ = fchown(lock, Some(history.uid()), Some(history.gid()));
    }
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &Path, _: &File) {}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}
