//! What a person does with a history: export, import, check, vacuum.

mod check;
mod export;
mod import;
mod vacuum;

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

#[cfg(test)]
pub(super) use self::check::check_with;
pub use self::check::{Report, check};
pub use self::export::{Exported, export};
pub use self::import::{Imported, import};
pub use self::vacuum::{Vacuumed, vacuum};
use super::files::log_bytes;
use super::schema::{self, Kind};
use super::{fault, opening};
use crate::store::StoreError;

/// Why an export or import came to nothing, one variant for each cause.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The history itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was exported cannot be written.
    #[error("the export cannot be written ({0}); look after where it goes, then export again")]
    Output(io::Error),
    /// What is to be imported cannot be read.
    #[error("line {line} of the import cannot be read ({cause}); nothing was imported")]
    Input {
        /// Counted from 1.
        line: u64,
        /// What the system says.
        cause: io::Error,
    },
    /// What is to be imported is no export.
    #[error("line {line} {detail}; nothing was imported: mend the line or take it out, then import again")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        detail: String,
    },
}

/// How long a server's writing is waited for; it takes microseconds where readers must wait at all.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Opens a history to read it, whether a server has it open or not.
fn open_to_read(file: &Path) -> Result<Connection, StoreError> {
    opening::look_at_found(file)?;
    let opening = |error| fault::opening(&error, file);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(file, flags).map_err(opening)?;
    db.busy_timeout(BUSY_WAIT).map_err(opening)?;
    // What readers share cannot be made in a folder that may not be written to, nor on a full disk.
    let unreachable = |error: &rusqlite::Error| {
        let code = error.sqlite_error_code();
        matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure))
    };
    if let Err(error) = db.query_row("PRAGMA application_id", [], |_| Ok(()))
        && unreachable(&error)
        && log_bytes(file).is_ok_and(|bytes| bytes == 0)
        && !opening::is_in_use(file)
    {
        // Then it is read as it stands; a log would be left out, and what a server writes meanwhile would come in pieces.
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        db = Connection::open_with_flags(unchanging(file), flags).map_err(opening)?;
    }
    match schema::kind(&db, file)? {
        Kind::History(version) => {
            schema::show_as_current(&db, version).map_err(opening)?;
            Ok(db)
        }
        Kind::Empty => Err(StoreError::NotAHistory(file.to_path_buf())),
    }
}

/// The file's name as a URI that says that it does not change.
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
