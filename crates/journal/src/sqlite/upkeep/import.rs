//! Reading an export into a history, all of it or nothing.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Read};
use std::path::Path;

use glassline_wire::event::Act;
use glassline_wire::event::{Event, Message, SCHEMA_VERSION};
use glassline_wire::limits::{EVENT_BYTES_MAX, NAME_BYTES_MAX, ROOM_CHARS_MAX, TEXT_BYTES_MAX};
use glassline_wire::visible::{REPLACEMENT, is_direction_or_break, one_line, relayed};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};
use serde_json::Value;

use super::UpkeepError;
use crate::record::{Entry, Outcome, Record};
use crate::sqlite::append::{Growth, store};
use crate::sqlite::engine::{Engine, Keep};
use crate::sqlite::fault;
use crate::sqlite::ids::{self, Ids};
use crate::sqlite::page::{self, Filling, message_columns};
use crate::sqlite::place::{SEQ_MAX, place};
use crate::sqlite::rooms::open_room;
use crate::sqlite::shares::UNKNOWN_ORIGIN;
use crate::sqlite::tend::{Checkpoint, checkpoint};

/// Lines that are stored together.
const LINES_AT_ONCE: usize = 1_024;

/// Longest `who` of an act, in bytes: names and networks are shorter.
const WHO_BYTES_MAX: usize = 256;

/// What an import brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Messages stored.
    pub messages: u64,
    /// Of these, how many got another number than they had: their room had messages before, or some are missing in the import.
    pub renumbered: u64,
    /// Messages and acts that were there already, or whose id was.
    pub skipped: u64,
    /// Operators' acts stored.
    pub acts: u64,
}

/// Stores what an export holds. In a room that was never spoken in, messages keep their numbers; in another they are put behind what is
/// there. No server may have the file open. The search index is built when the next one does.
///
/// # Errors
/// It cannot be opened or written, or a line is no event of an export: nothing is imported then.
pub fn import(file: &Path, lines: &mut dyn BufRead) -> Result<Imported, UpkeepError> {
    let mut engine = Engine::open(file, Keep::default())?;
    engine.merge_all_ids()?;
    let Engine { db, ids, .. } = &mut engine;
    let writing = |error| UpkeepError::Store(fault::writing(&error, file));
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(writing)?;
    let mut importing = Importing {
        file,
        ids,
        acts: acts(&transaction).map_err(writing)?,
        transaction: &transaction,
        rooms: HashMap::new(),
        waiting: Vec::new(),
        imported: Imported::default(),
    };
    let mut lines = Lines { input: lines, number: 0, line: Vec::new() };
    let first = lines.next()?.unwrap_or_default();
    if !is_schema(first) {
        return Err(lines.wrong(format!(
            "does not say {}, as that of every export does",
            String::from_utf8_lossy(&super::export::schema_line())
        )));
    }
    while let Some(line) = lines.next()? {
        if line.is_empty() {
            continue;
        }
        let taken = match Event::from_json(line) {
            Ok(Event::Message(message)) => importing.message(message)?,
            Ok(Event::Act(act)) => importing.act(act),
            Ok(_) => Err("is an event that a history does not hold".to_string()),
            Err(error) => Err(format!("is no event ({})", brief(&error))),
        };
        taken.map_err(|detail| lines.wrong(detail))?;
        if importing.waiting.len() >= LINES_AT_ONCE {
            importing.flush()?;
        }
    }
    importing.flush()?;
    let imported = importing.imported;
    transaction.execute("UPDATE room SET ids_merged = newest", []).map_err(writing)?;
    transaction.commit().map_err(writing)?;
    checkpoint(db, Checkpoint::Whole).map_err(writing)?;
    Ok(imported)
}

fn acts(transaction: &Transaction<'_>) -> Result<HashSet<String>, rusqlite::Error> {
    transaction.prepare("SELECT json FROM act")?.query_map([], |row| row.get(0))?.collect()
}

fn is_schema(line: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(line).unwrap_or_default();
    said["type"] == "schema" && said["version"] == SCHEMA_VERSION
}

/// The error quotes what the line says, which may be long.
fn brief(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect()
}

