//! Decisions of a journal, without a thread, a lock, a clock or a store: which records are
//! committed together and with which outcome, which question is answered next and for how long,
//! when the store is maintained. Times are arguments.

pub(super) mod bounds;
pub(super) mod fair_queue;
pub(super) mod maintenance;
pub(super) mod questions;
pub(super) mod records;
pub(super) mod reports;
