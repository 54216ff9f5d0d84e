//! Finding a text in a room. The index answers for what it has, as candidates that are checked against the text; what it does not
//! have yet is read message by message, and everything where it is damaged. Newest first, so that the deadline costs the oldest.
//!
//! What is shorter than the index's pieces is mostly found among the latest messages, or it is rare: then few pieces begin with it.

use std::time::{Duration, Instant};

use glassline_wire::event::Message;
use glassline_wire::history::Page;
use glassline_wire::request::Search;
use rusqlite::{Connection, Params};

use super::beginnings::pieces_beginning_with;
use super::fold::fold_into;
use super::page::{self, Filling, LeftOut, PLACE_COLUMN, TEXT_COLUMN, limit_of, message_columns};
use super::pieces::Pieces;
use super::place::{place, seq_of};
use super::renewal::{Met, is_damage, of_index};
use super::rooms::RoomNow;

/// Messages that are read for a short query before the index is asked for it: some milliseconds.
#[cfg(not(test))]
const NEAR_MESSAGES: u64 = 50_000;
#[cfg(test)]
const NEAR_MESSAGES: u64 = 8;

/// Messages that the index is asked about at once, at first; then time tells.
#[cfg(not(test))]
const WINDOW_FIRST: u64 = 16_384;
#[cfg(test)]
const WINDOW_FIRST: u64 = 3;
const WINDOW_MIN: u64 = 1_024;

/// A search on its way from the newest message to the oldest. Between two slices it holds nothing of the file.
pub(super) struct Looking {
    room: String,
    /// The query, folded.
    needle: String,
    /// Buffer in which a text is folded.
    folded: String,
    /// Newest first.
    found: Vec<Message>,
    filling: Filling,
    left_out: LeftOut,
    /// Something was found that has no place any more.
    more: bool,
    /// The newest number that was not looked at.
    next: u64,
    /// Above this number messages are read, whether they are indexed or not.
    near: u64,
    plan: Plan,
    /// Messages that the index is asked about at once.
    window: u64,
}

/// Plan for the messages below [`Looking::near`].
enum Plan {
    /// Not known yet.
    None,
    /// All are read.
    Scan,
    /// The index is asked for these pieces. They are all it had for messages up to this number.
    Ask { pieces: String, upto: u64 },
}

/// Progress of a statement.
#[derive(PartialEq, Eq)]
enum Went {
    Through,
    /// The slice is over, or the page is full.
    Partly,
}

impl Looking {
    pub(super) fn new(search: &Search, room: RoomNow) -> Self {
        let mut needle = String::new();
        fold_into(&search.query, &mut needle);
        let last = search.before.map_or(room.newest, |before| before.saturating_sub(1).min(room.newest));
        let near = if Pieces::of(&needle).is_some() { 0 } else { NEAR_MESSAGES };
        Self {
            room: search.room.clone(),
            folded: String::new(),
            found: Vec::with_capacity(limit_of(search.limit).min(16)),
            filling: Filling::new(&search.room, search.limit),
            left_out: LeftOut::default(),
            more: false,
            next: if needle.is_empty() { 0 } else { last },
            needle,
            near: last.saturating_sub(near),
            plan: Plan::None,
            window: WINDOW_FIRST,
        }
    }

    /// Goes on until `slice_end`, or until everything was looked at or the page is full: then it returns true. Damage in the index is
    /// noted.
    pub(super) fn slice(
        &mut self,
        db: &Connection,
        room: RoomNow,
        index_damage: &Met,
        slice_end: Instant,
    ) -> Result<bool, rusqlite::Error> {
        while !self.more && self.next >= room.oldest.max(1) {
            // What was indexed when a plan was made may have been thrown away since.
            let indexed = match &self.plan {
                Plan::None => room.indexed.min(self.near),
                Plan::Scan => 0,
                Plan::Ask { upto, .. } => room.indexed.min(*upto),
            };
            if self.next > indexed {
                let first = room.oldest.max(indexed + 1);
                self.scan(db, room, first, slice_end)?;
            } else {
                self.ask(db, room, index_damage, slice_end)?;
            }
            if Instant::now() >= slice_end {
                return Ok(self.more || self.next < room.oldest.max(1));
            }
        }
        Ok(true)
    }

    pub(super) fn has_found(&self) -> bool {
        !self.found.is_empty()
    }

    pub(super) fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// The page, oldest first; `is_cut` if not everything was looked at.
    pub(super) fn into_page(mut self, is_cut: bool) -> Page {
        self.found.reverse();
        Page { messages: self.found, more: self.more || is_cut }
    }

