//! The rooms of a history: their ids, and the numbers they have assigned.

use std::collections::HashMap;
use std::path::Path;

use glassline_wire::limits::ROOM_CHARS_MAX;
use glassline_wire::request::LOBBY;
use glassline_wire::visible::is_direction_or_break;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, OptionalExtension, Row, Transaction};

use super::checksum::{self, Table};
use super::errors;
use super::rowid::{ROOM_ID_MAX, rowid};
use crate::store::StoreError;

/// Most rooms in the cache. Beyond it all are dropped and read again.
const CACHED_MAX: usize = 4_096;

/// Rooms whose numbers are verified when a file is opened; `check` verifies all.
const ROOMS_VERIFIED: usize = 1_000;

/// Account of the lobby in the shares. The account of another room is the origin that opened it.
pub(super) const LOBBY_ACCOUNT: i64 = -1;

#[derive(Debug, Clone, Copy)]
pub(super) struct CachedRoom {
    pub(super) id: i64,
    pub(super) newest: u64,
}

/// Row of a room, verified against its checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomRow {
    pub(super) id: i64,
    pub(super) oldest: u64,
    pub(super) newest: u64,
    /// Last number in the search index.
    pub(super) indexed: u64,
    pub(super) oldest_at_ms: u64,
    /// Numbers from the oldest on whose messages were removed by retention.
    pub(super) removed: u64,
}

impl RoomRow {
    pub(super) fn of(row: &Row<'_>) -> Result<Self, Error> {
        checksum::verify(Table::Room, row)?;
        Ok(Self {
            id: row.get("id")?,
            oldest: row.get("oldest")?,
            newest: row.get("newest")?,
            indexed: row.get("indexed")?,
            oldest_at_ms: row.get("oldest_at_ms")?,
            removed: row.get("forgotten")?,
        })
    }

    pub(super) fn with_name(db: &Connection, name: &str) -> Result<Option<Self>, Error> {
        db.prepare_cached("SELECT * FROM room WHERE name = ?1")?.query_row([name], Self::of).optional()
    }

    pub(super) fn with_id(db: &Connection, id: i64) -> Result<Option<Self>, Error> {
        db.prepare_cached("SELECT * FROM room WHERE id = ?1")?.query_row([id], Self::of).optional()
    }

    /// Returns whether its numbers can be those of a room.
    pub(super) fn is_consistent(&self) -> bool {
        (1..=self.newest + 1).contains(&self.oldest) && self.indexed <= self.newest
    }
}

#[derive(Default)]
pub(super) struct RoomCache(HashMap<String, CachedRoom>);

impl RoomCache {
    /// Returns the room of this name, if it ever had a message.
    pub(super) fn find(&self, transaction: &Transaction<'_>, name: &str) -> Result<Option<CachedRoom>, Error> {
        if let Some(&room) = self.0.get(name) {
            return Ok(Some(room));
        }
        transaction
            .prepare_cached("SELECT id, newest FROM room WHERE name = ?1")?
            .query_row([name], |row| Ok(CachedRoom { id: row.get(0)?, newest: row.get(1)? }))
            .optional()
    }

    pub(super) fn trim(&mut self) {
        if self.0.len() > CACHED_MAX {
            self.0.clear();
        }
    }

    pub(super) fn note(&mut self, name: &str, room: CachedRoom) {
        if let Some(known) = self.0.get_mut(name) {
            *known = room;
        } else {
            self.0.insert(name.to_string(), room);
        }
    }
}

/// Returns the account of a room that a client of this origin opens.
pub(super) fn account_of(name: &str, origin: i64) -> i64 {
    if name == LOBBY { LOBBY_ACCOUNT } else { origin }
}

