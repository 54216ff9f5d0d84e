//! A page as large as one `history` event may be.

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, History, Message};
use glassline_wire::limits::{EVENT_BYTES_MAX, PAGE_MESSAGES_MAX, REF_BYTES_MAX};
use glassline_wire::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::checksum::{self, Table};
use super::message_kind::MessageKind;
use super::place::seq_of;

/// JSON may spend this many bytes on one byte of a string.
const ESCAPED_BYTES_MAX: usize = 6;

/// Takes messages for as long as they fit.
#[derive(Clone)]
pub(super) struct Filling {
    messages_left: usize,
    bytes_left: usize,
    empty: bool,
}

impl Filling {
    /// A page of `room` for at most `limit` messages.
    pub(super) fn new(room: &str, limit: Option<u64>) -> Self {
        // The longest `ref`, in the form that takes most: letters stand for its bytes, what escaping adds is added.
        let history = Event::History(History { room: room.to_string(), messages: Vec::new(), more: true });
        let envelope = Envelope::new(history, Some("r".repeat(REF_BYTES_MAX)));
        let envelope_bytes = envelope.to_json().len() + (ESCAPED_BYTES_MAX - 1) * REF_BYTES_MAX;
        Self { messages_left: limit_of(limit), bytes_left: EVENT_BYTES_MAX.saturating_sub(envelope_bytes), empty: true }
    }

    /// Whatever the bytes are, up to `limit` messages: what is chosen from afterwards.
    pub(super) fn unbounded_bytes(limit: Option<u64>) -> Self {
        Self { messages_left: limit_of(limit), bytes_left: usize::MAX, empty: true }
    }

    /// Returns whether there is no place for another message, however short.
    pub(super) fn is_full(&self) -> bool {
        self.messages_left == 0
    }

    /// Returns whether the message fits, even if it is the first.
    pub(super) fn has_room_for(&self, message: &Message) -> bool {
        bytes_of(message) <= self.bytes_left
    }

    /// Returns whether the message has its place. The first always has.
    pub(super) fn takes(&mut self, message: &Message) -> bool {
        let bytes = bytes_of(message);
        if self.messages_left == 0 || (bytes > self.bytes_left && !self.empty) {
            return false;
        }
        self.messages_left -= 1;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.empty = false;
        true
    }
}

/// Bytes of a message in a list: a comma follows it. Writing strings and numbers to memory has no way to fail.
fn bytes_of(message: &Message) -> usize {
    serde_json::to_vec(message).map_or(0, |json| json.len()) + 1
}

/// Returns the highest number of messages of a page.
pub(super) fn limit_of(limit: Option<u64>) -> usize {
    limit.map_or(PAGE_MESSAGES_MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX).clamp(1, PAGE_MESSAGES_MAX))
}

/// The columns that [`message`] reads: all there are, and a flag that is set where the row may be without a checksum.
macro_rules! message_columns {
    () => {
        "m.place, m.at_ms, m.author, m.sender, m.kind, m.id, m.text, m.origin, m.checksum,
         m.place BETWEEN (SELECT value FROM fact WHERE name = 'unsummed_first')
             AND (SELECT value FROM fact WHERE name = 'unsummed_last')"
    };
}
pub(super) use message_columns;

/// Positions of these columns.
pub(super) const PLACE_COLUMN: usize = 0;
const AT_COLUMN: usize = 1;
pub(super) const AUTHOR_COLUMN: usize = 2;
pub(super) const SENDER_COLUMN: usize = 3;
const KIND_COLUMN: usize = 4;
const ID_COLUMN: usize = 5;
pub(super) const TEXT_COLUMN: usize = 6;
const CHECKSUM_COLUMN: usize = 8;
const UNSUMMED_COLUMN: usize = 9;

/// The state of a stored row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Soundness {
    /// It is as it was written.
    Verified,
    /// It is from before there were checksums and has none yet.
    Unverified,
    /// It is not as it was written.
    Damaged,
}

