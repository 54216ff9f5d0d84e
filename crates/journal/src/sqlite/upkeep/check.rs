//! Looking whether a history is what it should be, all of it.

use std::path::Path;

use glassline_wire::message_id::MessageId;
use rusqlite::Connection;

use super::open_to_read;
use crate::sqlite::ids::Ids;
use crate::sqlite::place::place;
use crate::store::StoreError;

/// Faults that are listed; there may be more.
const FAULTS_MAX: usize = 100;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rooms that were ever spoken in.
    pub rooms: u64,
    /// Messages stored.
    pub messages: u64,
    /// Operators' acts stored.
    pub acts: u64,
    /// Messages the search index does not have yet; that is no fault.
    pub index_lag: u64,
    /// What is wrong, in words, up to a hundred; empty if nothing is.
    pub faults: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Reads all of a history: whether the file is sound, each room's numbers have no hole, and the indexes agree with the messages. A
/// server may have it open. Takes some seconds for each gigabyte.
///
/// # Errors
/// It cannot be opened, or is no history. What is wrong with one is in the report.
pub fn check(file: &Path) -> Result<Report, StoreError> {
    let db = open_to_read(file)?;
    let mut report = Report::default();
    for (what, part) in [
        ("the file", file_itself as fn(&Connection, &mut Report) -> Result<(), rusqlite::Error>),
        ("the rooms", rooms),
        ("the operators' acts", acts),
        ("the table of ids", ids),
        ("the search index", index),
    ] {
        if let Err(error) = part(&db, &mut report) {
            report.faults.push(format!("{what} cannot be read: {error}"));
        }
        report.faults.truncate(FAULTS_MAX);
    }
    Ok(report)
}

/// Its pages, its indexes against its tables, and the search index against itself.
fn file_itself(db: &Connection, report: &mut Report) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare(&format!("PRAGMA integrity_check({FAULTS_MAX})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            report.faults.push(found);
        }
    }
    Ok(())
}

fn rooms(db: &Connection, report: &mut Report) -> Result<(), rusqlite::Error> {
    let mut rooms = db.prepare("SELECT id, name, newest, oldest, indexed, oldest_at_ms FROM room ORDER BY id")?;
    let mut messages = db.prepare(
        "SELECT count(*), min(place), max(place), count(CASE WHEN id IS NOT NULL AND length(id) <> 16 THEN 1 END)
         FROM message WHERE place BETWEEN ?1 AND ?2",
    )?;
    let mut first_at = db.prepare("SELECT at_ms FROM message WHERE place = ?1")?;
    let mut in_rooms = 0;
    let mut rows = rooms.query([])?;
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let (newest, oldest, indexed): (u64, u64, u64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let (count, first, last, odd): (u64, Option<i64>, Option<i64>, u64) = messages
            .query_row((place(id, 0), place(id, u64::MAX)), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
        let mut fault = |what: String| report.faults.push(format!("room {name:?}: {what}"));
        if oldest == 0 || oldest > newest + 1 || indexed > newest {
            fault(format!("its numbers contradict each other: {oldest} to {newest}, {indexed} indexed"));
        } else if count != newest + 1 - oldest {
            fault(format!("it has {count} messages where {oldest} to {newest} should be"));
        } else if count > 0 && (first, last) != (Some(place(id, oldest)), Some(place(id, newest))) {
            fault(format!("its messages do not stand from {oldest} to {newest}"));
        } else if count > 0
            && first_at.query_row([place(id, oldest)], |row| row.get::<_, u64>(0))? != row.get::<_, u64>(5)?
        {
            fault("its oldest message is from another time than it says".to_string());
        }
        if odd > 0 {
            fault(format!("{odd} of its messages have ids of a wrong length"));
        }
        in_rooms += count;
        report.rooms += u64::from(newest > 0);
        report.messages += count;
        report.index_lag += newest - indexed.max(oldest.saturating_sub(1)).min(newest);
    }
    let all: u64 = db.query_row("SELECT count(*) FROM message", [], |row| row.get(0))?;
    if all != in_rooms {
        report.faults.push(format!("{} messages stand in no room", all.abs_diff(in_rooms)));
    }
    Ok(())
}

fn acts(db: &Connection, report: &mut Report) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare("SELECT number, json FROM act ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        if glassline_wire::event::Event::from_json(row.get_ref(1)?.as_bytes()?).is_err() {
            report.faults.push(format!("the operators' act number {number} cannot be read"));
        }
        report.acts += 1;
    }
    Ok(())
}

/// Every id up to where they were put into their table is in it.
fn ids(db: &Connection, report: &mut Report) -> Result<(), rusqlite::Error> {
    let secret: [u8; 16] = db.query_row("SELECT value FROM fact WHERE name = 'id_secret'", [], |row| row.get(0))?;
    let ids = Ids::with_secret(u128::from_be_bytes(secret));
    let mut rooms = db.prepare("SELECT id, name, oldest, ids_merged FROM room ORDER BY id")?;
    let mut messages = db.prepare("SELECT place, id FROM message WHERE place BETWEEN ?1 AND ?2 AND id IS NOT NULL")?;
    let mut entry = db.prepare("SELECT 1 FROM message_id WHERE key = ?1 AND place = ?2")?;
    let mut room_rows = rooms.query([])?;
    while let Some(room) = room_rows.next()? {
        let (id, name): (i64, String) = (room.get(0)?, room.get(1)?);
        let mut missing = 0_u64;
        let mut rows = messages.query((place(id, room.get(2)?), place(id, room.get(3)?)))?;
        while let Some(row) = rows.next()? {
            let message_id: [u8; 16] = row.get(1)?;
            let key = ids.key(MessageId(u128::from_be_bytes(message_id)));
            missing += u64::from(!entry.exists((key, row.get::<_, i64>(0)?))?);
        }
        if missing > 0 {
            report.faults.push(format!("room {name:?}: {missing} of its ids are not in their table"));
        }
    }
    Ok(())
}

/// As many entries as there are messages from each room's oldest to the last indexed, and each of a message that is there.
fn index(db: &Connection, report: &mut Report) -> Result<(), rusqlite::Error> {
    let wanted: u64 =
        db.query_row("SELECT coalesce(sum(max(indexed - oldest + 1, 0)), 0) FROM room", [], |row| row.get(0))?;
    let found: u64 = db.query_row("SELECT count(*) FROM message_text_docsize", [], |row| row.get(0))?;
    let strange: u64 = db.query_row(
        "SELECT count(*) FROM message_text_docsize d WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.place = d.id)",
        [],
        |row| row.get(0),
    )?;
    if wanted != found || strange > 0 {
        report.faults.push(format!(
            "the search index has {found} messages where {wanted} should be, {strange} of them are not stored"
        ));
    }
    Ok(())
}
