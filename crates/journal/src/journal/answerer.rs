//! The threads that answer questions, each one after the other and each question in a bounded time: one looks up heads and pages, the
//! other searches. A search may take a thousand times as long as a page, and members who come in or come back wait for pages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use glassline_wire::history::{Answer, Question};

use super::Done;
use super::questions::{Asked, Lane};
use super::shared::{Shared, panic_text};
use crate::store::{Reader, StoreError};

/// Longest read for one question.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(2);

/// Time slice of a search: what the others, and a checkpoint, wait for it.
const SEARCH_SLICE: Duration = Duration::from_millis(20);

/// Longest total wait of a search for its turns: whoever asked is there, and rather hears that it
/// took too long.
const SEARCH_TURNS_WAIT: Duration = Duration::from_secs(5);

pub(super) fn run(shared: &Shared, lane: Lane, mut reader: Box<dyn Reader>) {
    let ended = catch_unwind(AssertUnwindSafe(move || {
        while let Some(mut asked) = shared.next_question(lane) {
            let Some(answer) = answer(reader.as_mut(), &mut asked, Instant::now()) else {
                asked.at = Instant::now();
                shared.put_back(lane, asked);
                continue;
            };
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

/// Does one turn's work; returns nothing if the question needs another turn. Heads and pages are read however long they waited: without
/// them a member stays outside, or misses what is stored.
fn answer(reader: &mut dyn Reader, asked: &mut Asked, now: Instant) -> Option<Result<Answer, StoreError>> {
    asked.waited += now.saturating_duration_since(asked.at);
    let left = if asked.waited > SEARCH_TURNS_WAIT { Duration::ZERO } else { ANSWER_TIME.saturating_sub(asked.read) };
    let answer = match &asked.question {
        Question::Head(room) => reader.head(room, now + ANSWER_TIME).map(Answer::Head),
        Question::Range(range) => reader.range(range, now + ANSWER_TIME).map(Answer::Page),
        Question::Search(search) => {
            let sliced = reader.search_slice(search, &mut asked.progress, now + SEARCH_SLICE, now + left);
            asked.read += now.elapsed();
            sliced.transpose()?.map(Answer::Page)
        }
    };
    Some(answer)
}

#[cfg(test)]
mod tests {
    use glassline_wire::history::{Head, Page};
    use glassline_wire::request::{HistoryRange, Search};

    use super::super::Requester;
    use super::*;
    use crate::store::SearchProgress;

    /// Has nothing stored; a search whose deadline is no later than this took too long.
    struct Empty(Instant);

    impl Reader for Empty {
        fn head(&mut self, _: &str, _: Instant) -> Result<Head, StoreError> {
            Ok(Head::default())
        }

        fn range(&mut self, _: &HistoryRange, _: Instant) -> Result<Page, StoreError> {
            Ok(Page::default())
        }

        fn search_slice(
            &mut self,
            _: &Search,
            _: &mut SearchProgress,
            _: Instant,
            deadline: Instant,
        ) -> Result<Option<Page>, StoreError> {
            if deadline <= self.0 { Err(StoreError::TooSlow) } else { Ok(Some(Page::default())) }
        }
    }

    #[test]
    fn only_a_search_is_refused_for_having_waited_long() {
        let at = Instant::now();
        let answered = |question: Question, waited: Duration| {
            let mut asked = Asked {
                ticket: 1,
                requester: Requester { subnet: 0, number: 0 },
                question,
                at,
                waited: Duration::ZERO,
                read: Duration::ZERO,
                progress: SearchProgress::default(),
            };
            answer(&mut Empty(at + waited), &mut asked, at + waited).expect("all at once")
        };
        let (just, long) = (SEARCH_TURNS_WAIT, SEARCH_TURNS_WAIT * 100);
        assert!(answered(Question::Head("lobby".into()), long).is_ok());
        assert!(
            answered(Question::Range(HistoryRange { room: "lobby".into(), ..HistoryRange::default() }), long).is_ok()
        );
        let search = || Search { room: "lobby".into(), query: "words".into(), before: None, limit: None };
        assert!(answered(Question::Search(search()), just).is_ok());
        assert!(matches!(answered(Question::Search(search()), long), Err(StoreError::TooSlow)));
    }
}
