//! The journal's threads under virtual time: groups are committed and questions answered when their hour comes, and a crash may
//! fall before a commit, behind it, or before its report.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glassline_journal::{Done, Gauges, Reader, Requester, Store, StoreError};
use glassline_server::Archive;
use glassline_wire::history::{Answer, CommitOutcome, PendingRecord, Question, Record, Ticket};

use crate::disk::SharedDisk;
use crate::mutation::Mutation;
use crate::plan::Plan;
use glassline_testkit::Rng;

/// A deadline that never comes: under virtual time nothing takes any.
const AMPLE: Duration = Duration::from_hours(1);

/// Why the disk fails, when it is to.
pub(crate) const AS_SIMULATED: &str = "as simulated";

/// A group on its way to the disk.
#[derive(Debug)]
struct Group {
    records: Vec<PendingRecord>,
    commit_at_ms: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Clerk {
    disk: SharedDisk,
    random: Rng,
    mutation: Option<Mutation>,
    now_ms: u64,
    queue: VecDeque<PendingRecord>,
    writing: Option<Group>,
    reports: VecDeque<(u64, Vec<Done>)>,
    questions: VecDeque<(u64, Ticket, Question)>,
    done: Vec<Done>,
    commit_max_ms: u64,
    report_max_ms: u64,
    answer_max_ms: u64,
    group_max: usize,
    queue_max: usize,
    questions_max: usize,
    unreadable_per_mille: u64,
    /// The next commit fails for good.
    pub(crate) fails: bool,
    /// Nothing is committed before this.
    pub(crate) busy_until_ms: u64,
}

/// Handle of it that the server holds.
#[derive(Debug, Clone)]
pub(crate) struct Counter(pub(crate) Rc<RefCell<Clerk>>);

impl Clerk {
    pub(crate) fn new(plan: &Plan, disk: SharedDisk, mutation: Option<Mutation>, random: Rng, now_ms: u64) -> Self {
        Self {
            disk,
            random,
            mutation,
            now_ms,
            queue: VecDeque::new(),
            writing: None,
            reports: VecDeque::new(),
            questions: VecDeque::new(),
            done: Vec::new(),
            commit_max_ms: plan.commit_max_ms,
            report_max_ms: plan.report_max_ms,
            answer_max_ms: plan.answer_max_ms,
            group_max: plan.group_max,
            queue_max: plan.queue_max,
            questions_max: plan.questions_max,
            unreadable_per_mille: if plan.unreadable { 100 } else { 0 },
            fails: false,
            busy_until_ms: 0,
        }
    }

    /// The faults are over.
    pub(crate) fn calm_down(&mut self) {
        (self.unreadable_per_mille, self.busy_until_ms, self.fails) = (0, 0, false);
        (self.commit_max_ms, self.answer_max_ms) = (self.commit_max_ms.min(5), self.answer_max_ms.min(5));
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.writing.is_none() && self.reports.is_empty() && self.questions.is_empty()
    }

    pub(crate) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// When it has something to do.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let commit = self.writing.as_ref().map(|group| group.commit_at_ms.max(self.busy_until_ms));
        let report = self.reports.front().map(|(at_ms, _)| *at_ms);
        let answer = self.questions.front().map(|(at_ms, ..)| *at_ms);
        [commit, report, answer].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.take_up();
        while let Some(group) =
            self.writing.take_if(|group| group.commit_at_ms <= now_ms && self.busy_until_ms <= now_ms)
        {
            self.commit(group);
            self.take_up();
        }
        while let Some((_, done)) = self.reports.pop_front_if(|(at_ms, _)| *at_ms <= now_ms) {
            self.done.extend(done);
        }
        while let Some((_, ticket, question)) = self.questions.pop_front_if(|(at_ms, ..)| *at_ms <= now_ms) {
            self.answer(ticket, question);
        }
    }

    /// The process dies. What was being written is on the disk whole or not at all.
    pub(crate) fn crash(&mut self) {
        if let Some(group) = self.writing.take()
            && self.random.per_mille(500)
        {
            self.commit(group);
        }
        self.disk.lock().crash();
    }

