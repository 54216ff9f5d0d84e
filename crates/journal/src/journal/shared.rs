//! State shared by the holder of a journal and its threads: what waits, what is done, and who is
//! woken. Each lock is held for a few moves, once for a group, and never over anything that can
//! block.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use glassline_wire::history::{NewMessage, PendingRecord, Question, Record, Ticket};

use super::gauges::{Counters, Gauges};
use super::lock::lock;
use super::questions::{Asked, Lane, Queue};
use super::{Done, Requester, WAITING_BYTES_MAX, WAITING_RECORDS_MAX};
use crate::store::StoreError;

/// One commit's records and bytes at most: some tens of milliseconds of work.
const GROUP_RECORDS_MAX: usize = 4_096;
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reports nobody has fetched, above which the journal says that it is full.
const UNFETCHED_MAX: usize = 4 * WAITING_RECORDS_MAX;

/// Answers nobody has fetched, above which no more questions are answered: each may hold a page.
const UNFETCHED_ANSWERS_MAX: usize = 64;

/// Cost of a record beside its texts, in bytes.
const RECORD_BYTES: usize = 128;

pub(super) struct Shared {
    records: Mutex<Records>,
    records_came: Condvar,
    lookups: Queue,
    searches: Queue,
    done: Mutex<Reports>,
    done_fetched: Condvar,
    /// Threads that have ended.
    ended: Mutex<usize>,
    thread_ended: Condvar,
    /// Waiting or being committed.
    pending_records: AtomicUsize,
    pending_bytes: AtomicUsize,
    unfetched: AtomicUsize,
    closing: AtomicBool,
    failed: AtomicBool,
    pub(super) counters: Counters,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// Threads of a journal.
const THREADS: usize = 3;

#[derive(Default)]
struct Records {
    tickets: VecDeque<Ticket>,
    records: VecDeque<Record>,
}

/// Records that are committed together.
#[derive(Default)]
pub(super) struct Group {
    pub(super) tickets: Vec<Ticket>,
    pub(super) records: Vec<Record>,
}

impl Group {
    /// Takes the first so many records.
    pub(super) fn take(&mut self, count: usize) -> Self {
        let rest = Self { tickets: self.tickets.split_off(count), records: self.records.split_off(count) };
        std::mem::replace(self, rest)
    }
}

#[derive(Default)]
struct Reports {
    list: Vec<Done>,
    answers: usize,
    failure: Option<String>,
}

/// Next task of the writer.
pub(super) enum Next {
    Commit(Group),
    /// Nothing came for as long as it was ready to wait.
    Idle,
    /// Everything is committed that will be.
    End,
}

impl Shared {
    pub(super) fn new(wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            records: Mutex::default(),
            records_came: Condvar::new(),
            lookups: Queue::new(Lane::Lookups),
            searches: Queue::new(Lane::Searches),
            done: Mutex::default(),
            done_fetched: Condvar::new(),
            ended: Mutex::default(),
            thread_ended: Condvar::new(),
            pending_records: AtomicUsize::new(0),
            pending_bytes: AtomicUsize::new(0),
            unfetched: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            counters: Counters::default(),
            wake,
        }
    }

    pub(super) fn submit(&self, submitted: Vec<PendingRecord>) {
        if submitted.is_empty() {
            return;
        }
        let bytes: usize = submitted.iter().map(|pending| bytes_of(&pending.record)).sum();
        self.pending_records.fetch_add(submitted.len(), Ordering::Relaxed);
        self.pending_bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut records = lock(&self.records);
        for PendingRecord { ticket, record } in submitted {
            records.tickets.push_back(ticket);
            records.records.push_back(record);
        }
        drop(records);
        self.records_came.notify_one();
    }

    pub(super) fn is_full(&self) -> bool {
        self.pending_records.load(Ordering::Relaxed) >= WAITING_RECORDS_MAX
            || self.pending_bytes.load(Ordering::Relaxed) >= WAITING_BYTES_MAX
            || self.unfetched.load(Ordering::Relaxed) >= UNFETCHED_MAX
    }

