//! Commands for a history: export, import, check, vacuum.

mod check;
mod created_files;
mod errors;
mod export;
mod import;
mod line_reader;
mod missing;
mod opening;
mod progress;
mod room_discovery;
mod salvage;
mod vacuum;

#[cfg(test)]
pub(super) use self::check::check_with;
pub use self::check::{Report, check};
pub use self::errors::TransferError;
pub use self::export::{Exported, export};
pub use self::import::{Imported, import};
pub use self::progress::{ProgressMonitor, Stage};
pub use self::vacuum::{Vacuumed, vacuum};
