//! Conversion of errors of `SQLite` to the store's own.

use std::io::{self, ErrorKind};
use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

/// While it is being opened.
pub(crate) fn opening(error: &Error, path: &Path) -> StoreError {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotAHistory(path),
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt { path, detail: error.to_string() },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(path),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(path),
        Some(ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::CannotOpen { path, detail: error.to_string() },
    }
}

/// Returns the error for a failure of the system while the file is being opened.
pub(crate) fn opening_io(error: &io::Error, path: &Path) -> StoreError {
    let path = path.to_path_buf();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(path),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::CannotOpen { path, detail: error.to_string() },
    }
}

/// While writing. What is not known to be harmless is taken for a failed write: the server must not pretend.
pub(crate) fn writing(error: &Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        // Raised by append.rs where numbers end; what is stored keeps far below the bounds that SQLite means by it.
        Some(ErrorCode::TooBig) => StoreError::UsedUp(detail(error)),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(path.to_path_buf()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(path.to_path_buf()),
        // Only an operation that can be cancelled has its statements interrupted while it writes.
        Some(ErrorCode::OperationInterrupted) => StoreError::Cancelled,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { path: path.to_path_buf(), detail: error.to_string() }
        }
        _ => StoreError::WriteFailed(error.to_string()),
    }
}

/// Returns whether the system failed to write, which is also what `SQLite` says of a quota that is
/// used up.
pub(crate) fn is_failed_write(error: &Error) -> bool {
    matches!(error, Error::SqliteFailure(failure, _) if failure.extended_code == ffi::SQLITE_IOERR_WRITE)
}

/// The words that came with a code.
fn detail(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(words)) => words.clone(),
        _ => error.to_string(),
    }
}

/// While reading.
pub(crate) fn reading(error: &Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::TooSlow
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { path: path.to_path_buf(), detail: error.to_string() }
        }
        _ => StoreError::ReadFailed(error.to_string()),
    }
}
