//! The engine: one `SQLite` file with a write-ahead log. Its parts are one struct, [`Engine`], in several files.

mod append;
mod beginnings;
mod displaced;
mod engine;
mod fault;
mod files;
mod fold;
mod ids;
mod index;
mod index_form;
mod opening;
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
mod sweep;
mod tend;
#[cfg(test)]
mod tests;
mod upkeep;

pub use engine::{Keep, open};
pub use fold::folded;
pub use upkeep::{Exported, Imported, Report, UpkeepError, Vacuumed, check, export, import, vacuum};
