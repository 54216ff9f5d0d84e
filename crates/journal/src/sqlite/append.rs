//! Storing a batch: one transaction, one sync.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};

use glassline_wire::event::Event;
use glassline_wire::history::{CommitOutcome, NewMessage, NotAppended, Record};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Error, Transaction, TransactionBehavior};

use super::checksum::{self, Table};
use super::duplicates::{Duplicates, sender_of};
use super::id_window::IdWindow;
use super::message_row::kind_and_text;
use super::retention::{Origins, UNKNOWN_ORIGIN};
use super::room_quota::RoomQuota;
use super::rooms::{CachedRoom, RoomCache, account_of, open_room, used_up};
use super::rowid::{SEQ_MAX, rowid};

struct Growing {
    id: i64,
    newest: u64,
    added: u64,
    first_at_ms: u64,
    last_at_ms: u64,
}

pub(super) struct Growth<'a> {
    outcomes: Vec<CommitOutcome>,
    rooms: HashMap<&'a str, Growing>,
}

impl Growth<'_> {
    /// Notes the rooms. Returns the number of messages that were stored.
    pub(super) fn note(&self, cache: &mut RoomCache) -> u64 {
        for (name, room) in &self.rooms {
            cache.note(name, CachedRoom { id: room.id, newest: room.newest });
        }
        self.rooms.values().map(|room| room.added).sum()
    }

    /// One outcome for each record, in the same order.
    pub(super) fn into_outcomes(self) -> Vec<CommitOutcome> {
        self.outcomes
    }
}

/// State in memory that changes while a batch is stored, and is kept or taken back with it.
pub(super) struct Staged<'s> {
    pub(super) ids: &'s mut IdWindow,
    pub(super) quota: &'s mut RoomQuota,
}

pub(super) fn commit<'a>(
    db: &mut Connection,
    cached: &RoomCache,
    mut staged: Staged<'_>,
    origins: Origins,
    batch: &'a [Record],
) -> Result<Growth<'a>, Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let growth = store(&transaction, cached, &mut staged, Some(origins), batch);
    let committed = growth.and_then(|growth| transaction.commit().map(|()| growth));
    if committed.is_ok() {
        staged.ids.commit();
        staged.quota.commit();
    } else {
        staged.ids.roll_back();
        staged.quota.roll_back();
    }
    committed
}

/// Stores a batch in a transaction, and notes its ids and the rooms it opens.
pub(super) fn store<'a>(
    transaction: &Transaction<'_>,
    cached: &RoomCache,
    staged: &mut Staged<'_>,
    origins: Option<Origins>,
    batch: &'a [Record],
) -> Result<Growth<'a>, Error> {
    let mut growth = Growth { outcomes: Vec::with_capacity(batch.len()), rooms: HashMap::new() };
    let mut statements = Statements::prepare(transaction)?;
    for record in batch {
        growth.outcomes.push(match record {
            Record::Message(entry) => {
                let name = entry.message.room.as_str();
                let origin = origins.map_or(UNKNOWN_ORIGIN, |origins| origins.of(entry.subnet));
                let room = match growth.rooms.entry(name) {
                    Occupied(known) => Some(known.into_mut()),
                    Vacant(free) => {
                        let found = find_or_open(transaction, cached, name, origin, staged.quota)?;
                        found.map(|room| free.insert(room))
                    }
                };
                match room {
                    Some(room) => statements.store(room, entry, origin, staged.ids)?,
                    None => CommitOutcome::NotAppended(NotAppended::NoMoreRooms),
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

struct Statements<'t> {
    duplicates: Duplicates<'t>,
    message: CachedStatement<'t>,
    act: CachedStatement<'t>,
}

impl<'t> Statements<'t> {
    fn prepare(transaction: &'t Transaction<'_>) -> Result<Self, Error> {
        Ok(Self {
            duplicates: Duplicates::prepare(transaction)?,
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
    ) -> Result<CommitOutcome, Error> {
        let NewMessage { message, author, .. } = entry;
        if let Some(outcome) = self.duplicates.find(CachedRoom { id: room.id, newest: room.newest }, entry, ids)? {
            return Ok(CommitOutcome::NotAppended(outcome));
        }
        if room.newest >= SEQ_MAX {
            return Err(used_up("this room has given its last number"));
        }
        let seq = room.newest + 1;
        let at_ms = message.at.map_or(0, |at| at.unix_ms);
        let rowid = rowid(room.id, seq);
        let (at, author) = (at_ms.cast_signed(), author.cast_signed());
        let (kind, text) = kind_and_text(message);
        let id = message.id.map(|id| id.0.to_be_bytes());
        let columns = [
            ValueRef::Integer(rowid),
            ValueRef::Integer(at),
            ValueRef::Integer(author),
            ValueRef::Text(message.from.as_bytes()),
            ValueRef::Integer(kind),
            id.as_ref().map_or(ValueRef::Null, |id| ValueRef::Blob(id)),
            ValueRef::Text(text.as_bytes()),
            ValueRef::Integer(origin),
        ];
        let checksum = checksum::of_row(Table::Message, columns);
        self.message.execute((rowid, at, author, &message.from, kind, id, text, origin, checksum))?;
        ids.note(rowid, message.id, sender_of(entry));
        if room.added == 0 {
            room.first_at_ms = at_ms;
        }
        room.last_at_ms = at_ms;
        room.added += 1;
        room.newest = seq;
        Ok(CommitOutcome::Stored { seq })
    }
}

/// Returns the room, created if it never had a message; nothing if its account has as many as it
/// may. If the batch then stores nothing in it, it stays, empty.
fn find_or_open(
    transaction: &Transaction<'_>,
    cached: &RoomCache,
    name: &str,
    origin: i64,
    quota: &mut RoomQuota,
) -> Result<Option<Growing>, Error> {
    let (id, newest) = match cached.find(transaction, name)? {
        Some(room) => (room.id, room.newest),
        None if quota.note(account_of(name, origin)) => (open_room(transaction, name, 1, origin)?, 0),
        None => return Ok(None),
    };
    Ok(Some(Growing { id, newest, added: 0, first_at_ms: 0, last_at_ms: 0 }))
}
