//! Storing a batch: one transaction, one sync.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};

use glassline_wire::event::Event;
use glassline_wire::history::{CommitOutcome, NewMessage, Record};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior};

use super::checksum::{self, Table};
use super::engine::Engine;
use super::id_window::IdWindow;
use super::message_kind::MessageKind;
use super::openings::Openings;
use super::place::{SEQ_MAX, place};
use super::repeats::{Repeats, sender_of};
use super::rooms::{CachedRoom, account_of, find_room, open_room, used_up};
use super::shares::origin_of;
use crate::store::StoreError;

/// Rooms whose id and newest number stay in memory. When there are more, all are forgotten and looked up again.
const ROOMS_CACHED_MAX: usize = 4_096;

/// Most messages that wait to be indexed: a minute's work. Above it an append first indexes twice as many as
/// it brings, so that it falls; never all, which after an import would hold up everybody for minutes.
pub(crate) const INDEX_LAG_MAX: u64 = 1_000_000;

/// Messages indexed with each that comes where too many wait.
const INDEXED_WITH_EACH: u64 = 2;

/// A room in a batch.
struct Growing {
    id: i64,
    newest: u64,
    /// Number of rows that the batch added.
    added: u64,
    first_at_ms: u64,
    last_at_ms: u64,
}

impl Engine {
    pub(super) fn append_batch(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError> {
        self.load_ids();
        let (mut brought, mut text_bytes) = (0, 0);
        for record in batch {
            if let Record::Message(entry) = record {
                (brought, text_bytes) = (brought + 1, text_bytes + entry.message.text.len() as u64);
            }
        }
        let over = (self.index_lag + brought).saturating_sub(INDEX_LAG_MAX);
        self.index_at_least(over.min(brought * INDEXED_WITH_EACH))?;
        self.bound_log()?;
        self.forget_far_over(brought, text_bytes)?;
        if self.rooms.len() > ROOMS_CACHED_MAX {
            self.rooms.clear();
        }
        let noted = Noted { ids: &mut self.ids, openings: &mut self.openings };
        let committed = commit(&mut self.db, &self.rooms, noted, self.origin_secret, batch);
        if committed.is_ok() {
            self.ids.commit();
            self.openings.commit();
        } else {
            self.ids.roll_back();
            self.openings.roll_back();
        }
        let Growth { outcomes, rooms } = self.conclude(committed)?;
        self.is_busy = true;
        self.counting.is_done = false;
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

/// Result of a batch.
pub(super) struct Growth<'a> {
    pub(super) outcomes: Vec<CommitOutcome>,
    rooms: HashMap<&'a str, Growing>,
}

/// What is noted in memory while a batch is stored, and kept or taken back with it.
pub(super) struct Noted<'n> {
    pub(super) ids: &'n mut IdWindow,
    pub(super) openings: &'n mut Openings,
}

fn commit<'a>(
    db: &mut Connection,
    cached: &HashMap<String, CachedRoom>,
    noted: Noted<'_>,
    origin_secret: u128,
    batch: &'a [Record],
) -> Result<Growth<'a>, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let growth = store(&transaction, cached, noted, origin_secret, batch)?;
    transaction.commit()?;
    Ok(growth)
}

