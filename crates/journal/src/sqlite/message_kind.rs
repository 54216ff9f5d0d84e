//! The kind of a stored message. A file of a newer version of the schema may have others.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

/// A message as it is said, or as an action of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageKind {
    Plain,
    Action,
}

impl MessageKind {
    pub(super) fn of(is_action: bool) -> Self {
        if is_action { Self::Action } else { Self::Plain }
    }

    /// The number in the file.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Plain => 0,
            Self::Action => 1,
        }
    }
}

impl FromSql for MessageKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Plain),
            1 => Ok(Self::Action),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for MessageKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}
