//! Brings the search index to the form that texts are folded to now, entry by entry behind the commits: it can be searched meanwhile.
//! Only a text beyond ASCII has another form.

use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::engine::Engine;
use super::fold::index_form_into;
use super::index::STEP_TEXT_BYTES;
use super::place::{SEQ_BITS, SEQ_MAX};
use super::renewal::of_index;
use super::tend::next_rows;
use crate::store::StoreError;

/// The fact that entries behind this place have an older form. Without it there are none.
pub(super) const OLD_FORM_BEHIND: &str = "old_form_behind";

/// The place that the fact names.
pub(super) fn old_form_behind(db: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    let mut statement = db.prepare("SELECT value FROM fact WHERE name = ?1")?;
    statement.query_row([OLD_FORM_BEHIND], |row| row.get(0)).optional()
}

impl Engine {
    /// One transaction's worth, if there are entries of an older form. Returns whether there were.
    pub(super) fn form_step(&mut self) -> Result<bool, StoreError> {
        let Some(after) = self.old_form_behind else { return Ok(false) };
        let (started, rows) = (Instant::now(), self.index_rows);
        let formed = self.with_index(|engine| form(&mut engine.db, after, rows))?;
        let Some((done, last)) = formed else { return Ok(true) };
        self.old_form_behind = last;
        self.is_to_merge |= done > 0;
        self.index_rows = next_rows(rows, done, started.elapsed());
        Ok(true)
    }
}

/// Looks at up to `rows_max` messages behind a place. Returns at how many, and the place of the last, or nothing at the end.
fn form(db: &mut Connection, after: i64, rows_max: u64) -> Result<(u64, Option<i64>), rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut done, mut bytes, mut last, mut form) = (0, 0, None, String::new());
    {
        let mut messages = transaction.prepare_cached(
            "SELECT m.place, m.text, (m.place & ?3) <= r.indexed FROM message m JOIN room r ON r.id = m.place >> ?4
             WHERE m.place > ?1 ORDER BY m.place LIMIT ?2",
        )?;
        let mut delete = transaction.prepare_cached("DELETE FROM message_text WHERE rowid = ?1").map_err(of_index)?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO message_text(rowid, text) VALUES(?1, ?2)").map_err(of_index)?;
        let mut rows = messages.query((after, rows_max, SEQ_MAX, SEQ_BITS))?;
        while bytes < STEP_TEXT_BYTES
            && let Some(row) = rows.next()?
        {
            let (place, text): (i64, _) = (row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default());
            bytes += text.len();
            if row.get(2)? && !text.is_ascii() {
                index_form_into(text, &mut form);
                delete.execute([place]).map_err(of_index)?;
                insert.execute((place, &form)).map_err(of_index)?;
            }
            (done, last) = (done + 1, Some(place));
        }
    }
    transaction
        .prepare_cached("UPDATE fact SET value = ?2 WHERE name = ?1 AND ?2 IS NOT NULL")?
        .execute((OLD_FORM_BEHIND, last))?;
    if last.is_none() {
        transaction.prepare_cached("DELETE FROM fact WHERE name = ?1")?.execute([OLD_FORM_BEHIND])?;
    }
    transaction.commit().map_err(of_index)?;
    Ok((done, last))
}
