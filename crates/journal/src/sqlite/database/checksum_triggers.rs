//! Checksums of tables whose rows change rarely and in many places: the writer's connection
//! computes them whenever a row changes, and refuses to change a damaged row. Messages, which are
//! only added, get theirs when they are.
//!
//! Such a change is a statement with a savepoint, at which the search index writes what it has
//! gathered in the transaction: so it stands after the work on the index, and its error may be the
//! index's.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ToSql};

use crate::sqlite::checksum::{self, COLUMN, Table};

const TABLES: [Table; 2] = [Table::Room, Table::Act];

/// Adds the functions `checksum_of(TABLE, COLUMN, ...)`, and `checked(CHECKSUM, TABLE, COLUMN,
/// ...)`, which fails as damage does.
pub(super) fn add_functions(db: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    db.create_scalar_function("checksum_of", -1, flags, |context| {
        Ok(checksum::of_values((0..context.len()).map(|number| context.get_raw(number))))
    })?;
    db.create_scalar_function("checked", -1, flags, |context| {
        let computed = checksum::of_values((1..context.len()).map(|number| context.get_raw(number)));
        if context.get_raw(0) == ValueRef::Integer(computed) {
            return Ok(true);
        }
        let (table, key) = (context.get_raw(1).as_str().unwrap_or_default(), context.get_raw(2).as_i64().unwrap_or(0));
        Err(checksum::damaged(format!(
            "row {key} of the table {table:?} does not have the content it was written with"
        )))
    })
}

pub(super) fn compute_all(db: &Connection) -> Result<(), Error> {
    for table in TABLES {
        let sql = format!("UPDATE {0} SET {COLUMN} = checksum_of({1})", table.name(), arguments(db, table, "")?);
        db.execute_batch(&sql)?;
    }
    Ok(())
}

/// Has this connection verify each row before a change and compute its checksum after it.
pub(in crate::sqlite) fn create(db: &Connection) -> Result<(), Error> {
    for table in TABLES {
        let (name, columns) = (table.name(), columns(db, table)?);
        let Some(key) = columns.first() else { continue };
        let (old, new) = (arguments(db, table, "OLD.")?, arguments(db, table, "NEW.")?);
        let changed = columns.join(", ");
        let compute = format!("UPDATE {name} SET {COLUMN} = checksum_of({new}) WHERE {key} = NEW.{key}");
        db.execute_batch(&format!(
            "CREATE TEMP TRIGGER {name}_verified BEFORE UPDATE OF {changed} ON main.{name}
             BEGIN SELECT checked(OLD.{COLUMN}, {old}); END;
             CREATE TEMP TRIGGER {name}_changed AFTER UPDATE OF {changed} ON main.{name} BEGIN {compute}; END;
             CREATE TEMP TRIGGER {name}_added AFTER INSERT ON main.{name} BEGIN {compute}; END;"
        ))?;
    }
    Ok(())
}

/// Shows a table with computed checksums, and with 0 in columns that it lacks.
pub(super) fn show_computed(db: &Connection, table: Table, lacking: &[&str]) -> Result<(), Error> {
    let name = table.name();
    let arguments = lacking.iter().fold(arguments(db, table, "")?, |arguments, _| arguments + ", 0");
    let shown = lacking.iter().fold("*".to_string(), |shown, column| format!("{shown}, 0 AS {column}"));
    db.execute_batch(&format!(
        "CREATE TEMP VIEW {name} AS SELECT {shown}, checksum_of({arguments}) AS {COLUMN} FROM main.{name};"
    ))
}

fn arguments(db: &Connection, table: Table, prefix: &str) -> Result<String, Error> {
    let columns = columns(db, table)?;
    Ok(columns.iter().fold(format!("'{}'", table.name()), |arguments, column| format!("{arguments}, {prefix}{column}")))
}

/// Returns the columns of a table but for the checksum, the key first.
fn columns(db: &Connection, table: Table) -> Result<Vec<String>, Error> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1) WHERE name <> ?2 ORDER BY cid")?;
    statement.query_map([&table.name() as &dyn ToSql, &COLUMN], |row| row.get(0))?.collect()
}
