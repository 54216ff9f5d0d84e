//! Writing of the log's pages into the file.

use rusqlite::{Connection, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Checkpoint {
    /// As far as possible without waiting for readers.
    Passive,
    /// Waits for readers, so that the log starts again from its beginning.
    Restart,
    /// As [`Self::Restart`], and the log's file is emptied.
    Truncate,
}

impl Checkpoint {
    /// Runs a checkpoint. Returns whether it reached the end of the log.
    pub(super) fn run(self, connection: &Connection) -> Result<bool, Error> {
        let pragma = match self {
            Self::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
            Self::Restart => "PRAGMA wal_checkpoint(RESTART)",
            Self::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        connection.query_row(pragma, [], |row| {
            let (busy, pages, done): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(busy == 0 && pages == done)
        })
    }
}
