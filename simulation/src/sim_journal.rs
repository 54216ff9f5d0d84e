//! The real journal under virtual time: its steps run when they are due, and a crash may occur
//! before a commit, after it, or before its report.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use glassline_journal::{Journal, JournalBounds, QuestionClass, Stepper, StoreError};
use glassline_testkit::Rng;

use crate::disk::{ReadFault, SharedDisk};
use crate::mutation::Mutation;
use crate::plan::Plan;

/// The group that is taken up, if one is, and when its next step is due.
#[derive(Debug, Clone, Copy)]
enum Writing {
    Idle,
    /// Its commit is due.
    TakenUp {
        commit_at_ms: u64,
    },
    /// It is committed, and its report is due.
    Committed {
        report_at_ms: u64,
    },
}

/// A journal that is driven by the simulation's clock and draws.
pub(crate) struct SimJournal {
    stepper: Stepper,
    clock_ms: Arc<AtomicU64>,
    /// Something was reported since the server's last turn.
    is_wake_pending: Arc<AtomicBool>,
    disk: SharedDisk,
    rng: Rng,
    mutation: Option<Mutation>,
    writing: Writing,
    /// Lanes, and when the answer to the question that is taken up is due.
    reading: [(QuestionClass, Option<u64>); 2],
    plan: Plan,
    /// Nothing is committed before this.
    busy_until_ms: u64,
}

impl SimJournal {
    /// Opens a journal on the disk: the handle for the server, and what does its work.
    pub(crate) fn open(
        plan: &Plan,
        disk: SharedDisk,
        mutation: Option<Mutation>,
        rng: Rng,
        now_ms: u64,
    ) -> Result<(Journal, Self), StoreError> {
        let bounds = JournalBounds {
            group_records: plan.group_max,
            waiting_records: plan.queue_max,
            waiting_questions: plan.questions_max,
        };
        let (clock_ms, is_wake_pending) = (Arc::new(AtomicU64::new(now_ms)), Arc::new(AtomicBool::new(false)));
        let (base, shown_ms, wake_flag) = (Instant::now(), Arc::clone(&clock_ms), Arc::clone(&is_wake_pending));
        let clock = move || base + Duration::from_millis(shown_ms.load(Ordering::Relaxed));
        let wake = move || wake_flag.store(true, Ordering::Relaxed);
        let (journal, stepper) = Journal::stepped(Box::new(disk.clone()), bounds, clock, wake)?;
        let sim_journal = Self {
            stepper,
            clock_ms,
            is_wake_pending,
            disk,
            rng,
            mutation,
            writing: Writing::Idle,
            reading: [(QuestionClass::Lookup, None), (QuestionClass::Search, None)],
            plan: plan.clone(),
            busy_until_ms: 0,
        };
        Ok((journal, sim_journal))
    }

    /// Ends the faults.
    pub(crate) fn end_faults(&mut self) {
        let plan = &mut self.plan;
        (plan.unreadable, self.busy_until_ms) = (false, 0);
        (plan.commit_max_ms, plan.answer_max_ms) = (plan.commit_max_ms.min(5), plan.answer_max_ms.min(5));
    }

    /// Commits nothing before this.
    pub(crate) fn be_busy_until(&mut self, until_ms: u64) {
        self.busy_until_ms = until_ms;
    }

    /// Returns whether nothing is under way that was taken up.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.writing, Writing::Idle) && self.reading.iter().all(|(_, due_ms)| due_ms.is_none())
    }

    /// Returns whether the server was woken since its last turn.
    pub(crate) fn is_wake_pending(&self) -> bool {
        self.is_wake_pending.load(Ordering::Relaxed)
    }

    /// Notes that the server begins a turn.
    pub(crate) fn note_turn(&self) {
        self.is_wake_pending.store(false, Ordering::Relaxed);
    }

    /// Returns when the next step is due.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let write = match self.writing {
            Writing::Idle => None,
            Writing::TakenUp { commit_at_ms } => Some(commit_at_ms.max(self.busy_until_ms)),
            Writing::Committed { report_at_ms } => Some(report_at_ms),
        };
        self.reading.iter().map(|(_, due_ms)| *due_ms).chain([write]).flatten().min()
    }

    /// Takes up what waits, and does the steps that are due.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        self.clock_ms.store(now_ms, Ordering::Relaxed);
        while self.write_step(now_ms) {}
        for at in 0..self.reading.len() {
            while self.read_step(at, now_ms) {}
        }
    }

    /// Does the next step of a group, if it is due. Returns whether it was.
    fn write_step(&mut self, now_ms: u64) -> bool {
        match self.writing {
            Writing::Idle => {
                let records_max = self.rng.between(1, self.plan.group_max as u64) as usize;
                if !self.stepper.take_group(records_max) {
                    return false;
                }
                if self.mutation == Some(Mutation::FanOutBeforeCommit) {
                    self.stepper.commit();
                    self.stepper.report_commit();
                }
                self.writing = Writing::TakenUp { commit_at_ms: now_ms + self.rng.between(0, self.plan.commit_max_ms) };
            }
            Writing::TakenUp { commit_at_ms } if commit_at_ms.max(self.busy_until_ms) <= now_ms => {
                self.commit();
                self.writing =
                    Writing::Committed { report_at_ms: now_ms + self.rng.between(0, self.plan.report_max_ms) };
            }
            Writing::Committed { report_at_ms } if report_at_ms <= now_ms => {
                self.stepper.report_commit();
                self.stepper.maintain();
                self.writing = Writing::Idle;
            }
            Writing::TakenUp { .. } | Writing::Committed { .. } => return false,
        }
        true
    }

    fn commit(&mut self) {
        self.stepper.commit();
        self.disk.lock().make_durable();
    }

    /// Does the next step of the question of a lane, if it is due. Returns whether it was.
    fn read_step(&mut self, at: usize, now_ms: u64) -> bool {
        let (class, due_ms) = self.reading[at];
        match due_ms {
            None if self.stepper.take_question(class).is_some() => {
                self.reading[at].1 = Some(now_ms + self.rng.between(0, self.plan.answer_max_ms));
            }
            Some(due_ms) if due_ms <= now_ms => {
                self.reading[at].1 = None;
                if self.mutation == Some(Mutation::AnswerIsLost) && self.rng.per_mille(50) {
                    self.stepper.drop_question(class);
                } else {
                    let fails = self.rng.per_mille(if self.plan.unreadable { 100 } else { 0 });
                    self.disk.lock().read_fault =
                        fails.then(|| self.rng.pick(&[ReadFault::TooSlow, ReadFault::Unreadable]));
                    self.stepper.answer(class);
                }
            }
            None | Some(_) => return false,
        }
        true
    }

    /// The process crashes. The pending commit is on the disk whole or not at all.
    pub(crate) fn crash(mut self) {
        if matches!(self.writing, Writing::TakenUp { .. }) && self.rng.per_mille(500) {
            self.commit();
        }
        self.disk.lock().crash();
    }
}
