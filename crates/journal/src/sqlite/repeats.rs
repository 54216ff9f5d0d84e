//! Whether a message came before: under its `id` in its room, from the same client or somebody of the same name (E4).

use std::collections::BTreeSet;

use glassline_wire::event::Message;
use glassline_wire::message_id::MessageId;
use glassline_wire::timestamp::Timestamp;
use rusqlite::{CachedStatement, Connection, TransactionBehavior};

use super::engine::Engine;
use super::fault;
use super::ids::{self, IdPlace, Ids};
use super::place::seq_of;
use super::rooms::find_room;
use crate::record::{Entry, Outcome, Record};
use crate::store::StoreError;

/// The statements that look for them.
pub(super) struct Repeats<'t> {
    same_key: CachedStatement<'t>,
    at_place: CachedStatement<'t>,
}

impl<'t> Repeats<'t> {
    pub(super) fn prepare(db: &'t Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            same_key: db.prepare_cached(ids::SELECT)?,
            at_place: db
                .prepare_cached("SELECT at_ms, author, sender, action, text, id FROM message WHERE place = ?1")?,
        })
    }

    /// What became of this message when it came before; nothing if it did not. `fresh` are the ids of its batch.
    pub(super) fn find(
        &mut self,
        room_id: i64,
        entry: &Entry,
        ids: &Ids,
        fresh: &BTreeSet<IdPlace>,
    ) -> Result<Option<Outcome>, rusqlite::Error> {
        let Some(id) = entry.message.id else { return Ok(None) };
        let places = ids.places(room_id, ids.key(id), fresh, &mut self.same_key)?;
        for &place in &places {
            if let Some(outcome) = self.at(place, id, entry)? {
                return Ok(Some(outcome));
            }
        }
        // The sender's may be among those not looked at, and must not be stored a second time.
        Ok((places.len() >= ids::SAME_ID_LOOKED_AT).then_some(Outcome::IdReused))
    }

    /// What became of this id before, if the message at the place has it and came from the same client, or from the same name.
    fn at(&mut self, place: i64, id: MessageId, entry: &Entry) -> Result<Option<Outcome>, rusqlite::Error> {
        let Entry { message, author, .. } = entry;
        let mut rows = self.at_place.query([place])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        if row.get_ref(5)?.as_blob_or_null()? != Some(&id.0.to_be_bytes()[..]) {
            return Ok(None);
        }
        let (Ok(sender), Ok(text)) = (row.get_ref(2)?.as_str(), row.get_ref(4)?.as_str()) else {
            // It may be the same, and must not be stored a second time.
            return Ok(Some(Outcome::IdReused));
        };
        let same_author = *author != 0 && row.get::<_, i64>(1)?.cast_unsigned() == *author;
        if !same_author && sender != message.from && sender.to_lowercase() != message.from.to_lowercase() {
            return Ok(None);
        }
        let action: bool = row.get(3)?;
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

impl Engine {
    /// See [`crate::Store::repeats`].
    pub(super) fn repeats_of(&mut self, batch: &[Record]) -> Result<Vec<Option<Outcome>>, StoreError> {
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
                    Some(room) => repeats.find(room.id, entry, ids, &BTreeSet::new())?,
                    None => None,
                });
            }
            Ok(found)
        };
        look().map_err(|error| fault::reading(&error, path))
    }
}
