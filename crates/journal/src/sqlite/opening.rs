//! Opening the file: its folder, its lock, whose it is, and whether it can be trusted.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::engine::Keep;
use super::files::{beside, has_no_space_for, hold_to_one_name, log_bytes, without_links};
use super::index_form::old_form_behind;
use super::old_ids::OldIds;
use super::openings::Openings;
use super::place::place;
use super::schema::{self, Kind};
use super::summing::Unsummed;
use super::{fault, kept_checksums, lock_mark, renewal, rooms, summing, tend, wal};
use crate::store::{Damage, StoreError};

/// What every `SQLite` file starts with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long another program that writes to the file (a shell, a backup) is waited for.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Pages the writer keeps in memory: 64 MiB, given to `SQLite` in KiB as a negative number.
const CACHE_KIB: i64 = -64 * 1024;

/// Statements that are kept compiled; there are fewer.
const STATEMENTS_KEPT: usize = 64;

/// Rooms whose numbers are looked at when a file is opened; `check` looks at all.
const ROOMS_LOOKED_AT: usize = 1_000;

/// A file that may be written, and the lock that says so to others.
pub(super) struct Opened {
    pub(super) db: Connection,
    pub(super) lock: File,
    /// What of its log could not be read.
    pub(super) log_damage: Option<Damage>,
}

/// What an engine keeps in memory.
pub(super) struct Loaded {
    pub(super) old_ids: Option<OldIds>,
    pub(super) has_stray_pages: bool,
    pub(super) messages: u64,
    pub(super) index_lag: u64,
    pub(super) page_bytes: u64,
    pub(super) unsummed: Option<Unsummed>,
    pub(super) origin_secret: u128,
    pub(super) openings: Openings,
    pub(super) old_form_behind: Option<i64>,
}

pub(super) fn open(file: &Path, keep: Keep) -> Result<Opened, StoreError> {
    let io = |error: io::Error| fault::opening_io(&error, file);
    if let Some(folder) = without_links(file).map_err(io)?.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder).map_err(io)?;
    }
    hold_to_plain(file)?;
    hold_to_one_name(file)?;
    let lock = lock(file)?;
    look_at(file)?;
    // Before the log is read into the file, and what cannot be read is overwritten.
    let log_damage = wal::damage(file).map_err(io)?;
    match connect(file, keep) {
        Ok(db) => Ok(Opened { db, lock, log_damage }),
        // SQLite has many words for it, none of which says so.
        Err(StoreError::CannotOpen { .. }) if has_no_space_for(&lock) => Err(StoreError::Full),
        Err(error) => Err(error),
    }
}

/// Opens what is there, and brings it to where this program can use it.
fn connect(file: &Path, keep: Keep) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(file, flags).map_err(|error| fault::opening(&error, file))?;
    let opening = |error| fault::opening(&error, file);
    db.busy_timeout(BUSY_WAIT).map_err(opening)?;
    let kind = schema::kind(&db, file)?;
    set_up(&db, file, keep)?;
    let version = match kind {
        Kind::Empty => 0,
        Kind::History(version) => version,
    };
    kept_checksums::add_functions(&db)
        .and_then(|()| schema::migrate(&mut db, version))
        .and_then(|()| kept_checksums::keep(&db))
        .map_err(opening)?;
    // What a crash left in the log goes into the file now; then its length can be held against what it says of itself.
    let is_whole = tend::checkpoint(&db, tend::Checkpoint::Whole).map_err(opening)?;
    if is_whole {
        check_length(&db, file)?;
    }
    rooms::verify_all(&db).map_err(opening)?;
    check_rooms(&db, file)?;
    Ok(db)
}

/// Refuses what is there and no plain file: opening a pipe would wait for somebody at its other end.
fn hold_to_plain(file: &Path) -> Result<(), StoreError> {
    match fs::metadata(file) {
        Ok(found) if !found.is_file() => {
            Err(StoreError::CannotOpen { path: file.to_path_buf(), detail: "it is no plain file".to_string() })
        }
        _ => Ok(()),
    }
}

