//! Bytes of stored messages by account, room and origin, which make [eviction](super::eviction)
//! fair. They are counted after the commits: in a room they cover the messages up to
//! `room.counted`; both change in one transaction.

use std::collections::BTreeMap;
use std::time::Instant;

use rusqlite::{Connection, Error, OptionalExtension, Row, Transaction, TransactionBehavior};

use crate::sqlite::database::Database;
use crate::sqlite::pacer::Pacer;
use crate::sqlite::rooms::{LOBBY_ACCOUNT, next_room};
use crate::sqlite::rowid::{rowid, seq_of};
use crate::store::StoreError;

/// Origin of messages without a known one: imported, or of older versions.
pub(in crate::sqlite) const UNKNOWN_ORIGIN: i64 = 0;

/// Rows of one counting step: only the lengths of texts are read.
const ROWS_MIN: u64 = 256;
const ROWS_MAX: u64 = 16 * 1024;

/// See [`room_cost`].
const ROOM_BYTES: u64 = 256;
const MENTIONS_BYTES_MAX: u64 = 32 * 1024;

/// Statement that reads [`CountedRow`]s. A row counts for its text twice, once for itself and once
/// for the search index, and for a constant.
macro_rules! select_counted {
    ($rest:literal) => {
        concat!("SELECT place, origin, 64 + octet_length(sender) + 2 * octet_length(text), at_ms FROM message ", $rest)
    };
}
pub(super) use select_counted;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything; the one part is 0.
    All,
    /// Everything, by account.
    Accounts,
    /// Everything, by the sender's origin.
    Origins,
    /// An account, by room.
    RoomsOf(i64),
    /// A room, by the sender's origin.
    OriginsIn(i64),
}

impl Scope {
    /// Accounts, origins and room ids have less than 40 bits.
    fn key(self) -> i64 {
        match self {
            Self::All => 0,
            Self::Accounts => 1 << 40,
            Self::Origins => 2 << 40,
            Self::RoomsOf(account) => (3 << 40) + account - LOBBY_ACCOUNT,
            Self::OriginsIn(room_id) => (4 << 40) + room_id,
        }
    }
}

#[derive(Clone, Copy)]
pub(in crate::sqlite) struct Origins {
    secret: u128,
}

impl Origins {
    pub(in crate::sqlite) fn load(db: &Connection) -> Result<Self, Error> {
        let secret = db.query_row("SELECT value FROM fact WHERE name = 'origin_secret'", [], |row| row.get(0));
        secret.map(|secret| Self { secret: u128::from_be_bytes(secret) })
    }

    /// Returns the origin of a subnet, which has 32 bits.
    pub(in crate::sqlite) fn of(self, subnet: u128) -> i64 {
        if subnet == 0 {
            return UNKNOWN_ORIGIN;
        }
        i64::from(((subnet.wrapping_mul(self.secret | 1) >> 96) as u32).max(1))
    }
}

#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) struct CountedRow {
    pub(in crate::sqlite) rowid: i64,
    pub(in crate::sqlite) origin: i64,
    pub(in crate::sqlite) bytes: u64,
}

impl CountedRow {
    pub(super) fn of(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self { rowid: row.get(0)?, origin: row.get(1)?, bytes: row.get::<_, Option<u64>>(2)?.unwrap_or(0) })
    }
}

/// Changes of shares that are written together.
#[derive(Debug, Default)]
pub(super) struct ShareChanges(BTreeMap<(i64, i64), i64>);

impl ShareChanges {
    /// Adds the bytes of a message of a room, which may be negative.
    pub(super) fn add(&mut self, (room_id, account): (i64, i64), origin: i64, bytes: i64) {
        for (scope, part) in [
            (Scope::All, 0),
            (Scope::Accounts, account),
            (Scope::Origins, origin),
            (Scope::RoomsOf(account), room_id),
            (Scope::OriginsIn(room_id), origin),
        ] {
            *self.0.entry((scope.key(), part)).or_default() += bytes;
        }
    }

    /// Writes them, and the cost of rooms, which counts for their accounts.
    pub(super) fn write(mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let is_of_room = |key: &i64| (Scope::RoomsOf(LOBBY_ACCOUNT).key()..Scope::OriginsIn(0).key()).contains(key);
        let rooms: Vec<_> = self.0.iter().filter(|((scope, _), _)| is_of_room(scope)).map(|(k, v)| (*k, *v)).collect();
        for ((scope, room_id), bytes) in rooms {
            let account = scope - Scope::RoomsOf(0).key();
            let before = share(transaction, Scope::RoomsOf(account), room_id)?;
            let after = before.saturating_add_signed(bytes);
            let more = room_cost(after).cast_signed() - room_cost(before).cast_signed();
            *self.0.entry((Scope::All.key(), 0)).or_default() += more;
            *self.0.entry((Scope::Accounts.key(), account)).or_default() += more;
            if account != LOBBY_ACCOUNT {
                *self.0.entry((Scope::Origins.key(), account)).or_default() += more;
            }
        }
        let mut change = transaction.prepare_cached(
            "INSERT INTO share VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET bytes = max(bytes + excluded.bytes, 0)",
        )?;
        let mut clear =
            transaction.prepare_cached("DELETE FROM share WHERE scope = ?1 AND part = ?2 AND bytes <= 0")?;
        for ((scope, part), bytes) in self.0 {
            change.execute((scope, part, bytes))?;
            if bytes <= 0 {
                clear.execute((scope, part))?;
            }
        }
        Ok(())
    }
}

