//! Steps of a journal's work: each passes a decision of the core to a store, and the store's result
//! to the core. Threads do these steps one after the other, the owner of a [`super::Stepper`] at
//! any time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use glassline_wire::history::{Answer, Question};

use super::core::maintenance::{Maintenance, SLICE};
use super::core::questions::Asked;
use super::core::records::{Appended, Finished, Group};
use super::core::reports::Done;
use super::shared::Shared;
use crate::store::{Reader, Store, StoreError};

/// Commits records and maintains the store.
pub(super) struct Writer {
    shared: Arc<Shared>,
    store: Box<dyn Store>,
    maintenance: Maintenance,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, store: Box<dyn Store>) -> Self {
        let maintenance = Maintenance::new(shared.now());
        let mut writer = Self { shared, store, maintenance };
        // Else the metrics report everything as indexed until the first commit.
        writer.note_sizes();
        // Before the first commit: a server that is stopped soon says it as well.
        writer.report_findings();
        writer
    }

    /// Reports what the store has found of itself since the last call.
    fn report_findings(&mut self) {
        let rebuild = self.store.take_index_rebuild().map(Done::IndexRebuilt);
        let damage = std::iter::from_fn(|| self.store.take_damage().map(Done::Damaged));
        let reports: Vec<Done> = rebuild.into_iter().chain(damage).collect();
        if !reports.is_empty() {
            self.shared.report(reports);
        }
    }

    fn note_sizes(&self) {
        self.shared.counters.index_lag.store(self.store.index_lag(), Ordering::Relaxed);
        self.shared.counters.note_sizes(self.store.sizes());
    }

    /// Appends the front of a group, or as much of it as can be stored. Returns what is to be
    /// reported.
    ///
    /// # Errors
    /// The store must no longer be used.
    pub(super) fn commit(&mut self, group: &mut Group) -> Result<Finished, StoreError> {
        let counters = &self.shared.counters;
        loop {
            let started = self.shared.now();
            let appended = self.store.append(group.front());
            match group.appended(appended) {
                Appended::Committed(finished) => {
                    counters.count_commit(self.shared.now().saturating_duration_since(started));
                    counters.index_lag.store(self.store.index_lag(), Ordering::Relaxed);
                    return Ok(finished);
                }
                Appended::Halved => {}
                Appended::Refused(error) => {
                    let earlier = self.store.find_duplicates(group.front());
                    return group.refused(error, earlier);
                }
                Appended::Failed(error) => return Err(error),
            }
        }
    }

    /// Notes that a group was committed, and maintains the store if the load never stops.
    ///
    /// # Errors
    /// The store must no longer be used.
    pub(super) fn note_commit(&mut self) -> Result<(), StoreError> {
        if self.maintenance.note_commit(self.shared.now()) { self.maintain() } else { Ok(()) }
    }

    /// Does one step of maintenance, if it is not paused.
    ///
    /// # Errors
    /// The store must no longer be used.
    pub(super) fn maintain(&mut self) -> Result<(), StoreError> {
        if !self.maintenance.may_run(self.shared.now()) {
            return Ok(());
        }
        let result = self.store.maintain(SLICE);
        self.report_findings();
        match result {
            Err(error) if error.is_fatal() => return Err(error),
            Err(_) => drop(self.shared.counters.maintenance_failures.fetch_add(1, Ordering::Relaxed)),
            Ok(_) => {}
        }
        if let Some(error) = self.maintenance.note_result(result, self.shared.now()) {
            self.shared.report([Done::MaintenanceFailed(error)]);
        }
        self.note_sizes();
        Ok(())
    }

    /// Returns the wait for records before the next step, after a group was committed or not.
    pub(super) fn wait(&self, has_committed: bool) -> Duration {
        self.maintenance.wait(has_committed, self.shared.now())
    }
}

/// Does one turn of a question, and reports its answer or puts it back for another turn.
pub(super) fn answer(shared: &Shared, reader: &mut dyn Reader, mut asked: Asked) {
    let turn = asked.begin_turn(shared.now());
    let answer = match &asked.question {
        Question::Head(room) => reader.head(room, turn.deadline).map(|head| Some(Answer::Head(head))),
        Question::Range(range) => reader.range(range, turn.deadline).map(|page| Some(Answer::Page(page))),
        Question::Search(search) => reader
            .search_slice(search, &mut asked.progress, turn.slice_end, turn.deadline)
            .map(|page| page.map(Answer::Page)),
    };
    asked.end_turn(shared.now());
    let Some(answer) = answer.transpose() else {
        shared.put_back(asked);
        return;
    };
    shared.counters.answered.fetch_add(1, Ordering::Relaxed);
    let damage = reader.take_damage().map(Done::Damaged);
    shared.report(damage.into_iter().chain([Done::Answered { ticket: asked.ticket, answer }]));
}
