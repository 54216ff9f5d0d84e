//! `cargo xtask test`: everything a change must pass.

use std::time::Instant;

use crate::command::{self, Outcome, cargo, program};
use crate::tools::{BASH, CLIPPY, CXX, FISH, MAN, PYTHON, RUSTFMT, ZSH};
use crate::{crash, fuzz, manual, readme, simulate};

/// Long enough to replay the corpus and look around a little; `cargo xtask fuzz` is for looking further.
const SHORT_FUZZ_S: u32 = 5;

type Step = (&'static str, fn() -> Outcome);

pub(crate) fn run() -> Outcome {
    let steps: [Step; 10] = [
        ("format", format),
        ("lints", lints),
        ("cargo test", cargo_test),
        ("simulation", simulate::test),
        ("manual", manual::run),
        ("release build", || command::run(cargo(&["build", "--release", "--locked"]))),
        ("peers", peers),
        ("crashes", crash::run_short),
        ("README", readme::run),
        ("short fuzz", || fuzz::run_all(SHORT_FUZZ_S)),
    ];
    let mut timings = Vec::new();
    for (name, step) in steps {
        let started = Instant::now();
        step()?;
        timings.push(format!("{name} {} s", started.elapsed().as_secs()));
    }
    println!("\nall passed: {}", timings.join(", "));
    Ok(())
}

fn format() -> Outcome {
    RUSTFMT.ensure()?;
    command::run(cargo(&["fmt", "--all", "--check"]))
}

fn lints() -> Outcome {
    CLIPPY.ensure()?;
    CXX.ensure()?;
    command::run(cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

fn cargo_test() -> Outcome {
    // Without these the completions for bash and the examples for scripts would go untested.
    for tool in [BASH, PYTHON] {
        tool.ensure()?;
    }
    // These look a second time at what other tests read as well; where they cannot be had, the tests say so.
    for tool in [ZSH, FISH, MAN] {
        if let Err(missing) = tool.ensure() {
            println!("NOT RUN: {missing}");
        }
    }
    command::run(cargo(&["test", "--locked"]))?;
    command::run(cargo(&["test", "--locked", "-p", "glassline-bench", "-p", "glassline-crash"]))
}

fn peers() -> Outcome {
    PYTHON.ensure()?;
    command::run(program("python3", &["tests/peers/run.py", "target/release/glassline"]))
}
