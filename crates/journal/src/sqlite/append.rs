//! Storing a batch: one transaction, one sync.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeSet, HashMap};

use glassline_wire::event::{Event, Message};
use glassline_wire::message_id::MessageId;
use glassline_wire::timestamp::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::engine::{CachedRoom, Engine};
use super::ids::{self, IdPlace, Ids, Merged};
use super::place::{ROOM_ID_MAX, SEQ_MAX, place, seq_of};
use crate::record::{Entry, Outcome, Record};
use crate::store::StoreError;

/// Rooms whose id and newest number stay in memory. When there are more, all are forgotten and looked up again.
const ROOMS_CACHED_MAX: usize = 4_096;

/// Most messages that wait to be indexed: a minute's work. Above it an append first indexes twice as many as
/// it brings, so that it falls; never all, which after an import would hold up everybody for minutes.
pub(crate) const INDEX_LAG_MAX: u64 = 1_000_000;

/// Messages indexed with each that comes where too many wait.
const INDEXED_WITH_EACH: u64 = 2;

/// Ids that go into their table with each message: more than come, so that what is frozen is gone before there is as much again.
const IDS_WITH_EACH: usize = 2;

/// A room in a batch.
struct Growing {
    id: i64,
    newest: u64,
    /// How many the batch added.
    added: u64,
    first_at_ms: u64,
}

impl Engine {
    pub(super) fn append_batch(&mut self, batch: &[Record]) -> Result<Vec<Outcome>, StoreError> {
        let brought = batch.iter().filter(|record| matches!(record, Record::Message(_))).count() as u64;
        let over = (self.index_lag + brought).saturating_sub(INDEX_LAG_MAX);
        self.index_at_least(over.min(brought * INDEXED_WITH_EACH))?;
        if self.rooms.len() > ROOMS_CACHED_MAX {
            self.rooms.clear();
        }
        let committed = commit(&mut self.db, &self.rooms, &self.ids, batch);
        let (Growth { outcomes, rooms, fresh }, merged) = self.conclude(committed)?;
        self.is_busy = true;
        self.ids.merged(&merged);
        self.ids.take(fresh, rooms.values().map(|room| (room.id, room.newest, room.added)));
        for (name, room) in rooms {
            self.index_lag += room.added;
            self.messages += room.added;
            let cached = CachedRoom { id: room.id, newest: room.newest };
            if let Some(known) = self.rooms.get_mut(name) {
                *known = cached;
            } else {
                self.rooms.insert(name.to_string(), cached);
            }
        }
        Ok(outcomes)
    }
}

/// What a batch came to.
pub(super) struct Growth<'a> {
    pub(super) outcomes: Vec<Outcome>,
    rooms: HashMap<&'a str, Growing>,
    /// The ids that are new.
    pub(super) fresh: BTreeSet<IdPlace>,
}

fn commit<'a>(
    db: &mut Connection,
    cached: &HashMap<String, CachedRoom>,
    ids: &Ids,
    batch: &'a [Record],
) -> Result<(Growth<'a>, Merged), rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let growth = store(&transaction, cached, ids, batch)?;
    let merged = ids.merge(&transaction, batch.len() * IDS_WITH_EACH)?;
    transaction.commit()?;
    Ok((growth, merged))
}

/// Stores a batch in a transaction.
pub(super) fn store<'a>(
    transaction: &Transaction<'_>,
    cached: &HashMap<String, CachedRoom>,
    ids: &Ids,
    batch: &'a [Record],
) -> Result<Growth<'a>, rusqlite::Error> {
    let mut growth =
        Growth { outcomes: Vec::with_capacity(batch.len()), rooms: HashMap::new(), fresh: BTreeSet::new() };
    let mut statements = Statements::prepare(transaction)?;
    for record in batch {
        growth.outcomes.push(match record {
            Record::Message(entry) => {
                let name = entry.message.room.as_str();
                let room = match growth.rooms.entry(name) {
                    Occupied(known) => known.into_mut(),
                    Vacant(free) => free.insert(find_or_open(transaction, cached, name)?),
                };
                statements.store(room, entry, ids, &mut growth.fresh)?
            }
            Record::Act(act) => {
                let json = Event::Act(act.clone()).to_json();
                statements.act.execute([std::str::from_utf8(&json).unwrap_or_default()])?;
                Outcome::Stored { seq: 0 }
            }
        });
    }
    let mut update = transaction.prepare_cached(
        "UPDATE room SET newest = ?2, oldest_at_ms = iif(oldest > newest, ?3, oldest_at_ms) WHERE id = ?1",
    )?;
    for room in growth.rooms.values().filter(|room| room.added > 0) {
        update.execute((room.id, room.newest, room.first_at_ms))?;
    }
    Ok(growth)
}

