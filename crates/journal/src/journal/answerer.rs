//! The thread that answers questions, one after the other, each in a bounded time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::shared::{Shared, panic_text};
use super::{Answer, Done, Question};
use crate::store::{Reader, StoreError};

/// How long one question may take.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// How long a question may wait for its turn: whoever asked has given up by then.
const TURN_WAIT: Duration = Duration::from_secs(5);

pub(super) fn run(shared: &Shared, mut reader: Box<dyn Reader>) {
    let ended = catch_unwind(AssertUnwindSafe(move || {
        while let Some(asked) = shared.next_question() {
            let answer = if asked.at.elapsed() > TURN_WAIT {
                Err(StoreError::TooSlow)
            } else {
                answer(reader.as_mut(), &asked.question)
            };
            shared.counters.answered.fetch_add(1, Ordering::Relaxed);
            shared.report(std::iter::once(Done::Answered { ticket: asked.ticket, answer }));
        }
    }));
    if let Err(panic) = ended {
        shared.fail(StoreError::Panicked(panic_text(panic.as_ref())));
    }
    shared.note_end();
}

fn answer(reader: &mut dyn Reader, question: &Question) -> Result<Answer, StoreError> {
    let deadline = Instant::now() + ANSWER_TIME;
    match question {
        Question::Head(room) => reader.head(room, deadline).map(Answer::Head),
        Question::Range(range) => reader.range(range, deadline).map(Answer::Page),
        Question::Search(search) => reader.search(search, deadline).map(Answer::Page),
    }
}
