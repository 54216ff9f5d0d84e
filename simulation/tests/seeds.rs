//! Many seeds keep the promise, each fault built in on purpose is noticed, and a seed is the same run every time.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on should say where")]

use glassline_simulation::{Failure, Mutation, simulate};
use strum::VariantArray as _;

/// Seeds of every test run, on each of two threads.
const SEEDS_PER_THREAD: u64 = 1_000;
/// Seeds within which a fault built in must show.
const SEEDS_TO_NOTICE: u64 = 100;

fn failures(seeds: std::ops::Range<u64>) -> Vec<String> {
    seeds.filter_map(|seed| simulate(seed, None, false).err()).map(|failure| failure.to_string()).collect()
}

#[test]
fn every_seed_keeps_the_promise() {
    let seeds = std::env::var("GLASSLINE_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    let half = seeds.map_or(SEEDS_PER_THREAD, |seeds: u64| seeds / 2);
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(move || failures(0..half));
        let other = scope.spawn(move || failures(half..2 * half));
        (one.join().expect("runs"), other.join().expect("runs"))
    });
    let failed: Vec<String> = one.into_iter().chain(other).collect();
    assert!(failed.is_empty(), "{} of {} seeds failed:\n{}", failed.len(), 2 * half, failed.join("\n"));
}

/// Returns the failure by which a fault is noticed, at the first seed that shows it.
fn noticed(mutation: Mutation) -> Failure {
    (0..SEEDS_TO_NOTICE)
        .find_map(|seed| simulate(seed, Some(mutation), false).err())
        .unwrap_or_else(|| panic!("{mutation:?} goes unnoticed in {SEEDS_TO_NOTICE} seeds"))
}

#[test]
fn every_fault_built_in_on_purpose_is_noticed() {
    for &mutation in Mutation::VARIANTS {
        println!("{mutation:?}: {}", noticed(mutation));
    }
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in 0..10 {
        assert_eq!(simulate(seed, None, false), simulate(seed, None, false));
    }
}