/// Lines of a bounded length.
struct Lines<'l> {
    input: &'l mut dyn BufRead,
    number: u64,
    line: Vec<u8>,
}

impl Lines<'_> {
    /// The next line without its end.
    fn next(&mut self) -> Result<Option<&[u8]>, UpkeepError> {
        self.number += 1;
        self.line.clear();
        let read = Read::take(&mut *self.input, EVENT_BYTES_MAX as u64 + 1).read_until(b'\n', &mut self.line);
        read.map_err(|cause| UpkeepError::Input { line: self.number, cause })?;
        if self.line.is_empty() {
            return Ok(None);
        }
        if self.line.len() > EVENT_BYTES_MAX && self.line.last() != Some(&b'\n') {
            return Err(self.wrong(format!("is longer than {EVENT_BYTES_MAX} bytes")));
        }
        Ok(Some(self.line.trim_ascii()))
    }

    fn wrong(&self, detail: String) -> UpkeepError {
        UpkeepError::Line { line: self.number, detail }
    }
}

struct Importing<'i> {
    file: &'i Path,
    ids: &'i Ids,
    transaction: &'i Transaction<'i>,
    /// Whether a room is new and its messages keep their numbers.
    rooms: HashMap<String, bool>,
    acts: HashSet<String>,
    waiting: Vec<Record>,
    imported: Imported,
}

/// Why no server lets anybody into a room of this name, as far as that can be said without the tables that servers have: names of
/// rooms are in lower case, without spaces, and short.
fn cannot_be_entered(room: &str) -> Option<String> {
    if room.to_lowercase() != room {
        return Some(format!("write {:?}, in lower case", room.to_lowercase()));
    }
    if room.chars().count() > ROOM_CHARS_MAX {
        return Some(format!("it has more than {ROOM_CHARS_MAX} characters"));
    }
    if room.starts_with(['/', '*']) {
        return Some("it begins with \"/\" or \"*\"".to_string());
    }
    let forbidden = room.chars().find(|&c| c.is_whitespace() || c.is_control() || is_direction_or_break(c));
    forbidden.map(|c| format!("it has the character U+{:04X}", u32::from(c)))
}

/// Whether a server could have written this name, as far as that can be said without the tables that servers have.
fn hold_to_name(what: &str, name: &str, bytes_max: usize) -> Result<(), String> {
    if name.is_empty() || name.len() > bytes_max {
        return Err(format!("has a \"{what}\" of {} bytes, not of 1 to {bytes_max}", name.len()));
    }
    if name == "*" {
        return Err(format!("has the \"{what}\" \"*\", which is the server's name"));
    }
    if one_line(name) != name {
        return Err(format!("has a \"{what}\" with control characters or changes of direction"));
    }
    Ok(())
}

/// Whether a server could have stored this text: without control characters, and not longer than what is sent. Each U+FFFD may stand
/// for a single byte.
fn hold_to_text(text: &str) -> Result<(), String> {
    if relayed(text) != text {
        return Err("has a \"text\" with control characters other than newline and tab".to_string());
    }
    let replaced = text.matches(REPLACEMENT).count();
    let sent_bytes = text.len() - replaced * (REPLACEMENT.len_utf8() - 1);
    if sent_bytes > TEXT_BYTES_MAX {
        return Err(format!("has too long a \"text\": {} bytes, the limit is {TEXT_BYTES_MAX}", text.len()));
    }
    Ok(())
}