    /// Asks the index about the next messages, or decides what it is asked for.
    fn ask(
        &mut self,
        db: &Connection,
        room: RoomNow,
        index_damage: &Met,
        slice_end: Instant,
    ) -> Result<(), rusqlite::Error> {
        let Plan::Ask { pieces, .. } = &self.plan else {
            self.plan = self.planned(db, room, index_damage)?;
            return Ok(());
        };
        if pieces.is_empty() {
            self.next = 0;
            return Ok(());
        }
        let pieces = pieces.clone();
        let first = (self.next + 1).saturating_sub(self.window).max(room.oldest);
        let (last, found, filling, started) = (self.next, self.found.len(), self.filling.clone(), Instant::now());
        let left_out = self.left_out;
        let sql = concat!(
            "SELECT ",
            message_columns!(),
            " FROM message_text f CROSS JOIN message m ON m.place = f.rowid
              WHERE f.message_text MATCH ?3 AND f.rowid BETWEEN ?1 AND ?2 ORDER BY f.rowid DESC"
        );
        let places = (place(room.id, first), place(room.id, last), pieces.as_str());
        match self.examine(db, sql, places, slice_end) {
            Ok(Went::Through) => {
                self.next = first - 1;
                self.window = next_window(self.window, started.elapsed(), slice_end - started);
            }
            Ok(Went::Partly) => {}
            // In the index or in a message: the messages are read now, and the index is asked alone.
            Err(error) if is_damage(&error) => {
                self.found.truncate(found);
                (self.filling, self.left_out, self.more, self.next) = (filling, left_out, false, last);
                self.plan = Plan::Scan;
                tolerated(ask_alone(db, room, (first, last), &pieces).map_err(of_index), index_damage)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn planned(&self, db: &Connection, room: RoomNow, index_damage: &Met) -> Result<Plan, rusqlite::Error> {
        let upto = self.next;
        let pieces = match Pieces::of(&self.needle) {
            Some(pieces) => Some(pieces.narrowest(db, room, upto)?),
            None => tolerated(pieces_beginning_with(db, &self.needle).map_err(of_index), index_damage)?.flatten(),
        };
        Ok(pieces.map_or(Plan::Scan, |pieces| Plan::Ask { pieces, upto }))
    }

    /// Reads the messages from the next down to `first`.
    fn scan(&mut self, db: &Connection, room: RoomNow, first: u64, slice_end: Instant) -> Result<(), rusqlite::Error> {
        let sql = concat!(
            "SELECT ",
            message_columns!(),
            " FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place DESC"
        );
        let went = self.examine(db, sql, (place(room.id, first), place(room.id, self.next)), slice_end)?;
        if went == Went::Through {
            self.next = first - 1;
        }
        Ok(())
    }

    /// Takes what holds the query until there is no place for more, or the slice is over.
    fn examine(
        &mut self,
        db: &Connection,
        sql: &str,
        bounds: impl Params,
        slice_end: Instant,
    ) -> Result<Went, rusqlite::Error> {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query(bounds)?;
        while let Some(row) = rows.next()? {
            self.next = seq_of(row.get(PLACE_COLUMN)?).saturating_sub(1);
            fold_into(row.get_ref(TEXT_COLUMN)?.as_str().unwrap_or_default(), &mut self.folded);
            if self.folded.contains(&self.needle)
                && let Some(message) = page::readable(&self.room, row, &mut self.left_out)?
            {
                if !self.filling.takes(&message) {
                    self.more = true;
                    return Ok(Went::Partly);
                }
                self.found.push(message);
            }
            if Instant::now() >= slice_end {
                return Ok(Went::Partly);
            }
        }
        Ok(Went::Through)
    }
}

/// Returns the number of messages that the index is asked about next, such that a slice has some
/// windows.
fn next_window(window: u64, took: Duration, slice: Duration) -> u64 {
    if took > slice / 4 {
        return (window / 4).max(WINDOW_MIN);
    }
    if took < slice / 16 { window.saturating_mul(2) } else { window }
}

/// Nothing for what the index could not tell because it is damaged, which is noted.
fn tolerated<T>(told: Result<T, rusqlite::Error>, index_damage: &Met) -> Result<Option<T>, rusqlite::Error> {
    match told {
        Err(error) if is_damage(&error) => {
            index_damage.note();
            Ok(None)
        }
        told => told.map(Some),
    }
}

/// Has the index name everything it has for what it is asked.
fn ask_alone(db: &Connection, room: RoomNow, (first, last): (u64, u64), asked: &str) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "SELECT rowid FROM message_text WHERE message_text MATCH ?3 AND rowid BETWEEN ?1 AND ?2 ORDER BY rowid DESC",
    )?;
    let mut rows = statement.query((place(room.id, first), place(room.id, last), asked))?;
    while rows.next()?.is_some() {}
    Ok(())
}
