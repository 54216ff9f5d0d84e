//! State shared by the holder of a journal and its worker threads: queues, results, and
//! wakers. Each lock is held for a few moves, once for a group, and never over anything that
//! can block.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use glassline_wire::history::{PendingRecord, Question, Ticket};

use super::core::bounds::{JournalBounds, WAITING_BYTES_MAX};
use super::core::fair_queue::{FairQueue, Requester};
use super::core::questions::{Asked, QuestionClass};
use super::core::records::{Finished, Group, RecordQueue};
use super::core::reports::{Done, Reports, UNFETCHED_MAX};
use super::gauges::{Gauges, JournalCounters};
use crate::store::StoreError;

/// Source of the times that are arguments of the decisions.
pub(super) type Clock = Box<dyn Fn() -> Instant + Send + Sync>;

pub(super) struct Shared {
    bounds: JournalBounds,
    records: Mutex<RecordQueue>,
    records_came: Condvar,
    /// By class.
    questions: [Queue; QuestionClass::ALL.len()],
    reports: Mutex<Reports>,
    reports_fetched: Condvar,
    ended: Mutex<usize>,
    thread_ended: Condvar,
    pending_records: AtomicUsize,
    pending_bytes: AtomicUsize,
    unfetched: AtomicUsize,
    closing: AtomicBool,
    failed: AtomicBool,
    pub(super) counters: JournalCounters,
    clock: Clock,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// Next task of the writer.
pub(super) enum Next {
    Commit(Group),
    /// No record arrived within the time limit.
    Idle,
    /// Everything is committed that will be.
    End,
}

/// Questions of a class, and the threads that wait for one.
struct Queue {
    waiting: Mutex<FairQueue<Asked>>,
    came: Condvar,
}

impl Queue {
    fn new(class: QuestionClass, bounds: &JournalBounds) -> Self {
        Self { waiting: Mutex::new(FairQueue::new(class.bounds(bounds))), came: Condvar::new() }
    }
}

impl Shared {
    pub(super) fn new(bounds: JournalBounds, clock: Clock, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            records: Mutex::default(),
            records_came: Condvar::new(),
            questions: QuestionClass::ALL.map(|class| Queue::new(class, &bounds)),
            reports: Mutex::default(),
            reports_fetched: Condvar::new(),
            ended: Mutex::default(),
            thread_ended: Condvar::new(),
            pending_records: AtomicUsize::new(0),
            pending_bytes: AtomicUsize::new(0),
            unfetched: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            counters: JournalCounters::default(),
            bounds,
            clock,
            wake,
        }
    }

    pub(super) fn now(&self) -> Instant {
        (self.clock)()
    }

    pub(super) fn submit(&self, submitted: Vec<PendingRecord>) {
        if submitted.is_empty() {
            return;
        }
        let bytes: usize = submitted.iter().map(|pending| pending.record.bytes()).sum();
        self.pending_records.fetch_add(submitted.len(), Ordering::Relaxed);
        self.pending_bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut records = lock(&self.records);
        for pending in submitted {
            records.push(pending);
        }
        drop(records);
        self.records_came.notify_one();
    }

    pub(super) fn is_full(&self) -> bool {
        self.pending_records.load(Ordering::Relaxed) >= self.bounds.waiting_records
            || self.pending_bytes.load(Ordering::Relaxed) >= WAITING_BYTES_MAX
            || self.unfetched.load(Ordering::Relaxed) >= UNFETCHED_MAX
    }

    /// Takes as many of the records that wait as one commit may have, and no more than
    /// `records_max`.
    pub(super) fn take_group(&self, records_max: usize) -> Group {
        lock(&self.records).take_group(records_max.min(self.bounds.group_records))
    }

