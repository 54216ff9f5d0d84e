//! Messages sent again under their `id`, in their room, by the same client or under the same name
//! (E4).

use glassline_wire::history::{CommitOutcome, NewMessage, Record};
use glassline_wire::message_id::MessageId;
use rusqlite::{CachedStatement, Connection, TransactionBehavior};

use super::engine::Engine;
use super::fault;
use super::id_window::{IdWindow, Sender};
use super::page::{self, LeftOut, message_columns};
use super::rooms::{CachedRoom, find_room};
use crate::store::StoreError;

/// The statement that reads the first copy.
pub(super) struct Repeats<'t> {
    at_place: CachedStatement<'t>,
}

/// The sender of an entry.
pub(super) fn sender_of(entry: &NewMessage) -> Sender<'_> {
    Sender { author: entry.author, name: &entry.message.from }
}

impl<'t> Repeats<'t> {
    pub(super) fn prepare(db: &'t Connection) -> Result<Self, rusqlite::Error> {
        let at_place =
            db.prepare_cached(concat!("SELECT ", message_columns!(), " FROM message m WHERE m.place = ?1"))?;
        Ok(Self { at_place })
    }

    /// Returns what became of this message if it was stored before or may have been; nothing if it
    /// is new. Reads one row at most, whoever used the id before.
    pub(super) fn find(
        &mut self,
        room: CachedRoom,
        entry: &NewMessage,
        ids: &IdWindow,
    ) -> Result<Option<CommitOutcome>, rusqlite::Error> {
        let Some(id) = entry.message.id else { return Ok(None) };
        if let Some(place) = ids.find(room.id, id, sender_of(entry)) {
            return self.at(place, id, entry).map(Some);
        }
        // Whoever says that it knew no later number when it first sent this may have been stored
        // where nothing is remembered.
        let may_be_stored = entry.after.is_some_and(|after| !ids.covers(room.id, room.newest, after));
        Ok(may_be_stored.then_some(CommitOutcome::TooLate))
    }

    fn at(&mut self, place: i64, id: MessageId, entry: &NewMessage) -> Result<CommitOutcome, rusqlite::Error> {
        let message = &entry.message;
        let mut rows = self.at_place.query([place])?;
        // It was stored, and was forgotten since, or is damaged: nobody can say as what.
        let Some(row) = rows.next()? else { return Ok(CommitOutcome::TooLate) };
        let Some(stored) = page::readable(&message.room, row, &mut LeftOut::default())? else {
            return Ok(CommitOutcome::TooLate);
        };
        if stored.id != Some(id) {
            return Ok(CommitOutcome::TooLate);
        }
        if stored.action != message.action || stored.text != message.text {
            return Ok(CommitOutcome::IdReused);
        }
        Ok(CommitOutcome::Again(Box::new(stored)))
    }
}

impl Engine {
    /// See [`crate::Store::repeats`].
    pub(super) fn repeats_of(&mut self, batch: &[Record]) -> Result<Vec<Option<CommitOutcome>>, StoreError> {
        self.load_ids();
        let Self { db, rooms, ids, path, .. } = self;
        let mut look = || {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let mut repeats = Repeats::prepare(&transaction)?;
            let mut found = Vec::with_capacity(batch.len());
            for record in batch {
                let Record::Message(entry) = record else {
                    found.push(None);
                    continue;
                };
                found.push(match find_room(&transaction, rooms, &entry.message.room)? {
                    Some(room) => repeats.find(room, entry, ids)?,
                    None => None,
                });
            }
            Ok(found)
        };
        look().map_err(|error| fault::reading(&error, path))
    }
}
