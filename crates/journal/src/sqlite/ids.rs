//! Which ids there are. A table of ids at random places would cost every commit a page for each message; so the latest stay in memory
//! and go into the table in the order of their keys, a few with each commit: many to a page.

use std::collections::{BTreeSet, HashMap};

use glassline_wire::message_id::MessageId;
use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior};

use super::engine::Engine;
use super::place::place;
use crate::store::StoreError;

/// Messages whose ids stay in memory before they are frozen, to go into the table: 12 MiB of ids. While they go, as many may come. When
/// a file is opened, these are read, and up to half as many more.
const YOUNG_MAX: u64 = 512 * 1024;

/// When there is nothing else to do, this many are worth the pages they touch.
const YOUNG_WORTH: u64 = 16 * 1024;

/// Messages of one id in one room that are compared: senders that copied another's id. Older ones are not looked at, and where there
/// are as many nothing more is stored under the id.
pub(super) const SAME_ID_LOOKED_AT: usize = 1_024;

/// An id's key and where its message stands.
pub(super) type IdPlace = (i32, i64);

/// The ids that are not in the table yet.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Mixes ids into keys; a secret, so that nobody can make ids that meet.
    secret: u128,
    young: Generation,
    /// Going into the table, in the order of the keys. Nothing is added here.
    old: Generation,
    /// [`YOUNG_MAX`], but in tests.
    pub(super) young_max: u64,
}

/// Ids that came between two moments.
#[derive(Debug, Default)]
struct Generation {
    places: BTreeSet<IdPlace>,
    /// Each room's newest number at the end, whether it had an id or not.
    rooms: HashMap<i64, u64>,
    messages: u64,
}

impl Ids {
    /// None yet, with a file's secret.
    pub(super) fn with_secret(secret: u128) -> Self {
        Self { secret: secret | 1, young_max: YOUNG_MAX, ..Self::default() }
    }

