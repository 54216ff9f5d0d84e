//! Export of a history as JSON Lines: the events that `join --json` prints.

use std::io::Write;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use glassline_wire::event::{Event, Message};
use rusqlite::{Connection, Row};

use super::errors::TransferError;
use super::line_reader::schema_line;
use super::missing::{MissingRanges, add, classify};
use super::opening::open_damaged;
use super::progress::{ProgressMonitor, Stage, interrupt_on_cancel};
use super::room_discovery::{Room, Rooms, rooms, rows_max};
use super::salvage::{CHUNK, KeyLookup, Table, first_key, read};
use crate::sqlite::message_row::{DamagedRows, readable, select_messages};
use crate::sqlite::rowid::{rowid, seq_of};
use crate::sqlite::{audit_log, errors};
use crate::store::StoreError;

const MESSAGES: Table = Table {
    ascending: select_messages!("FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place LIMIT ?3"),
    descending: select_messages!("FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place DESC LIMIT ?3"),
    single: select_messages!("FROM message m WHERE m.place = ?1"),
};

const ACTS: Table = Table {
    ascending: "SELECT * FROM act WHERE number BETWEEN ?1 AND ?2 ORDER BY number LIMIT ?3",
    descending: "SELECT * FROM act WHERE number BETWEEN ?1 AND ?2 ORDER BY number DESC LIMIT ?3",
    single: "SELECT * FROM act WHERE number = ?1",
};

/// Contents of an export, and what it lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rooms that have messages.
    pub rooms: u64,
    /// Messages.
    pub messages: u64,
    /// Operators' acts.
    pub acts: u64,
    /// Missing messages, by room and in the order of their numbers. Each number between the room's
    /// oldest and newest is exported, in one of these ranges, or was removed by retention.
    pub missing: Vec<(String, RangeInclusive<u64>)>,
    /// Missing acts, by their numbers in the file.
    pub missing_acts: Vec<RangeInclusive<u64>>,
    /// Uncertainties, in sentences: which rooms there are, and which numbers they have.
    pub doubts: Vec<String>,
}

impl Exported {
    /// Returns whether nothing is missing or uncertain.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.missing_acts.is_empty() && self.doubts.is_empty()
    }

    /// Returns the number of missing messages.
    pub fn missing_messages(&self) -> u64 {
        self.missing.iter().map(|(_, range)| range.end() - range.start() + 1).sum()
    }
}

/// Writes a line `{"type":"schema","version":1}`, then each room's messages in the order of their
/// numbers, then the operators' acts. A server may have the history open: what it stores later
/// may be missing. Of a damaged file it writes what can be read, and reports each number that
/// cannot. The work is bounded by the size of the file, for any content.
///
/// # Errors
/// The history cannot be opened, the output not written, or the export was cancelled.
pub fn export(
    file: &Path,
    output: &mut dyn Write,
    monitor: &Arc<dyn ProgressMonitor>,
) -> Result<Exported, TransferError> {
    let mut db = open_damaged(file)?;
    let reading = |error: rusqlite::Error| match errors::reading(&error, file) {
        StoreError::TooSlow if monitor.is_cancelled() => TransferError::Store(StoreError::Cancelled),
        StoreError::TooSlow => TransferError::Store(StoreError::Locked(file.to_path_buf())),
        error => TransferError::Store(error),
    };
    interrupt_on_cancel(&mut db, monitor).map_err(reading)?;
    let rows_max = rows_max(&db).map_err(reading)?;
    let Rooms { rooms, doubts } = rooms(&db, rows_max).map_err(reading)?;
    let last_act = last_act(&db, rows_max).map_err(reading)?;
    let total =
        rooms.iter().map(|room| (room.last + 1).saturating_sub(room.first)).sum::<u64>() + last_act.unwrap_or(0);
    monitor.begin(Stage::Exporting, Some(total));
    let mut exporting = Exporting {
        db,
        output,
        monitor: monitor.as_ref(),
        exported: Exported { doubts, ..Exported::default() },
        done: 0,
        empty_slices_left: rows_max / CHUNK + 1,
    };
    exporting.line(&schema_line())?;
    for room in rooms {
        exporting.room(&room, &reading)?;
    }
    exporting.acts(last_act, &reading)?;
    exporting.output.flush().map_err(TransferError::Output)?;
    Ok(exporting.exported)
}

struct Exporting<'e> {
    db: Connection,
    output: &'e mut dyn Write,
    monitor: &'e dyn ProgressMonitor,
    exported: Exported,
    /// Numbers passed, of all rooms, and acts.
    done: u64,
    /// Chunks without a message that are still read one after the other; then the next message is
    /// sought, since there are more numbers than the file has space for.
    empty_slices_left: u64,
}

type Reading<'r> = &'r dyn Fn(rusqlite::Error) -> TransferError;

