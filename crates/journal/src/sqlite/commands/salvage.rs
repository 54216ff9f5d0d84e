//! Reading of a table that may be damaged, by key in bounded steps. A damaged tree can lack keys,
//! repeat them, and return them in any order, and one way to a row can be cut where another is
//! whole. So up to three ways are tried, and a row is accepted once, under a key that was asked
//! for.

use std::ops::RangeInclusive;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row};

/// Keys in one read. Between reads a server may empty its log.
pub(super) const CHUNK: u64 = 500;

/// Statements that return rows of one table, its key first.
pub(super) struct Table {
    /// Rows of the keys from `?1` to `?2` in ascending order, at most `?3`.
    pub(super) ascending: &'static str,
    /// The same in descending order.
    pub(super) descending: &'static str,
    /// The row of the key `?1`.
    pub(super) single: &'static str,
}

/// Reads the rows of `keys`, at most [`CHUNK`] of them; `None` where a row is missing or `decode`
/// does not accept it. Reads at most three times as many rows as there are keys.
///
/// # Errors
/// A lock, or a cancelled operation.
pub(super) fn read<T>(
    db: &Connection,
    table: &Table,
    keys: RangeInclusive<i64>,
    mut decode: impl FnMut(&Row<'_>) -> Option<T>,
) -> Result<Vec<Option<T>>, rusqlite::Error> {
    let (first, last) = (*keys.start(), *keys.end());
    let count = usize::try_from(last - first + 1).unwrap_or(0).min(CHUNK as usize);
    let mut found: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
    for sql in [table.ascending, table.descending] {
        let mut read = || -> Result<(), rusqlite::Error> {
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query((first, last, count))?;
            while let Some(row) = rows.next()? {
                let at = row.get::<_, i64>(0)?.checked_sub(first).and_then(|at| usize::try_from(at).ok());
                if let Some(slot) = at.and_then(|at| found.get_mut(at))
                    && slot.is_none()
                {
                    *slot = decode(row);
                }
            }
            Ok(())
        };
        tolerate(read())?;
        if found.iter().all(Option::is_some) {
            return Ok(found);
        }
    }
    for (key, slot) in (first..).zip(&mut found).filter(|(_, slot)| slot.is_none()) {
        let mut read = || -> Result<Option<T>, rusqlite::Error> {
            let mut statement = db.prepare_cached(table.single)?;
            let mut rows = statement.query([key])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(if row.get::<_, i64>(0)? == key { decode(row) } else { None })
        };
        *slot = tolerate(read())?.flatten();
    }
    Ok(found)
}

/// Returns `None` if damage prevents it. Every error of `SQLite` but a lock or an interruption
/// is damage.
pub(super) fn tolerate<T>(read: Result<T, rusqlite::Error>) -> Result<Option<T>, rusqlite::Error> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Err(error),
            _ => Ok(None),
        },
    }
}

#[derive(Clone, Copy)]
pub(super) enum KeyLookup {
    Key(i64),
    Nothing,
    Damage,
}

impl KeyLookup {
    pub(super) fn key(self) -> Option<i64> {
        if let Self::Key(key) = self { Some(key) } else { None }
    }
}

pub(super) fn first_key(db: &Connection, sql: &str, params: impl Params) -> Result<KeyLookup, rusqlite::Error> {
    let first = || db.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional();
    Ok(match tolerate(first())? {
        Some(Some(key)) => KeyLookup::Key(key),
        Some(None) => KeyLookup::Nothing,
        None => KeyLookup::Damage,
    })
}
