//! Rooms of a history that may be damaged, and the numbers that each must have. A room is found by
//! its row, its messages and its entries in the search index. Where these differ, the row is
//! believed, unless the other two prove it wrong.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, Error, OptionalExtension};

use super::salvage::{KeyLookup, first_key, tolerate};
use crate::sqlite::rooms::RoomRow;
use crate::sqlite::rooms::cannot_be_entered;
use crate::sqlite::rowid::{ROOM_ID_MAX, SEQ_MAX, room_of, rowid, seq_of};

/// Fewest bytes of a message's row, which bound the number of messages.
const ROW_BYTES_MIN: u64 = 24;

/// Ids of rooms without a row that are sought by their messages: ids are given in order.
const ROOM_IDS_TRIED: i64 = 65_536;

pub(super) struct Room {
    pub(super) id: i64,
    /// Its name; made up where it cannot be read.
    pub(super) name: String,
    /// First and last number that must be there; older ones were removed by retention.
    pub(super) first: u64,
    pub(super) last: u64,
}

/// Rooms found, and uncertainties in sentences.
#[derive(Default)]
pub(super) struct Rooms {
    pub(super) rooms: Vec<Room>,
    pub(super) doubts: Vec<String>,
}

pub(super) fn rows_max(db: &Connection) -> Result<u64, Error> {
    let number = |pragma| tolerate(db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0)));
    let pages = number("page_count")?.unwrap_or(0);
    let page_bytes = number("page_size")?.unwrap_or(4_096);
    Ok(pages.saturating_mul(page_bytes) / ROW_BYTES_MIN)
}

pub(super) fn rooms(db: &Connection, rows_max: u64) -> Result<Rooms, Error> {
    let mut found = Rooms::default();
    let mut names = HashSet::new();
    let (mut ids, is_whole) = ids(db)?;
    let seen = ids.clone();
    ids.extend(1..=ids.last().copied().unwrap_or(0).min(ROOM_IDS_TRIED));
    if !is_whole {
        found.doubts.push("the list of rooms cannot be read to its end: there may have been others".to_string());
    }
    for id in ids {
        let row = db
            .prepare_cached("SELECT * FROM room WHERE id = ?1")
            .and_then(|mut row| row.query_row([id], |row| Ok((RoomRow::of(row)?, row.get("name")?))).optional());
        let row = tolerate(row)?;
        let is_unreadable = row.is_none();
        let (row, name): (Option<RoomRow>, Option<String>) = row.flatten().unzip();
        let Some((first, last, is_sure)) = number_range(db, id, row, rows_max)? else {
            if is_unreadable && seen.contains(&id) {
                found.doubts.push(format!("nothing of room {id} can be read, if there was one"));
            }
            continue;
        };
        let usable = name.filter(|name| cannot_be_entered(name).is_none() && !name.is_empty());
        let mut name = usable.clone().unwrap_or_else(|| format!("room-{id}"));
        // Damage can give two rooms one name, or a made-up one.
        while !names.insert(name.clone()) {
            name = format!("room-{id}-{}", names.len());
        }
        if usable.is_none_or(|usable| usable != name) {
            found.doubts.push(format!("the name of room {id} cannot be read: it is called {name}"));
        }
        if !is_sure {
            found.doubts.push(format!(
                "{name}: which numbers it had cannot be read; some before {first} or after {last} may be missing too"
            ));
        }
        found.rooms.push(Room { id, name, first, last });
    }
    Ok(found)
}

/// Finds the ids of rooms that have a row or messages. Returns whether all rows could be read.
fn ids(db: &Connection) -> Result<(BTreeSet<i64>, bool), Error> {
    let mut ids = BTreeSet::new();
    let upwards = "SELECT id FROM room NOT INDEXED WHERE id >= ?1 ORDER BY id LIMIT 1";
    let is_whole = jump(db, upwards, 1, &mut ids, |id| (id, id.checked_add(1)), i64::lt)?;
    let downwards = "SELECT id FROM room NOT INDEXED WHERE id <= ?1 ORDER BY id DESC LIMIT 1";
    jump(db, downwards, i64::MAX, &mut ids, |id| (id, id.checked_sub(1)), i64::gt)?;
    let upwards = "SELECT place FROM message WHERE place >= ?1 ORDER BY place LIMIT 1";
    let next = |found| (room_of(found), room_of(found).checked_add(1).map(|id| rowid(id, 0)));
    jump(db, upwards, rowid(1, 0), &mut ids, next, i64::lt)?;
    let downwards = "SELECT place FROM message WHERE place <= ?1 ORDER BY place DESC LIMIT 1";
    let next = |found| (room_of(found), rowid(room_of(found), 0).checked_sub(1));
    jump(db, downwards, i64::MAX, &mut ids, next, i64::gt)?;
    let found = ids.len();
    ids.retain(|id| (1..=ROOM_ID_MAX).contains(id));
    // Another id is of a row of another table.
    let is_whole = is_whole && ids.len() == found;
    Ok((ids, is_whole))
}