impl Importing<'_> {
    /// The inner error says what is wrong with the line.
    fn message(&mut self, message: Message) -> Result<Result<(), String>, UpkeepError> {
        let Some(seq) = message.seq.filter(|seq| (1..=SEQ_MAX).contains(seq)) else {
            return Ok(Err(format!("has no \"seq\" from 1 to {SEQ_MAX}")));
        };
        if message.at.is_none() {
            return Ok(Err("has no \"at\"".to_string()));
        }
        let names = hold_to_name("room", &message.room, NAME_BYTES_MAX)
            .and_then(|()| hold_to_name("from", &message.from, NAME_BYTES_MAX));
        if names.is_err() {
            return Ok(names);
        }
        if let Some(why) = cannot_be_entered(&message.room) {
            return Ok(Err(format!("has a \"room\" that nobody can enter: {why}")));
        }
        if message.text.is_empty() || !Filling::new(&message.room, None).has_room_for(&message) {
            return Ok(Err("has no \"text\", or too long a one".to_string()));
        }
        if let Err(why) = hold_to_text(&message.text) {
            return Ok(Err(why));
        }
        let kept = self.is_kept(&message.room, seq)?;
        if !kept && self.is_there(&message)? {
            self.imported.skipped += 1;
            return Ok(Ok(()));
        }
        self.waiting.push(Record::Message(Entry { message, author: 0, subnet: 0 }));
        Ok(Ok(()))
    }

    /// The error says what is wrong with the line.
    fn act(&mut self, act: Act) -> Result<(), String> {
        hold_to_name("by", &act.by, NAME_BYTES_MAX)?;
        act.who.as_ref().map_or(Ok(()), |who| hold_to_name("who", who, WHO_BYTES_MAX))?;
        act.text.as_ref().map_or(Ok(()), |text| hold_to_text(text))?;
        let json = Event::Act(act.clone()).to_json();
        if self.acts.insert(String::from_utf8_lossy(&json).into_owned()) {
            self.waiting.push(Record::Act(act));
        } else {
            self.imported.skipped += 1;
        }
        Ok(())
    }

    /// Whether the room's messages keep their numbers. A room that has none is made to begin at this one.
    fn is_kept(&mut self, name: &str, seq: u64) -> Result<bool, UpkeepError> {
        if let Some(&kept) = self.rooms.get(name) {
            return Ok(kept);
        }
        let begin = || -> Result<bool, rusqlite::Error> {
            let newest: Option<u64> = self
                .transaction
                .prepare_cached("SELECT newest FROM room WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()?;
            match newest {
                None => {
                    open_room(self.transaction, name, seq, UNKNOWN_ORIGIN)?;
                }
                Some(0) => {
                    self.transaction
                        .prepare_cached(
                            "UPDATE room SET newest = ?2 - 1, oldest = ?2, indexed = ?2 - 1, ids_merged = ?2 - 1 WHERE name = ?1",
                        )?
                        .execute((name, seq))?;
                }
                Some(_) => return Ok(false),
            }
            Ok(true)
        };
        let kept = begin().map_err(|error| fault::writing(&error, self.file))?;
        self.rooms.insert(name.to_string(), kept);
        Ok(kept)
    }

    /// Whether the very same message stands at its number.
    fn is_there(&self, message: &Message) -> Result<bool, UpkeepError> {
        let look = || {
            let id: i64 = self
                .transaction
                .prepare_cached("SELECT id FROM room WHERE name = ?1")?
                .query_row([&message.room], |row| row.get(0))?;
            self.transaction
                .prepare_cached(concat!("SELECT ", message_columns!(), " FROM message m WHERE m.place = ?1"))?
                .query_row([place(id, message.seq.unwrap_or(0))], |row| page::message(&message.room, row))
                .optional()
        };
        let found = look().map_err(|error| fault::writing(&error, self.file))?;
        Ok(found.is_some_and(|found| found == Message { reference: None, ..message.clone() }))
    }

    fn flush(&mut self) -> Result<(), UpkeepError> {
        let stored = store(self.transaction, &HashMap::new(), self.ids, 0, &self.waiting);
        let Growth { outcomes, fresh, .. } = stored.map_err(|error| fault::writing(&error, self.file))?;
        // Straight into their table: there is no bound to how many come before the commit.
        let insert = || {
            let mut insert = self.transaction.prepare_cached(ids::INSERT)?;
            fresh.iter().try_for_each(|id_place| insert.execute(*id_place).map(drop))
        };
        insert().map_err(|error| fault::writing(&error, self.file))?;
        for (record, outcome) in self.waiting.iter().zip(outcomes) {
            match (record, outcome) {
                (Record::Act(_), _) => self.imported.acts += 1,
                (Record::Message(entry), Outcome::Stored { seq }) => {
                    self.imported.messages += 1;
                    self.imported.renumbered += u64::from(entry.message.seq != Some(seq));
                }
                (Record::Message(_), Outcome::Again(_) | Outcome::IdReused) => self.imported.skipped += 1,
            }
        }
        self.waiting.clear();
        Ok(())
    }
}
