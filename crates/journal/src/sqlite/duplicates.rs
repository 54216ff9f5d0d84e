//! Messages sent again under their `id`, in their room, by the same client or under the same name
//! (E4).

use glassline_wire::history::{NewMessage, NotAppended, Record};
use glassline_wire::message_id::MessageId;
use rusqlite::{CachedStatement, Connection, Error, TransactionBehavior};

use super::id_window::{IdWindow, Sender};
use super::message_row::{self, DamagedRows, select_messages};
use super::rooms::{CachedRoom, RoomCache};

/// Lookup of earlier copies, compiled once for a batch.
pub(super) struct Duplicates<'t> {
    by_rowid: CachedStatement<'t>,
}

pub(super) fn sender_of(entry: &NewMessage) -> Sender<'_> {
    Sender { author: entry.author, name: &entry.message.from }
}

impl<'t> Duplicates<'t> {
    pub(super) fn prepare(db: &'t Connection) -> Result<Self, Error> {
        let by_rowid = db.prepare_cached(select_messages!("FROM message m WHERE m.place = ?1"))?;
        Ok(Self { by_rowid })
    }

    /// Returns the outcome of this message if it was stored before or may have been; nothing if it
    /// is new. Reads one row at most, for any earlier author of the id.
    pub(super) fn find(
        &mut self,
        room: CachedRoom,
        entry: &NewMessage,
        ids: &IdWindow,
    ) -> Result<Option<NotAppended>, Error> {
        let Some(id) = entry.message.id else { return Ok(None) };
        if let Some(rowid) = ids.find(room.id, id, sender_of(entry)) {
            return self.at(rowid, id, entry).map(Some);
        }
        // A client that knew no later number when it first sent this may have been stored in the
        // part of the room that is not in the window.
        let may_be_stored = entry.after.is_some_and(|after| !ids.covers(room.id, room.newest, after));
        Ok(may_be_stored.then_some(NotAppended::TooLate))
    }

    fn at(&mut self, rowid: i64, id: MessageId, entry: &NewMessage) -> Result<NotAppended, Error> {
        let message = &entry.message;
        let mut rows = self.by_rowid.query([rowid])?;
        // It was stored, and was removed since, or is damaged: its content is unknown.
        let Some(row) = rows.next()? else { return Ok(NotAppended::TooLate) };
        let Some(stored) = message_row::readable(&message.room, row, &mut DamagedRows::default())? else {
            return Ok(NotAppended::TooLate);
        };
        if stored.id != Some(id) {
            return Ok(NotAppended::TooLate);
        }
        if message_row::kind_and_text(&stored) != message_row::kind_and_text(message) {
            return Ok(NotAppended::IdReused);
        }
        Ok(NotAppended::Again(Box::new(stored)))
    }
}

/// Returns the outcomes of those records of a batch that were stored before, or may have been.
pub(super) fn find_all(
    db: &mut Connection,
    rooms: &RoomCache,
    ids: &IdWindow,
    batch: &[Record],
) -> Result<Vec<Option<NotAppended>>, Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let mut duplicates = Duplicates::prepare(&transaction)?;
    let mut found = Vec::with_capacity(batch.len());
    for record in batch {
        let Record::Message(entry) = record else {
            found.push(None);
            continue;
        };
        found.push(match rooms.find(&transaction, &entry.message.room)? {
            Some(room) => duplicates.find(room, entry, ids)?,
            None => None,
        });
    }
    Ok(found)
}
