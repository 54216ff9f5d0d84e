//! Questions that wait, in two queues: one for what is looked up at once, one for searches, so that none of these holds up the others.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use glassline_wire::history::{Question, Ticket};

use super::fair_queue::{Bounds, FairQueue};
use super::lock::lock;
use super::{
    Requester, WAITING_QUESTIONS_MAX, WAITING_SEARCHES_MAX, WAITING_SEARCHES_OF_REQUESTER_MAX,
    WAITING_SEARCHES_OF_SUBNET_MAX,
};
use crate::store::SearchProgress;

/// Which thread answers a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Heads and pages by number: some steps down a tree.
    Lookups,
    /// Searches: up to seconds.
    Searches,
}

impl Lane {
    pub(super) fn of(question: &Question) -> Self {
        match question {
            Question::Head(_) | Question::Range(_) => Self::Lookups,
            Question::Search(_) => Self::Searches,
        }
    }

    /// Lookups that find no place are asked again by the caller, which bounds them for each connection; a search is refused.
    fn bounds(self) -> Bounds {
        match self {
            Self::Lookups => {
                Bounds { all: WAITING_QUESTIONS_MAX, subnet: WAITING_QUESTIONS_MAX, requester: WAITING_QUESTIONS_MAX }
            }
            Self::Searches => Bounds {
                all: WAITING_SEARCHES_MAX,
                subnet: WAITING_SEARCHES_OF_SUBNET_MAX,
                requester: WAITING_SEARCHES_OF_REQUESTER_MAX,
            },
        }
    }
}

/// A question that waits, and what its answer has taken so far.
pub(super) struct Asked {
    pub(super) ticket: Ticket,
    pub(super) requester: Requester,
    pub(super) question: Question,
    /// Since when it waits for its next turn.
    pub(super) at: Instant,
    /// Time spent waiting for earlier turns.
    pub(super) waited: Duration,
    /// Time spent reading.
    pub(super) read: Duration,
    pub(super) progress: SearchProgress,
}

/// The queue of a lane.
pub(super) struct Queue {
    waiting: Mutex<FairQueue<Asked>>,
    came: Condvar,
}

impl Queue {
    pub(super) fn new(lane: Lane) -> Self {
        Self { waiting: Mutex::new(FairQueue::new(lane.bounds())), came: Condvar::new() }
    }

    /// False: it is full.
    pub(super) fn push(&self, ticket: Ticket, requester: Requester, question: Question) -> bool {
        let asked = Asked {
            ticket,
            requester,
            question,
            at: Instant::now(),
            waited: Duration::ZERO,
            read: Duration::ZERO,
            progress: SearchProgress::default(),
        };
        let is_taken = lock(&self.waiting).push(requester, asked);
        if is_taken {
            self.came.notify_one();
        }
        is_taken
    }

    /// Puts a question back that needs another turn.
    pub(super) fn put_back(&self, asked: Asked) {
        lock(&self.waiting).put_back(asked.requester, asked);
    }

    /// Waits for a question; nothing once `is_over`.
    pub(super) fn pop(&self, is_over: impl Fn() -> bool) -> Option<Asked> {
        let came = self.came.wait_while(lock(&self.waiting), |waiting| waiting.len() == 0 && !is_over());
        let mut waiting = came.unwrap_or_else(PoisonError::into_inner);
        if is_over() { None } else { waiting.pop() }
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.waiting).len()
    }

    /// Whoever waits looks again. Taking the lock first makes sure that nobody is between looking and waiting.
    pub(super) fn rouse(&self) {
        drop(lock(&self.waiting));
        self.came.notify_all();
    }
}
