//! The project's chores. `cargo xtask` lists them.

mod bench;
mod command;
mod crash;
mod dist;
mod documents;
mod fuzz;
mod manual;
mod simulate;
mod suite;
mod tools;
mod wording;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask CHORE

  test [--yes] [STEP]...  everything a change must pass, or only the steps named; `--yes` installs what is missing
                          without asking
  dist                    builds the packages in target/dist: a tarball and a .deb, and what else this machine can
  bench [ARGUMENTS]       measures servers side by side and writes docs/benchmarks.md; `--quick` for a first look
  bench terminal [ARGUMENTS]
                          the same of the terminal client beside a naive one, in docs/benchmarks-terminal.md
  bench history [ARGUMENTS]
                          the same of a server that keeps a history beside one that keeps none, in docs/benchmarks-history.md
  crash [--rounds N] [--seed S] [ARGUMENTS]
                          kills the server N times (100) under load and checks that nothing said is lost; S (1) decides when
  fuzz [--seconds N] [TARGET]
                          runs each libFuzzer target for N seconds (60), on the stable toolchain
  simulate [--seeds N] [--first S] [--seed S]
                          runs N seeds (10000) of clients, network, server and journal with faults; --seed replays one with a trace
  man                     writes the manual's pages to target/man";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (chore, rest) = match arguments.split_first() {
        Some((chore, rest)) => (chore.as_str(), rest),
        None => ("", &[][..]),
    };
    let done = match chore {
        "test" => suite::run(rest),
        "dist" => dist::run(),
        "documents" => documents::run_here(),
        "bench" => bench::run(rest),
        "crash" => crash::run(rest),
        "fuzz" => fuzz::run(rest),
        "simulate" => simulate::run(rest),
        "man" => manual::run(),
        _ => Err(USAGE.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
