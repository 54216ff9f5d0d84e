//! Runs many seeds of the simulation, or one with a trace.

use std::process::ExitCode;

use clap::Parser;
use glassline_simulation::{Report, simulate};

/// Simulates clients, network, server and journal with faults, and checks that nothing is lost.
#[derive(Parser)]
struct Arguments {
    /// Number of seeds
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    seeds: u64,
    /// First seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    first: u64,
    /// Replay only this seed, with a trace
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => run_one(seed),
        None => run_many(arguments.first, arguments.seeds),
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
         {} crashes of the server, {} gaps announced",
        sum.virtual_ms / 1_000,
        sum.stored,
        sum.acknowledged,
        sum.connections,
        sum.crashes,
        sum.gaps
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
