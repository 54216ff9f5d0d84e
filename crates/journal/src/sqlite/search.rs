//! Search for a text in a room, newest messages first, so that the deadline costs the oldest. The
//! index proposes messages that are compared with the query. Messages not in it yet are read
//! one by one; so are all where it is damaged.
//!
//! A query that is shorter than a trigram is mostly found among the latest messages, or it is rare:
//! then few terms of the index begin with it.

mod prefix_terms;
mod quoting;
mod trigrams;

use std::time::{Duration, Instant};

use glassline_wire::event::Message;
use glassline_wire::history::Page;
use glassline_wire::request::Search;
use rusqlite::{Connection, Error, Params};

pub(super) use self::prefix_terms::CREATE_VOCABULARY;
use self::prefix_terms::prefix_query;
use self::trigrams::Trigrams;
use super::folding::{fold_into, folded};
use super::message_row::{self, DamagedRows, ROWID_COLUMN, TEXT_COLUMN, select_messages};
use super::page::{PageBuilder, limit_of};
use super::rooms::RoomRow;
use super::rowid::{rowid, seq_of};
use super::search_index::{CorruptionFlag, index_error, is_corruption};

/// Messages that are read for a short query before the index is used: some milliseconds.
#[cfg(not(test))]
const NEAR_MESSAGES: u64 = 50_000;
#[cfg(test)]
const NEAR_MESSAGES: u64 = 8;

/// Messages that one query of the index covers, adapted to the time it takes.
#[cfg(not(test))]
const WINDOW_FIRST: u64 = 16_384;
#[cfg(test)]
const WINDOW_FIRST: u64 = 3;
const WINDOW_MIN: u64 = 1_024;

/// Progress of a search from the newest message to the oldest. Holds nothing of the file.
pub(super) struct SearchCursor {
    room: String,
    needle: String,
    /// Buffer in which a text is folded.
    folded: String,
    /// Newest first.
    found: Vec<Message>,
    builder: PageBuilder,
    damaged_rows: DamagedRows,
    /// A message was found that does not fit the page.
    more: bool,
    /// Newest number that was not examined.
    next: u64,
    /// Above this number messages are read, whether they are indexed or not.
    near: u64,
    plan: Plan,
    /// Messages that the next query of the index covers.
    window: u64,
}

/// Plan for the messages below [`SearchCursor::near`].
enum Plan {
    None,
    Scan,
    /// The index is queried. It has all messages up to this number.
    Ask {
        trigrams: String,
        upto: u64,
    },
}

#[derive(PartialEq, Eq)]
enum Progress {
    Complete,
    /// The slice has ended, or the page is full.
    Interrupted,
}

impl SearchCursor {
    pub(super) fn new(search: &Search, room: RoomRow) -> Self {
        let needle = folded(&search.query);
        let last = search.before.map_or(room.newest, |before| before.saturating_sub(1).min(room.newest));
        let near = if Trigrams::of(&needle).is_some() { 0 } else { NEAR_MESSAGES };
        Self {
            room: search.room.clone(),
            folded: String::new(),
            found: Vec::with_capacity(limit_of(search.limit).min(16)),
            builder: PageBuilder::new(&search.room, search.limit),
            damaged_rows: DamagedRows::default(),
            more: false,
            next: if needle.is_empty() { 0 } else { last },
            needle,
            near: last.saturating_sub(near),
            plan: Plan::None,
            window: WINDOW_FIRST,
        }
    }

