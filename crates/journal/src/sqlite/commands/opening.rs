//! Opening of a history for a command, while a server may have it open or its file is damaged.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::sqlite::database::{self, Database, Kind, beside, is_in_use, log_bytes, verify_existing};
use crate::sqlite::errors;
use crate::sqlite::wal_checkpoint::LOG_BYTES_MAX;
use crate::store::StoreError;

/// Longest wait for a server's writes, which take microseconds.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Opens a history to write it, unless a server has it open or its log is damaged.
pub(super) fn open_to_write(file: &Path) -> Result<Database, StoreError> {
    let mut db = Database::open(file, LOG_BYTES_MAX)?;
    db.take_log_damage().map_or(Ok(db), |damage| Err(StoreError::Damaged(damage)))
}

/// Opens a history to read it, while a server may have it open.
pub(super) fn open_to_read(file: &Path) -> Result<Connection, StoreError> {
    require_history(connect(file)?, file)
}

/// Opens a history to read what can be read of it, even if it is cut short.
pub(super) fn open_damaged(file: &Path) -> Result<Connection, StoreError> {
    let db = connect(file)?;
    // Otherwise no table of a file shorter than its header states can be read. Nothing is
    // written.
    db.execute_batch("PRAGMA writable_schema=ON").map_err(|error| errors::opening(&error, file))?;
    require_history(db, file)
}

fn require_history(db: Connection, file: &Path) -> Result<Connection, StoreError> {
    match database::kind(&db, file)? {
        Kind::History(version) => {
            database::show_as_current(&db, version)
                // From here on it only reads.
                .and_then(|()| db.execute_batch("PRAGMA query_only=ON"))
                .map_err(|error| errors::opening(&error, file))?;
            Ok(db)
        }
        Kind::Empty => Err(StoreError::NotAHistory(file.to_path_buf())),
    }
}

/// Connects without leaving new files behind: beside a file that no server has open `SQLite`
/// creates a log and an index of it, and only a connection that may write removes them.
fn connect(file: &Path) -> Result<Connection, StoreError> {
    verify_existing(file)?;
    let opening = |error| errors::opening(&error, file);
    let reading = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let writing = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let io = |error| errors::opening_io(&error, file);
    let has_log = log_bytes(file).map_err(io)? > 0;
    let has_index = beside(file, "-shm").map_err(io)?.exists();
    if !is_in_use(file)
        && (!has_log || !has_index)
        && let Ok(db) = Connection::open_with_flags(file, writing)
        && !db.is_readonly(rusqlite::MAIN_DB).map_err(opening)?
    {
        // It never writes; as the last connection it removes a log without content.
        db.busy_timeout(BUSY_WAIT).map_err(opening)?;
        if has_log {
            // A log that is not in the file yet stays as it is, and its index in memory.
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(opening)?;
            db.execute_batch("PRAGMA locking_mode=EXCLUSIVE").map_err(opening)?;
        }
        if !is_unreachable(&db) {
            return Ok(db);
        }
    }
    if !has_log && !is_in_use(file) {
        // The file is read without a log: one created by a user who may not write to the file would
        // keep out the server of another who may.
        return Connection::open_with_flags(unchanging(file), reading | OpenFlags::SQLITE_OPEN_URI).map_err(opening);
    }
    let db = Connection::open_with_flags(file, reading).map_err(opening)?;
    db.busy_timeout(BUSY_WAIT).map_err(opening)?;
    Ok(db)
}

/// Returns whether shared files cannot be created: in a read-only folder, or on a full disk.
fn is_unreachable(db: &Connection) -> bool {
    db.query_row("PRAGMA application_id", [], |_| Ok(())).is_err_and(|error| {
        let code = error.sqlite_error_code();
        matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure))
    })
}

/// Returns the file's name as a URI that promises that it does not change.
fn unchanging(file: &Path) -> String {
    let mut uri = "file:".to_string();
    for byte in file.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1");
    uri
}
