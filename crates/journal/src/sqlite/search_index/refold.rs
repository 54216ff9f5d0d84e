//! Conversion of the search index to the current folding, entry by entry while it is in use. Only
//! texts beyond ASCII change.

use rusqlite::{Connection, Error, OptionalExtension, TransactionBehavior};

use super::STEP_TEXT_BYTES;
use super::rebuild::index_error;
use crate::sqlite::folding::index_form_into;
use crate::sqlite::rowid::{SEQ_BITS, SEQ_MAX};

/// Fact that entries after this rowid have an older form. Without it there are none.
const OLD_FORM_AFTER: &str = "old_form_behind";

pub(super) fn load(db: &Connection) -> Result<Option<i64>, Error> {
    let mut statement = db.prepare("SELECT value FROM fact WHERE name = ?1")?;
    statement.query_row([OLD_FORM_AFTER], |row| row.get(0)).optional()
}

/// Converts up to `rows_max` messages after a rowid. Returns their number, and the rowid of the
/// last, or nothing at the end.
pub(super) fn refold(db: &mut Connection, after: i64, rows_max: u64) -> Result<(u64, Option<i64>), Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut done, mut bytes, mut last, mut form) = (0, 0, None, String::new());
    {
        let mut messages = transaction.prepare_cached(
            "SELECT m.place, m.text, (m.place & ?3) <= r.indexed FROM message m JOIN room r ON r.id = m.place >> ?4
             WHERE m.place > ?1 ORDER BY m.place LIMIT ?2",
        )?;
        let mut delete =
            transaction.prepare_cached("DELETE FROM message_text WHERE rowid = ?1").map_err(index_error)?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO message_text(rowid, text) VALUES(?1, ?2)").map_err(index_error)?;
        let mut rows = messages.query((after, rows_max, SEQ_MAX, SEQ_BITS))?;
        while bytes < STEP_TEXT_BYTES
            && let Some(row) = rows.next()?
        {
            let (rowid, text): (i64, _) = (row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default());
            bytes += text.len();
            if row.get(2)? && !text.is_ascii() {
                index_form_into(text, &mut form);
                delete.execute([rowid]).map_err(index_error)?;
                insert.execute((rowid, &form)).map_err(index_error)?;
            }
            (done, last) = (done + 1, Some(rowid));
        }
    }
    transaction
        .prepare_cached("UPDATE fact SET value = ?2 WHERE name = ?1 AND ?2 IS NOT NULL")?
        .execute((OLD_FORM_AFTER, last))?;
    if last.is_none() {
        transaction.prepare_cached("DELETE FROM fact WHERE name = ?1")?.execute([OLD_FORM_AFTER])?;
    }
    transaction.commit().map_err(index_error)?;
    Ok((done, last))
}
