//! Bytes of stored messages by whom they count for. Forgetting by size is fair by these ([`super::displaced`]).
//!
//! They follow behind the commits: in a room they hold the messages up to `room.counted`, and both change in one transaction.

use std::collections::BTreeMap;
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::engine::Engine;
use super::place::{place, seq_of};
use super::tend::next_step;
use crate::store::StoreError;

/// Account of the lobby. Other rooms belong to the account of the origin that opened them; accounts are origins otherwise.
pub(super) const LOBBY_ACCOUNT: i64 = -1;

/// Origin of messages of which none is known: imported ones, and those of older versions.
pub(super) const UNKNOWN_ORIGIN: i64 = 0;

/// Rows of one counting step: their texts are not read, only their lengths.
const ROWS_MIN: u64 = 256;
const ROWS_MAX: u64 = 16 * 1024;

/// See [`room_cost`].
const ROOM_BYTES: u64 = 256;
const MENTIONS_BYTES_MAX: u64 = 32 * 1024;

/// Bytes that a row counts for: the text once for itself and once for the search index, and a constant for the rest.
macro_rules! row_bytes {
    () => {
        "64 + octet_length(sender) + 2 * octet_length(text)"
    };
}
pub(super) use row_bytes;

/// Scope of shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything; its one part is 0.
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

/// Mixes a subnet into 32 bits with the history's secret.
pub(super) fn origin_of(secret: u128, subnet: u128) -> i64 {
    if subnet == 0 {
        return UNKNOWN_ORIGIN;
    }
    i64::from(((subnet.wrapping_mul(secret | 1) >> 96) as u32).max(1))
}

/// A message as far as shares go.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountedRow {
    pub(super) place: i64,
    pub(super) origin: i64,
    pub(super) bytes: u64,
}

impl CountedRow {
    /// Reads `place, origin` and [`row_bytes`], the first three columns.
    pub(super) fn of(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self { place: row.get(0)?, origin: row.get(1)?, bytes: row.get::<_, Option<u64>>(2)?.unwrap_or(0) })
    }
}

/// Changes of shares, to be written together.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<(i64, i64), i64>);

impl Changes {
    /// Adds bytes of a message of a room; negative ones are taken away.
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

    /// Writes them, and what rooms cost beside their messages: that counts for who opened them.
    pub(super) fn write(mut self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
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

/// Bytes that a room costs beside its messages, which have so many: its rows here and in `room`; and the search index writes the first
/// mention of a piece of text in a room with five bytes more than the others, until most pieces were mentioned.
fn room_cost(bytes: u64) -> u64 {
    if bytes == 0 { 0 } else { ROOM_BYTES + (bytes * 5 / 2).min(MENTIONS_BYTES_MAX) }
}

/// The largest shares of a scope, the largest first.
pub(super) fn largest(db: &Connection, scope: Scope, count: usize) -> Result<Vec<(i64, u64)>, rusqlite::Error> {
    db.prepare_cached(
        "SELECT part, bytes FROM share INDEXED BY share_largest WHERE scope = ?1 ORDER BY bytes DESC LIMIT ?2",
    )?
    .query_map((scope.key(), count), |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// The bytes of one part of a scope.
pub(super) fn share(db: &Connection, scope: Scope, part: i64) -> Result<u64, rusqlite::Error> {
    let mut statement = db.prepare_cached("SELECT bytes FROM share WHERE scope = ?1 AND part = ?2")?;
    Ok(statement.query_row((scope.key(), part), |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Progress of counting.
#[derive(Debug)]
pub(super) struct Counting {
    /// The room that was counted last; the next comes after it.
    turn: i64,
    /// Rows of the next step.
    rows: u64,
    /// Nothing waited at the last look, and nothing was stored since.
    pub(super) is_done: bool,
}

impl Default for Counting {
    fn default() -> Self {
        Self { turn: 0, rows: ROWS_MIN, is_done: false }
    }
}

impl Engine {
    /// Counts some messages that are not in the shares yet; returns how many.
    pub(super) fn count_step(&mut self) -> Result<u64, StoreError> {
        if self.counting.is_done {
            return Ok(0);
        }
        let (started, rows) = (Instant::now(), self.counting.rows);
        let counted = self.count_rows(rows)?;
        self.counting.rows = next_step(rows, counted, started.elapsed(), ROWS_MIN, ROWS_MAX);
        Ok(counted)
    }

    /// Counts `wanted` messages, or all that wait if there are fewer. Returns how many.
    pub(super) fn count_rows(&mut self, wanted: u64) -> Result<u64, StoreError> {
        let turn = self.counting.turn;
        let Counted { rows, turn, is_all } =
            self.without_sync(|engine| count(&mut engine.db, turn, wanted.min(ROWS_MAX)))?;
        (self.counting.turn, self.counting.is_done) = (turn, is_all);
        Ok(rows)
    }
}

/// Result of a counting step.
struct Counted {
    rows: u64,
    /// The last room.
    turn: i64,
    /// Nothing is left to count.
    is_all: bool,
}

/// Room after room, each from where it stopped; `rows_max` bounds the messages and the rooms.
fn count(db: &mut Connection, mut turn: i64, rows_max: u64) -> Result<Counted, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut done, mut rooms, mut is_all, mut changes) = (0, 0, false, Changes::default());
    while done < rows_max && rooms < rows_max {
        let Some((room_id, account, counted, newest)) = uncounted(&transaction, turn)? else {
            is_all = true;
            break;
        };
        (turn, rooms) = (room_id, rooms + 1);
        let mut reached = newest;
        {
            let mut messages = transaction.prepare_cached(concat!(
                "SELECT place, origin, ",
                row_bytes!(),
                " FROM message WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT ?3"
            ))?;
            let mut rows = messages.query((place(room_id, counted), place(room_id, newest), rows_max - done))?;
            while let Some(row) = rows.next()? {
                let row = CountedRow::of(row)?;
                changes.add((room_id, account), row.origin, row.bytes.cast_signed());
                done += 1;
                if done == rows_max {
                    reached = seq_of(row.place);
                }
            }
        }
        transaction.prepare_cached("UPDATE room SET counted = ?2 WHERE id = ?1")?.execute((room_id, reached))?;
    }
    changes.write(&transaction)?;
    transaction.commit()?;
    Ok(Counted { rows: done, turn, is_all })
}

/// The next room after `turn` that has messages to count, round and round: its id, its account, what is counted, and its newest number.
fn uncounted(db: &Connection, turn: i64) -> Result<Option<(i64, i64, u64, u64)>, rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "SELECT id, account, max(counted, oldest - 1), newest FROM room INDEXED BY room_uncounted
         WHERE counted < newest AND id > ?1 ORDER BY id LIMIT 1",
    )?;
    for after in [turn, 0] {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let found = statement.query_row([after], read).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
