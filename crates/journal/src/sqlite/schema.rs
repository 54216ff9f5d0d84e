//! The tables, version by version.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::fault;
use crate::store::StoreError;

/// Says in the file's header whose file it is: the letters `GLHI`.
pub(crate) const APPLICATION_ID: i32 = 0x474C_4849;

/// Makes the search index, empty.
///
/// `detail=none` makes it less than half as large and 1.4 times as fast to write; matches are checked against the text. Its segments are
/// merged in steps of our own: left to itself it merges for 50 ms at a time.
macro_rules! message_text {
    () => {
        "CREATE VIRTUAL TABLE message_text USING fts5(
             text, content='', contentless_delete=1, detail=none, tokenize='trigram'
         );
         INSERT INTO message_text(message_text, rank) VALUES('automerge', 0);"
    };
}

/// What makes the search index as a file of [`VERSION`] has it.
pub(super) const MESSAGE_TEXT: &str = message_text!();

/// It, and the tables it is kept in.
pub(super) const MESSAGE_TEXT_TABLES: [&str; 5] =
    ["message_text", "message_text_data", "message_text_idx", "message_text_docsize", "message_text_config"];

/// What brings a file from each version to the next: the first makes a new file. Only ever appended to.
const MIGRATIONS: [&str; 4] = [
    // Version 1.
    // `message.place` is the room's id and the message's number (place.rs): rows stand in the order they are read in, and no second
    // index is needed for it. `message_id.key` is 32 secretly mixed bits of a message's id: a small index, the whole id is compared in
    // the row. It follows behind, and has what stands up to `room.ids_merged` (ids.rs); `ids_dead` counts entries without a message.
    // `room.indexed` is the last number that is in `message_text`; both change in one transaction. The two partial indexes answer
    // `whose messages are the oldest` and `who is behind with indexing` without looking at every room.
    concat!(
        "CREATE TABLE fact(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
     INSERT INTO fact VALUES('id_secret', randomblob(16)), ('ids_dead', 0);
     CREATE TABLE room(
         id INTEGER PRIMARY KEY,
         name TEXT NOT NULL UNIQUE,
         newest INTEGER NOT NULL,
         oldest INTEGER NOT NULL,
         indexed INTEGER NOT NULL,
         ids_merged INTEGER NOT NULL,
         oldest_at_ms INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX room_behind ON room(id) WHERE indexed < newest;
     CREATE INDEX room_oldest ON room(oldest_at_ms) WHERE oldest <= newest;
     CREATE TABLE message(
         place INTEGER PRIMARY KEY,
         at_ms INTEGER NOT NULL,
         author INTEGER NOT NULL,
         sender TEXT NOT NULL,
         action INTEGER NOT NULL,
         id BLOB,
         text TEXT NOT NULL
     ) STRICT;
     CREATE TABLE message_id(key INTEGER, place INTEGER, PRIMARY KEY(key, place)) STRICT, WITHOUT ROWID;
     CREATE TABLE act(number INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
",
        message_text!()
    ),
    // Version 2: texts are indexed with an end behind them (fold.rs), so all of them are indexed again.
    "INSERT INTO message_text(message_text) VALUES('delete-all');
     UPDATE room SET indexed = oldest - 1;",
    SHARES,
    NORMALISED,
];

/// Version 4: texts are folded without regard to their normalisation form (fold.rs), and the index follows (`index_form.rs`).
const NORMALISED: &str = "INSERT INTO fact SELECT 'old_form_behind', 0 FROM room LIMIT 1;";

/// Version 3: whom stored bytes count for (shares.rs). `message.origin` is a number of the sender's subnet, `room.account` whose the
/// room is, `room.counted` the last number in `share`, `room.forgotten` how many numbers from its oldest on have no message any more.
/// Messages of older versions are counted behind the commits.
const SHARES: &str = "
     ALTER TABLE message ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE room ADD COLUMN account INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE room ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE room ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
     UPDATE room SET account = -1 WHERE name = 'lobby';
     CREATE INDEX room_uncounted ON room(id) WHERE counted < newest;
     CREATE TABLE share(
         scope INTEGER NOT NULL, part INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(scope, part)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX share_largest ON share(scope, bytes);
     INSERT INTO fact VALUES('origin_secret', randomblob(16));";

/// The version this program writes, and the newest it reads.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// What a file is, by its header and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No table at all: a new file, or one whose making was cut short.
    Empty,
    /// A history of this version or an older one.
    History(u32),
}

/// Tells a history from other files, and changes nothing.
pub(crate) fn kind(db: &Connection, path: &Path) -> Result<Kind, StoreError> {
    let read = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let opening = |error| fault::opening(&error, path);
    let application_id = read("application_id").map_err(opening)?;
    let version = read("user_version").map_err(opening)?;
    if application_id == APPLICATION_ID {
        let found = u32::try_from(version).unwrap_or(u32::MAX);
        if found > VERSION {
            return Err(StoreError::Newer { path: path.to_path_buf(), found, known: VERSION });
        }
        return Ok(Kind::History(found));
    }
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(opening)?;
    if application_id == 0 && version == 0 && tables == 0 {
        return Ok(Kind::Empty);
    }
    Err(StoreError::NotAHistory(path.to_path_buf()))
}

/// Brings the tables to [`VERSION`], all or nothing.
pub(crate) fn migrate(db: &mut Connection, from: u32) -> Result<(), rusqlite::Error> {
    if from >= VERSION {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in &MIGRATIONS[from as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
