//! A history as JSON Lines: the events that `join --json` prints.

use std::io::Write;
use std::path::Path;

use glassline_wire::event::{Event, Message, SCHEMA_VERSION};
use rusqlite::{Connection, OptionalExtension};

use super::{UpkeepError, open_to_read};
use crate::sqlite::acts;
use crate::sqlite::checksum::{self, Table};
use crate::sqlite::page::{message, message_columns};
use crate::sqlite::place::{SEQ_BITS, SEQ_MAX, place};

/// Messages read in one go: between them a server may empty its log.
const READ_AT_ONCE: usize = 500;

/// What an export holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rooms that have messages.
    pub rooms: u64,
    /// Messages.
    pub messages: u64,
    /// Operators' acts.
    pub acts: u64,
    /// What could not be read, in words; empty unless the file is damaged.
    pub unread: Vec<String>,
}

/// A room to export.
struct Room {
    id: i64,
    name: String,
    /// The last number that is looked for.
    newest: u64,
    /// Its row is as it was written.
    is_sound: bool,
}

/// Writes all of a history: a line `{"type":"schema","version":1}`, then each room's messages in the order of their numbers, then the
/// operators' acts. A server may have it open: what it stores meanwhile may be in it or not. Of a damaged file it takes what can be
/// read, and says what could not.
///
/// # Errors
/// It cannot be opened, or the output not written.
pub fn export(file: &Path, output: &mut dyn Write) -> Result<Exported, UpkeepError> {
    let db = open_to_read(file)?;
    let mut exporting = Exporting { db, output, exported: Exported::default() };
    exporting.line(&schema_line())?;
    for room in exporting.rooms() {
        exporting.room(&room)?;
    }
    exporting.acts()?;
    exporting.output.flush().map_err(UpkeepError::Output)?;
    Ok(exporting.exported)
}

/// The line that an export starts with.
pub(super) fn schema_line() -> Vec<u8> {
    format!(r#"{{"type":"schema","version":{SCHEMA_VERSION}}}"#).into_bytes()
}

struct Exporting<'e> {
    db: Connection,
    output: &'e mut dyn Write,
    exported: Exported,
}

