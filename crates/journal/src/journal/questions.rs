//! Questions that wait, in two queues: one for what is looked up at once, one for searches, so that none of these holds up the others.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::lock::lock;
use super::{Question, Ticket, WAITING_QUESTIONS_MAX};

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
}

/// A question and since when it waits.
pub(super) struct Asked {
    pub(super) ticket: Ticket,
    pub(super) question: Question,
    pub(super) at: Instant,
}

/// A queue of at most [`WAITING_QUESTIONS_MAX`].
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Asked>>,
    came: Condvar,
}

impl Queue {
    /// False: it is full.
    pub(super) fn push(&self, ticket: Ticket, question: Question) -> bool {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= WAITING_QUESTIONS_MAX {
            return false;
        }
        waiting.push_back(Asked { ticket, question, at: Instant::now() });
        drop(waiting);
        self.came.notify_one();
        true
    }

    /// Waits for a question; nothing once `is_over`.
    pub(super) fn pop(&self, is_over: impl Fn() -> bool) -> Option<Asked> {
        let came = self.came.wait_while(lock(&self.waiting), |waiting| waiting.is_empty() && !is_over());
        let mut waiting = came.unwrap_or_else(PoisonError::into_inner);
        if is_over() { None } else { waiting.pop_front() }
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
