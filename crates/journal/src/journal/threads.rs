//! The threads of a journal: one commits, one looks up heads and pages, one searches.
//!
//! The one that commits takes everything that waits whenever it is free: a lone message waits for
//! its own commit only, and under load groups form by themselves while the commit before runs.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::core::questions::{ANSWER_TIME, QuestionClass};
use super::shared::{Next, Shared};
use super::worker::{Writer, answer};
use crate::store::{Reader, StoreError};

/// Wait for the readers at the end: as long as one answer takes at most, and a little.
const READERS_END_WAIT: Duration = ANSWER_TIME.saturating_add(Duration::from_millis(500));

const READERS: usize = QuestionClass::ALL.len();

pub(super) fn start(
    shared: &Arc<Shared>,
    writer: Writer,
    [lookups, searches]: [Box<dyn Reader>; READERS],
) -> Result<usize, StoreError> {
    spawn("journal-writer", shared, move |shared| write(shared, writer))?;
    spawn("journal-reader", shared, move |shared| read(shared, QuestionClass::Lookup, lookups))?;
    spawn("journal-search", shared, move |shared| read(shared, QuestionClass::Search, searches))?;
    Ok(READERS + 1)
}

fn spawn(name: &str, shared: &Arc<Shared>, work: impl FnOnce(&Shared) + Send + 'static) -> Result<(), StoreError> {
    let shared = Arc::clone(shared);
    let run = move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&shared))) {
            shared.fail(StoreError::Panicked(panic_text(panic.as_ref())));
        }
        shared.note_end();
    };
    let started = thread::Builder::new().name(name.to_string()).spawn(run);
    started.map(drop).map_err(|error| StoreError::WriteFailed(format!("the system gives no thread: {error}")))
}

fn write(shared: &Shared, mut writer: Writer) {
    if let Err(error) = write_until_the_end(shared, &mut writer) {
        shared.fail(error);
    }
    // While a reader is active, the log cannot be checkpointed completely.
    shared.wait_for_end(READERS, READERS_END_WAIT);
    // The store is dropped in here too: closing it is work.
    drop(writer);
}

fn write_until_the_end(shared: &Shared, writer: &mut Writer) -> Result<(), StoreError> {
    let mut patience = Duration::ZERO;
    loop {
        patience = match shared.next_group(patience) {
            Next::Commit(mut group) => {
                while !group.is_empty() {
                    shared.finish(writer.commit(&mut group)?);
                }
                writer.note_commit()?;
                writer.wait(true)
            }
            Next::Idle => {
                writer.maintain()?;
                writer.wait(false)
            }
            Next::End => return Ok(()),
        }
    }
}

fn read(shared: &Shared, class: QuestionClass, mut reader: Box<dyn Reader>) {
    while let Some(asked) = shared.next_question(class) {
        answer(shared, reader.as_mut(), asked);
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_string())
}
