//! Conversion of `SQLite`'s errors to the store's.

use std::io::{self, ErrorKind};
use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

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

pub(crate) fn opening_io(error: &io::Error, path: &Path) -> StoreError {
    let path = path.to_path_buf();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(path),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::CannotOpen { path, detail: error.to_string() },
    }
}

/// Converts an error of writing. What is not known to be harmless counts as a failed write: the
/// server must not acknowledge a message that may be lost.
pub(crate) fn writing(error: &Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        // Raised where numbers end; rows keep far below the bounds of `SQLite`.
        Some(ErrorCode::TooBig) => StoreError::UsedUp(match error {
            Error::SqliteFailure(_, Some(detail)) => detail.clone(),
            _ => error.to_string(),
        }),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(path.to_path_buf()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(path.to_path_buf()),
        // Only operations that can be cancelled have their statements interrupted.
        Some(ErrorCode::OperationInterrupted) => StoreError::Cancelled,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { path: path.to_path_buf(), detail: error.to_string() }
        }
        _ => StoreError::WriteFailed(error.to_string()),
    }
}

/// Returns whether the system failed to write: `SQLite` reports a used-up quota like that too.
pub(crate) fn is_failed_write(error: &Error) -> bool {
    matches!(error, Error::SqliteFailure(failure, _) if failure.extended_code == ffi::SQLITE_IOERR_WRITE)
}

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
