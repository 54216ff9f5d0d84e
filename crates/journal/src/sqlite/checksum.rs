//! CRC-32 over a row: the name of its table and each column with its type and length, so that no two
//! rows have the same bytes. It finds bit rot. It is not keyed: anyone who can write the file can
//! write a matching checksum.

use crc32fast::Hasher;
use rusqlite::types::ValueRef;
use rusqlite::{Error, Row, ffi};

/// The column that holds the checksum of its row.
pub(super) const COLUMN: &str = "checksum";

/// A table whose rows have a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Message,
    Room,
    Act,
}

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Room => "room",
            Self::Act => "act",
        }
    }
}

/// Returns the checksum of a row with these columns, as it is stored.
pub(super) fn of_row<'v>(table: Table, columns: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    of_values(std::iter::once(ValueRef::Text(table.name().as_bytes())).chain(columns))
}

/// Returns the checksum of these values in their order; fits four bytes in the file.
pub(super) fn of_values<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    let mut hasher = Hasher::new();
    let mut add = |kind: u8, length_or_bits: u64, bytes: &[u8]| {
        let mut head = [kind; 9];
        head[1..].copy_from_slice(&length_or_bits.to_le_bytes());
        hasher.update(&head);
        hasher.update(bytes);
    };
    for value in values {
        match value {
            ValueRef::Null => add(0, 0, &[]),
            ValueRef::Integer(integer) => add(1, integer.cast_unsigned(), &[]),
            ValueRef::Real(real) => add(2, real.to_bits(), &[]),
            ValueRef::Text(text) => add(3, text.len() as u64, text),
            ValueRef::Blob(blob) => add(4, blob.len() as u64, blob),
        }
    }
    i64::from(hasher.finalize().cast_signed())
}

/// Compares a row of `SELECT *` with its checksum.
///
/// # Errors
/// They differ: `SQLITE_CORRUPT`, as for a damaged page.
pub(super) fn verify(table: Table, row: &Row<'_>) -> Result<(), Error> {
    let (mut columns, mut stored) = (Vec::new(), ValueRef::Null);
    for (number, name) in row.as_ref().column_names().enumerate() {
        let value = row.get_ref(number)?;
        if name == COLUMN {
            stored = value;
        } else {
            columns.push(value);
        }
    }
    if stored == ValueRef::Integer(of_row(table, columns.iter().copied())) {
        return Ok(());
    }
    let key = columns.first().and_then(|key| key.as_i64().ok()).unwrap_or(0);
    Err(damaged(format!("row {key} of the table \"{}\" does not have the content it was written with", table.name())))
}

/// Damage that a checksum tells, among the extended codes of `SQLITE_CORRUPT`; `SQLite` has no such
/// code of its own.
const ROW_DAMAGED: i32 = ffi::SQLITE_CORRUPT | (0x7F << 8);

/// Returns an error that reads as damage of the file.
pub(super) fn damaged(detail: String) -> Error {
    Error::SqliteFailure(ffi::Error::new(ROW_DAMAGED), Some(detail))
}

/// Returns whether an error is of [`damaged`].
pub(super) fn is_row_damage(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ROW_DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_run_into_each_other_differ() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        let rows: [&[ValueRef<'_>]; 10] = [
            &[Text(b"ab"), Text(b"c")],
            &[Text(b"a"), Text(b"bc")],
            &[Text(b"abc")],
            &[Text(b"abc"), Text(b"")],
            &[Blob(b"abc")],
            &[Integer(0)],
            &[Null],
            &[Null, Null],
            &[Real(0.0)],
            &[],
        ];
        let checksums: std::collections::BTreeSet<i64> =
            rows.iter().map(|row| of_row(Table::Act, row.iter().copied())).collect();
        assert_eq!(checksums.len(), rows.len());
        assert_ne!(of_row(Table::Act, [Integer(1)]), of_row(Table::Room, [Integer(1)]));
    }

    #[test]
    fn checksums_of_stored_rows_stay_as_they_are() {
        // Files in use have these: a change of the encoding needs a new version of the schema.
        let row = [
            ValueRef::Integer(7),
            ValueRef::Text("häß".as_bytes()),
            ValueRef::Null,
            ValueRef::Blob(&[0, 255]),
            ValueRef::Real(1.5),
        ];
        assert_eq!(of_row(Table::Message, row), -2_027_965_495);
    }
}