    /// Waits for records, for `patience` at most, and takes as many as one commit may have.
    pub(super) fn next_group(&self, patience: Duration) -> Next {
        let nothing_came = |records: &mut Records| records.tickets.is_empty() && !self.is_ending();
        let waited = self.records_came.wait_timeout_while(lock(&self.records), patience, nothing_came);
        let (mut records, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if self.failed.load(Ordering::Acquire) {
            return Next::End;
        }
        let mut group = Group::default();
        let (mut count, mut group_bytes) = (0, 0);
        for record in records.records.iter().take(GROUP_RECORDS_MAX) {
            let bytes = bytes_of(record);
            if count > 0 && group_bytes + bytes > GROUP_BYTES_MAX {
                break;
            }
            group_bytes += bytes;
            count += 1;
        }
        if count == 0 {
            return if self.is_ending() { Next::End } else { Next::Idle };
        }
        group.tickets.extend(records.tickets.drain(..count));
        group.records.extend(records.records.drain(..count));
        Next::Commit(group)
    }

    /// These records are no longer pending, and this became of them.
    pub(super) fn finish<T>(
        &self,
        group: Group,
        outcomes: impl IntoIterator<Item = T>,
        report: impl Fn(Ticket, Record, T) -> Done,
    ) {
        self.pending_records.fetch_sub(group.records.len(), Ordering::Relaxed);
        self.pending_bytes.fetch_sub(group.records.iter().map(bytes_of).sum(), Ordering::Relaxed);
        let records = group.tickets.into_iter().zip(group.records).zip(outcomes);
        self.report(records.map(|((ticket, record), outcome)| report(ticket, record, outcome)));
    }

    /// A search that finds no place is answered at once: put back, it would stand before what is looked up faster.
    pub(super) fn ask(&self, ticket: Ticket, requester: Requester, question: Question) -> bool {
        let lane = Lane::of(&question);
        let is_taken = self.queue(lane).push(ticket, requester, question);
        if !is_taken && lane == Lane::Searches {
            self.report(std::iter::once(Done::Answered { ticket, answer: Err(StoreError::TooSlow) }));
            return true;
        }
        is_taken
    }

    /// Puts a question back that needs another turn.
    pub(super) fn put_back(&self, lane: Lane, asked: Asked) {
        self.queue(lane).put_back(asked);
    }

    /// The next question, once answers are being fetched; nothing when it is over.
    pub(super) fn next_question(&self, lane: Lane) -> Option<Asked> {
        let fetched = self
            .done_fetched
            .wait_while(lock(&self.done), |done| done.answers >= UNFETCHED_ANSWERS_MAX && !self.is_ending());
        drop(fetched.unwrap_or_else(PoisonError::into_inner));
        self.queue(lane).pop(|| self.is_ending())
    }

    fn queue(&self, lane: Lane) -> &Queue {
        match lane {
            Lane::Lookups => &self.lookups,
            Lane::Searches => &self.searches,
        }
    }

    /// Behind a failure nothing is reported any more.
    pub(super) fn report(&self, reports: impl Iterator<Item = Done>) {
        let mut done = lock(&self.done);
        if done.failure.is_some() {
            return;
        }
        for report in reports {
            done.answers += usize::from(matches!(report, Done::Answered { .. }));
            done.list.push(report);
        }
        self.unfetched.store(done.list.len(), Ordering::Relaxed);
        drop(done);
        (self.wake)();
    }

    pub(super) fn fail(&self, error: StoreError) {
        let mut done = lock(&self.done);
        if done.failure.is_some() {
            return;
        }
        done.failure = Some(error.to_string());
        done.list.push(Done::Failed(error));
        drop(done);
        self.failed.store(true, Ordering::Release);
        self.rouse();
        (self.wake)();
    }

    pub(super) fn take_done(&self) -> Vec<Done> {
        let mut done = lock(&self.done);
        done.answers = 0;
        self.unfetched.store(0, Ordering::Relaxed);
        let list = std::mem::take(&mut done.list);
        drop(done);
        self.done_fetched.notify_all();
        list
    }

    pub(super) fn gauges(&self) -> Gauges {
        Gauges {
            waiting_records: self.pending_records.load(Ordering::Relaxed) as u64,
            waiting_bytes: self.pending_bytes.load(Ordering::Relaxed) as u64,
            waiting_questions: (self.lookups.len() + self.searches.len()) as u64,
            ..self.counters.read()
        }
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.rouse();
    }

    /// Whoever waits looks again. Taking each lock first makes sure that nobody is between looking and waiting.
    fn rouse(&self) {
        drop(lock(&self.records));
        self.records_came.notify_all();
        self.lookups.rouse();
        self.searches.rouse();
        drop(lock(&self.done));
        self.done_fetched.notify_all();
    }

    fn is_ending(&self) -> bool {
        self.closing.load(Ordering::Acquire) || self.failed.load(Ordering::Acquire)
    }

    pub(super) fn note_end(&self) {
        *lock(&self.ended) += 1;
        self.thread_ended.notify_all();
    }

    /// Returns whether all threads ended in time.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> bool {
        let waited = self.thread_ended.wait_timeout_while(lock(&self.ended), timeout, |ended| *ended < THREADS);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == THREADS
    }

    /// Waits for the threads that only read.
    pub(super) fn wait_for_readers(&self, patience: Duration) {
        let readers_run = |ended: &mut usize| *ended < THREADS - 1;
        drop(self.thread_ended.wait_timeout_while(lock(&self.ended), patience, readers_run));
    }

    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.done).failure.clone()
    }
}

/// Returns the share of a record in the bounds, in bytes.
fn bytes_of(record: &Record) -> usize {
    RECORD_BYTES
        + match record {
            Record::Message(NewMessage { message, .. }) => message.text.len() + message.room.len() + message.from.len(),
            Record::Audit(act) => {
                act.by.len() + act.who.as_ref().map_or(0, String::len) + act.text.as_ref().map_or(0, String::len)
            }
        }
}

/// A panic's words.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_string())
}
