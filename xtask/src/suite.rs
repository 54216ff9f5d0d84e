//! `cargo xtask test`: everything a change must pass, step by step.

use std::process::Command;
use std::time::Instant;

use crate::ahead::Ahead;
use crate::command::{self, Outcome, TESTED, built, built_as, cargo, processors, program};
use crate::tools::{
    self, BASH, CC, CHROMIUM, CLIPPY, CURL, CXX, FIREFOX, FISH, GNUTLS, IP, Install, MAN, OPENSSL, PEER_PACKAGES, PIP,
    PYTHON, RUSTFMT, SSLSCAN, TSHARK, Tool, UNSHARE, ZSH,
};
use crate::{dist, documents, fuzz, imports, programs, web, wording};

/// Long enough to replay the corpus and look around a little; `cargo xtask fuzz` is for looking
/// further.
const SHORT_FUZZ_S: u32 = 5;

/// Modules of the integration tests that use secure links, in whose place the layer is, or a tap, to
/// which the layer is opaque.
const ABOUT_OTHER_LAYERS: [&str; 6] = ["secure::", "tap::", "tap_page::", "tap_recordings::", "tap_web::", "trust::"];

/// One step, and the tools without which it cannot run.
struct Step {
    name: &'static str,
    about: &'static str,
    tools: &'static [Tool],
    /// Tools with which the step tests more.
    optional: &'static [Tool],
    /// It runs the release binary.
    needs_build: bool,
    run: fn() -> Outcome,
}

/// A step that needs no more than these tools.
const fn step(name: &'static str, about: &'static str, tools: &'static [Tool], run: fn() -> Outcome) -> Step {
    Step { name, about, tools, optional: &[], needs_build: false, run }
}

/// A step that runs the release binary.
const fn after_build(name: &'static str, about: &'static str, tools: &'static [Tool], run: fn() -> Outcome) -> Step {
    Step { needs_build: true, ..step(name, about, tools, run) }
}

/// A step that runs the tests, some of them with tools that need not be there.
const fn testing(name: &'static str, about: &'static str, run: fn() -> Outcome) -> Step {
    const OPTIONAL: &[Tool] = &[ZSH, FISH, MAN, TSHARK, CHROMIUM, OPENSSL, GNUTLS, SSLSCAN, PIP, PEER_PACKAGES];
    Step { optional: OPTIONAL, ..step(name, about, &[CC, BASH, PYTHON, UNSHARE, IP], run) }
}

const BUILD: Step = step("build", "the release binary", &[CC], programs::build);

const STEPS: [Step; 14] = [
    step("format", "the code's format", &[RUSTFMT], format),
    step("lints", "clippy, and the form of comments, test names and documents", &[CLIPPY, CC, CXX], lints),
    testing("tests", "unit and integration tests", cargo_test),
    testing("layer", "the integration tests and the independent peers over a layer, in place of plain TCP", layer_test),
    step("simulation", "two thousand seeds with faults", &[CC], programs::simulate_short),
    step("matrix", "attacks on every security scheme", &[CC, PYTHON], programs::matrix_short),
    step("manual", "the manual's pages", &[CC], programs::manual),
    BUILD,
    Step { optional: &[PIP, PEER_PACKAGES], ..after_build("peers", "independent peers", &[PYTHON], peers) },
    Step { optional: &[FIREFOX], ..after_build("web", "the page in browsers", web::TOOLS, web::test) },
    after_build("crashes", "kills under load", &[CC], programs::crash_short),
    Step {
        optional: &[TSHARK],
        ..after_build("documents", "the commands of README and docs", &[UNSHARE, IP, CURL, PYTHON], documents::run)
    },
    after_build("dist", "the packages", &[CC], dist::test),
    step("fuzz", "a short fuzz", &[CC, CXX], || fuzz::run(&[], SHORT_FUZZ_S)),
];

/// The end of a step.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Passed,
    /// With the reason.
    NotRun(String),
    Failed(String),
}

/// Runs every step, or those that are named; `--yes` installs what is missing without asking.
pub(crate) fn run(names: &[String], is_yes_given: bool) -> Outcome {
    let mut steps = Vec::new();
    for name in names {
        steps.push(
            STEPS
                .iter()
                .find(|step| step.name == name.as_str())
                .ok_or_else(|| format!("there is no step {name}; {}", usage()))?,
        );
    }
    let install = Install::chosen(is_yes_given);
    let mut ahead = None;
    if steps.is_empty() {
        steps.extend(STEPS.iter());
        let tools = steps.iter().flat_map(|step| step.tools.iter().chain(step.optional)).copied();
        ahead = Some(Ahead::start(tools.collect(), install));
    } else if steps.iter().any(|step| step.needs_build) {
        steps.retain(|step| step.name != BUILD.name);
        steps.insert(0, &BUILD);
    }
    let outcome = run_steps(&steps, install);
    drop(ahead);
    outcome
}

fn usage() -> String {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    format!("usage: cargo xtask test [--yes] [{}]...", names.join("|"))
}

