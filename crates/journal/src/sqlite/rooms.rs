//! The rooms of a history: their ids, and the numbers they have given.

use std::collections::HashMap;

use glassline_wire::request::LOBBY;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::checksum::{self, Table};
use super::place::ROOM_ID_MAX;
use super::shares::LOBBY_ACCOUNT;

/// State of a room that an append needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct CachedRoom {
    pub(super) id: i64,
    pub(super) newest: u64,
}

/// A room as it is when a question is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomNow {
    pub(super) id: i64,
    pub(super) oldest: u64,
    pub(super) newest: u64,
    /// The last number in the search index.
    pub(super) indexed: u64,
}

/// The room of this name, if it was ever spoken in.
pub(super) fn find_room(
    transaction: &Transaction<'_>,
    cached: &HashMap<String, CachedRoom>,
    name: &str,
) -> Result<Option<CachedRoom>, rusqlite::Error> {
    if let Some(&room) = cached.get(name) {
        return Ok(Some(room));
    }
    transaction
        .prepare_cached("SELECT id, newest FROM room WHERE name = ?1")?
        .query_row([name], |row| Ok(CachedRoom { id: row.get(0)?, newest: row.get(1)? }))
        .optional()
}

/// The account of a room that somebody of this origin opens.
pub(super) fn account_of(name: &str, origin: i64) -> i64 {
    if name == LOBBY { LOBBY_ACCOUNT } else { origin }
}

/// Makes a room whose first number will be `first`, opened by somebody of this origin. Returns its id.
pub(super) fn open_room(
    transaction: &Transaction<'_>,
    name: &str,
    first: u64,
    origin: i64,
) -> Result<i64, rusqlite::Error> {
    let account = account_of(name, origin);
    transaction
        .prepare_cached(
            "INSERT INTO room(name, newest, oldest, indexed, newest_at_ms, oldest_at_ms, account, counted)
             VALUES(?1, ?2 - 1, ?2, ?2 - 1, 0, 0, ?3, ?2 - 1)",
        )?
        .execute((name, first, account))?;
    let id = transaction.last_insert_rowid();
    if id > ROOM_ID_MAX {
        return Err(used_up("no more rooms can be opened in this history"));
    }
    Ok(id)
}

/// # Errors
/// It cannot be read, or its row is damaged: a number that it says may have been given already, or be missing.
pub(super) fn room_now(db: &Connection, name: &str) -> Result<Option<RoomNow>, rusqlite::Error> {
    db.prepare_cached("SELECT * FROM room WHERE name = ?1")?
        .query_row([name], |row| {
            checksum::verify(Table::Room, row)?;
            Ok(RoomNow {
                id: row.get("id")?,
                oldest: row.get("oldest")?,
                newest: row.get("newest")?,
                indexed: row.get("indexed")?,
            })
        })
        .optional()
}

/// Verifies every room's row, and that rooms are found by their names: one that is not would be opened again, and its numbers given again.
pub(super) fn verify_all(db: &Connection) -> Result<(), rusqlite::Error> {
    let of_name = |name: ValueRef<'_>, id: i64| checksum::of_values([name, ValueRef::Integer(id)]);
    let (mut in_table, mut by_name) = (0_i64, 0_i64);
    let mut rooms = db.prepare("SELECT * FROM room NOT INDEXED")?;
    let name_column = rooms.column_index("name")?;
    let mut rows = rooms.query([])?;
    while let Some(row) = rows.next()? {
        checksum::verify(Table::Room, row)?;
        in_table = in_table.wrapping_add(of_name(row.get_ref(name_column)?, row.get("id")?));
    }
    // The index on names alone answers this.
    let mut names = db.prepare("SELECT name, id FROM room ORDER BY name")?;
    let mut rows = names.query([])?;
    while let Some(row) = rows.next()? {
        by_name = by_name.wrapping_add(of_name(row.get_ref(0)?, row.get(1)?));
    }
    if in_table == by_name {
        return Ok(());
    }
    Err(checksum::damaged("the index of the rooms' names has other names than the rooms".to_string()))
}

/// Returns the error that [`super::fault`] takes for the end of numbers.
pub(super) fn used_up(what: &str) -> rusqlite::Error {
    let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG);
    rusqlite::Error::SqliteFailure(full, Some(what.to_string()))
}
