//! Reads the operators' acts. All of them in their order decide who is banned, so none may be
//! missing.

use glassline_wire::event::{AuditEntry, Event};
use rusqlite::{Connection, Error, Row};

use super::checksum::{self, Table};

/// Hands over every act, oldest first.
///
/// # Errors
/// They cannot be read; with `SQLITE_CORRUPT` if one is damaged or missing.
pub(super) fn read_all(db: &Connection, take: &mut dyn FnMut(AuditEntry)) -> Result<(), Error> {
    let mut statement = db.prepare("SELECT * FROM act ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut next = 1;
    while let Some(row) = rows.next()? {
        let act = verified(row).map_err(|error| match error.sqlite_error_code() {
            Some(_) => error,
            None => checksum::damaged(format!("the operators' act number {next} cannot be read: {error}")),
        })?;
        let number: i64 = row.get("number")?;
        if number != next {
            return Err(checksum::damaged(format!(
                "the operators' acts from number {next} to {} are missing",
                number - 1
            )));
        }
        next += 1;
        take(act);
    }
    Ok(())
}

/// Returns the act in a row of `SELECT * FROM act`.
///
/// # Errors
/// It is damaged, or cannot be read.
pub(super) fn verified(row: &Row<'_>) -> Result<AuditEntry, Error> {
    checksum::verify(Table::Act, row)?;
    match Event::from_json(row.get_ref("json")?.as_bytes()?) {
        Ok(Event::Act(act)) => Ok(act),
        _ => Err(checksum::damaged("an operator's act cannot be read".to_string())),
    }
}