/// Compares a row of [`message_columns`] with its checksum.
pub(super) fn soundness(row: &Row<'_>) -> Result<Soundness, rusqlite::Error> {
    match row.get_ref(CHECKSUM_COLUMN)? {
        ValueRef::Integer(stored) if stored == computed_checksum(row)? => Ok(Soundness::Verified),
        ValueRef::Null if row.get_ref(UNSUMMED_COLUMN)? == ValueRef::Integer(1) => Ok(Soundness::Unverified),
        _ => Ok(Soundness::Damaged),
    }
}

/// Returns the checksum of what a row of [`message_columns`] holds now.
pub(super) fn computed_checksum(row: &Row<'_>) -> Result<i64, rusqlite::Error> {
    let mut columns = [ValueRef::Null; CHECKSUM_COLUMN];
    for (number, column) in columns.iter_mut().enumerate() {
        *column = row.get_ref(number)?;
    }
    Ok(checksum::of_row(Table::Message, columns))
}

/// Messages of a room that a read left out because they are damaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) count: u64,
}

impl LeftOut {
    fn add(&mut self, seq: u64) {
        self.first = if self.count == 0 { seq } else { self.first.min(seq) };
        self.last = self.last.max(seq);
        self.count += 1;
    }
}

/// The message in a row of [`message_columns`]; nothing where it is not what was stored. That one is missing then, and no other.
pub(super) fn readable(room: &str, row: &Row<'_>, left_out: &mut LeftOut) -> Result<Option<Message>, rusqlite::Error> {
    match message(room, row) {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.sqlite_error_code().is_none() => {
            left_out.add(seq_of(row.get(PLACE_COLUMN)?));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// As [`readable`], but a damaged row is an error without a code of `SQLite`.
pub(super) fn message(room: &str, row: &Row<'_>) -> Result<Message, rusqlite::Error> {
    if soundness(row)? == Soundness::Damaged {
        return Err(rusqlite::Error::FromSqlConversionFailure(
            CHECKSUM_COLUMN,
            row.get_ref(CHECKSUM_COLUMN)?.data_type(),
            "the row does not have the content it was written with".into(),
        ));
    }
    let id: Option<[u8; 16]> = row.get(ID_COLUMN)?;
    Ok(Message {
        room: room.to_string(),
        seq: Some(seq_of(row.get(PLACE_COLUMN)?)),
        at: Some(Timestamp::from_unix_ms(row.get(AT_COLUMN)?)),
        from: row.get(SENDER_COLUMN)?,
        text: row.get(TEXT_COLUMN)?,
        action: row.get::<_, MessageKind>(KIND_COLUMN)? == MessageKind::Action,
        id: id.map(|bytes| glassline_wire::message_id::MessageId(u128::from_be_bytes(bytes))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest there may be: every byte of text becomes six.
    fn worst(seq: u64) -> Message {
        Message {
            room: "\"".repeat(64),
            seq: Some(seq),
            at: Some(Timestamp::MAX),
            from: "\"".repeat(64),
            text: "\0".repeat(16 * 1024),
            action: true,
            id: Some(glassline_wire::message_id::MessageId(u128::MAX)),
        }
    }

    #[test]
    fn whatever_is_taken_fits_an_event_with_the_worst_ref() {
        for text_bytes in [0, 1, 100, 471, 1_000, 5_000, 16_384] {
            let mut filling = Filling::new(&worst(1).room, None);
            let mut messages = Vec::new();
            for seq in 1_u64.. {
                let mut message = worst(seq);
                message.text.truncate(text_bytes);
                if !filling.takes(&message) {
                    break;
                }
                messages.push(message);
            }
            let count = messages.len();
            let event = Event::History(History { room: worst(1).room, messages, more: true });
            let bytes = Envelope::new(event, Some("\0".repeat(REF_BYTES_MAX))).to_json().len();
            assert!((1..=PAGE_MESSAGES_MAX).contains(&count), "{count}");
            assert!(bytes <= EVENT_BYTES_MAX, "{count} messages of {text_bytes} bytes: {bytes}");
            assert!(count == PAGE_MESSAGES_MAX || bytes + 6 * text_bytes + 400 > EVENT_BYTES_MAX, "{count}: wasteful");
        }
    }
}
