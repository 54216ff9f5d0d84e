//! Progress of a long operation on stderr, if that is a terminal.

use std::env;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::time::Duration;

use glassline_journal::{ProgressMonitor, Stage};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::interrupt::Interrupt;

/// Bar with the rate and the time left.
const STEPS: &str = "{msg} {wide_bar} {percent:>3} %  {eta} left";
const COUNTED: &str = "{msg} {wide_bar} {human_pos}/{human_len}  {rate}/s  {eta} left";
const BYTES: &str = "{msg} {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
/// The same for an unknown total.
const BYTES_SO_FAR: &str = "{msg} {spinner} {bytes}  {bytes_per_sec}  {elapsed}";
const SO_FAR: &str = "{msg} {spinner} {elapsed}";

/// Shows what an operation reports, and ends it at a signal.
pub(super) struct ProgressReport {
    bar: ProgressBar,
    interrupt: Interrupt,
    /// Bytes that an import reads, if they are known.
    input_bytes: Option<u64>,
}

impl ProgressReport {
    /// `is_shown` is false where the terminal is used for something else.
    pub(super) fn new(interrupt: Interrupt, input_bytes: Option<u64>, is_shown: bool) -> Self {
        let draws = is_shown && io::stderr().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb");
        let target = if draws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { bar: ProgressBar::with_draw_target(None, target), interrupt, input_bytes }
    }

    /// Clears the bar, so that text can follow.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Writes the rate without a fraction.
fn whole_rate(state: &ProgressState, output: &mut dyn Write) {
    let rate = Duration::from_secs_f64(state.per_sec().clamp(0.0, 1e15)).as_secs();
    let _ = write!(output, "{}", HumanCount(rate));
}

impl ProgressMonitor for ProgressReport {
    fn begin(&self, stage: Stage, total: Option<u64>) {
        let total = if stage == Stage::Importing { self.input_bytes } else { total };
        let (message, template) = match (stage, total) {
            (Stage::Exporting, _) => ("exporting", COUNTED),
            (Stage::Importing, Some(_)) => ("importing", BYTES),
            (Stage::Importing, None) => ("importing", BYTES_SO_FAR),
            (Stage::CheckingStructure, _) => ("checking the file's structure", STEPS),
            (Stage::CheckingMessages, _) => ("checking messages", COUNTED),
            (Stage::MergingIndex, _) => ("merging the search index", SO_FAR),
            (Stage::Vacuuming, _) => ("writing the file anew", STEPS),
        };
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar.set_style(style.with_key("rate", whole_rate));
        self.bar.set_message(message);
        self.bar.reset();
    }

    fn advance(&self, done: u64) {
        // What is only estimated may be less than what there is.
        self.bar.set_position(self.bar.length().map_or(done, |length| done.min(length)));
    }

    fn is_cancelled(&self) -> bool {
        self.interrupt.exit_code().is_some()
    }
}
