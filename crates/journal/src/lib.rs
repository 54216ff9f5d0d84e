//! The durable history: messages are stored, numbered and found again, and operators' acts are
//! kept.
//!
//! [`Store`] is an engine's blocking interface; [`Journal`] runs one on its own threads behind
//! bounded queues. [`open`] returns the engine. Nothing outside this crate depends on which engine
//! it is.

mod journal;
mod sqlite;
mod store;

pub use journal::{
    COMMIT_BOUNDS_S, CommitTimes, Done, Gauges, Journal, JournalBounds, QuestionClass, Requester, Stepper,
    WAITING_BYTES_MAX, WAITING_QUESTIONS_MAX, WAITING_RECORDS_MAX, WAITING_SEARCHES_MAX,
    WAITING_SEARCHES_OF_REQUESTER_MAX, WAITING_SEARCHES_OF_SUBNET_MAX,
};
pub use sqlite::{
    Exported, Imported, Keep, ProgressMonitor, Report, Stage, TransferError, Vacuumed, check, export, folded, import,
    open, open_with_ids_of, vacuum,
};
pub use store::{Damage, Reader, SearchProgress, Sizes, Store, StoreError};
