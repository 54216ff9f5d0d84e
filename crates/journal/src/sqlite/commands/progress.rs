//! Progress of a long operation, and the request to end it.

use std::sync::Arc;

use rusqlite::Connection;

/// Part of a long operation whose progress is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Messages and acts are written to the output; counted in rows.
    Exporting,
    /// Lines are read and stored; counted in bytes of input.
    Importing,
    /// The structure of the file is verified; counted in steps of `SQLite`.
    CheckingStructure,
    /// Messages are verified; counted in messages.
    CheckingMessages,
    /// The segments of the search index are merged; counted in steps of `SQLite`.
    MergingIndex,
    /// The file is written again without its free pages; counted in steps of `SQLite`.
    Vacuuming,
}

/// Receiver of progress. Called from within the steps of `SQLite`: an implementation must not block.
pub trait ProgressMonitor: Send + Sync {
    /// A stage begins. `total` is the number of units to come; an estimate where they are steps.
    fn begin(&self, stage: Stage, total: Option<u64>);

    /// Units of the stage that are done.
    fn advance(&self, done: u64);

    /// Returns whether the operation is to end. Read in bounded steps.
    fn is_cancelled(&self) -> bool;
}

/// Monitor of an operation that nobody watches or ends.
struct Unmonitored;

/// Returns a monitor that does nothing.
pub(crate) fn unmonitored() -> Arc<dyn ProgressMonitor> {
    Arc::new(Unmonitored)
}

impl ProgressMonitor for Unmonitored {
    fn begin(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Steps of `SQLite`'s machine between two calls of its progress handler: about a millisecond.
const STEPS_PER_CALL: i32 = 10_000;

/// Has `db` report its steps, and end a statement once the operation is cancelled or `is_to_end`
/// returns true. The statement then fails with `SQLITE_INTERRUPT`.
pub(super) fn report_steps(
    db: &mut Connection,
    monitor: &Arc<dyn ProgressMonitor>,
    mut is_to_end: impl FnMut() -> bool + Send + 'static,
) -> Result<(), rusqlite::Error> {
    let monitor = Arc::clone(monitor);
    let mut steps = 0;
    db.progress_handler(
        STEPS_PER_CALL,
        Some(move || {
            steps += u64::from(STEPS_PER_CALL.unsigned_abs());
            monitor.advance(steps);
            monitor.is_cancelled() || is_to_end()
        }),
    )
}

/// Has a statement of `db` end once the operation is cancelled, as [`report_steps`] does, and reports nothing.
pub(super) fn interrupt_on_cancel(
    db: &mut Connection,
    monitor: &Arc<dyn ProgressMonitor>,
) -> Result<(), rusqlite::Error> {
    let monitor = Arc::clone(monitor);
    db.progress_handler(STEPS_PER_CALL, Some(move || monitor.is_cancelled()))
}

/// Ends what [`report_steps`] began.
pub(super) fn stop_reporting(db: &mut Connection) -> Result<(), rusqlite::Error> {
    db.progress_handler(0, None::<fn() -> bool>)
}
