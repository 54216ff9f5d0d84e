//! A journal without threads: its owner runs each step of its work, under its own clock.

use std::sync::Arc;

use glassline_wire::history::{Question, Ticket};

use super::core::questions::{Asked, QuestionClass};
use super::core::records::{Finished, Group};
use super::core::reports::Done;
use super::shared::Shared;
use super::worker::{Writer, answer};
use crate::store::{Reader, StoreError};

/// The work of a journal of [`Journal::stepped`](super::Journal::stepped). A group goes through
/// [`Stepper::take_group`], [`Stepper::commit`] and [`Stepper::report_commit`], a question through
/// [`Stepper::take_question`] and [`Stepper::answer`]; what happens in between (time that passes,
/// the end of the process) is up to the owner.
pub struct Stepper {
    shared: Arc<Shared>,
    writer: Writer,
    /// By class.
    reading: [Reading; QuestionClass::ALL.len()],
    group: Group,
    finished: Vec<Finished>,
}

struct Reading {
    reader: Box<dyn Reader>,
    asked: Option<Asked>,
}

impl Stepper {
    pub(super) fn new(
        shared: Arc<Shared>,
        writer: Writer,
        readers: [Box<dyn Reader>; QuestionClass::ALL.len()],
    ) -> Self {
        let reading = readers.map(|reader| Reading { reader, asked: None });
        Self { shared, writer, reading, group: Group::default(), finished: Vec::new() }
    }

    /// Takes up the next group, of `records_max` records at most, if none is taken up. Returns
    /// whether one is.
    pub fn take_group(&mut self, records_max: usize) -> bool {
        if self.group.is_empty() {
            self.group = self.shared.take_group(records_max);
        }
        !self.group.is_empty()
    }

    /// Has the store commit the group that is taken up. Its results wait for
    /// [`Stepper::report_commit`]; a fatal error is reported at once.
    pub fn commit(&mut self) {
        while !self.group.is_empty() {
            match self.writer.commit(&mut self.group) {
                Ok(finished) => self.finished.push(finished),
                Err(error) => {
                    self.group = Group::default();
                    self.shared.fail(error);
                }
            }
        }
    }

    /// Reports the results of the groups that were committed.
    pub fn report_commit(&mut self) {
        for finished in self.finished.drain(..) {
            self.shared.finish(finished);
        }
        self.fail_on(Writer::note_commit);
    }

    /// Does a step of maintenance.
    pub fn maintain(&mut self) {
        self.fail_on(Writer::maintain);
    }

    fn fail_on(&mut self, step: impl FnOnce(&mut Writer) -> Result<(), StoreError>) {
        if let Err(error) = step(&mut self.writer) {
            self.shared.fail(error);
        }
    }

    /// Starts the next question of a class, unless one is started. Returns the started one.
    pub fn take_question(&mut self, class: QuestionClass) -> Option<(Ticket, &Question)> {
        let reading = &mut self.reading[class as usize];
        if reading.asked.is_none() {
            reading.asked = self.shared.take_question(class);
        }
        reading.asked.as_ref().map(|asked| (asked.ticket, &asked.question))
    }

    /// Reads for the question that is taken up, and reports its answer; one that needs another turn
    /// is put back.
    pub fn answer(&mut self, class: QuestionClass) {
        let reading = &mut self.reading[class as usize];
        if let Some(asked) = reading.asked.take() {
            answer(&self.shared, reading.reader.as_mut(), asked);
        }
    }

    /// Drops the question that is taken up: it is never answered, unless by [`Stepper::report`].
    pub fn drop_question(&mut self, class: QuestionClass) {
        self.reading[class as usize].asked = None;
    }

    /// Reports something that is no result of these steps, such as an entry that another server
    /// wrote.
    pub fn report(&mut self, done: Done) {
        self.shared.report([done]);
    }

    /// Returns the number of reports that were not fetched.
    pub fn unfetched(&self) -> usize {
        self.shared.unfetched()
    }
}