    /// Continues until `slice_end`. Returns true if all messages were examined or the page is full.
    pub(super) fn slice(
        &mut self,
        db: &Connection,
        room: RoomRow,
        corruption: &CorruptionFlag,
        slice_end: Instant,
    ) -> Result<bool, Error> {
        while !self.more && self.next >= room.oldest.max(1) {
            // The index may have been discarded since the plan was made.
            let indexed = match &self.plan {
                Plan::None => room.indexed.min(self.near),
                Plan::Scan => 0,
                Plan::Ask { upto, .. } => room.indexed.min(*upto),
            };
            if self.next > indexed {
                let first = room.oldest.max(indexed + 1);
                self.scan(db, room, first, slice_end)?;
            } else {
                self.ask(db, room, corruption, slice_end)?;
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

    pub(super) fn damaged_rows(&self) -> DamagedRows {
        self.damaged_rows
    }

    /// Returns the page, oldest first; `is_cut` if not everything was examined.
    pub(super) fn into_page(mut self, is_cut: bool) -> Page {
        self.found.reverse();
        Page { messages: self.found, more: self.more || is_cut }
    }

    /// Queries the index about the next messages, or makes the plan.
    fn ask(
        &mut self,
        db: &Connection,
        room: RoomRow,
        corruption: &CorruptionFlag,
        slice_end: Instant,
    ) -> Result<(), Error> {
        let Plan::Ask { trigrams, .. } = &self.plan else {
            self.plan = self.planned(db, room, corruption)?;
            return Ok(());
        };
        if trigrams.is_empty() {
            self.next = 0;
            return Ok(());
        }
        let trigrams = trigrams.clone();
        let first = (self.next + 1).saturating_sub(self.window).max(room.oldest);
        let (last, found, builder, started) = (self.next, self.found.len(), self.builder.clone(), Instant::now());
        let damaged_rows = self.damaged_rows;
        let sql = select_messages!(
            "FROM message_text f CROSS JOIN message m ON m.place = f.rowid
              WHERE f.message_text MATCH ?3 AND f.rowid BETWEEN ?1 AND ?2 ORDER BY f.rowid DESC"
        );
        let rowids = (rowid(room.id, first), rowid(room.id, last), trigrams.as_str());
        match self.examine(db, sql, rowids, slice_end) {
            Ok(Progress::Complete) => {
                self.next = first - 1;
                self.window = next_window(self.window, started.elapsed(), slice_end - started);
            }
            Ok(Progress::Interrupted) => {}
            // The damage is in the index or in a message: from here on messages are read. The index
            // is read alone to determine which.
            Err(error) if is_corruption(&error) => {
                self.found.truncate(found);
                (self.builder, self.damaged_rows, self.more, self.next) = (builder, damaged_rows, false, last);
                self.plan = Plan::Scan;
                unless_corrupt(ask_alone(db, room, (first, last), &trigrams).map_err(index_error), corruption)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn planned(&self, db: &Connection, room: RoomRow, corruption: &CorruptionFlag) -> Result<Plan, Error> {
        let upto = self.next;
        let trigrams = match Trigrams::of(&self.needle) {
            Some(trigrams) => Some(trigrams.narrowest(db, room, upto)?),
            None => unless_corrupt(prefix_query(db, &self.needle).map_err(index_error), corruption)?.flatten(),
        };
        Ok(trigrams.map_or(Plan::Scan, |trigrams| Plan::Ask { trigrams, upto }))
    }

    fn scan(&mut self, db: &Connection, room: RoomRow, first: u64, slice_end: Instant) -> Result<(), Error> {
        let sql = select_messages!("FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place DESC");
        let progress = self.examine(db, sql, (rowid(room.id, first), rowid(room.id, self.next)), slice_end)?;
        if progress == Progress::Complete {
            self.next = first - 1;
        }
        Ok(())
    }

    /// Collects messages that contain the query until the page is full or the slice ends.
    fn examine(
        &mut self,
        db: &Connection,
        sql: &str,
        bounds: impl Params,
        slice_end: Instant,
    ) -> Result<Progress, Error> {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query(bounds)?;
        while let Some(row) = rows.next()? {
            self.next = seq_of(row.get(ROWID_COLUMN)?).saturating_sub(1);
            let text =
                if message_row::is_sealed(row)? { "" } else { row.get_ref(TEXT_COLUMN)?.as_str().unwrap_or_default() };
            fold_into(text, &mut self.folded);
            if self.folded.contains(&self.needle)
                && let Some(message) = message_row::readable(&self.room, row, &mut self.damaged_rows)?
            {
                if !self.builder.try_push(&message) {
                    self.more = true;
                    return Ok(Progress::Interrupted);
                }
                self.found.push(message);
            }
            if Instant::now() >= slice_end {
                return Ok(Progress::Interrupted);
            }
        }
        Ok(Progress::Complete)
    }
}

/// Returns the number of messages for the next query of the index, such that a slice has some.
fn next_window(window: u64, took: Duration, slice: Duration) -> u64 {
    if took > slice / 4 {
        return (window / 4).max(WINDOW_MIN);
    }
    if took < slice / 16 { window.saturating_mul(2) } else { window }
}

/// Returns nothing, and sets the flag, if the index is damaged.
fn unless_corrupt<T>(result: Result<T, Error>, corruption: &CorruptionFlag) -> Result<Option<T>, Error> {
    match result {
        Err(error) if is_corruption(&error) => {
            corruption.note();
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// Reads all entries of the index that match, and no messages.
fn ask_alone(db: &Connection, room: RoomRow, (first, last): (u64, u64), asked: &str) -> Result<(), Error> {
    let mut statement = db.prepare_cached(
        "SELECT rowid FROM message_text WHERE message_text MATCH ?3 AND rowid BETWEEN ?1 AND ?2 ORDER BY rowid DESC",
    )?;
    let mut rows = statement.query((rowid(room.id, first), rowid(room.id, last), asked))?;
    while rows.next()?.is_some() {}
    Ok(())
}
