//! Tasks that build and run one program: benchmarks, kills, simulation, manual.

use std::process::Command;

use crate::command::{self, Outcome, TESTED, built, built_as, cargo, program, root};
use crate::tools::{self, BROWSER, Install, TASKSET};

/// Enough rounds to meet each kind of kill, in a few seconds.
const SHORT_ROUNDS: &str = "20";

/// Profile of the simulation: optimised, with everything asserted that debug builds assert.
const PROFILE: &str = "simulation";

const MANUAL_FOLDER: &str = "target/man";

/// The command that builds the release binary.
pub(crate) fn release_build() -> Command {
    cargo("build --release --locked")
}

/// Builds the release binary.
pub(crate) fn build() -> Outcome {
    command::run(release_build())
}

fn tool_build(tool: &str) -> Command {
    cargo(&format!("build --release --locked -p {tool}"))
}

/// Builds the release binary, and a tool that runs it.
fn build_with(tool: &str) -> Outcome {
    build()?;
    command::run(tool_build(tool))
}

/// The command that builds what kills the server.
pub(crate) fn crash_build() -> Command {
    tool_build("glassline-crash")
}

/// Measures servers side by side on one core, the load on another; with `terminal` clients, with `tap`
/// relays, with `history` a server that keeps one beside the same without, with `links` TLS beside
/// plaintext and beside the peers' TLS, and the cost of sealing, with `web` members in a
/// `WebSocket` beside those over TCP, and the page.
pub(crate) fn bench(arguments: &[String]) -> Outcome {
    tools::ensure(&[TASKSET], Install::chosen(false))?;
    build_with("glassline-bench")?;
    let (measured, arguments, page) = match arguments.split_first() {
        Some((word, rest)) if word == "terminal" => ("terminal", rest, "docs/benchmarks-terminal.md"),
        Some((word, rest)) if word == "tap" => ("tap", rest, "docs/benchmarks-tap.md"),
        Some((word, rest)) if word == "links" => ("links", rest, "docs/benchmarks-links.md"),
        Some((word, rest)) if word == "web" => ("web", rest, "docs/benchmarks-web.md"),
        Some((word, rest)) if word == "history" => ("history", rest, "docs/benchmarks-history.md"),
        _ => ("run", arguments, "docs/benchmarks.md"),
    };
    if measured == "web"
        && let Err(missing) = tools::ensure(BROWSER, Install::chosen(false))
    {
        eprintln!("{missing}\nwithout it the page is not measured");
    }
    if measured == "links" {
        command::run(cargo("build --release --locked -p glassline-secure --example seal_cost"))?;
    }
    let mut bench = program(&built("glassline-bench"), &[measured, "--server", &built("glassline")]);
    let is_whole = arguments.is_empty();
    bench.args(arguments);
    if is_whole {
        // Only a whole run is published.
        bench.args(["--out", page]);
    }
    command::run(bench)
}

/// Kills the server as often as `arguments` say.
pub(crate) fn crash(arguments: &[String]) -> Outcome {
    build_with("glassline-crash")?;
    let mut harness = program(&built("glassline-crash"), &["--server", &built("glassline")]);
    harness.args(arguments);
    command::run(harness)
}

/// A few rounds, as a part of what every change must pass.
pub(crate) fn crash_short() -> Outcome {
    crash(&["--rounds".to_owned(), SHORT_ROUNDS.to_owned()])
}

/// Runs as many seeds as `arguments` say, or one of them with a trace.
pub(crate) fn simulate(arguments: &[String]) -> Outcome {
    let mut simulate = cargo(&format!("run --quiet --locked --profile {PROFILE} -p glassline-simulation --"));
    simulate.args(arguments);
    command::run(simulate)
}

/// The command that builds the simulation with its tests.
pub(crate) fn simulation_build() -> Command {
    simulation_tests("--no-run")
}

fn simulation_tests(option: &str) -> Command {
    cargo(&format!("test --locked --profile {PROFILE} -p glassline-simulation {option}"))
}

/// Two thousand seeds, and the faults built in on purpose, as a part of what every change must pass.
pub(crate) fn simulate_short() -> Outcome {
    command::run(simulation_tests("--tests"))
}

/// Runs the attacks as `arguments` say, in the profile of the tests, which optimises what they spend
/// their time in: without any, all of them with every byte position, and the
/// documents are compared.
pub(crate) fn matrix(arguments: &[String]) -> Outcome {
    command::run(cargo(&format!("build {TESTED} --bin glassline-schemes")))?;
    let mut laboratory = program(&built_as("debug", "glassline-schemes"), &[]);
    laboratory.args(arguments);
    if arguments.is_empty() {
        laboratory.args(["--documents", "check"]);
    }
    command::run(laboratory)
}

/// Every cell with a few byte positions, compared with the documents.
pub(crate) fn matrix_short() -> Outcome {
    matrix(&["--few", "--documents", "check"].map(str::to_owned))
}

/// Writes the manual's pages.
pub(crate) fn manual() -> Outcome {
    command::run(cargo(&format!("build {TESTED} --bin glassline")))?;
    command::run(program(&built_as("debug", "glassline"), &["man", MANUAL_FOLDER]))?;
    println!(
        "the manual is in {}; read it with: man -l {MANUAL_FOLDER}/glassline-join.1",
        root().join(MANUAL_FOLDER).display()
    );
    Ok(())
}
