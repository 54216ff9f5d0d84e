//! Finding a text in a room. The index answers for what it has, as candidates that are checked against the text; what it does not
//! have yet is read message by message, and everything where it is damaged. Newest first, so that the deadline costs the oldest.
//!
//! What is shorter than the index's pieces is mostly found among the latest messages, or it is rare: then few pieces begin with it.

use glassline_wire::event::Message;
use glassline_wire::request::Search;
use rusqlite::{Connection, ErrorCode, Params};

use super::beginnings::pieces_beginning_with;
use super::fold::fold_into;
use super::page::{self, Filling, LeftOut, TEXT_COLUMN, limit_of, message_columns};
use super::pieces::Pieces;
use super::place::place;
use super::renewal::{Met, is_damage, of_index};
use super::rooms::RoomNow;
use crate::store::Page;

/// Messages that are read for a short query before the index is asked for it: some milliseconds.
#[cfg(not(test))]
const NEAR_MESSAGES: u64 = 50_000;
#[cfg(test)]
const NEAR_MESSAGES: u64 = 8;

/// The page that is asked for, oldest first. Damage in the index is noted.
pub(super) fn page(
    db: &Connection,
    room: RoomNow,
    search: &Search,
    index_damage: &Met,
    left_out: &mut LeftOut,
) -> Result<Page, rusqlite::Error> {
    let last = search.before.map_or(room.newest, |before| before.saturating_sub(1).min(room.newest));
    if search.query.is_empty() || room.oldest > last {
        return Ok(Page::default());
    }
    let mut looking = Looking::new(search, index_damage);
    let looked = looking.look(db, room, last);
    *left_out = looking.left_out;
    match looked {
        Ok(()) => {}
        // What was found until the deadline is an answer, and that there may be more is one too.
        Err(error)
            if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) && !looking.found.is_empty() =>
        {
            looking.more = true;
        }
        Err(error) => return Err(error),
    }
    Ok(looking.into_page())
}

/// A search on its way from the newest message to the oldest.
struct Looking<'s> {
    search: &'s Search,
    index_damage: &'s Met,
    /// The query, folded.
    needle: String,
    /// Where a text is folded.
    folded: String,
    /// Newest first.
    found: Vec<Message>,
    filling: Filling,
    left_out: LeftOut,
    /// Something was found that has no place any more.
    more: bool,
}

impl<'s> Looking<'s> {
    fn new(search: &'s Search, index_damage: &'s Met) -> Self {
        let mut needle = String::new();
        fold_into(&search.query, &mut needle);
        Self {
            search,
            index_damage,
            needle,
            folded: String::new(),
            found: Vec::with_capacity(limit_of(search.limit).min(16)),
            filling: Filling::new(&search.room, search.limit),
            left_out: LeftOut::default(),
            more: false,
        }
    }

    fn look(&mut self, db: &Connection, room: RoomNow, last: u64) -> Result<(), rusqlite::Error> {
        let pieces = Pieces::of(&self.needle);
        let near = if pieces.is_some() { 0 } else { NEAR_MESSAGES };
        let indexed = room.indexed.min(last.saturating_sub(near)).max(room.oldest.saturating_sub(1));
        self.scan(db, room, indexed + 1, last)?;
        if self.more || room.oldest > indexed.min(last) {
            return Ok(());
        }
        let last = indexed.min(last);
        let asked = match pieces {
            Some(pieces) => Some(pieces.narrowest(db, room, last)?),
            None => self.tolerated(pieces_beginning_with(db, &self.needle).map_err(of_index))?.flatten(),
        };
        let Some(asked) = asked else { return self.scan(db, room, room.oldest, last) };
        let (found, filling) = (self.found.len(), self.filling.clone());
        match self.ask_index(db, room, last, &asked) {
            // In the index or in a message: the messages are read now, and the index is asked alone.
            Err(error) if is_damage(&error) => {
                self.found.truncate(found);
                self.filling = filling;
                self.tolerated(ask_alone(db, room, last, &asked).map_err(of_index))?;
                self.scan(db, room, room.oldest, last)
            }
            asked => asked,
        }
    }

    /// Nothing for what the index could not tell because it is damaged.
    fn tolerated<T>(&self, told: Result<T, rusqlite::Error>) -> Result<Option<T>, rusqlite::Error> {
        match told {
            Err(error) if is_damage(&error) => {
                self.index_damage.note();
                Ok(None)
            }
            told => told.map(Some),
        }
    }

    fn ask_index(&mut self, db: &Connection, room: RoomNow, last: u64, asked: &str) -> Result<(), rusqlite::Error> {
        if asked.is_empty() {
            return Ok(());
        }
        self.examine(
            db,
            concat!(
                "SELECT ",
                message_columns!(),
                " FROM message_text f CROSS JOIN message m ON m.place = f.rowid
                  WHERE f.message_text MATCH ?3 AND f.rowid BETWEEN ?1 AND ?2 ORDER BY f.rowid DESC"
            ),
            (place(room.id, room.oldest), place(room.id, last), asked),
        )
    }

    fn scan(&mut self, db: &Connection, room: RoomNow, first: u64, last: u64) -> Result<(), rusqlite::Error> {
        if first > last {
            return Ok(());
        }
        self.examine(
            db,
            concat!(
                "SELECT ",
                message_columns!(),
                " FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place DESC"
            ),
            (place(room.id, first), place(room.id, last)),
        )
    }

    /// Takes what holds the query until there is no place for more.
    fn examine(&mut self, db: &Connection, sql: &str, bounds: impl Params) -> Result<(), rusqlite::Error> {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query(bounds)?;
        while let Some(row) = rows.next()? {
            fold_into(row.get_ref(TEXT_COLUMN)?.as_str().unwrap_or_default(), &mut self.folded);
            if !self.folded.contains(&self.needle) {
                continue;
            }
            let Some(message) = page::readable(&self.search.room, row, &mut self.left_out)? else { continue };
            if !self.filling.takes(&message) {
                self.more = true;
                break;
            }
            self.found.push(message);
        }
        Ok(())
    }

    fn into_page(mut self) -> Page {
        self.found.reverse();
        Page { messages: self.found, more: self.more }
    }
}

/// Has the index name everything it has for what it is asked.
fn ask_alone(db: &Connection, room: RoomNow, last: u64, asked: &str) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "SELECT rowid FROM message_text WHERE message_text MATCH ?3 AND rowid BETWEEN ?1 AND ?2 ORDER BY rowid DESC",
    )?;
    let mut rows = statement.query((place(room.id, room.oldest), place(room.id, last), asked))?;
    while rows.next()?.is_some() {}
    Ok(())
}