/// Stores a batch in a transaction, and notes its ids and the rooms it opens.
pub(super) fn store<'a>(
    transaction: &Transaction<'_>,
    cached: &HashMap<String, CachedRoom>,
    noted: Noted<'_>,
    origin_secret: u128,
    batch: &'a [Record],
) -> Result<Growth<'a>, rusqlite::Error> {
    let Noted { ids, openings } = noted;
    let mut growth = Growth { outcomes: Vec::with_capacity(batch.len()), rooms: HashMap::new() };
    let mut statements = Statements::prepare(transaction)?;
    for record in batch {
        growth.outcomes.push(match record {
            Record::Message(entry) => {
                let name = entry.message.room.as_str();
                let origin = origin_of(origin_secret, entry.subnet);
                let room = match growth.rooms.entry(name) {
                    Occupied(known) => Some(known.into_mut()),
                    Vacant(free) => {
                        let found = find_or_open(transaction, cached, name, origin, openings)?;
                        found.map(|room| free.insert(room))
                    }
                };
                match room {
                    Some(room) => statements.store(room, entry, origin, ids)?,
                    None => CommitOutcome::NoMoreRooms,
                }
            }
            Record::Audit(act) => {
                let json = Event::Act(act.clone()).to_json();
                statements.act.execute([std::str::from_utf8(&json).unwrap_or_default()])?;
                CommitOutcome::Stored { seq: 0 }
            }
        });
    }
    let mut update = transaction.prepare_cached(
        "UPDATE room SET newest = ?2, newest_at_ms = ?4, oldest_at_ms = iif(oldest > newest, ?3, oldest_at_ms)
         WHERE id = ?1",
    )?;
    for room in growth.rooms.values().filter(|room| room.added > 0) {
        update.execute((room.id, room.newest, room.first_at_ms, room.last_at_ms))?;
    }
    Ok(growth)
}

/// The statements of a batch, compiled once.
struct Statements<'t> {
    repeats: Repeats<'t>,
    message: CachedStatement<'t>,
    act: CachedStatement<'t>,
}

impl<'t> Statements<'t> {
    fn prepare(transaction: &'t Transaction<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            repeats: Repeats::prepare(transaction)?,
            message: transaction.prepare_cached("INSERT INTO message VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?,
            act: transaction.prepare_cached("INSERT INTO act(json) VALUES(?1)")?,
        })
    }

    fn store(
        &mut self,
        room: &mut Growing,
        entry: &NewMessage,
        origin: i64,
        ids: &mut IdWindow,
    ) -> Result<CommitOutcome, rusqlite::Error> {
        let NewMessage { message, author, .. } = entry;
        if let Some(outcome) = self.repeats.find(CachedRoom { id: room.id, newest: room.newest }, entry, ids)? {
            return Ok(outcome);
        }
        if room.newest >= SEQ_MAX {
            return Err(used_up("this room has given its last number"));
        }
        let seq = room.newest + 1;
        let at_ms = message.at.map_or(0, |at| at.unix_ms);
        let place = place(room.id, seq);
        let (at, author) = (at_ms.cast_signed(), author.cast_signed());
        let (kind, id) = (MessageKind::of(message.action), message.id.map(|id| id.0.to_be_bytes()));
        let columns = [
            ValueRef::Integer(place),
            ValueRef::Integer(at),
            ValueRef::Integer(author),
            ValueRef::Text(message.from.as_bytes()),
            ValueRef::Integer(kind.code()),
            id.as_ref().map_or(ValueRef::Null, |id| ValueRef::Blob(id)),
            ValueRef::Text(message.text.as_bytes()),
            ValueRef::Integer(origin),
        ];
        let checksum = checksum::of_row(Table::Message, columns);
        self.message.execute((place, at, author, &message.from, kind, id, &message.text, origin, checksum))?;
        ids.note(place, message.id, sender_of(entry));
        if room.added == 0 {
            room.first_at_ms = at_ms;
        }
        room.last_at_ms = at_ms;
        room.added += 1;
        room.newest = seq;
        Ok(CommitOutcome::Stored { seq })
    }
}

/// The room, opened if it was never spoken in; nothing if its account has as many as it may. If the batch then stores nothing in it, it
/// stays, empty.
fn find_or_open(
    transaction: &Transaction<'_>,
    cached: &HashMap<String, CachedRoom>,
    name: &str,
    origin: i64,
    openings: &mut Openings,
) -> Result<Option<Growing>, rusqlite::Error> {
    let (id, newest) = match find_room(transaction, cached, name)? {
        Some(room) => (room.id, room.newest),
        None if openings.note(account_of(name, origin)) => (open_room(transaction, name, 1, origin)?, 0),
        None => return Ok(None),
    };
    Ok(Some(Growing { id, newest, added: 0, first_at_ms: 0, last_at_ms: 0 }))
}