/// Returns the bytes that a room costs beside its messages of so many bytes: its rows here and in
/// `room`, and five bytes for the first mention of each term in the search index, until most terms
/// were mentioned.
fn room_cost(bytes: u64) -> u64 {
    if bytes == 0 { 0 } else { ROOM_BYTES + (bytes * 5 / 2).min(MENTIONS_BYTES_MAX) }
}

pub(super) fn largest(db: &Connection, scope: Scope, count: usize) -> Result<Vec<(i64, u64)>, Error> {
    db.prepare_cached(
        "SELECT part, bytes FROM share INDEXED BY share_largest WHERE scope = ?1 ORDER BY bytes DESC LIMIT ?2",
    )?
    .query_map((scope.key(), count), |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

pub(super) fn share(db: &Connection, scope: Scope, part: i64) -> Result<u64, Error> {
    let mut statement = db.prepare_cached("SELECT bytes FROM share WHERE scope = ?1 AND part = ?2")?;
    Ok(statement.query_row((scope.key(), part), |row| row.get(0)).optional()?.unwrap_or(0))
}

pub(super) struct ShareCounter {
    /// Id of the room that was counted last; the next one follows.
    last_room: i64,
    rows: Pacer,
    /// Nothing waited at the last look, and nothing was stored since.
    is_complete: bool,
}

impl ShareCounter {
    pub(super) fn new() -> Self {
        Self { last_room: 0, rows: Pacer::new(ROWS_MIN, ROWS_MIN, ROWS_MAX), is_complete: false }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn note_stored(&mut self) {
        self.is_complete = false;
    }

    /// Counts some messages that are not in the shares yet. Returns how many.
    pub(super) fn step(&mut self, db: &mut Database) -> Result<u64, StoreError> {
        if self.is_complete {
            return Ok(0);
        }
        let started = Instant::now();
        let counted = self.count(db, self.rows.size())?;
        self.rows.note(counted, started.elapsed());
        Ok(counted)
    }

    pub(super) fn count(&mut self, db: &mut Database, rows_max: u64) -> Result<u64, StoreError> {
        let last_room = self.last_room;
        let counted = db.run_without_sync(|connection| count(connection, last_room, rows_max.min(ROWS_MAX)))?;
        (self.last_room, self.is_complete) = (counted.last_room, counted.is_complete);
        Ok(counted.rows)
    }
}

/// Statement that reads a room with messages to count: its id, its account, the last number
/// counted, and its newest one.
const UNCOUNTED_ROOM: &str = "SELECT id, account, max(counted, oldest - 1), newest FROM room
     INDEXED BY room_uncounted WHERE counted < newest AND id > ?1 ORDER BY id LIMIT 1";

struct Counted {
    rows: u64,
    last_room: i64,
    is_complete: bool,
}

/// Counts room after room, each from where it stopped; `rows_max` bounds the messages and the
/// rooms.
fn count(db: &mut Connection, mut last_room: i64, rows_max: u64) -> Result<Counted, Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut done, mut rooms, mut is_complete, mut changes) = (0, 0, false, ShareChanges::default());
    while done < rows_max && rooms < rows_max {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let next = next_room(&transaction, UNCOUNTED_ROOM, last_room, read)?;
        let Some((room_id, account, counted, newest)) = next else {
            is_complete = true;
            break;
        };
        (last_room, rooms) = (room_id, rooms + 1);
        let mut reached = newest;
        {
            let mut messages = transaction
                .prepare_cached(select_counted!("WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT ?3"))?;
            let mut rows = messages.query((rowid(room_id, counted), rowid(room_id, newest), rows_max - done))?;
            while let Some(row) = rows.next()? {
                let row = CountedRow::of(row)?;
                changes.add((room_id, account), row.origin, row.bytes.cast_signed());
                done += 1;
                if done == rows_max {
                    reached = seq_of(row.rowid);
                }
            }
        }
        transaction.prepare_cached("UPDATE room SET counted = ?2 WHERE id = ?1")?.execute((room_id, reached))?;
    }
    changes.write(&transaction)?;
    transaction.commit()?;
    Ok(Counted { rows: done, last_room, is_complete })
}
