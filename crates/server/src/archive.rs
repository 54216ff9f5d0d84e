//! Interface of a history to the loop: the journal has it on threads of its own, a simulation under
//! its own clock.

use std::time::Duration;

use glassline_journal::{Done, Gauges, Journal, Requester, StoreError};
use glassline_wire::history::{PendingRecord, Question, Ticket};

/// Storage behind the loop: it takes orders at once, and reports later what came of them.
#[cfg_attr(not(any(test, feature = "test-server")), expect(unreachable_pub, reason = "only rehearsals bring another"))]
pub trait Archive {
    /// Takes records to be stored, in their order. Whoever calls has seen that it is not full.
    fn append(&mut self, records: Vec<PendingRecord>);

    /// Returns whether so much waits to be stored that nothing more may be said.
    fn is_full(&self) -> bool;

    /// Takes a question. False: too many wait already, try again.
    fn ask(&mut self, ticket: Ticket, requester: Requester, question: Question) -> bool;

    /// Takes the results since the last call: outcomes in the order of commit, answers as they
    /// come.
    fn take_done(&mut self) -> Vec<Done>;

    /// Its figures, if it has any.
    fn gauges(&self) -> Option<Gauges>;

    /// Stores what was handed over, and ends.
    ///
    /// # Errors
    /// Something was not stored within `timeout`.
    fn close(self: Box<Self>, timeout: Duration) -> Result<(), StoreError>;
}

impl Archive for Journal {
    fn append(&mut self, records: Vec<PendingRecord>) {
        Self::append(self, records);
    }

    fn is_full(&self) -> bool {
        Self::is_full(self)
    }

    fn ask(&mut self, ticket: Ticket, requester: Requester, question: Question) -> bool {
        Self::ask(self, ticket, requester, question)
    }

    fn take_done(&mut self) -> Vec<Done> {
        Self::take_done(self)
    }

    fn gauges(&self) -> Option<Gauges> {
        Some(Self::gauges(self))
    }

    fn close(self: Box<Self>, timeout: Duration) -> Result<(), StoreError> {
        Self::close(*self, timeout)
    }
}