/// Returns a line for each step: what it tests, and the tools it needs beside Rust.
pub(crate) fn help() -> String {
    let rows = STEPS.iter().map(|step| {
        let tools: Vec<&str> = step.tools.iter().map(Tool::name).collect();
        let needs = if tools.is_empty() { String::new() } else { format!(" (needs {})", tools.join(", ")) };
        format!("  {:<11} {}{needs}", step.name, step.about)
    });
    format!(
        "Runs every step in this order, or only those named; a failed step ends the run. Your chats, settings and\n\
         files are left alone.\n\n{}\n\n\
         A step whose tools are missing is reported as not run. `--yes` installs what is missing without asking, and so\n\
         does `CI=true`, where a step that did not run is a failure.",
        rows.collect::<Vec<_>>().join("\n")
    )
}

fn run_steps(steps: &[&Step], install: Install) -> Outcome {
    let mut rows = Vec::new();
    let mut failed = None;
    let mut not_run = false;
    for (index, step) in steps.iter().enumerate() {
        println!("\nstep {} of {}: {} ({})", index + 1, steps.len(), step.name, step.about);
        let started = Instant::now();
        let ended = run_step(step, install);
        let seconds = started.elapsed().as_secs();
        rows.push(match &ended {
            Ended::Passed => format!("passed   {:<11} {seconds} s", step.name),
            Ended::NotRun(reason) => {
                format!("NOT RUN  {:<11} {}", step.name, reason.replace('\n', "\n                     "))
            }
            Ended::Failed(_) => {
                format!("FAILED   {:<11} after {seconds} s; repeat it with: cargo xtask test {}", step.name, step.name)
            }
        });
        not_run |= matches!(ended, Ended::NotRun(_));
        if let Ended::Failed(error) = ended {
            rows.extend(steps[index + 1..].iter().map(|later| format!("not yet  {}", later.name)));
            failed = Some(error);
            break;
        }
    }
    println!("\n{}", rows.join("\n"));
    match failed {
        Some(error) => Err(format!("\n{error}")),
        // Everything can be installed there, so nothing may be left out.
        None if not_run && install == Install::Yes => Err("\nsome steps did not run; see above".to_string()),
        None if not_run => {
            println!("\nthe steps that ran passed; others did not run");
            Ok(())
        }
        None => {
            println!("\nall passed");
            Ok(())
        }
    }
}

fn run_step(step: &Step, install: Install) -> Ended {
    if let Err(missing) = tools::ensure(step.tools, install) {
        return Ended::NotRun(missing);
    }
    if let Err(missing) = tools::ensure(step.optional, install) {
        println!("without what is optional here:\n{missing}");
    }
    match (step.run)() {
        Ok(()) => Ended::Passed,
        Err(error) => Ended::Failed(error),
    }
}

fn format() -> Outcome {
    command::run(cargo("fmt --all --check"))
}

fn lints() -> Outcome {
    wording::check()?;
    imports::check()?;
    command::run(cargo("clippy --workspace --all-targets --features glassline/test-layer --locked -- -D warnings"))
}

fn cargo_test() -> Outcome {
    command::run(side_by_side(&format!("test {TESTED}")))
}

fn layer_test() -> Outcome {
    // Those two have integration tests of this name as well.
    let its = "--exclude glassline-journal --exclude glassline-tap --test it";
    let skipped = ABOUT_OTHER_LAYERS.map(|module| format!(" --skip {module}")).concat();
    let mut test = side_by_side(&format!("test {TESTED} {its} --{skipped}"));
    test.env("GLASSLINE_TEST_LAYER", "1");
    command::run(test)?;
    command::run(cargo(&format!("build {TESTED} --bin glassline --bin glassline-relay")))?;
    let [server, relay] = ["glassline", "glassline-relay"].map(|name| built_as("debug", name));
    command::run(program("python3", &["tests/peers/run.py", &server, "--relay", &relay]))
}

/// Runs tests with more threads than processors: most of them wait most of the time.
fn side_by_side(arguments: &str) -> Command {
    let threads = 2 * processors();
    let mut test = cargo(arguments);
    test.env("RUST_TEST_THREADS", threads.to_string());
    test
}

fn peers() -> Outcome {
    command::run(program("python3", &["tests/peers/run.py", &built("glassline")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_answered_with_those_there_are() {
        let error = run(&["dance".to_string()], false).expect_err("there is no such step");
        assert!(error.contains("there is no step dance") && error.contains("|peers|"), "{error}");
    }

    #[test]
    fn the_help_explains_each_step() {
        let help = help();
        for step in &STEPS {
            assert!(help.contains(&format!("  {:<11} {}", step.name, step.about)), "{help}");
        }
    }

    #[test]
    fn a_failed_step_is_an_error_and_ends_the_run() {
        const BAD: Step = step("bad", "fails", &[], || Err("on purpose".to_string()));
        const NEVER: Step = Step { run: || panic!("it is not reached"), ..BAD };
        assert_eq!(run_steps(&[&BAD, &NEVER], Install::No), Err("\non purpose".to_string()));
    }
}
