//! Import of an export, all or nothing.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::BufRead;
use std::path::Path;

use glassline_wire::event::{AuditEntry, Event, Message};
use glassline_wire::history::{CommitOutcome, NewMessage, Record};
use glassline_wire::limits::{NAME_BYTES_MAX, TEXT_BYTES_MAX};
use glassline_wire::message_id::MessageId;
use glassline_wire::sealed::{SEALED_TEXT, check_form};
use glassline_wire::visible::{REPLACEMENT, one_line, relayed};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::created_files::CreatedFiles;
use super::errors::TransferError;
use super::line_reader::LineReader;
use super::opening::open_to_write;
use super::progress::{ProgressMonitor, Stage};
use crate::sqlite::append::{self, Staged};
use crate::sqlite::errors;
use crate::sqlite::id_window::IdWindow;
use crate::sqlite::message_row::{self, DamagedRows, select_messages};
use crate::sqlite::page::PageBuilder;
use crate::sqlite::retention::UNKNOWN_ORIGIN;
use crate::sqlite::room_quota::RoomQuota;
use crate::sqlite::rooms::{CachedRoom, RoomCache, cannot_be_entered, open_room};
use crate::sqlite::rowid::{SEQ_BITS, SEQ_MAX, rowid};
use crate::store::StoreError;

const LINES_AT_ONCE: usize = 1_024;

/// Longest `who` of an act, in bytes: names and networks are shorter.
const WHO_BYTES_MAX: usize = 256;

/// Result of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Messages stored.
    pub messages: u64,
    /// Messages of these that got another number: their room had messages before, or the import
    /// lacks some.
    pub renumbered: u64,
    /// Messages and acts that were stored already, or whose id was.
    pub skipped: u64,
    /// Operators' acts stored.
    pub acts: u64,
}

/// Stores the content of an export. In a room without messages they keep their numbers; in another
/// they are appended. No server may have the file open; the next one builds the search index.
///
/// # Errors
/// It cannot be opened or written, a line is no event of an export, or the import was cancelled.
/// Then nothing is imported.
pub fn import(file: &Path, lines: &mut dyn BufRead, monitor: &dyn ProgressMonitor) -> Result<Imported, TransferError> {
    monitor.begin(Stage::Importing, None);
    let imported = import_lines(file, lines, monitor);
    // Cancelling may end the input as well.
    if imported.is_err() && monitor.is_cancelled() { Err(StoreError::Cancelled.into()) } else { imported }
}

fn import_lines(
    file: &Path,
    input: &mut dyn BufRead,
    monitor: &dyn ProgressMonitor,
) -> Result<Imported, TransferError> {
    // Before anything is created: the first line rejects most other files.
    let mut lines = LineReader::begin(input)?;
    let created = CreatedFiles::before_opening(file)?;
    let mut db = open_to_write(file)?;
    let stored = store_lines(db.connection_mut(), file, &mut lines, monitor);
    match &stored {
        Ok(_) => db.empty_log()?,
        Err(_) => created.remove(),
    }
    stored
}

fn store_lines(
    db: &mut Connection,
    file: &Path,
    lines: &mut LineReader<'_>,
    monitor: &dyn ProgressMonitor,
) -> Result<Imported, TransferError> {
    let writing = |error| TransferError::Store(errors::writing(&error, file));
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(writing)?;
    let acts = transaction
        .prepare("SELECT json FROM act")
        .and_then(|mut acts| acts.query_map([], |row| row.get(0))?.collect::<Result<_, _>>());
    let mut importing = Importing {
        file,
        stored: HashSet::new(),
        hasher: RandomState::new(),
        acts: acts.map_err(writing)?,
        transaction: &transaction,
        rooms: HashMap::new(),
        waiting: Vec::new(),
        imported: Imported::default(),
    };
    while let Some(line) = lines.next()? {
        if line.is_empty() {
            continue;
        }
        let taken = match Event::from_json(line) {
            Ok(Event::Message(message)) => importing.message(message)?,
            Ok(Event::Act(act)) => importing.act(act),
            Ok(_) => Err("is an event that a history does not hold".to_string()),
            Err(_) if !lines.is_whole() => Err("is no event: the export is cut off in it".to_string()),
            // The error quotes the line, which may be long.
            Err(error) => Err(format!("is no event ({})", error.to_string().chars().take(200).collect::<String>())),
        };
        taken.map_err(|detail| lines.wrong(detail))?;
        if importing.waiting.len() >= LINES_AT_ONCE {
            importing.flush()?;
        }
        monitor.advance(lines.bytes);
        if monitor.is_cancelled() {
            return Err(StoreError::Cancelled.into());
        }
    }
    importing.flush()?;
    let imported = importing.imported;
    transaction.commit().map_err(writing)?;
    Ok(imported)
}

