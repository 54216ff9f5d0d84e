//! `glassline-simulation [--seeds N] [--first S] [--seed S]`: runs many seeds, or one with a trace.

use std::process::ExitCode;

use glassline_simulation::{Report, simulate};

const USAGE: &str = "usage: cargo xtask simulate [--seeds N] [--first S] | --seed S";
const SEEDS: u64 = 10_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut rest = arguments.iter();
    let (mut seeds, mut first, mut one) = (SEEDS, 0, None);
    while let Some(argument) = rest.next() {
        let number = rest.next().and_then(|value| value.parse::<u64>().ok());
        match (argument.as_str(), number) {
            ("--seeds", Some(number)) => seeds = number,
            ("--first", Some(number)) => first = number,
            ("--seed", Some(number)) => one = Some(number),
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    match one {
        Some(seed) => run_one(seed),
        None => run_many(first, seeds),
    }
}

fn run_one(seed: u64) -> ExitCode {
    match simulate(seed, None, true) {
        Ok(report) => {
            println!("{report:?}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run_many(first: u64, seeds: u64) -> ExitCode {
    let (mut sum, mut failed) = (Report::default(), 0_u64);
    for seed in first..first.saturating_add(seeds) {
        match simulate(seed, None, false) {
            Ok(report) => {
                sum.virtual_ms += report.virtual_ms;
                sum.stored += report.stored;
                sum.acknowledged += report.acknowledged;
                sum.gaps += report.gaps;
                sum.connections += report.connections;
                sum.crashes += report.crashes;
            }
            Err(failure) => {
                failed += 1;
                println!("{failure}");
            }
        }
    }
    println!(
        "{seeds} seeds from {first}, {failed} failed: {} s of virtual time, {} messages stored, {} acknowledged, {} connections, \
         {} crashes of the server, {} gaps told",
        sum.virtual_ms / 1_000,
        sum.stored,
        sum.acknowledged,
        sum.connections,
        sum.crashes,
        sum.gaps
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
