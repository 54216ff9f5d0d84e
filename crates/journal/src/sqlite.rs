//! Store in one `SQLite` file with a write-ahead log.
//!
//! [`engine`] composes the parts that append and maintain; each has its own state. [`reader`] is a
//! second connection, which reads. [`commands`] work on a file without either.

mod append;
mod audit_log;
mod checksum;
mod checksum_backfill;
mod commands;
mod database;
mod duplicates;
mod engine;
mod errors;
mod folding;
mod id_window;
mod legacy_ids;
mod message_row;
mod pacer;
mod page;
mod range;
mod reader;
mod retention;
mod room_quota;
mod rooms;
mod rowid;
mod search;
mod search_index;
mod wal_checkpoint;

pub use commands::{
    Exported, Imported, ProgressMonitor, Report, Stage, TransferError, Vacuumed, check, export, import, vacuum,
};
pub use engine::{open, open_with_ids_of};
pub use folding::folded;
pub use retention::Keep;
