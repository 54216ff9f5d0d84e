//! Runs the workloads in rounds, the systems in turn within each, so that a noisy minute hits all of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use crate::systems::System;
use crate::workloads::{Figures, Measure, Scale, Workload};

/// One cell of the tables before it is summed up.
#[derive(Default)]
pub struct Rounds {
    /// By round; a failed round holds its reason.
    pub figures: Vec<Result<Figures, String>>,
}

impl Rounds {
    /// The figure of every round; `None` for a round that failed.
    pub fn by_round(&self, wanted: Measure) -> Vec<Option<f64>> {
        self.figures
            .iter()
            .map(|figures| {
                let figures = figures.as_ref().ok()?;
                figures.iter().find(|(measure, _)| *measure == wanted).map(|(_, value)| *value)
            })
            .collect()
    }

    pub fn failure(&self) -> Option<&str> {
        self.figures.iter().find_map(|figures| figures.as_ref().err()).map(String::as_str)
    }
}

#[derive(Default)]
pub struct Results {
    cells: BTreeMap<(Workload, System), Rounds>,
}

impl Results {
    pub fn of(&self, workload: Workload, system: System) -> Option<&Rounds> {
        self.cells.get(&(workload, system))
    }

    pub fn workloads(&self) -> impl Iterator<Item = Workload> {
        Workload::ALL.into_iter().filter(|workload| self.cells.keys().any(|(ran, _)| ran == workload))
    }

    fn add(&mut self, workload: Workload, system: System, figures: Result<Figures, String>) {
        self.cells.entry((workload, system)).or_default().figures.push(figures);
    }
}

/// Runs everything whose `workload/system` holds one of the words of `only`; everything if there are none.
pub fn run(glassline: &Path, scale: &Scale, only: &[String]) -> Results {
    let mut results = Results::default();
    for workload in Workload::ALL {
        for round in 1..=workload.rounds(scale.rounds) {
            for &system in workload.systems() {
                let title = format!("{}/{}", workload.name(), system.name());
                if !only.is_empty() && !only.iter().any(|word| title.contains(word.as_str())) {
                    continue;
                }
                // What failed once would take its time limits again.
                if results.of(workload, system).is_some_and(|rounds| rounds.failure().is_some()) {
                    continue;
                }
                let started = Instant::now();
                let figures = match system.missing() {
                    Some(reason) => Err(reason),
                    None => workload.run(system, glassline, scale).map_err(|error| format!("{error:#}")),
                };
                let took_seconds = started.elapsed().as_secs_f64();
                eprintln!("{title}, round {round} ({took_seconds:.1} s): {}", in_words(&figures));
                results.add(workload, system, figures);
            }
        }
    }
    results
}

fn in_words(figures: &Result<Figures, String>) -> String {
    match figures {
        Ok(figures) => {
            let words: Vec<String> = figures
                .iter()
                .map(|(measure, value)| format!("{} {}", measure.title(), measure.show(*value)))
                .collect();
            words.join(", ")
        }
        Err(reason) => format!("failed: {reason}"),
    }
}
