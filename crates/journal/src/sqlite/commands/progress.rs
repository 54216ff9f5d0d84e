//! Progress and cancellation of long operations.

use std::sync::Arc;

use rusqlite::Connection;

/// Part of a long operation with its own progress.
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

/// Receiver of progress. Called within steps of `SQLite`: an implementation must not block.
pub trait ProgressMonitor: Send + Sync {
    /// A stage begins. `total` is the number of units to come; an estimate where they are steps.
    fn begin(&self, stage: Stage, total: Option<u64>);

    /// Units of the stage that are done.
    fn advance(&self, done: u64);

    /// Returns whether to cancel. Called in bounded steps.
    fn is_cancelled(&self) -> bool;
}

/// For a caller that neither shows progress nor cancels.
impl ProgressMonitor for () {
    fn begin(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Steps of `SQLite`'s machine between two calls of its progress handler: about a millisecond.
const STEPS_PER_CALL: i32 = 10_000;

/// Has `db` report its steps, and interrupt a statement, which then fails with `SQLITE_INTERRUPT`,
/// once the operation is cancelled or `is_to_end` returns true.
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

/// Has `db` interrupt a statement once the operation is cancelled.
pub(super) fn interrupt_on_cancel(
    db: &mut Connection,
    monitor: &Arc<dyn ProgressMonitor>,
) -> Result<(), rusqlite::Error> {
    let monitor = Arc::clone(monitor);
    db.progress_handler(STEPS_PER_CALL, Some(move || monitor.is_cancelled()))
}

pub(super) fn stop_reporting(db: &mut Connection) -> Result<(), rusqlite::Error> {
    db.progress_handler(0, None::<fn() -> bool>)
}
