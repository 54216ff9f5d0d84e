//! The threads that answer questions, each one after the other and each question in a bounded time: one looks up heads and pages, the
//! other searches. A search may take a thousand times as long as a page, and members who come in or come back wait for pages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::questions::{Asked, Lane};
use super::shared::{Shared, panic_text};
use super::{Answer, Done, Question};
use crate::store::{Reader, StoreError};

/// How long one question may take.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(2);

/// How long a search may wait for its turn: whoever asked is there, and rather hears that it took too long.
const SEARCH_TURN_WAIT: Duration = Duration::from_secs(5);

pub(super) fn run(shared: &Shared, lane: Lane, mut reader: Box<dyn Reader>) {
    let ended = catch_unwind(AssertUnwindSafe(move || {
        while let Some(asked) = shared.next_question(lane) {
            let answer = answer(reader.as_mut(), &asked, Instant::now());
            shared.counters.answered.fetch_add(1, Ordering::Relaxed);
            let damage = reader.take_damage().map(Done::Damaged);
            let answered = Done::Answered { ticket: asked.ticket, answer };
            shared.report(damage.into_iter().chain(std::iter::once(answered)));
        }
    }));
    if let Err(panic) = ended {
        shared.fail(StoreError::Panicked(panic_text(panic.as_ref())));
    }
    shared.note_end();
}

/// Heads and pages are read however long they waited: without them a member stays outside, or misses what is stored.
fn answer(reader: &mut dyn Reader, asked: &Asked, now: Instant) -> Result<Answer, StoreError> {
    let deadline = now + ANSWER_TIME;
    match &asked.question {
        Question::Head(room) => reader.head(room, deadline).map(Answer::Head),
        Question::Range(range) => reader.range(range, deadline).map(Answer::Page),
        Question::Search(_) if now.duration_since(asked.at) > SEARCH_TURN_WAIT => Err(StoreError::TooSlow),
        Question::Search(search) => reader.search(search, deadline).map(Answer::Page),
    }
}

#[cfg(test)]
mod tests {
    use glassline_wire::request::{HistoryRange, Search};

    use super::*;
    use crate::store::{Head, Page};

    struct Empty;

    impl Reader for Empty {
        fn head(&mut self, _: &str, _: Instant) -> Result<Head, StoreError> {
            Ok(Head::default())
        }

        fn range(&mut self, _: &HistoryRange, _: Instant) -> Result<Page, StoreError> {
            Ok(Page::default())
        }

        fn search(&mut self, _: &Search, _: Instant) -> Result<Page, StoreError> {
            Ok(Page::default())
        }
    }

    #[test]
    fn only_a_search_is_refused_for_having_waited_long() {
        let at = Instant::now();
        let answered = |question: Question, waited: Duration| {
            let asked = Asked { ticket: 1, question, at };
            answer(&mut Empty, &asked, at + waited)
        };
        let (just, long) = (SEARCH_TURN_WAIT, SEARCH_TURN_WAIT * 100);
        assert!(answered(Question::Head("lobby".into()), long).is_ok());
        assert!(
            answered(Question::Range(HistoryRange { room: "lobby".into(), ..HistoryRange::default() }), long).is_ok()
        );
        let search = || Search { room: "lobby".into(), query: "words".into(), before: None, limit: None };
        assert!(answered(Question::Search(search()), just).is_ok());
        assert!(matches!(answered(Question::Search(search()), long), Err(StoreError::TooSlow)));
    }
}
