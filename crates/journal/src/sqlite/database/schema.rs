//! Tables, version by version.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::checksum_triggers;
use crate::sqlite::checksum::Table;
use crate::sqlite::errors;
use crate::sqlite::rowid::rowid;
use crate::store::StoreError;

/// Mark of a history in the file's header: the letters `GLHI`.
pub(in crate::sqlite) const APPLICATION_ID: i32 = 0x474C_4849;

/// Creates the empty search index.
///
/// `detail=none` makes it less than half as large and 1.4 times as fast to write; matches are
/// compared with the text. Merging is done in steps of our own: automatic merges take 50 ms at a
/// time.
macro_rules! message_text {
    () => {
        "CREATE VIRTUAL TABLE message_text USING fts5(
             text, content='', contentless_delete=1, detail=none, tokenize='trigram'
         );
         INSERT INTO message_text(message_text, rank) VALUES('automerge', 0);"
    };
}

/// Statement that creates the search index as in [`VERSION`].
pub(in crate::sqlite) const MESSAGE_TEXT: &str = message_text!();

pub(in crate::sqlite) const MESSAGE_TEXT_TABLES: [&str; 5] =
    ["message_text", "message_text_data", "message_text_idx", "message_text_docsize", "message_text_config"];

/// Statements that migrate a file from each version to the next; the first creates a new file. Only
/// ever appended to.
const MIGRATIONS: [&str; 4] = [
    // Version 1. `message.place` is the room's id and the message's number (rowid.rs): rows stand
    // in the order they are read in, and no second index is needed for it. `message_id`,
    // `ids_merged` and the first facts are no longer used (version 3). `room.indexed` is the last
    // number that is in `message_text`; both change in one transaction. The two partial indexes
    // find the room with the oldest message and the next room to index without reading every room.
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
    // Version 2: texts are indexed with a suffix (folding.rs), so all of them are indexed
    // again.
    "INSERT INTO message_text(message_text) VALUES('delete-all');
     UPDATE room SET indexed = oldest - 1;",
    // Version 3, in four parts. The ids of the most recent messages are kept in memory
    // (id_window.rs), and `message_id` goes (legacy_ids.rs). `room_newest` lists the rooms with the
    // newest messages without reading every room. Each row has a checksum (checksum.rs). The facts
    // `unsummed_first` and `unsummed_last` are the rowids between which a row may be without one
    // (checksum_backfill.rs). `message.action` is `message.kind`, with the same numbers. Stored
    // bytes count for an account and an origin (shares.rs): `message.origin` is a number of the
    // sender's subnet, `room.account` is the owner of the room, `room.counted` is the last number
    // in `share`, and `room.forgotten` is how many numbers from its oldest on have no message any
    // more. Messages of older versions are counted after the commits. Texts are folded without
    // regard to their normalisation form (folding.rs), and the index follows (refold.rs).
    //
    // Adding a column to a STRICT table reads all of it, so the largest gets its new declaration
    // written: a row is as it was, and what it lacks is its column's default.
    "ALTER TABLE room RENAME COLUMN ids_merged TO newest_at_ms;
     CREATE INDEX room_newest ON room(newest_at_ms, id) WHERE oldest <= newest;
     DELETE FROM fact WHERE name IN ('id_secret', 'ids_dead');
     PRAGMA writable_schema=ON;
     UPDATE sqlite_schema SET sql = 'CREATE TABLE message(
         place INTEGER PRIMARY KEY,
         at_ms INTEGER NOT NULL,
         author INTEGER NOT NULL,
         sender TEXT NOT NULL,
         kind INTEGER NOT NULL,
         id BLOB,
         text TEXT NOT NULL,
         origin INTEGER NOT NULL DEFAULT 0,
         checksum INTEGER
     ) STRICT' WHERE type = 'table' AND name = 'message';
     PRAGMA writable_schema=RESET;
     ALTER TABLE room ADD COLUMN account INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE room ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE room ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE room ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE act ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
     UPDATE room SET account = -1 WHERE name = 'lobby';
     CREATE INDEX room_uncounted ON room(id) WHERE counted < newest;
     CREATE TABLE share(
         scope INTEGER NOT NULL, part INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(scope, part)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX share_largest ON share(scope, bytes);
     INSERT INTO fact VALUES('origin_secret', randomblob(16));
     INSERT INTO fact SELECT 'old_form_behind', 0 FROM room LIMIT 1;
     INSERT INTO fact SELECT 'unsummed_first', place FROM message ORDER BY place LIMIT 1;
     INSERT INTO fact SELECT 'unsummed_last', place FROM message ORDER BY place DESC LIMIT 1;
     INSERT INTO fact SELECT 'unsummed_checksum', checksum_of('unsummed', first.value, last.value)
         FROM fact AS first, fact AS last WHERE first.name = 'unsummed_first' AND last.name = 'unsummed_last';",
    // Version 4: `message.kind` 2 is a sealed message, whose `text` is its `sealed`
    // (message_row.rs). Nothing changes for what is stored; older programs would take it for
    // damage.
    "",
];

