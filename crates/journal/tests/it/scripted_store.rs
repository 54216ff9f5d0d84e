//! A journal over a scripted store.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use glassline_journal::{Done, Journal, Reader, SearchProgress, Store, StoreError};
use glassline_wire::event::AuditEntry;
use glassline_wire::history::{
    CommitOutcome, Entry, EntryContent, Head, NotAppended, Page, PendingRecord, Record, Ticket,
};
use glassline_wire::request::{HistoryRange, Search};

use crate::support::*;

/// Wakes the test as it would wake a server's loop.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    rings: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().expect("no panic") = true;
        self.rings.notify_all();
    }

    fn wait(&self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let (mut rung, waited) =
            self.rings.wait_timeout_while(self.rung.lock().expect("no panic"), left, |rung| !*rung).expect("no panic");
        assert!(!waited.timed_out(), "nobody rang");
        *rung = false;
    }
}

/// A journal and its reports so far.
pub(crate) struct TestJournal {
    pub(crate) journal: Journal,
    pub(crate) bell: Arc<Bell>,
}

impl TestJournal {
    pub(crate) fn start(store: Box<dyn Store>) -> Self {
        let bell = Arc::new(Bell::default());
        let rung = Arc::clone(&bell);
        Self { journal: Journal::start(store, move || rung.ring()).expect("starts"), bell }
    }

    /// Fetches until there are as many.
    pub(crate) fn done(&self, count: usize) -> Vec<Done> {
        let deadline = soon();
        let mut done = self.journal.take_done();
        while done.len() < count {
            self.bell.wait(deadline);
            done.extend(self.journal.take_done());
        }
        done
    }
}

pub(crate) fn tickets_appended(done: &[Done]) -> Vec<(Ticket, u64)> {
    done.iter()
        .map(|done| match done {
            Done::Committed(Entry { ticket: Some(ticket), content: EntryContent::Message(message) }) => {
                (*ticket, message.seq.expect("a number"))
            }
            other => panic!("stored, not {other:?}"),
        })
        .collect()
}
/// Behaviour of the false store for the next batch.
pub(crate) enum Behaviour {
    Store,
    Refuse,
    Fail,
    Panic,
}

/// Returns for each batch the next scripted result, and reports the number of its records. Without
/// one it stores.
pub(crate) struct ScriptedStore {
    pub(crate) behaviours: Receiver<Behaviour>,
    pub(crate) batches: Sender<usize>,
    pub(crate) is_scripted: bool,
    pub(crate) newest: u64,
    pub(crate) reader_panics: bool,
    /// Tending ends when the other side of this does.
    pub(crate) tending: Option<Receiver<()>>,
    /// Number of failures of maintenance before it succeeds, and then again.
    pub(crate) maintenance_failures: Vec<usize>,
    /// A search reports its start here, and ends when the other end of this channel does.
    pub(crate) searching: Option<Held>,
    /// A search takes as many turns as its query states, and notes the number that its room is at
    /// each.
    pub(crate) turns: Option<Turns>,
}

/// Clients whose searches had their turns, in order.
pub(crate) type Turns = Arc<Mutex<Vec<u64>>>;

/// Signals of a held search: that it has begun, and that it may go on.
pub(crate) type Held = Arc<Mutex<(Sender<()>, Receiver<()>)>>;

/// Lag that it reports of its index.
pub(crate) const LAG: u64 = 7;

pub(crate) fn scripted_store(
    is_scripted: bool,
    reader_panics: bool,
) -> (Box<ScriptedStore>, Sender<Behaviour>, Receiver<usize>) {
    let (behaviour, behaviours) = channel();
    let (batches, seen) = channel();
    (
        Box::new(ScriptedStore {
            behaviours,
            batches,
            is_scripted,
            newest: 0,
            reader_panics,
            tending: None,
            maintenance_failures: Vec::new(),
            searching: None,
            turns: None,
        }),
        behaviour,
        seen,
    )
}

impl Store for ScriptedStore {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError> {
        let _ = self.batches.send(batch.len());
        let behaviour = if self.is_scripted {
            self.behaviours.recv_timeout(Duration::from_secs(20)).expect("an order in time")
        } else {
            Behaviour::Store
        };
        match behaviour {
            Behaviour::Store => {
                let from = self.newest + 1;
                self.newest += batch.len() as u64;
                Ok(stored(from..=self.newest))
            }
            Behaviour::Refuse => Err(StoreError::Full),
            Behaviour::Fail => Err(StoreError::WriteFailed("scripted".into())),
            Behaviour::Panic => panic!("scripted"),
        }
    }

    fn find_duplicates(&mut self, batch: &[Record]) -> Result<Vec<Option<NotAppended>>, StoreError> {
        let is_old = |record: &Record| matches!(record, Record::Message(entry) if entry.message.text == "old");
        Ok(batch.iter().map(|record| is_old(record).then_some(NotAppended::IdReused)).collect())
    }

    fn maintain(&mut self, _: Duration) -> Result<bool, StoreError> {
        if let Some(tending) = &self.tending {
            let _ = tending.recv_timeout(Duration::from_secs(20));
        }
        if let Some(left) = self.maintenance_failures.last_mut() {
            if *left > 0 {
                *left -= 1;
                return Err(StoreError::Full);
            }
            self.maintenance_failures.pop();
            return Ok(true);
        }
        Ok(false)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(ScriptedReader {
            panics: self.reader_panics,
            searching: self.searching.clone(),
            turns: self.turns.clone(),
        }))
    }

    fn index_lag(&self) -> u64 {
        LAG
    }

    fn acts(&mut self, _: &mut dyn FnMut(AuditEntry)) -> Result<(), StoreError> {
        Ok(())
    }
}

pub(crate) struct ScriptedReader {
    pub(crate) panics: bool,
    pub(crate) searching: Option<Held>,
    pub(crate) turns: Option<Turns>,
}

impl Reader for ScriptedReader {
    fn head(&mut self, _: &str, _: Instant) -> Result<Head, StoreError> {
        assert!(!self.panics, "scripted");
        Ok(Head::default())
    }

    fn range(&mut self, _: &HistoryRange, _: Instant) -> Result<Page, StoreError> {
        Ok(Page::default())
    }

    fn search_slice(
        &mut self,
        search: &Search,
        _: &mut SearchProgress,
        _: Instant,
        _: Instant,
    ) -> Result<Option<Page>, StoreError> {
        if let Some(held) = &self.searching {
            let held = held.lock().expect("no panic");
            let _ = held.0.send(());
            let _ = held.1.recv_timeout(Duration::from_secs(20));
        }
        let Some(turns) = &self.turns else { return Ok(Some(Page::default())) };
        let mut turns = turns.lock().expect("no panic");
        let number: u64 = search.room.parse().expect("a number");
        turns.push(number);
        let had = turns.iter().filter(|turn| **turn == number).count();
        Ok((had.to_string() == search.query).then(Page::default))
    }
}

pub(crate) fn records(tickets: impl IntoIterator<Item = Ticket>) -> Vec<PendingRecord> {
    pending(tickets.into_iter().map(|ticket| (ticket, entry("lobby", "alice", "hi", None, 1))))
}

pub(crate) fn next(seen: &Receiver<usize>) -> usize {
    seen.recv_timeout(Duration::from_secs(20)).expect("a batch in time")
}
