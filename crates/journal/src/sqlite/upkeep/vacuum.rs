//! Giving space back that forgotten messages left.

use std::path::Path;

use rusqlite::Connection;

use crate::sqlite::engine::{Engine, Keep};
use crate::sqlite::fault;
use crate::sqlite::renewal::{forget_stray_pages, is_damage, is_index_damaged};
use crate::sqlite::tend::{Checkpoint, checkpoint};
use crate::store::StoreError;

/// What it was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vacuumed {
    /// Bytes of the file before.
    pub before_bytes: u64,
    /// Bytes of the file behind it.
    pub after_bytes: u64,
    /// Its search index was damaged, and is to be built again.
    pub index_renewed: bool,
}

/// Writes the file anew without the space that is not in use. No server may have it open. While it runs it takes as much space again
/// beside the file, and where the system keeps temporary files; and some seconds for each gigabyte. A search index that is damaged is
/// left behind, and the next server builds it again.
///
/// # Errors
/// As [`open`](crate::open); the history is then as it was.
pub fn vacuum(file: &Path) -> Result<Vacuumed, StoreError> {
    crate::sqlite::opening::look_at_found(file)?;
    let mut engine = Engine::open(file, Keep::default())?;
    let writing = |error| fault::writing(&error, file);
    let number = |db: &Connection, pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    // Somebody who reads meanwhile keeps the file from shrinking until a server opens it; its pages are fewer all the same.
    let length = |db: &Connection| {
        number(db, "page_count").and_then(|pages| Ok(pages * number(db, "page_size")?)).map_err(writing)
    };
    let before_bytes = length(&engine.db)?;
    engine.merge_whole_index()?;
    while engine.drop_old_ids_step()? {}
    // The new file is built as a temporary one first, for which memory is no place.
    engine.db.execute_batch("PRAGMA temp_store=FILE").map_err(writing)?;
    match engine.db.execute_batch("VACUUM") {
        // It does not tell where.
        Err(error) if is_damage(&error) && is_index_damaged(&engine.db).map_err(writing)? => {
            engine.renew_index(error.to_string())?;
            engine.db.execute_batch("VACUUM").map_err(writing)?;
        }
        vacuumed => vacuumed.map_err(writing)?,
    }
    forget_stray_pages(&engine.db).map_err(writing)?;
    checkpoint(&engine.db, Checkpoint::Whole).map_err(writing)?;
    let index_renewed = engine.renewal.untold.is_some();
    Ok(Vacuumed { before_bytes, after_bytes: length(&engine.db)?, index_renewed })
}
