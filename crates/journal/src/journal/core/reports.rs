//! Results, and those not fetched yet.

use std::sync::Arc;

use glassline_wire::history::{Answer, Entry, NotAppended, Ticket};

use super::bounds::WAITING_RECORDS_MAX;
use crate::store::{Damage, StoreError};

/// Unfetched reports above which the journal is full.
pub(in crate::journal) const UNFETCHED_MAX: usize = 4 * WAITING_RECORDS_MAX;

/// Unfetched answers above which no more questions are answered: each may hold a page.
const UNFETCHED_ANSWERS_MAX: usize = 64;

/// Result of something handed over.
#[derive(Debug)]
pub enum Done {
    /// Next entry of the committed log.
    Committed(Entry),
    /// The record became no entry, because of what is stored already. In the order of the commits
    /// as well.
    Settled {
        /// Ticket of the record.
        ticket: Ticket,
        /// Outcome of the record.
        outcome: NotAppended,
    },
    /// The record was not stored and must not be shown; the next may be.
    NotStored {
        /// Ticket of the record.
        ticket: Ticket,
        /// Cause: the same for all of a group.
        error: Arc<StoreError>,
    },
    /// The question is answered, or cannot be.
    Answered {
        /// Ticket of the question.
        ticket: Ticket,
        /// The answer.
        answer: Result<Answer, StoreError>,
    },
    /// Maintenance after the commits (removal, the search index, the log's length) fails for a
    /// cause that may pass. It is retried every second; this is reported once, until it succeeded
    /// again.
    MaintenanceFailed(StoreError),
    /// The search index was damaged, as described, and is being rebuilt. No message is
    /// missing.
    IndexRebuilt(String),
    /// Stored data is damaged, as described, and left out. Everything else continues.
    Damaged(Damage),
    /// The history has failed, and unreported records may or may not be
    /// stored. Reported once; no [`Done::Committed`] follows. The server must stop.
    Failed(StoreError),
}

/// Results in order; after a failure nothing is reported.
#[derive(Default)]
pub(in crate::journal) struct Reports {
    list: Vec<Done>,
    answers: usize,
    failure: Option<String>,
}

impl Reports {
    /// Appends results. Returns whether anything is reported at all.
    pub(in crate::journal) fn extend(&mut self, reports: impl IntoIterator<Item = Done>) -> bool {
        if self.failure.is_some() {
            return false;
        }
        for report in reports {
            self.answers += usize::from(matches!(report, Done::Answered { .. }));
            self.list.push(report);
        }
        true
    }

    pub(in crate::journal) fn fail(&mut self, error: StoreError) -> bool {
        if self.failure.is_some() {
            return false;
        }
        self.failure = Some(error.to_string());
        self.list.push(Done::Failed(error));
        true
    }

    pub(in crate::journal) fn take(&mut self) -> Vec<Done> {
        self.answers = 0;
        std::mem::take(&mut self.list)
    }

    pub(in crate::journal) fn len(&self) -> usize {
        self.list.len()
    }

    pub(in crate::journal) fn may_answer(&self) -> bool {
        self.answers < UNFETCHED_ANSWERS_MAX
    }

    pub(in crate::journal) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}