impl Exporting<'_> {
    fn line(&mut self, json: &[u8]) -> Result<(), TransferError> {
        self.output.write_all(json).and_then(|()| self.output.write_all(b"\n")).map_err(TransferError::Output)
    }

    fn advance(&mut self, numbers: u64) -> Result<(), TransferError> {
        self.done += numbers;
        self.monitor.advance(self.done);
        if self.monitor.is_cancelled() { Err(StoreError::Cancelled.into()) } else { Ok(()) }
    }

    /// Exports the numbers chunk by chunk, each once and upwards.
    fn room(&mut self, room: &Room, reading: Reading<'_>) -> Result<(), TransferError> {
        let before = self.exported.messages;
        let mut absent = Vec::new();
        let mut next = room.first;
        while next <= room.last {
            let to = next.saturating_add(CHUNK - 1).min(room.last);
            let messages = self.messages(room, next..=to).map_err(reading)?;
            let is_empty = messages.iter().all(Option::is_none);
            for (seq, message) in (next..).zip(messages) {
                if let Some(message) = message {
                    self.line(&Event::Message(message).to_json())?;
                    self.exported.messages += 1;
                } else {
                    add(&mut absent, seq..=seq);
                }
            }
            self.advance(to - next + 1)?;
            next = to + 1;
            if is_empty {
                let found = self.after_empty_slice(room, next).map_err(reading)?;
                if found > next {
                    add(&mut absent, next..=found - 1);
                }
                next = found;
            }
        }
        self.exported.rooms += u64::from(self.exported.messages > before);
        let MissingRanges { missing, doubt } = classify(&self.db, room.id, &room.name, absent).map_err(reading)?;
        self.exported.missing.extend(missing.into_iter().map(|seqs| (room.name.clone(), seqs)));
        self.exported.doubts.extend(doubt);
        Ok(())
    }

    fn messages(&self, room: &Room, seqs: RangeInclusive<u64>) -> Result<Vec<Option<Message>>, rusqlite::Error> {
        let transaction = self.db.unchecked_transaction()?;
        let keys = rowid(room.id, *seqs.start())..=rowid(room.id, *seqs.end());
        // After a damaged row a commit fails, though nothing is written.
        let decode = |row: &Row<'_>| readable(&room.name, row, &mut DamagedRows::default()).ok().flatten();
        read(&transaction, &MESSAGES, keys, decode)
    }

    /// Returns the next number after a chunk without a message: in a room with more numbers than
    /// the file can hold, that of the next message.
    fn after_empty_slice(&mut self, room: &Room, next: u64) -> Result<u64, rusqlite::Error> {
        if self.empty_slices_left > 0 {
            self.empty_slices_left -= 1;
            return Ok(next);
        }
        if next > room.last {
            return Ok(next);
        }
        let sql = "SELECT place FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT 1";
        let found = first_key(&self.db, sql, [rowid(room.id, next), rowid(room.id, room.last)])?;
        Ok(found.key().map(seq_of).filter(|found| (next..=room.last).contains(found)).unwrap_or(room.last + 1))
    }

    /// Exports the acts up to the last; if that is not known, up to one that no others follow.
    fn acts(&mut self, last: Option<u64>, reading: Reading<'_>) -> Result<(), TransferError> {
        let (mut next, mut last_found) = (1, 0);
        while last.is_none_or(|last| next <= last) {
            let to = (next + CHUNK - 1).min(last.unwrap_or(u64::MAX));
            let keys = next.cast_signed()..=to.cast_signed();
            let acts = read(&self.db, &ACTS, keys, |row| audit_log::verified(row).ok()).map_err(reading)?;
            for (number, act) in (next..).zip(acts) {
                if let Some(act) = act {
                    self.line(&Event::Act(act).to_json())?;
                    self.exported.acts += 1;
                    last_found = number;
                } else {
                    add(&mut self.exported.missing_acts, number..=number);
                }
            }
            self.advance(to - next + 1)?;
            if last.is_none() && last_found < next {
                break;
            }
            next = to + 1;
        }
        // How many acts follow the last readable one is unknown: its number may be damaged too.
        let is_end_damaged = self.exported.missing_acts.pop_if(|range| *range.start() > last_found).is_some();
        if last.is_none() || is_end_damaged {
            self.exported.doubts.push(format!("the operators' acts after number {last_found} cannot be read"));
        }
        Ok(())
    }
}

/// Returns the number of the last act; `None` if damage prevents it. Acts are numbered from 1
/// on and never removed, so a number that the file has no space for is damaged.
fn last_act(db: &Connection, rows_max: u64) -> Result<Option<u64>, rusqlite::Error> {
    let first = first_key(db, "SELECT number FROM act ORDER BY number LIMIT 1", [])?;
    let last = first_key(db, "SELECT number FROM act ORDER BY number DESC LIMIT 1", [])?;
    Ok(match (first, last) {
        (KeyLookup::Nothing, KeyLookup::Nothing) => Some(0),
        (KeyLookup::Key(1..), KeyLookup::Key(last @ 1..)) => {
            Some(last.cast_unsigned()).filter(|&last| last <= rows_max)
        }
        _ => None,
    })
}
