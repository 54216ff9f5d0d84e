//! Rows of the table of messages, verified against their checksums when they are read.

use glassline_wire::event::Message;
use glassline_wire::message_id::MessageId;
use glassline_wire::sealed::SEALED_TEXT;
use glassline_wire::timestamp::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, OptionalExtension, Row};

use super::checksum::{self, Table};
use super::rowid::seq_of;

/// Statement that reads all columns of messages, and a flag that is set where the row may be
/// without a checksum.
macro_rules! select_messages {
    ($rest:literal) => {
        concat!(
            "SELECT m.place, m.at_ms, m.author, m.sender, m.kind, m.id, m.text, m.origin, m.checksum,
             m.place BETWEEN (SELECT value FROM fact WHERE name = 'unsummed_first')
                 AND (SELECT value FROM fact WHERE name = 'unsummed_last') ",
            $rest
        )
    };
}
pub(super) use select_messages;

pub(super) const ROWID_COLUMN: usize = 0;
const AT_COLUMN: usize = 1;
pub(super) const AUTHOR_COLUMN: usize = 2;
pub(super) const SENDER_COLUMN: usize = 3;
const KIND_COLUMN: usize = 4;
const ID_COLUMN: usize = 5;
pub(super) const TEXT_COLUMN: usize = 6;
const CHECKSUM_COLUMN: usize = 8;
const MAY_LACK_CHECKSUM_COLUMN: usize = 9;

const KIND_TEXT: i64 = 0;
const KIND_ACTION: i64 = 1;
/// The column of the text has `sealed`; the text is always the same.
pub(super) const KIND_SEALED: i64 = 2;

/// Returns kind and text of a message as they are stored.
pub(super) fn kind_and_text(message: &Message) -> (i64, &str) {
    match &message.sealed {
        Some(sealed) => (KIND_SEALED, sealed),
        None if message.action => (KIND_ACTION, &message.text),
        None => (KIND_TEXT, &message.text),
    }
}

/// Returns whether nobody can search in a row of [`select_messages`].
pub(super) fn is_sealed(row: &Row<'_>) -> Result<bool, Error> {
    Ok(row.get_ref(KIND_COLUMN)? == ValueRef::Integer(KIND_SEALED))
}

/// Returns whether the message of a row is sealed, damaged or not; `None` if it is not stored.
pub(super) fn is_stored_sealed(db: &Connection, rowid: i64) -> Result<Option<bool>, Error> {
    db.prepare_cached("SELECT kind = ?2 FROM message WHERE place = ?1")?
        .query_row([rowid, KIND_SEALED], |row| row.get(0))
        .optional()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integrity {
    /// It is as it was written.
    Verified,
    /// It is of a version without checksums and has none yet.
    Unverified,
    /// It is not as it was written.
    Damaged,
}

/// Compares a row of [`select_messages`] with its checksum.
pub(super) fn integrity(row: &Row<'_>) -> Result<Integrity, Error> {
    match row.get_ref(CHECKSUM_COLUMN)? {
        ValueRef::Integer(stored) if stored == computed_checksum(row)? => Ok(Integrity::Verified),
        ValueRef::Null if row.get_ref(MAY_LACK_CHECKSUM_COLUMN)? == ValueRef::Integer(1) => Ok(Integrity::Unverified),
        _ => Ok(Integrity::Damaged),
    }
}

pub(super) fn computed_checksum(row: &Row<'_>) -> Result<i64, Error> {
    let mut columns = [ValueRef::Null; CHECKSUM_COLUMN];
    for (number, column) in columns.iter_mut().enumerate() {
        *column = row.get_ref(number)?;
    }
    Ok(checksum::of_row(Table::Message, columns))
}

/// Numbers of a room's messages that a read left out because they are damaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct DamagedRows {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) count: u64,
}

impl DamagedRows {
    fn add(&mut self, seq: u64) {
        self.first = if self.count == 0 { seq } else { self.first.min(seq) };
        self.last = self.last.max(seq);
        self.count += 1;
    }
}

/// Returns the message in a row of [`select_messages`], or nothing and a note in `damaged_rows` if
/// it is damaged.
pub(super) fn readable(room: &str, row: &Row<'_>, damaged_rows: &mut DamagedRows) -> Result<Option<Message>, Error> {
    match message(room, row) {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.sqlite_error_code().is_none() => {
            damaged_rows.add(seq_of(row.get(ROWID_COLUMN)?));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Works as [`readable`], but a damaged row is an error without a code of `SQLite`.
pub(super) fn message(room: &str, row: &Row<'_>) -> Result<Message, Error> {
    if integrity(row)? == Integrity::Damaged {
        return Err(Error::FromSqlConversionFailure(
            CHECKSUM_COLUMN,
            row.get_ref(CHECKSUM_COLUMN)?.data_type(),
            "the row does not have the content it was written with".into(),
        ));
    }
    let id: Option<[u8; 16]> = row.get(ID_COLUMN)?;
    let text = row.get(TEXT_COLUMN)?;
    let (text, action, sealed) = match row.get(KIND_COLUMN)? {
        KIND_TEXT => (text, false, None),
        KIND_ACTION => (text, true, None),
        KIND_SEALED => (SEALED_TEXT.to_string(), false, Some(text)),
        // A newer version of the schema may have others.
        other => return Err(Error::IntegralValueOutOfRange(KIND_COLUMN, other)),
    };
    Ok(Message {
        room: room.to_string(),
        seq: Some(seq_of(row.get(ROWID_COLUMN)?)),
        at: Some(Timestamp::from_unix_ms(row.get(AT_COLUMN)?)),
        from: row.get(SENDER_COLUMN)?,
        text,
        action,
        sealed,
        id: id.map(|bytes| MessageId(u128::from_be_bytes(bytes))),
    })
}