/// The statements of a batch, compiled once.
struct Statements<'t> {
    same_key: CachedStatement<'t>,
    at_place: CachedStatement<'t>,
    message: CachedStatement<'t>,
    act: CachedStatement<'t>,
}

impl<'t> Statements<'t> {
    fn prepare(transaction: &'t Transaction<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            same_key: transaction.prepare_cached(ids::SELECT)?,
            at_place: transaction
                .prepare_cached("SELECT at_ms, author, sender, action, text, id FROM message WHERE place = ?1")?,
            message: transaction.prepare_cached("INSERT INTO message VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            act: transaction.prepare_cached("INSERT INTO act(json) VALUES(?1)")?,
        })
    }

    fn store(
        &mut self,
        room: &mut Growing,
        entry: &Entry,
        ids: &Ids,
        fresh: &mut BTreeSet<IdPlace>,
    ) -> Result<Outcome, rusqlite::Error> {
        let Entry { message, author } = entry;
        let key = message.id.map(|id| ids.key(id));
        if let (Some(id), Some(key)) = (message.id, key) {
            let places = ids.places(room.id, key, fresh, &mut self.same_key)?;
            for &place in &places {
                if let Some(outcome) = self.repeat_at(place, id, entry)? {
                    return Ok(outcome);
                }
            }
            if places.len() >= ids::SAME_ID_LOOKED_AT {
                // The sender's may be among those not looked at, and must not be stored a second time.
                return Ok(Outcome::IdReused);
            }
        }
        if room.newest >= SEQ_MAX {
            return Err(used_up("this room has given its last number"));
        }
        let seq = room.newest + 1;
        let at_ms = message.at.map_or(0, |at| at.unix_ms);
        let place = place(room.id, seq);
        self.message.execute((
            place,
            at_ms,
            author.cast_signed(),
            &message.from,
            message.action,
            message.id.map(|id| id.0.to_be_bytes()),
            &message.text,
        ))?;
        fresh.extend(key.map(|key| (key, place)));
        if room.added == 0 {
            room.first_at_ms = at_ms;
        }
        room.added += 1;
        room.newest = seq;
        Ok(Outcome::Stored { seq })
    }

    /// What became of this id before, if the message at the place has it and came from the same client, or from the same name.
    fn repeat_at(&mut self, place: i64, id: MessageId, entry: &Entry) -> Result<Option<Outcome>, rusqlite::Error> {
        let Entry { message, author } = entry;
        let mut rows = self.at_place.query([place])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        if row.get_ref(5)?.as_blob_or_null()? != Some(&id.0.to_be_bytes()[..]) {
            return Ok(None);
        }
        let sender = row.get_ref(2)?.as_str()?;
        let same_author = *author != 0 && row.get::<_, i64>(1)?.cast_unsigned() == *author;
        if !same_author && sender != message.from && sender.to_lowercase() != message.from.to_lowercase() {
            return Ok(None);
        }
        let action: bool = row.get(3)?;
        let text = row.get_ref(4)?.as_str()?;
        if action != message.action || text != message.text {
            return Ok(Some(Outcome::IdReused));
        }
        Ok(Some(Outcome::Again(Box::new(Message {
            room: message.room.clone(),
            seq: Some(seq_of(place)),
            at: Some(Timestamp::from_unix_ms(row.get(0)?)),
            from: sender.to_string(),
            text: text.to_string(),
            action,
            id: Some(id),
            reference: None,
        }))))
    }
}

/// The room, opened if it was never spoken in. If the batch then stores nothing in it, it stays, empty.
fn find_or_open(
    transaction: &Transaction<'_>,
    cached: &HashMap<String, CachedRoom>,
    name: &str,
) -> Result<Growing, rusqlite::Error> {
    let known = match cached.get(name) {
        Some(room) => Some((room.id, room.newest)),
        None => transaction
            .prepare_cached("SELECT id, newest FROM room WHERE name = ?1")?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
    };
    let (id, newest) = match known {
        Some(known) => known,
        None => (open_room(transaction, name, 1)?, 0),
    };
    Ok(Growing { id, newest, added: 0, first_at_ms: 0 })
}

/// Makes a room whose first number will be `first`. Returns its id.
pub(super) fn open_room(transaction: &Transaction<'_>, name: &str, first: u64) -> Result<i64, rusqlite::Error> {
    transaction
        .prepare_cached(
            "INSERT INTO room(name, newest, oldest, indexed, ids_merged, oldest_at_ms)
             VALUES(?1, ?2 - 1, ?2, ?2 - 1, ?2 - 1, 0)",
        )?
        .execute((name, first))?;
    let id = transaction.last_insert_rowid();
    if id > ROOM_ID_MAX {
        return Err(used_up("no more rooms can be opened in this history"));
    }
    Ok(id)
}

fn used_up(what: &str) -> rusqlite::Error {
    let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG);
    rusqlite::Error::SqliteFailure(full, Some(what.to_string()))
}
