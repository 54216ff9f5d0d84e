//! The history on threads of its own: one commits, one looks up, one searches. Whoever holds the [`Journal`] hands over records and questions without
//! ever waiting, and fetches what became of them after being woken.

mod answerer;
mod fair_queue;
mod gauges;
mod lock;
mod questions;
mod shared;
mod writer;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use glassline_wire::history::{Answer, CommitOutcome, Entry, PendingRecord, Question, Ticket};

pub use self::gauges::{COMMIT_BOUNDS_S, CommitTimes, Gauges};
use self::questions::Lane;
use self::shared::Shared;
use crate::store::{Damage, Store, StoreError};

/// Two opaque keys of whoever asks. Subnets are served in turn, and within a subnet its requesters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requester {
    /// Equal for all that share an address or, of IPv6, a network of 64 bits.
    pub subnet: u128,
    /// Equal for all questions of one connection.
    pub number: u64,
}

/// Result of something handed over.
#[derive(Debug)]
pub enum Done {
    /// Next entry of the committed log.
    Committed(Entry),
    /// The record became no entry, because of what is stored already. In the order of the commits as well.
    Settled {
        /// Ticket of the record.
        ticket: Ticket,
        /// Outcome of the record; never [`CommitOutcome::Stored`].
        outcome: CommitOutcome,
    },
    /// The record was not stored, and nobody may be shown it; the next may be.
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
    /// Maintenance after the commits (forgetting, the search index, the log's length) fails for a
    /// cause that may go. It is tried again every second; this comes once, until it went well
    /// again.
    Untended(StoreError),
    /// The search index was damaged, in these words, and is being built again. No message is missing.
    IndexRenewed(String),
    /// Something stored is damaged and left out, in these words. Everything else goes on.
    Damaged(Damage),
    /// The history cannot go on, and what was handed over and is not reported may or may not be stored. Comes once; no
    /// [`Done::Committed`] follows. The server must stop.
    Failed(StoreError),
}

/// Records that may wait or be in the middle of being committed, before [`Journal::is_full`].
pub const WAITING_RECORDS_MAX: usize = 8_192;

/// Bytes of them, likewise.
pub const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Heads and pages that may wait.
pub const WAITING_QUESTIONS_MAX: usize = 4_096;

/// Searches that may wait: in all, of one subnet, of one requester.
pub const WAITING_SEARCHES_MAX: usize = 1_024;
/// See [`WAITING_SEARCHES_MAX`].
pub const WAITING_SEARCHES_OF_SUBNET_MAX: usize = 256;
/// See [`WAITING_SEARCHES_MAX`].
pub const WAITING_SEARCHES_OF_REQUESTER_MAX: usize = 16;

/// A history that is open. [`Journal::close`] commits what waits, and says whether it did; dropping it has that committed as well, but
/// waits for nothing and tells nothing: its threads end by themselves, and the file stays locked until they have. Questions that wait
/// are not answered either way.
pub struct Journal {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Journal {
    /// Starts the threads. `wake` is called from them whenever there is something for [`Journal::take_done`]; it must not block.
    ///
    /// # Errors
    /// The store cannot be opened for reading as well, or the system gives no thread.
    pub fn start(store: Box<dyn Store>, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, StoreError> {
        let lookups = store.reader()?;
        let searches = store.reader()?;
        let shared = Arc::new(Shared::new(Box::new(wake)));
        // Else the numbers say until the first commit that everything is indexed.
        shared.counters.index_lag.store(store.index_lag(), Ordering::Relaxed);
        shared.counters.note_sizes(store.sizes());
        let mut journal = Self { shared: Arc::clone(&shared), threads: Vec::with_capacity(3) };
        let start = |name: &str, body: Box<dyn FnOnce() + Send>| {
            thread::Builder::new()
                .name(name.to_string())
                .spawn(body)
                .map_err(|error| StoreError::WriteFailed(format!("the system gives no thread: {error}")))
        };
        let writing = Arc::clone(&shared);
        journal.threads.push(start("journal-writer", Box::new(move || writer::run(&writing, store)))?);
        for (name, lane, reader) in
            [("journal-reader", Lane::Lookups, lookups), ("journal-search", Lane::Searches, searches)]
        {
            let asked = Arc::clone(&shared);
            journal.threads.push(start(name, Box::new(move || answerer::run(&asked, lane, reader)))?);
        }
        Ok(journal)
    }

    /// Hands over records to be stored in this order, behind those handed over before. Never waits; whoever calls it looks at
    /// [`Journal::is_full`] first.
    pub fn append(&self, records: Vec<PendingRecord>) {
        self.shared.submit(records);
    }

    /// Returns whether no more should be handed over until something is done:
    /// [`WAITING_RECORDS_MAX`] or [`WAITING_BYTES_MAX`] wait or are being committed, or nobody
    /// fetches what is done.
    pub fn is_full(&self) -> bool {
        self.shared.is_full()
    }

    /// Asks something. Requesters are served in turn ([`Requester`]), each in its order; heads and pages never wait for searches. A
    /// search is done in slices, one a turn. Returns false, and asks nothing, if [`WAITING_QUESTIONS_MAX`] heads and pages wait
    /// already. A search that finds no place ([`WAITING_SEARCHES_MAX`]) is answered at once with [`StoreError::TooSlow`].
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

    /// Commits what waits, ends the threads and closes the store: readers first, so that the one file has everything.
    ///
    /// # Errors
    /// It failed, now or earlier; or `timeout` passed first, and what waits may be lost.
    pub fn close(self, timeout: Duration) -> Result<(), StoreError> {
        self.shared.close();
        if !self.shared.wait_for_end(timeout) {
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
