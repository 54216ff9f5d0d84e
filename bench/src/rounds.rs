//! Runs the workloads in rounds, the systems in turn within each, so that a noisy minute hits all of them.

use std::time::Instant;

use strum::VariantArray as _;

use crate::arguments::RunOptions;
use crate::results::{Results, in_words};
use crate::workloads::{Scale, Workload};

/// Runs everything whose `workload/system` is wanted.
pub fn run(options: &RunOptions, scale: &Scale) -> Results {
    let mut results = Results::default();
    for &workload in Workload::VARIANTS {
        for round in 1..=workload.rounds(scale.rounds) {
            for &system in workload.systems() {
                let title = format!("{}/{}", workload.into_str(), system.into_str());
                // What failed once would take its time limits again.
                let has_failed = results.rounds(workload.into_str(), system.into_str()).iter().any(Result::is_err);
                if has_failed || !options.wants(&title) {
                    continue;
                }
                let started = Instant::now();
                let figures = match system.missing() {
                    Some(reason) => Err(reason),
                    None => workload
                        .run(system, &options.glassline, scale)
                        .map_err(|error| format!("not tried again after round {round}: {error:#}")),
                };
                let took_seconds = started.elapsed().as_secs_f64();
                eprintln!("{title}, round {round} ({took_seconds:.1} s): {}", in_words(&figures));
                results.add(workload.into_str(), system.into_str(), figures);
            }
        }
    }
    results
}