/// Version since which rows have checksums, and rooms the time of their newest message.
const CHECKSUMS_SINCE: u32 = 3;

/// Columns that rooms have since then, 0 in older versions.
const ROOM_COLUMNS_ADDED: [&str; 3] = ["account", "counted", "forgotten"];

/// Version that this program writes, and the newest it reads.
pub(in crate::sqlite) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Kind of a file, by its header and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Kind {
    /// No table at all: a new file, or one whose creation was interrupted.
    Empty,
    /// A history of this version or an older one.
    History(u32),
}

/// Distinguishes a history from other files. Changes nothing.
pub(in crate::sqlite) fn kind(db: &Connection, path: &Path) -> Result<Kind, StoreError> {
    let read = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let opening = |error| errors::opening(&error, path);
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

/// Shows the tables of an older version to a connection that only reads as those of this one:
/// messages have no checksums, and other rows the right ones.
pub(in crate::sqlite) fn show_as_current(db: &Connection, version: u32) -> Result<(), rusqlite::Error> {
    if version >= CHECKSUMS_SINCE {
        return Ok(());
    }
    checksum_triggers::add_functions(db)?;
    db.execute_batch(
        "PRAGMA temp_store=MEMORY;
         CREATE TEMP VIEW message AS
             SELECT place, at_ms, author, sender, action AS kind, id, text, 0 AS origin, NULL AS checksum
             FROM main.message;
         CREATE TEMP VIEW fact AS
             SELECT name, value FROM main.fact UNION ALL
             SELECT 'unsummed_first', 0 UNION ALL
             SELECT 'unsummed_last', 9223372036854775807 UNION ALL
             SELECT 'unsummed_checksum', checksum_of('unsummed', 0, 9223372036854775807);",
    )?;
    checksum_triggers::show_computed(db, Table::Room, &ROOM_COLUMNS_ADDED)?;
    checksum_triggers::show_computed(db, Table::Act, &[])
}

/// Migrates the tables to [`VERSION`], all or nothing. Rooms and acts get their checksums here,
/// messages while a server runs.
pub(in crate::sqlite) fn migrate(db: &mut Connection, from: u32) -> Result<(), rusqlite::Error> {
    if from >= VERSION {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in &MIGRATIONS[from as usize..] {
        transaction.execute_batch(migration)?;
    }
    if from < CHECKSUMS_SINCE {
        // As in a new file; what has rows is dropped in steps (legacy_ids.rs).
        if transaction.query_row("SELECT NOT EXISTS(SELECT 1 FROM message_id)", [], |row| row.get(0))? {
            transaction.execute_batch("DROP TABLE message_id")?;
        }
        set_newest_at(&transaction)?;
        checksum_triggers::compute_all(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Sets each room's `newest_at_ms`, from one row each; 0 where that cannot be read.
fn set_newest_at(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let mut rooms = transaction.prepare("SELECT id, newest FROM room")?;
    let mut message = transaction.prepare("SELECT at_ms FROM message WHERE place = ?1")?;
    let mut update = transaction.prepare("UPDATE room SET newest_at_ms = ?2 WHERE id = ?1")?;
    let rooms: Vec<(i64, u64)> =
        rooms.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (id, newest) in rooms {
        let at_ms: u64 = message.query_row([rowid(id, newest)], |row| row.get(0)).unwrap_or(0);
        update.execute((id, at_ms))?;
    }
    Ok(())
}