    fn take_up(&mut self) {
        if self.writing.is_some() || self.queue.is_empty() {
            return;
        }
        let size = self.random.between(1, self.group_max.min(self.queue.len()) as u64) as usize;
        let records: Vec<_> = self.queue.drain(..size).collect();
        let commit_at_ms = self.now_ms + self.random.between(0, self.commit_max_ms);
        if self.mutation == Some(Mutation::FanOutBeforeCommit) {
            self.write(&records);
            self.writing = Some(Group { records: Vec::new(), commit_at_ms });
        } else {
            self.writing = Some(Group { records, commit_at_ms });
        }
    }

    fn commit(&mut self, group: Group) {
        if self.fails {
            // Nobody knows whether this reached the disk.
            if self.random.per_mille(500) {
                let records: Vec<Record> = group.records.into_iter().map(|pending| pending.record).collect();
                drop(self.disk.append(&records));
                self.disk.lock().make_durable();
            }
            self.report(vec![Done::Failed(StoreError::WriteFailed(AS_SIMULATED.to_owned()))]);
            return;
        }
        self.write(&group.records);
        self.disk.lock().make_durable();
    }

    fn write(&mut self, group: &[PendingRecord]) {
        let pairs = group.iter().cloned().map(|pending| (pending.ticket, pending.record));
        let (tickets, records): (Vec<Ticket>, Vec<Record>) = pairs.unzip();
        let done = match self.disk.append(&records) {
            Ok(outcomes) => tickets.into_iter().zip(records).zip(outcomes).map(committed).collect(),
            Err(error) => {
                let (error, earlier) = (Arc::new(error), self.disk.find_duplicates(&records).unwrap_or_default());
                let reports = tickets.into_iter().zip(earlier.into_iter().chain(std::iter::repeat(None)));
                let report = |(ticket, earlier)| match earlier {
                    Some(outcome) => Done::Settled { ticket, outcome },
                    None => Done::NotStored { ticket, error: Arc::clone(&error) },
                };
                reports.map(report).collect()
            }
        };
        self.report(done);
    }

    fn report(&mut self, mut done: Vec<Done>) {
        if self.mutation == Some(Mutation::OutcomeIsLost) && self.random.per_mille(50) {
            done.pop();
        }
        let earliest_ms = self.reports.back().map_or(0, |(at_ms, _)| *at_ms);
        let at_ms = (self.now_ms + self.random.between(0, self.report_max_ms)).max(earliest_ms);
        self.reports.push_back((at_ms, done));
    }

    fn answer(&mut self, ticket: Ticket, question: Question) {
        if self.mutation == Some(Mutation::AnswerIsLost) && self.random.per_mille(50) {
            return;
        }
        let answer = if self.random.per_mille(self.unreadable_per_mille) {
            Err(if self.random.per_mille(500) {
                StoreError::TooSlow
            } else {
                StoreError::ReadFailed("as simulated".to_owned())
            })
        } else {
            let deadline = Instant::now() + AMPLE;
            match question {
                Question::Head(room) => self.disk.head(&room, deadline).map(Answer::Head),
                Question::Range(range) => self.disk.range(&range, deadline).map(Answer::Page),
                Question::Search(search) => self.disk.search(&search, deadline).map(Answer::Page),
            }
        };
        self.done.push(Done::Answered { ticket, answer });
    }
}

fn committed(((ticket, record), outcome): ((Ticket, Record), CommitOutcome)) -> Done {
    match outcome {
        CommitOutcome::Stored { seq } => Done::Committed(record.committed(ticket, seq)),
        outcome => Done::Settled { ticket, outcome },
    }
}

impl Archive for Counter {
    fn append(&mut self, records: Vec<PendingRecord>) {
        let mut clerk = self.0.borrow_mut();
        clerk.queue.extend(records);
        clerk.take_up();
    }

    fn is_full(&self) -> bool {
        let clerk = self.0.borrow();
        clerk.queue.len() >= clerk.queue_max
    }

    fn ask(&mut self, ticket: Ticket, _: Requester, question: Question) -> bool {
        let mut clerk = self.0.borrow_mut();
        if clerk.questions.len() >= clerk.questions_max {
            return false;
        }
        let earliest_ms = clerk.questions.back().map_or(0, |(at_ms, ..)| *at_ms);
        let answer_max_ms = clerk.answer_max_ms;
        let at_ms = (clerk.now_ms + clerk.random.between(0, answer_max_ms)).max(earliest_ms);
        clerk.questions.push_back((at_ms, ticket, question));
        true
    }

    fn take_done(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.0.borrow_mut().done)
    }

    fn gauges(&self) -> Option<Gauges> {
        None
    }

    fn close(self: Box<Self>, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }
}