    /// Reads what the table does not have.
    pub(super) fn load(db: &Connection, secret: u128) -> Result<Self, rusqlite::Error> {
        let mut ids = Self::with_secret(secret);
        let mut rooms =
            db.prepare("SELECT id, max(ids_merged, oldest - 1), newest FROM room WHERE ids_merged < newest")?;
        let mut messages = db.prepare("SELECT place, id FROM message WHERE place > ?1 AND place <= ?2")?;
        let mut behind = rooms.query([])?;
        while let Some(row) = behind.next()? {
            let (room_id, merged, newest): (i64, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let mut rows = messages.query((place(room_id, merged), place(room_id, newest)))?;
            while let Some(row) = rows.next()? {
                // One that is damaged is not known again.
                if let Ok(id) = row.get::<_, [u8; 16]>(1) {
                    ids.young.places.insert((ids.key(MessageId(u128::from_be_bytes(id))), row.get(0)?));
                }
            }
            ids.young.rooms.insert(room_id, newest);
            ids.young.messages += newest - merged.min(newest);
        }
        Ok(ids)
    }

    /// 32 well mixed bits of an id. Multiplying by an odd number loses nothing, and whoever does not know it cannot choose ids whose
    /// upper bits meet.
    pub(super) fn key(&self, id: MessageId) -> i32 {
        ((id.0.wrapping_mul(self.secret) >> 96) as u32).cast_signed()
    }

    /// Where messages of a room stand whose id may be this one, the newest first. `fresh` are of the batch itself.
    pub(super) fn places(
        &self,
        room_id: i64,
        key: i32,
        fresh: &BTreeSet<IdPlace>,
        table: &mut CachedStatement<'_>,
    ) -> Result<Vec<i64>, rusqlite::Error> {
        let (from, to) = (place(room_id, 0), place(room_id, u64::MAX));
        let mut places: Vec<i64> = Vec::new();
        for generation in [fresh, &self.young.places, &self.old.places] {
            places.extend(generation.range((key, from)..=(key, to)).map(|(_, place)| place));
        }
        let mut rows = table.query((key, from, to, SAME_ID_LOOKED_AT))?;
        while let Some(row) = rows.next()? {
            places.push(row.get(0)?);
        }
        places.sort_unstable_by(|one, other| other.cmp(one));
        places.dedup();
        places.truncate(SAME_ID_LOOKED_AT);
        Ok(places)
    }

    /// What a committed batch brought: its ids, and each room it wrote to with its newest number and how many it added.
    pub(super) fn take(&mut self, fresh: BTreeSet<IdPlace>, rooms: impl Iterator<Item = (i64, u64, u64)>) {
        self.young.places.extend(fresh);
        for (room_id, newest, added) in rooms {
            self.young.rooms.insert(room_id, newest);
            self.young.messages += added;
        }
        if self.young.messages >= self.young_max {
            self.freeze();
        }
    }

    /// Whether there is something to merge; in a quiet, less is worth it.
    fn is_worth_merging(&self, is_busy: bool) -> bool {
        self.old.messages > 0 || (!is_busy && self.young.messages >= YOUNG_WORTH.min(self.young_max))
    }

    fn freeze(&mut self) {
        if self.old.messages == 0 {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// Puts up to `count` of what is frozen into the table. Once that is committed, [`Ids::merged`] takes them out of memory.
    pub(super) fn merge(&self, transaction: &Transaction<'_>, count: usize) -> Result<Merged, rusqlite::Error> {
        if self.old.messages == 0 {
            return Ok(Merged { count: 0, last: false });
        }
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for id_place in self.old.places.iter().take(count) {
                insert.execute(*id_place)?;
            }
        }
        let last = count >= self.old.places.len();
        if last {
            let mut update = transaction.prepare_cached("UPDATE room SET ids_merged = ?2 WHERE id = ?1")?;
            for room in &self.old.rooms {
                update.execute(room)?;
            }
        }
        Ok(Merged { count: count.min(self.old.places.len()), last })
    }

    /// Puts everything into the table. If the transaction is rolled back, these ids are to be loaded again.
    pub(super) fn merge_all(&mut self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        // What is old first, then what is young.
        for _ in 0..2 {
            self.freeze();
            let merged = self.merge(transaction, usize::MAX)?;
            self.merged(&merged);
        }
        Ok(())
    }

    pub(super) fn merged(&mut self, merged: &Merged) {
        for _ in 0..merged.count {
            self.old.places.pop_first();
        }
        if merged.last {
            self.old = Generation::default();
        }
    }
}

/// What [`Ids::merge`] did.
#[must_use]
pub(super) struct Merged {
    count: usize,
    /// Nothing frozen is left.
    last: bool,
}

/// After a crash the ids of a generation that was half merged come again.
pub(super) const INSERT: &str = "INSERT OR IGNORE INTO message_id VALUES(?1, ?2)";

/// The newest first.
pub(super) const SELECT: &str =
    "SELECT place FROM message_id WHERE key = ?1 AND place BETWEEN ?2 AND ?3 ORDER BY place DESC LIMIT ?4";

impl Engine {
    /// One transaction's worth, if it is worth it. Returns whether it was.
    pub(super) fn ids_step(&mut self) -> Result<bool, StoreError> {
        if !self.ids.is_worth_merging(self.is_busy) {
            return Ok(false);
        }
        let started = std::time::Instant::now();
        self.ids.freeze();
        let rows = self.ids_rows;
        let count = self.merge_ids(rows as usize)?;
        self.ids_rows = super::tend::next_rows(rows, count as u64, started.elapsed());
        Ok(true)
    }

    /// Puts everything into the table.
    #[cfg(test)]
    pub(super) fn merge_all_ids(&mut self) -> Result<(), StoreError> {
        // What is old first, then what is young.
        for _ in 0..2 {
            self.ids.freeze();
            self.merge_ids(usize::MAX)?;
        }
        Ok(())
    }

    fn merge_ids(&mut self, count: usize) -> Result<usize, StoreError> {
        let merged = self.without_sync(|engine| {
            let transaction = engine.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let merged = engine.ids.merge(&transaction, count)?;
            transaction.commit()?;
            Ok(merged)
        })?;
        let count = merged.count;
        self.ids.merged(&merged);
        Ok(count)
    }
}
