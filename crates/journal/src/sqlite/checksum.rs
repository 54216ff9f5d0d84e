//! CRC-32 over a row: the name of its table and each column with its type and length, so that no
//! two rows have the same bytes. It finds bit rot. It is not keyed: anyone who can write the file
//! can write a matching checksum.

use crc32fast::Hasher;
use rusqlite::types::ValueRef;
use rusqlite::{Error, Row, ffi};

/// The column that holds the checksum of its row.
pub(super) const COLUMN: &str = "checksum";

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

pub(super) fn of_row<'v>(table: Table, columns: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    of_values(std::iter::once(ValueRef::Text(table.name().as_bytes())).chain(columns))
}

/// Returns the checksum of these values in their order; fits four bytes in the file.
pub(super) fn of_values<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    let mut gathered = Gathered { hasher: Hasher::new(), bytes: [0; GATHERED_BYTES], filled: 0 };
    for value in values {
        let (kind, length_or_bits, bytes) = match value {
            ValueRef::Null => (0, 0, &[][..]),
            ValueRef::Integer(integer) => (1, integer.cast_unsigned(), &[][..]),
            ValueRef::Real(real) => (2, real.to_bits(), &[][..]),
            ValueRef::Text(text) => (3, text.len() as u64, text),
            ValueRef::Blob(blob) => (4, blob.len() as u64, blob),
        };
        gathered.put(&[kind]);
        gathered.put(&length_or_bits.to_le_bytes());
        gathered.put(bytes);
    }
    gathered.flush();
    i64::from(gathered.hasher.finalize().cast_signed())
}

const GATHERED_BYTES: usize = 256;

/// Bytes to be hashed together: many small pieces take ten times as long as one.
struct Gathered {
    hasher: Hasher,
    bytes: [u8; GATHERED_BYTES],
    filled: usize,
}

impl Gathered {
    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() > GATHERED_BYTES - self.filled {
            self.flush();
        }
        match self.bytes.get_mut(self.filled..self.filled + bytes.len()) {
            Some(rowid) => {
                rowid.copy_from_slice(bytes);
                self.filled += bytes.len();
            }
            None => self.hasher.update(bytes),
        }
    }

    fn flush(&mut self) {
        self.hasher.update(&self.bytes[..self.filled]);
        self.filled = 0;
    }
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

/// Code of damage that a checksum proves, among the extended codes of `SQLITE_CORRUPT`; `SQLite`
/// has no such code of its own.
const ROW_DAMAGED: i32 = ffi::SQLITE_CORRUPT | (0x7F << 8);

/// Returns the error for a row or fact that its checksum proves damaged.
pub(super) fn damaged(detail: String) -> Error {
    Error::SqliteFailure(ffi::Error::new(ROW_DAMAGED), Some(detail))
}

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
        // However long its values are, a row is hashed as its bytes in one piece.
        for length in [0, 1, 200, 237, 238, 239, 247, 248, 256, 257, 600] {
            let (text, mut bytes) = (vec![7; length], b"\x03\x03\0\0\0\0\0\0\0act\x03".to_vec());
            bytes.extend((length as u64).to_le_bytes());
            bytes.extend(&text);
            bytes.extend([0; 9]);
            let whole = i64::from(crc32fast::hash(&bytes).cast_signed());
            assert_eq!(of_row(Table::Act, [ValueRef::Text(&text), ValueRef::Null]), whole, "{length}");
        }
    }
}
