//! `cargo xtask bench`: servers side by side on one core, the load on another; with `terminal`, clients side by side; with
//! `history`, a server that keeps one beside the same without.

use crate::command::{self, Outcome, built, cargo, program};
use crate::tools::{self, Install, TASKSET};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    tools::ensure(&[TASKSET], Install::chosen(false))?;
    command::run(cargo(&["build", "--release", "--locked"]))?;
    command::run(cargo(&["build", "--release", "--locked", "-p", "glassline-bench"]))?;
    let (measured, arguments, page) = match arguments.split_first() {
        Some((word, rest)) if word == "terminal" => ("terminal", rest, "docs/benchmarks-terminal.md"),
        Some((word, rest)) if word == "history" => ("history", rest, "docs/benchmarks-history.md"),
        _ => ("run", arguments, "docs/benchmarks.md"),
    };
    let mut bench = program(&built("glassline-bench"), &[measured, "--server", &built("glassline")]);
    let is_whole = arguments.is_empty();
    bench.args(arguments);
    if is_whole {
        // Only a whole run is published.
        bench.args(["--out", page]);
    }
    command::run(bench)
}