    /// Waits for records, for `patience` at most, and takes as many as one commit may have.
    pub(super) fn next_group(&self, patience: Duration) -> Next {
        let nothing_came = |records: &mut RecordQueue| records.is_empty() && !self.is_ending();
        let waited = self.records_came.wait_timeout_while(lock(&self.records), patience, nothing_came);
        let (mut records, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if self.failed.load(Ordering::Acquire) {
            return Next::End;
        }
        let group = records.take_group(self.bounds.group_records);
        match group.is_empty() {
            false => Next::Commit(group),
            true if self.is_ending() => Next::End,
            true => Next::Idle,
        }
    }

    /// Reports records that are no longer pending.
    pub(super) fn finish(&self, finished: Finished) {
        self.pending_records.fetch_sub(finished.records, Ordering::Relaxed);
        self.pending_bytes.fetch_sub(finished.bytes, Ordering::Relaxed);
        for report in &finished.reports {
            self.counters.count_report(report);
        }
        self.report(finished.reports);
    }

    /// Queues a question. Returns false if the queue is full; a search is then
    /// answered at once: put back, it would delay faster questions.
    pub(super) fn ask(&self, ticket: Ticket, requester: Requester, question: Question) -> bool {
        let class = QuestionClass::of(&question);
        let queue = self.queue(class);
        let is_taken = lock(&queue.waiting).push(requester, Asked::new(ticket, requester, question, self.now()));
        if is_taken {
            queue.came.notify_one();
        } else if class == QuestionClass::Search {
            self.report([Done::Answered { ticket, answer: Err(StoreError::TooSlow) }]);
            return true;
        }
        is_taken
    }

    pub(super) fn put_back(&self, asked: Asked) {
        lock(&self.queue(QuestionClass::of(&asked.question)).waiting).put_back(asked.requester, asked);
    }

    /// Takes the next question, unless too many answers were not fetched.
    pub(super) fn take_question(&self, class: QuestionClass) -> Option<Asked> {
        if lock(&self.reports).may_answer() { lock(&self.queue(class).waiting).pop() } else { None }
    }

    /// Waits for the next question, once answers are being fetched; nothing when it is over.
    pub(super) fn next_question(&self, class: QuestionClass) -> Option<Asked> {
        let must_wait = |reports: &mut Reports| !reports.may_answer() && !self.is_ending();
        drop(self.reports_fetched.wait_while(lock(&self.reports), must_wait).unwrap_or_else(PoisonError::into_inner));
        let queue = self.queue(class);
        let nothing_came = |waiting: &mut FairQueue<Asked>| waiting.len() == 0 && !self.is_ending();
        let came = queue.came.wait_while(lock(&queue.waiting), nothing_came);
        let mut waiting = came.unwrap_or_else(PoisonError::into_inner);
        if self.is_ending() { None } else { waiting.pop() }
    }

    fn queue(&self, class: QuestionClass) -> &Queue {
        &self.questions[class as usize]
    }

    /// Reports results; after a failure nothing is reported.
    pub(super) fn report(&self, results: impl IntoIterator<Item = Done>) {
        let mut reports = lock(&self.reports);
        if reports.extend(results) {
            self.unfetched.store(reports.len(), Ordering::Relaxed);
            drop(reports);
            (self.wake)();
        }
    }

    pub(super) fn fail(&self, error: StoreError) {
        if lock(&self.reports).fail(error) {
            self.failed.store(true, Ordering::Release);
            self.rouse();
            (self.wake)();
        }
    }

    pub(super) fn take_done(&self) -> Vec<Done> {
        let list = lock(&self.reports).take();
        self.unfetched.store(0, Ordering::Relaxed);
        self.reports_fetched.notify_all();
        list
    }

    pub(super) fn unfetched(&self) -> usize {
        self.unfetched.load(Ordering::Relaxed)
    }

    pub(super) fn gauges(&self) -> Gauges {
        Gauges {
            waiting_records: self.pending_records.load(Ordering::Relaxed) as u64,
            waiting_bytes: self.pending_bytes.load(Ordering::Relaxed) as u64,
            waiting_questions: self.questions.iter().map(|queue| lock(&queue.waiting).len() as u64).sum(),
            ..self.counters.read()
        }
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.rouse();
    }

    /// Wakes all waiters. Taking each lock first ensures that no thread is between checking
    /// and waiting.
    fn rouse(&self) {
        drop(lock(&self.records));
        self.records_came.notify_all();
        for queue in &self.questions {
            drop(lock(&queue.waiting));
            queue.came.notify_all();
        }
        drop(lock(&self.reports));
        self.reports_fetched.notify_all();
    }

    fn is_ending(&self) -> bool {
        self.closing.load(Ordering::Acquire) || self.failed.load(Ordering::Acquire)
    }

    pub(super) fn note_end(&self) {
        *lock(&self.ended) += 1;
        self.thread_ended.notify_all();
    }

    /// Waits until so many threads have ended. Returns whether they did in time.
    pub(super) fn wait_for_end(&self, threads: usize, timeout: Duration) -> bool {
        let waited = self.thread_ended.wait_timeout_while(lock(&self.ended), timeout, |ended| *ended < threads);
        *waited.unwrap_or_else(PoisonError::into_inner).0 >= threads
    }

    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.reports).failure().map(str::to_owned)
    }
}

/// A panic under one of these locks leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
