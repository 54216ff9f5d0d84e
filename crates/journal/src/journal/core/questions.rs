//! Questions that wait, and the time that each may take.

use std::time::{Duration, Instant};

use glassline_wire::history::{Question, Ticket};

use super::bounds::{
    JournalBounds, WAITING_SEARCHES_MAX, WAITING_SEARCHES_OF_REQUESTER_MAX, WAITING_SEARCHES_OF_SUBNET_MAX,
};
use super::fair_queue::{Bounds, Requester};
use crate::store::SearchProgress;

pub(in crate::journal) const ANSWER_TIME: Duration = Duration::from_secs(2);

/// Time slice of a search: what the others, and a checkpoint, wait for it.
const SEARCH_SLICE: Duration = Duration::from_millis(20);

/// Longest total wait of a search for its turns: a waiting user prefers an error to a longer
/// wait.
const SEARCH_TURNS_WAIT: Duration = Duration::from_secs(5);

/// Class of a question: each has a queue and a reader. Searches may take a thousand times as long
/// as a page, and members that join or reconnect wait for pages, so neither waits for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionClass {
    /// Heads and pages by number: some steps down a tree.
    Lookup,
    /// Searches: up to seconds.
    Search,
}

impl QuestionClass {
    pub(in crate::journal) const ALL: [Self; 2] = [Self::Lookup, Self::Search];

    pub(in crate::journal) fn of(question: &Question) -> Self {
        match question {
            Question::Head(_) | Question::Range(_) => Self::Lookup,
            Question::Search(_) => Self::Search,
        }
    }

    /// Lookups that do not fit the queue are repeated by the caller, which bounds them for each
    /// connection; a search is refused.
    pub(in crate::journal) fn bounds(self, bounds: &JournalBounds) -> Bounds {
        let all = bounds.waiting_questions;
        match self {
            Self::Lookup => Bounds { all, subnet: all, requester: all },
            Self::Search => Bounds {
                all: WAITING_SEARCHES_MAX,
                subnet: WAITING_SEARCHES_OF_SUBNET_MAX,
                requester: WAITING_SEARCHES_OF_REQUESTER_MAX,
            },
        }
    }
}

/// A question that waits or is being answered, and what its answer has taken so far.
pub(in crate::journal) struct Asked {
    pub(in crate::journal) ticket: Ticket,
    pub(in crate::journal) requester: Requester,
    pub(in crate::journal) question: Question,
    pub(in crate::journal) progress: SearchProgress,
    /// Since when it waits for its next turn.
    at: Instant,
    /// Time spent waiting for earlier turns.
    waited: Duration,
    read: Duration,
}

/// Ends of one turn of a question.
#[derive(Debug, Clone, Copy)]
pub(in crate::journal) struct Turn {
    /// After this a search continues in another turn.
    pub(in crate::journal) slice_end: Instant,
    /// After this it has timed out.
    pub(in crate::journal) deadline: Instant,
}

impl Asked {
    pub(in crate::journal) fn new(ticket: Ticket, requester: Requester, question: Question, now: Instant) -> Self {
        let (waited, read) = (Duration::ZERO, Duration::ZERO);
        Self { ticket, requester, question, progress: SearchProgress::default(), at: now, waited, read }
    }

    /// Begins a turn. Heads and pages are read however long they waited: without them a member
    /// cannot log in, or misses stored messages.
    pub(in crate::journal) fn begin_turn(&mut self, now: Instant) -> Turn {
        self.waited += now.saturating_duration_since(self.at);
        let left = match QuestionClass::of(&self.question) {
            QuestionClass::Lookup => ANSWER_TIME,
            QuestionClass::Search if self.waited > SEARCH_TURNS_WAIT => Duration::ZERO,
            QuestionClass::Search => ANSWER_TIME.saturating_sub(self.read),
        };
        self.at = now;
        Turn { slice_end: now + SEARCH_SLICE, deadline: now + left }
    }

    /// Ends a turn; it waits for its next one from now on.
    pub(in crate::journal) fn end_turn(&mut self, now: Instant) {
        self.read += now.saturating_duration_since(self.at);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use glassline_wire::request::{HistoryRange, Search};

    use super::*;

    #[test]
    fn only_a_search_is_refused_for_having_waited_long() {
        let at = Instant::now();
        let may_read = |question: Question, waited: Duration| {
            let mut asked = Asked::new(1, Requester { subnet: 0, number: 0 }, question, at);
            asked.begin_turn(at + waited).deadline > at + waited
        };
        let (just, long) = (SEARCH_TURNS_WAIT, SEARCH_TURNS_WAIT * 100);
        assert!(may_read(Question::Head("lobby".into()), long));
        assert!(may_read(Question::Range(HistoryRange { room: "lobby".into(), ..HistoryRange::default() }), long));
        let search = || Search { room: "lobby".into(), query: "words".into(), before: None, limit: None };
        assert!(may_read(Question::Search(search()), just));
        assert!(!may_read(Question::Search(search()), long));
    }
}