/// Describes why no server admits clients to a room of this name, as far as that is known
/// without the tables of Unicode that servers have.
pub(super) fn cannot_be_entered(room: &str) -> Option<String> {
    if room.to_lowercase() != room {
        return Some(format!("write {:?}, in lower case", room.to_lowercase()));
    }
    if room.chars().count() > ROOM_CHARS_MAX {
        return Some(format!("it has more than {ROOM_CHARS_MAX} characters"));
    }
    if room.starts_with(['/', '*']) {
        return Some("it begins with \"/\" or \"*\"".to_string());
    }
    let forbidden = room.chars().find(|&c| c.is_whitespace() || c.is_control() || is_direction_or_break(c));
    forbidden.map(|c| format!("it has the character U+{:04X}", u32::from(c)))
}

/// Creates a room whose first number will be `first`, opened by a client of this origin. Returns
/// its id.
pub(super) fn open_room(transaction: &Transaction<'_>, name: &str, first: u64, origin: i64) -> Result<i64, Error> {
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

/// Verifies every room's row and the index of names: a room that is not found by its name would be
/// created again, and its numbers given again.
pub(super) fn verify_all(db: &Connection) -> Result<(), Error> {
    let of_name = |name: ValueRef<'_>, id: i64| checksum::of_values([name, ValueRef::Integer(id)]);
    let (mut in_table, mut by_name) = (0_i64, 0_i64);
    let mut rooms = db.prepare("SELECT * FROM room NOT INDEXED")?;
    let name_column = rooms.column_index("name")?;
    let mut rows = rooms.query([])?;
    while let Some(row) = rows.next()? {
        checksum::verify(Table::Room, row)?;
        in_table = in_table.wrapping_add(of_name(row.get_ref(name_column)?, row.get("id")?));
    }
    // This reads the index on names alone.
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

/// Compares the numbers of the latest rooms with their messages, which takes a moment however large
/// the file is.
pub(super) fn verify_numbers(db: &Connection, file: &Path) -> Result<(), StoreError> {
    let corrupt = |detail: String| StoreError::Corrupt { path: file.to_path_buf(), detail };
    let look = || {
        let mut rooms = db.prepare("SELECT * FROM room ORDER BY id DESC LIMIT ?1")?;
        let mut highest = db.prepare("SELECT coalesce(max(place), 0) FROM message WHERE place BETWEEN ?1 AND ?2")?;
        let mut rows = rooms.query([ROOMS_VERIFIED])?;
        while let Some(row) = rows.next()? {
            let room = RoomRow::of(row)?;
            let within = (rowid(room.id, 0), rowid(room.id, u64::MAX));
            let found: i64 = highest.query_row(within, |row| row.get(0))?;
            let wanted = if room.oldest <= room.newest { rowid(room.id, room.newest) } else { 0 };
            if found != wanted || !room.is_consistent() {
                return Ok(Some(row.get::<_, String>("name")?));
            }
        }
        Ok(None)
    };
    match look() {
        Ok(None) => Ok(()),
        Ok(Some(room)) => Err(corrupt(format!("the numbers of room {room:?} contradict its messages"))),
        Err(error @ Error::SqliteFailure(..)) => Err(errors::opening(&error, file)),
        Err(error) => Err(corrupt(error.to_string())),
    }
}

/// Reads the first row of a statement for the rooms after `last_room`, cyclically, so that a busy
/// room does not hold up the others.
pub(super) fn next_room<T>(
    db: &Connection,
    sql: &str,
    last_room: i64,
    read: impl Fn(&Row<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let mut statement = db.prepare_cached(sql)?;
    let next = statement.query_row([last_room], &read).optional()?;
    if next.is_some() { Ok(next) } else { statement.query_row([0], read).optional() }
}

/// Returns the number of messages that are stored, in all rooms.
pub(super) fn message_count(db: &Connection) -> Result<u64, Error> {
    db.query_row("SELECT coalesce(sum(newest - oldest + 1 - forgotten), 0) FROM room", [], |row| row.get(0))
}

/// Returns the error that [`super::errors`] converts to [`StoreError::UsedUp`].
pub(super) fn used_up(what: &str) -> Error {
    let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG);
    Error::SqliteFailure(full, Some(what.to_string()))
}
