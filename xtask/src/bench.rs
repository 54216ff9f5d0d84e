//! `cargo xtask bench`: servers side by side on one core, the load on another.

use crate::command::{self, Outcome, cargo, program};
use crate::tools::TASKSET;

pub(crate) fn run(arguments: &[String]) -> Outcome {
    TASKSET.ensure()?;
    command::run(cargo(&["build", "--release", "--locked"]))?;
    command::run(cargo(&["build", "--release", "--locked", "-p", "glassline-bench"]))?;
    let mut bench = program("target/release/glassline-bench", &["run", "--server", "target/release/glassline"]);
    let is_whole = arguments.is_empty();
    bench.args(arguments);
    if is_whole {
        // Only a whole run is published.
        bench.args(["--out", "docs/benchmarks.md"]);
    }
    command::run(bench)
}