/// The file that is locked stands beside the history: locks of its own would meet those of `SQLite`.
fn lock(file: &Path) -> Result<File, StoreError> {
    let name = beside(file, ".lock").map_err(|error| fault::opening_io(&error, file))?;
    let io = |error: io::Error| fault::opening_io(&error, &name);
    hold_to_plain(&name)?;
    let lock =
        private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(&name).map_err(io)?;
    if !lock_mark::is_lock(&lock).map_err(io)? {
        let detail = "it is no lock: something is in it".to_string();
        return Err(StoreError::CannotOpen { path: name, detail });
    }
    match lock.try_lock() {
        Ok(()) => {
            // On a full disk it stays without one, and is a lock all the same.
            let _ = lock_mark::mark(&lock);
            give_to_owner_of(file, &lock);
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) if lock_mark::is_held_by_glassline(&lock) => {
            Err(StoreError::InUse(file.to_path_buf()))
        }
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(name)),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Whether somebody holds the history's lock, or may do so for all one can see.
pub(super) fn is_in_use(file: &Path) -> bool {
    match beside(file, ".lock").and_then(File::open) {
        Ok(lock) => lock.try_lock_shared().is_err(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// Makes the file if there is none; says of one that is there whether it may be opened.
fn look_at(file: &Path) -> Result<(), StoreError> {
    let io = |error: io::Error| fault::opening_io(&error, file);
    match OpenOptions::new().read(true).write(true).open(file) {
        Ok(found) if found.metadata().map_err(io)?.len() > 0 => return look_at_found(file),
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

/// Says of a file that must be there whether it is one of `SQLite` at all.
pub(super) fn look_at_found(file: &Path) -> Result<(), StoreError> {
    hold_to_plain(file)?;
    hold_to_one_name(file)?;
    let mut start = Vec::new();
    File::open(file)
        .and_then(|found| found.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(|error| fault::opening_io(&error, file))?;
    if start == MAGIC { Ok(()) } else { Err(StoreError::NotAHistory(file.to_path_buf())) }
}

fn set_up(db: &Connection, file: &Path, keep: Keep) -> Result<(), StoreError> {
    let opening = |error| fault::opening(&error, file);
    let refuse = |detail: &str| StoreError::CannotOpen { path: file.to_path_buf(), detail: detail.to_string() };
    let mode: String = db.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).map_err(opening)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(refuse("this file system gives no shared memory, which the write-ahead log needs"));
    }
    // Where a plain sync does not reach the disk (macOS), the full one is asked for. The log is emptied by tend() only.
    let settings = format!(
        "PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON; PRAGMA wal_autocheckpoint=0;
         PRAGMA cache_size={CACHE_KIB}; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;
         PRAGMA journal_size_limit={};",
        tend::log_bytes_max(keep)
    );
    db.execute_batch(&settings).map_err(opening)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    let synchronous: i64 = db.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(opening)?;
    if synchronous != 2 {
        return Err(refuse("commits would not wait for the disk"));
    }
    Ok(())
}

/// A file without a log is as long as it says.
fn check_length(db: &Connection, file: &Path) -> Result<(), StoreError> {
    let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    let promised = number("page_count").and_then(|pages| Ok(pages * number("page_size")?));
    let promised = promised.map_err(|error| fault::opening(&error, file))?;
    let length = fs::metadata(file).map_err(|error| fault::opening_io(&error, file))?.len();
    if length < promised {
        let detail = format!("it is cut short: {length} of {promised} bytes");
        return Err(StoreError::Corrupt { path: file.to_path_buf(), detail });
    }
    Ok(())
}

/// The numbers of the latest rooms against their messages: a moment's work however large the file is.
fn check_rooms(db: &Connection, file: &Path) -> Result<(), StoreError> {
    let corrupt = |detail: String| StoreError::Corrupt { path: file.to_path_buf(), detail };
    let look = || {
        let mut rooms = db.prepare("SELECT id, name, newest, oldest, indexed FROM room ORDER BY id DESC LIMIT ?1")?;
        let mut highest = db.prepare("SELECT coalesce(max(place), 0) FROM message WHERE place BETWEEN ?1 AND ?2")?;
        let mut rows = rooms.query([ROOMS_LOOKED_AT])?;
        while let Some(row) = rows.next()? {
            let (id, newest, oldest, indexed): (i64, u64, u64, u64) =
                (row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?);
            let found: i64 = highest.query_row((place(id, 0), place(id, u64::MAX)), |row| row.get(0))?;
            let wanted = if oldest <= newest { place(id, newest) } else { 0 };
            if found != wanted || oldest == 0 || oldest > newest + 1 || indexed > newest {
                return Ok(Some(row.get::<_, String>(1)?));
            }
        }
        Ok(None)
    };
    match look() {
        Ok(None) => Ok(()),
        Ok(Some(room)) => Err(corrupt(format!("the numbers of room {room:?} contradict its messages"))),
        Err(error @ rusqlite::Error::SqliteFailure(..)) => Err(fault::opening(&error, file)),
        Err(error) => Err(corrupt(error.to_string())),
    }
}

pub(super) fn load(db: &Connection, keep: Keep) -> Result<Loaded, rusqlite::Error> {
    let index_lag: u64 = db.query_row(
        "SELECT coalesce(sum(newest - max(indexed, oldest - 1)), 0) FROM room INDEXED BY room_behind WHERE indexed < newest",
        [],
        |row| row.get(0),
    )?;
    let page_bytes = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let old_ids = OldIds::find(db)?;
    let messages =
        db.query_row("SELECT coalesce(sum(newest - oldest + 1 - forgotten), 0) FROM room", [], |row| row.get(0))?;
    let has_stray_pages = renewal::has_stray_pages(db)?;
    let unsummed = summing::unsummed(db)?;
    let secret: [u8; 16] = db.query_row("SELECT value FROM fact WHERE name = 'origin_secret'", [], |row| row.get(0))?;
    Ok(Loaded {
        old_ids,
        has_stray_pages,
        messages,
        index_lag,
        page_bytes,
        unsummed,
        origin_secret: u128::from_be_bytes(secret),
        openings: Openings::load(db, keep)?,
        old_form_behind: old_form_behind(db)?,
    })
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

/// A chore that root does leaves no file behind that keeps the history's owner out, as `SQLite` sees to for its own.
#[cfg(unix)]
fn give_to_owner_of(file: &Path, lock: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if let (Ok(history), Ok(own)) = (fs::metadata(file), lock.metadata())
        && (history.uid(), history.gid()) != (own.uid(), own.gid())
    {
        // Who may not give files away has the history's rights as far as they go.
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