struct Importing<'i> {
    file: &'i Path,
    transaction: &'i Transaction<'i>,
    rooms: HashMap<String, ImportedRoom>,
    /// Hashes of room, id and sender of each message with an id in the rooms that are imported
    /// into: some 20 bytes for each.
    stored: HashSet<u64>,
    hasher: RandomState,
    acts: HashSet<String>,
    waiting: Vec<Record>,
    imported: Imported,
}

#[derive(Clone, Copy)]
struct ImportedRoom {
    id: i64,
    /// It was empty, and its messages keep their numbers.
    is_new: bool,
    /// The last number read; 0 before the first.
    last: u64,
}

/// Fails unless a server could have written this name, as far as that is known.
fn check_name(what: &str, name: &str, bytes_max: usize) -> Result<(), String> {
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

/// Fails unless a server could have stored this text: without control characters, and not longer
/// than what is sent. Each U+FFFD may replace a single byte.
fn check_text(text: &str) -> Result<(), String> {
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

/// Returns the number of a message that a server could have stored.
fn check_message(message: &Message) -> Result<u64, String> {
    let seq = message.seq.filter(|seq| (1..=SEQ_MAX).contains(seq));
    let seq = seq.ok_or_else(|| format!("has no \"seq\" from 1 to {SEQ_MAX}"))?;
    message.at.ok_or("has no \"at\"")?;
    check_name("room", &message.room, NAME_BYTES_MAX)?;
    check_name("from", &message.from, NAME_BYTES_MAX)?;
    if let Some(why) = cannot_be_entered(&message.room) {
        return Err(format!("has a \"room\" that nobody can enter: {why}"));
    }
    if message.text.is_empty() || !PageBuilder::new(&message.room, None).fits(message) {
        return Err("has no \"text\", or too long a one".to_string());
    }
    check_text(&message.text)?;
    if let Some(sealed) = &message.sealed {
        check_form(sealed).map_err(|error| format!("has a \"sealed\" that nobody can send: {error}"))?;
        if message.text != SEALED_TEXT || message.action {
            return Err(format!("has a text or action beside \"sealed\"; the text there is {SEALED_TEXT:?}"));
        }
    }
    Ok(seq)
}

impl Importing<'_> {
    /// The inner error describes what is wrong with the line.
    fn message(&mut self, message: Message) -> Result<Result<(), String>, TransferError> {
        let seq = match check_message(&message) {
            Ok(seq) => seq,
            Err(why) => return Ok(Err(why)),
        };
        let room = self.room(&message.room, seq)?;
        if seq <= room.last {
            return self.message_behind(room, seq, &message);
        }
        let is_stored = !room.is_new && self.is_there(room.id, &message)?;
        if !is_stored {
            self.rooms.insert(message.room.clone(), ImportedRoom { last: seq, ..room });
        }
        if is_stored || message.id.is_some_and(|id| !self.note_id(&message.room, id, &message.from)) {
            self.imported.skipped += 1;
        } else {
            self.waiting.push(Record::Message(NewMessage { message, author: 0, after: None, subnet: 0 }));
        }
        Ok(Ok(()))
    }

    /// Skips a message that is stored, though its number is not after the last one read; for any
    /// other the inner error describes what is wrong.
    fn message_behind(
        &mut self,
        room: ImportedRoom,
        seq: u64,
        message: &Message,
    ) -> Result<Result<(), String>, TransferError> {
        // It may wait to be stored.
        self.flush()?;
        if self.is_there(room.id, message)? {
            self.imported.skipped += 1;
            return Ok(Ok(()));
        }
        Ok(Err(format!(
            "has number {seq} of {:?} behind number {}: an export has each number once and in order",
            message.room, room.last
        )))
    }

    /// The error describes what is wrong with the line.
    fn act(&mut self, act: AuditEntry) -> Result<(), String> {
        check_name("by", &act.by, NAME_BYTES_MAX)?;
        act.who.as_ref().map_or(Ok(()), |who| check_name("who", who, WHO_BYTES_MAX))?;
        act.text.as_ref().map_or(Ok(()), |text| check_text(text))?;
        let json = Event::Act(act.clone()).to_json();
        if self.acts.insert(String::from_utf8_lossy(&json).into_owned()) {
            self.waiting.push(Record::Audit(act));
        } else {
            self.imported.skipped += 1;
        }
        Ok(())
    }

    /// Returns the room of this name. One without messages is made to begin at number `seq`.
    fn room(&mut self, name: &str, seq: u64) -> Result<ImportedRoom, TransferError> {
        if let Some(&room) = self.rooms.get(name) {
            return Ok(room);
        }
        let begin = || {
            Ok(match RoomCache::default().find(self.transaction, name)? {
                None => (open_room(self.transaction, name, seq, UNKNOWN_ORIGIN)?, true),
                Some(CachedRoom { id, newest: 0 }) => {
                    let update = "UPDATE room SET newest = ?2 - 1, oldest = ?2, indexed = ?2 - 1 WHERE id = ?1";
                    self.transaction.prepare_cached(update)?.execute((id, seq))?;
                    (id, true)
                }
                Some(CachedRoom { id, .. }) => (id, false),
            })
        };
        let (id, is_new) = begin().map_err(|error| errors::writing(&error, self.file))?;
        let room = ImportedRoom { id, is_new, last: 0 };
        self.rooms.insert(name.to_string(), room);
        if !is_new {
            self.note_ids_of(name).map_err(|error| errors::reading(&error, self.file))?;
        }
        Ok(room)
    }

    /// Returns false if this sender's id was noted before.
    fn note_id(&mut self, room: &str, id: MessageId, sender: &str) -> bool {
        self.stored.insert(self.hasher.hash_one((room, id, sender.to_lowercase())))
    }

    /// Notes the ids of a room's messages, as far as they can be read.
    fn note_ids_of(&mut self, name: &str) -> Result<(), rusqlite::Error> {
        let mut messages = self.transaction.prepare(
            "SELECT m.id, m.sender FROM room r JOIN message m ON m.place BETWEEN r.id << ?2 | r.oldest AND r.id << ?2 | r.newest
             WHERE r.name = ?1 AND m.id IS NOT NULL",
        )?;
        let mut rows = messages.query((name, SEQ_BITS))?;
        while let Some(row) = rows.next()? {
            if let (Ok(id), Ok(sender)) = (row.get(0), row.get_ref(1)?.as_str()) {
                self.note_id(name, MessageId(u128::from_be_bytes(id)), sender);
            }
        }
        Ok(())
    }

    /// Returns whether the same message is stored under its number.
    fn is_there(&self, room_id: i64, message: &Message) -> Result<bool, TransferError> {
        let look = || {
            self.transaction
                .prepare_cached(select_messages!("FROM message m WHERE m.place = ?1"))?
                .query_row([rowid(room_id, message.seq.unwrap_or(0))], |row| {
                    message_row::readable(&message.room, row, &mut DamagedRows::default())
                })
                .optional()
                .map(Option::flatten)
        };
        let found = look().map_err(|error| errors::writing(&error, self.file))?;
        Ok(found.is_some_and(|found| found == *message))
    }

    fn flush(&mut self) -> Result<(), TransferError> {
        // Duplicates were skipped before, and not only those of the most recent messages.
        let mut staged = Staged { ids: &mut IdWindow::new(0), quota: &mut RoomQuota::unbounded() };
        let stored = append::store(self.transaction, &RoomCache::default(), &mut staged, None, &self.waiting);
        let growth = stored.map_err(|error| errors::writing(&error, self.file))?;
        for (record, outcome) in self.waiting.iter().zip(growth.into_outcomes()) {
            match (record, outcome) {
                (Record::Audit(_), _) => self.imported.acts += 1,
                (Record::Message(entry), CommitOutcome::Stored { seq }) => {
                    self.imported.messages += 1;
                    self.imported.renumbered += u64::from(entry.message.seq != Some(seq));
                }
                (Record::Message(_), CommitOutcome::NotAppended(_)) => self.imported.skipped += 1,
            }
        }
        self.waiting.clear();
        Ok(())
    }
}