/// Goes from key to key with a statement that finds the next one from `at` on. `id_and_next`
/// returns the room of a key and where to continue. Each jump must go in its direction, whatever a
/// damaged tree returns, which bounds them. Returns whether the end was reached.
fn jump(
    db: &Connection,
    sql: &str,
    mut at: i64,
    ids: &mut BTreeSet<i64>,
    id_and_next: impl Fn(i64) -> (i64, Option<i64>),
    is_onward: fn(&i64, &i64) -> bool,
) -> Result<bool, Error> {
    loop {
        let (id, next) = match first_key(db, sql, [at])? {
            KeyLookup::Key(key) => id_and_next(key),
            KeyLookup::Nothing => return Ok(true),
            KeyLookup::Damage => return Ok(false),
        };
        ids.insert(id);
        match next.filter(|next| is_onward(&at, next)) {
            Some(next) => at = next,
            None => return Ok(false),
        }
    }
}

/// Returns the numbers that a room must have, and whether that is certain; nothing if there is no
/// such room.
fn number_range(
    db: &Connection,
    id: i64,
    row: Option<RoomRow>,
    rows_max: u64,
) -> Result<Option<(u64, u64, bool)>, Error> {
    let within = [rowid(id, 1), rowid(id, SEQ_MAX)];
    let seq = |sql: &str| Ok::<_, Error>(first_key(db, sql, within)?.key().map(seq_of));
    let lowest = "SELECT place FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT 1";
    let highest = "SELECT place FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT 1";
    let lowest_indexed = "SELECT id FROM message_text_docsize WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";
    let highest_indexed = "SELECT id FROM message_text_docsize WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
    let (first_found, first_indexed) = (seq(lowest)?, seq(lowest_indexed)?);
    let first = first_found.into_iter().chain(first_indexed).min();
    let last_found = seq(highest)?;
    let last_indexed = seq(highest_indexed)?;
    let last = last_found.max(last_indexed);
    let numbers_max = rows_max.saturating_add(row.map_or(0, |row| row.removed));
    let is_plausible = |first: u64, last: u64| last <= SEQ_MAX && last.saturating_sub(first) <= numbers_max;
    let stands = |seq: u64| {
        let found = first_key(db, "SELECT place FROM message WHERE place = ?1", [rowid(id, seq)])?;
        Ok::<_, Error>(found.key() == Some(rowid(id, seq)))
    };
    let Some(row) = row.filter(|row| {
        row.oldest >= 1 && row.oldest <= row.newest.saturating_add(1) && is_plausible(row.oldest, row.newest)
    }) else {
        let Some((first, last)) = first.zip(last) else { return Ok(None) };
        return Ok(Some((first.min(last), last, false)));
    };
    let (mut from, mut to) = (row.oldest, row.newest);
    // Where messages contradict the row, the row is damaged.
    let is_newest_wrong = last_indexed.is_some_and(|last| last > to) || stands(to.saturating_add(1))?;
    let is_oldest_wrong = from > 1 && stands(from - 1)?;
    if let Some(last) = last.filter(|&last| is_newest_wrong && is_plausible(from, last)) {
        to = to.max(last);
    }
    if let Some(first) = first.filter(|&first| is_oldest_wrong && is_plausible(first, to)) {
        from = from.min(first);
    }
    // Two tables agree that the row has more than they: it may be wrong, and its numbers are still
    // reported.
    let says_too_much = first_found.zip(first_indexed).is_some_and(|(found, indexed)| found.min(indexed) > from)
        || last_found.zip(last_indexed).is_some_and(|(found, indexed)| found.max(indexed) < to);
    Ok(Some((from, to, !is_newest_wrong && !is_oldest_wrong && !says_too_much)))
}
