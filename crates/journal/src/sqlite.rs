//! The engine: one `SQLite` file with a write-ahead log. Its parts are one struct, [`Engine`], in several files.

mod append;
mod beginnings;
mod engine;
mod fault;
mod files;
mod fold;
mod id_loading;
#[cfg(test)]
mod id_tests;
mod id_window;
mod index;
mod old_ids;
mod opening;
mod page;
mod pieces;
mod place;
mod prune;
mod quoting;
mod range;
mod reader;
mod renewal;
mod repeats;
mod rooms;
mod schema;
mod search;
mod tend;
#[cfg(test)]
mod tests;
mod upkeep;

pub use engine::{Keep, open, open_with_ids_of};
pub use upkeep::{Exported, Imported, Report, UpkeepError, Vacuumed, check, export, import, vacuum};
