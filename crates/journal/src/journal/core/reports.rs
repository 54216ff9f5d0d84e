//! Results not fetched yet.

use crate::journal::{Done, WAITING_RECORDS_MAX};
use crate::store::StoreError;

/// Unfetched reports above which the journal is full.
pub(in crate::journal) const UNFETCHED_MAX: usize = 4 * WAITING_RECORDS_MAX;

/// Unfetched answers above which no more questions are answered: each may hold a page.
const UNFETCHED_ANSWERS_MAX: usize = 64;

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
