//! The engine: one `SQLite` file with a write-ahead log. Its parts are one struct, [`Engine`], in several files.

mod acts;
mod append;
mod beginnings;
mod checksum;
mod displaced;
mod engine;
mod fault;
mod files;
mod fold;
mod id_loading;
#[cfg(test)]
mod id_tests;
mod id_window;
mod index;
mod index_form;
mod kept_checksums;
mod lock_mark;
mod log_gate;
mod message_kind;
mod old_ids;
mod opening;
mod openings;
mod page;
mod pieces;
mod place;
mod prune;
mod quoting;
mod range;
mod reader;
mod remove;
mod renewal;
mod repeats;
mod rooms;
mod schema;
mod search;
mod shares;
mod summing;
mod tend;
#[cfg(test)]
mod tests;
mod upkeep;
mod wal;

pub use engine::{Keep, open, open_with_ids_of};
pub use fold::folded;
pub use upkeep::{
    Exported, Imported, Monitor, Report, Stage, UpkeepError, Vacuumed, check, check_monitored, export,
    export_monitored, import, import_monitored, vacuum, vacuum_monitored,
};
