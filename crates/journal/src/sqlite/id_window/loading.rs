//! Filling the window from the end of each room's messages, newest first, after a history was
//! opened. The reading is bounded by the window, not by the history.

use std::collections::BinaryHeap;

use glassline_wire::message_id::MessageId;
use rusqlite::Connection;

use crate::sqlite::message_row::{self, AUTHOR_COLUMN, ROWID_COLUMN, select_messages};
use crate::sqlite::rowid::rowid;

/// Bytes of rows that are read at most: texts may be long.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Most rows of a room that are read at once. The first read is of one, so that of many rooms
/// hardly more is read than is taken.
const ROWS_AT_ONCE_MAX: usize = 256;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// Milliseconds since 1970. First, so that rooms are ordered by it.
    at_ms: u64,
    pub(super) rowid: i64,
    pub(super) id: Option<MessageId>,
    pub(super) author: u64,
    pub(super) name: String,
    bytes: u64,
}

/// End of a room that is not in the window yet.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tail {
    latest: Row,
    /// Messages before it that were read, the next one last.
    earlier: Vec<Row>,
    /// Rowid of the oldest message of the room.
    oldest: i64,
    rows_at_once: usize,
}

impl Tail {
    /// Reads the end of a room; nothing if its newest message is not there or cannot be read.
    fn read(db: &Connection, newest: i64, oldest: i64) -> Option<Self> {
        let latest = rows(db, newest, oldest, 1).pop().filter(|row| row.rowid == newest)?;
        Some(Self { latest, earlier: Vec::new(), oldest, rows_at_once: 1 })
    }

    /// Splits the latest message off. There is nothing before it if no number before it has a
    /// message, or that cannot be read.
    fn split(mut self, db: &Connection) -> (Row, Option<Self>) {
        let rowid = self.latest.rowid - 1;
        if self.earlier.is_empty() && rowid >= self.oldest {
            self.rows_at_once = (self.rows_at_once * 2).min(ROWS_AT_ONCE_MAX);
            self.earlier = rows(db, rowid, self.oldest, self.rows_at_once);
            self.earlier.reverse();
        }
        match self.earlier.pop() {
            Some(before) => (std::mem::replace(&mut self.latest, before), Some(self)),
            None => (self.latest, None),
        }
    }
}

/// Room in the order of the rooms' newest messages.
#[derive(Debug, Clone, Copy)]
struct NextRoom {
    newest_at_ms: u64,
    id: i64,
    newest: i64,
    oldest: i64,
}

/// Progress of loading. A row that cannot be read ends its room: ids before it count as unknown.
#[derive(Debug)]
pub(super) struct Loading {
    tails: BinaryHeap<Tail>,
    /// The next room after those in `tails`.
    next_room: Option<NextRoom>,
    is_begun: bool,
    bytes_left: u64,
}

impl Loading {
    pub(super) fn new() -> Self {
        Self { tails: BinaryHeap::new(), next_room: None, is_begun: false, bytes_left: BYTES_MAX }
    }

    /// Returns the latest message that was not returned before; nothing at the end.
    pub(super) fn next(&mut self, db: &Connection) -> Option<Row> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.next_room = room_before(db, i64::MAX.cast_unsigned(), i64::MAX);
        }
        if self.bytes_left == 0 {
            return None;
        }
        while let Some(room) = self.next_room.take_if(|room| {
            // It may be the room of the latest message.
            self.tails.peek().is_none_or(|tail| tail.latest.at_ms < room.newest_at_ms)
        }) {
            self.tails.extend(Tail::read(db, room.newest, room.oldest));
            self.next_room = room_before(db, room.newest_at_ms, room.id);
        }
        let (latest, before) = self.tails.pop()?.split(db);
        self.bytes_left = self.bytes_left.saturating_sub(latest.bytes);
        self.tails.extend(before);
        Some(latest)
    }
}

/// Returns the room whose newest message is the latest before these. One that cannot be read is the
/// end of them.
fn room_before(db: &Connection, newest_at_ms: u64, id: i64) -> Option<NextRoom> {
    let mut rooms = db
        .prepare_cached(
            "SELECT * FROM (
                 SELECT id, newest_at_ms, newest, oldest FROM room INDEXED BY room_newest
                 WHERE oldest <= newest AND newest_at_ms = ?1 AND id < ?2 ORDER BY id DESC LIMIT 1
             )
             UNION ALL SELECT * FROM (
                 SELECT id, newest_at_ms, newest, oldest FROM room INDEXED BY room_newest
                 WHERE oldest <= newest AND newest_at_ms < ?1 ORDER BY newest_at_ms DESC, id DESC LIMIT 1
             ) LIMIT 1",
        )
        .ok()?;
    let found = rooms.query_row((newest_at_ms, id), |row| {
        let id: i64 = row.get(0)?;
        let (newest, oldest) = (rowid(id, row.get(2)?), rowid(id, row.get(3)?));
        Ok(NextRoom { newest_at_ms: row.get(1)?, id, newest, oldest })
    });
    found.ok()
}

/// Reads up to `count` messages from `newest` backwards to `oldest`, and none before one that
/// cannot be read.
fn rows(db: &Connection, newest: i64, oldest: i64, count: usize) -> Vec<Row> {
    let Ok(mut messages) = db.prepare_cached(select_messages!(
        "FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place DESC LIMIT ?3"
    )) else {
        return Vec::new();
    };
    let found = messages.query_map((oldest, newest, count), |row| {
        let message = message_row::message("", row)?;
        Ok(Row {
            at_ms: message.at.map_or(0, |at| at.unix_ms),
            rowid: row.get(ROWID_COLUMN)?,
            id: message.id,
            author: row.get::<_, i64>(AUTHOR_COLUMN)?.cast_unsigned(),
            bytes: (message.text.len() + message.from.len()) as u64,
            name: message.from,
        })
    });
    found.map_or_else(|_| Vec::new(), |rows| rows.map_while(Result::ok).collect())
}
