//! Errors of the commands that write or read an export.

use std::io;

use crate::store::StoreError;

/// Error of an export or import, one variant for each cause.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// Error of the history.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Failure to write the export.
    #[error("the export cannot be written ({0}); look after where it goes, then export again")]
    Output(io::Error),
    /// Failure to read the import.
    #[error("line {line} of the import cannot be read ({cause}); nothing was imported")]
    Input {
        /// Counted from 1.
        line: u64,
        /// Error of the system.
        cause: io::Error,
    },
    /// Import of another kind of file.
    #[error("what is to be imported {0}; nothing was imported")]
    Form(&'static str),
    /// A line of what is to be imported is wrong.
    #[error("line {line} {detail}; nothing was imported: mend the line or take it out, then import again")]
    Line {
        /// Counted from 1.
        line: u64,
        /// Description of the error.
        detail: String,
    },
}
