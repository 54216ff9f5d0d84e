//! `cargo xtask crash`: the server is killed again and again under load, and nothing may be lost.

use crate::command::{self, Outcome, built, cargo, program};

/// Enough to meet each kind of kill, in a few seconds.
const SHORT_ROUNDS: &str = "20";

/// Kills the server as often as `arguments` say.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    command::run(cargo(&["build", "--release", "--locked"]))?;
    command::run(cargo(&["build", "--release", "--locked", "-p", "glassline-crash"]))?;
    let mut harness = program(&built("glassline-crash"), &["run", "--server", &built("glassline")]);
    harness.args(arguments);
    command::run(harness)
}

/// A few rounds, as a part of what every change must pass.
pub(crate) fn run_short() -> Outcome {
    run(&["--rounds".to_owned(), SHORT_ROUNDS.to_owned()])
}
