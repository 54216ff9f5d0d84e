//! A history that accepts records and questions without blocking, and reports their outcomes later.
//!
//! [`core`] decides, without I/O; [`worker`] takes the steps between it and a store. A [`Journal`]
//! has them done by threads ([`threads`]), or by its owner ([`Stepper`]).

mod core;
mod gauges;
mod shared;
mod stepper;
mod threads;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use glassline_wire::history::{PendingRecord, Question, Ticket};

pub use self::core::bounds::{
    JournalBounds, WAITING_BYTES_MAX, WAITING_QUESTIONS_MAX, WAITING_RECORDS_MAX, WAITING_SEARCHES_MAX,
    WAITING_SEARCHES_OF_REQUESTER_MAX, WAITING_SEARCHES_OF_SUBNET_MAX,
};
pub use self::core::fair_queue::Requester;
pub use self::core::questions::QuestionClass;
pub use self::core::reports::Done;
pub use self::gauges::{COMMIT_BOUNDS_S, CommitTimes, Gauges};
use self::shared::{Clock, Shared};
pub use self::stepper::Stepper;
use self::worker::Writer;
use crate::store::{Store, StoreError};

/// An open history. [`Journal::close`] commits queued records, reports whether it did; dropping
/// it commits them as well, but neither waits nor reports: its threads end by
/// themselves, and the file stays locked until they have. Questions that wait are not answered
/// either way.
pub struct Journal {
    shared: Arc<Shared>,
    threads: usize,
}

impl Journal {
    /// Starts the threads. `wake` is called from them whenever there is something for
    /// [`Journal::take_done`]; it must not block.
    ///
    /// # Errors
    /// The store cannot be opened for reading as well, or the system gives no thread.
    pub fn start(store: Box<dyn Store>, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, StoreError> {
        let readers = [store.reader()?, store.reader()?];
        // Dropped before its threads have started, it has those end that have.
        let mut journal = Self::new(JournalBounds::default(), Box::new(Instant::now), Box::new(wake));
        let writer = Writer::new(Arc::clone(&journal.shared), store);
        journal.threads = threads::start(&journal.shared, writer, readers)?;
        Ok(journal)
    }

    /// Opens a journal without threads, whose work its owner does under `clock`.
    ///
    /// # Errors
    /// The store cannot be opened for reading as well.
    pub fn stepped(
        store: Box<dyn Store>,
        bounds: JournalBounds,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<(Self, Stepper), StoreError> {
        let readers = [store.reader()?, store.reader()?];
        let journal = Self::new(bounds, Box::new(clock), Box::new(wake));
        let writer = Writer::new(Arc::clone(&journal.shared), store);
        let stepper = Stepper::new(Arc::clone(&journal.shared), writer, readers);
        Ok((journal, stepper))
    }

    fn new(bounds: JournalBounds, clock: Clock, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { shared: Arc::new(Shared::new(bounds, clock, wake)), threads: 0 }
    }

    /// Hands over records to be stored in this order, after earlier ones. Never blocks;
    /// the caller checks [`Journal::is_full`] first.
    pub fn append(&self, records: Vec<PendingRecord>) {
        self.shared.submit(records);
    }

    /// Returns whether no more should be handed over until something is done:
    /// [`WAITING_RECORDS_MAX`] or [`WAITING_BYTES_MAX`] wait or are being committed, or nobody
    /// fetches what is done.
    pub fn is_full(&self) -> bool {
        self.shared.is_full()
    }

    /// Queues a question. Requesters are served in turn ([`Requester`]), each in its order; heads
    /// and pages never wait for searches. A search is done in slices, one a turn. Returns false,
    /// and queues nothing, if [`WAITING_QUESTIONS_MAX`] heads and pages wait already. A search that
    /// does not fit the queue ([`WAITING_SEARCHES_MAX`]) is answered at once with
    /// [`StoreError::TooSlow`].
    pub fn ask(&self, ticket: Ticket, requester: Requester, question: Question) -> bool {
        self.shared.ask(ticket, requester, question)
    }

    /// Everything that is done and was not fetched before, in its order.
    pub fn take_done(&self) -> Vec<Done> {
        self.shared.take_done()
    }

    /// Returns the metrics of the journal. Cheap: it waits for no disk.
    pub fn gauges(&self) -> Gauges {
        self.shared.gauges()
    }

    /// Commits what waits, ends the threads and closes the store: readers first, so that the one
    /// file has everything.
    ///
    /// # Errors
    /// It failed, now or earlier; or `timeout` passed first, and what waits may be lost.
    pub fn close(self, timeout: Duration) -> Result<(), StoreError> {
        self.shared.close();
        if !self.shared.wait_for_end(self.threads, timeout) {
            let left = self.shared.gauges().waiting_records;
            return Err(StoreError::WriteFailed(format!("{left} records were still waiting when the time was up")));
        }
        match self.shared.failure() {
            Some(failure) => Err(StoreError::WriteFailed(failure)),
            None => Ok(()),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.close();
    }
}