impl Exporting<'_> {
    fn line(&mut self, json: &[u8]) -> Result<(), UpkeepError> {
        self.output.write_all(json).and_then(|()| self.output.write_all(b"\n")).map_err(UpkeepError::Output)
    }

    /// All rooms; where their names cannot be read, those that messages stand in, under names made up.
    fn rooms(&mut self) -> Vec<Room> {
        let read = || -> Result<Vec<Room>, rusqlite::Error> {
            let mut statement = self.db.prepare("SELECT * FROM room ORDER BY id")?;
            statement
                .query_map([], |row| {
                    let id = row.get("id")?;
                    Ok(match checksum::verify(Table::Room, row) {
                        Ok(()) => Room { id, name: row.get("name")?, newest: row.get("newest")?, is_sound: true },
                        Err(_) => Room { id, name: format!("room-{id}"), newest: SEQ_MAX, is_sound: false },
                    })
                })?
                .collect()
        };
        match read() {
            Ok(rooms) => {
                for Room { name, .. } in rooms.iter().filter(|room| !room.is_sound) {
                    self.exported.unread.push(format!("the name of a room, whose row is damaged: it is called {name}"));
                }
                rooms
            }
            Err(error) => {
                self.exported
                    .unread
                    .push(format!("the names of the rooms ({error}): they are called room-1 and so on"));
                self.rooms_by_their_messages()
            }
        }
    }

    fn rooms_by_their_messages(&mut self) -> Vec<Room> {
        let mut rooms = Vec::new();
        let mut from = 0_i64;
        loop {
            match self.first_place(from, i64::MAX) {
                Ok(Some(found)) => {
                    let id = found >> SEQ_BITS;
                    rooms.push(Room { id, name: format!("room-{id}"), newest: SEQ_MAX, is_sound: false });
                    from = place(id, SEQ_MAX).saturating_add(1);
                }
                Ok(None) => return rooms,
                Err(error) => {
                    self.exported.unread.push(format!("whatever rooms follow ({error})"));
                    return rooms;
                }
            }
        }
    }

    fn room(&mut self, room: &Room) -> Result<(), UpkeepError> {
        let before = self.exported.messages;
        let mut next = 1;
        while next <= room.newest {
            let (messages, complete) = self.read_from(room, next);
            for message in &messages {
                self.line(&Event::Message(message.clone()).to_json())?;
            }
            self.exported.messages += messages.len() as u64;
            if let Some(last) = messages.last().and_then(|message| message.seq) {
                next = last + 1;
            }
            if complete && messages.len() < READ_AT_ONCE {
                break;
            }
            if !complete {
                let readable = self.next_readable(room, next);
                self.exported.unread.push(format!(
                    "{}: messages {next} to {}",
                    room.name,
                    readable.map_or_else(|| "the last".to_string(), |seq| (seq - 1).to_string())
                ));
                let Some(readable) = readable else { break };
                next = readable;
            }
        }
        self.exported.rooms += u64::from(self.exported.messages > before);
        Ok(())
    }

    /// Messages from a number on, and whether reading them found no fault.
    fn read_from(&self, room: &Room, from: u64) -> (Vec<Message>, bool) {
        let mut messages = Vec::new();
        let mut read = || -> Result<(), rusqlite::Error> {
            let mut statement = self.db.prepare_cached(concat!(
                "SELECT ",
                message_columns!(),
                " FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place LIMIT ?3"
            ))?;
            let mut rows = statement.query((place(room.id, from), place(room.id, room.newest), READ_AT_ONCE))?;
            while let Some(row) = rows.next()? {
                messages.push(message(&room.name, row)?);
            }
            Ok(())
        };
        let complete = read().is_ok();
        (messages, complete)
    }

    /// The first number from which reading goes well again: far jumps first, then halving the last one.
    fn next_readable(&self, room: &Room, faulty: u64) -> Option<u64> {
        let reads = |from: u64| {
            let (messages, complete) = self.read_from(room, from);
            (complete || !messages.is_empty()).then(|| messages.first().and_then(|message| message.seq))
        };
        let (mut bad, mut step) = (faulty, 1);
        let mut good = loop {
            let from = faulty.saturating_add(step).min(room.newest);
            match reads(from) {
                // The end, without a message.
                Some(None) => return None,
                Some(Some(_)) => break from,
                None if from == room.newest => return None,
                None => bad = from,
            }
            step *= 2;
        };
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2;
            if matches!(reads(middle), Some(Some(_))) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        reads(good).flatten()
    }

    fn first_place(&self, from: i64, to: i64) -> Result<Option<i64>, rusqlite::Error> {
        self.db
            .prepare_cached("SELECT place FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT 1")?
            .query_row((from, to), |row| row.get(0))
            .optional()
    }

    fn acts(&mut self) -> Result<(), UpkeepError> {
        let mut after = 0_i64;
        loop {
            let read = self.db.prepare_cached("SELECT * FROM act WHERE number > ?1 ORDER BY number LIMIT 1").and_then(
                |mut statement| {
                    statement.query_row([after], |row| Ok((row.get("number")?, acts::verified(row)))).optional()
                },
            );
            match read {
                Ok(Some((number, act))) => {
                    match act {
                        Ok(act) => {
                            self.line(&Event::Act(act).to_json())?;
                            self.exported.acts += 1;
                        }
                        Err(_) => {
                            self.exported.unread.push(format!("the operators' act number {number}: it is damaged"));
                        }
                    }
                    after = number;
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.exported.unread.push(format!("operators' acts behind number {after} ({error})"));
                    return Ok(());
                }
            }
        }
    }
}
