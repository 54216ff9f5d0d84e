//! The measurements as a markdown page.

use std::fmt::Write as _;

use crate::process;
use crate::ratios;
use crate::rounds::{Results, Rounds};
use crate::stats::Spread;
use crate::systems::System;
use crate::workloads::{Measure, Workload};

pub fn page(results: &Results) -> String {
    let mut page = String::from("# Benchmarks\n\n");
    head(&mut page);
    for workload in results.workloads() {
        let _ = write!(page, "\n## {}\n\n{}\n\n", workload.name(), workload.explanation());
        table(&mut page, results, workload);
    }
    page.push_str(
        "\n## Ratios\n\nEvery ratio is taken within this run: of the medians, and round by round (min–max).\n\n",
    );
    page.push_str("| what | of the medians | by round | target | reached |\n| --- | --- | --- | --- | --- |\n");
    for row in ratios::rows(results) {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            row.what, row.of_medians, row.by_round, row.target, row.reached
        );
    }
    page
}

// Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.
fn head(page: &mut String) {
    let _ = writeln!(page, "Written by `glassline-bench run` on {}.\n", date_utc());
    let _ = writeln!(page, "- machine: {}", process::machine());
    let _ = writeln!(page, "- server on core 0, generator on core 1, loopback; systems one at a time, in turn");
    let _ = writeln!(
        page,
        "- glassline keeps no history here (`--history none`); what one costs: [benchmarks-history.md](benchmarks-history.md)"
    );
    for system in System::ALL {
        if system.peer_program().is_some() {
            let version = system.version().or_else(|| system.missing()).unwrap_or_else(|| "unknown version".into());
            let _ = writeln!(page, "- {}: {version}", system.name());
        }
    }
    let _ = writeln!(
        page,
        "\nA figure is the median of its rounds, with the smallest and the largest in brackets. Machines are noisy: \
         only ratios taken in one run count. A server that is not busy was not the bottleneck."
    );
}

fn table(page: &mut String, results: &Results, workload: Workload) {
    let ran: Vec<(System, &Rounds)> =
        System::ALL.into_iter().filter_map(|system| Some((system, results.of(workload, system)?))).collect();
    let mut measures: Vec<Measure> = Vec::new();
    for figures in ran.iter().flat_map(|(_, rounds)| rounds.figures.iter().flatten()) {
        for (measure, _) in figures {
            if !measures.contains(measure) {
                measures.push(*measure);
            }
        }
    }
    let _ = write!(page, "| system |");
    for measure in &measures {
        let _ = write!(page, " {} |", measure.title());
    }
    let _ = writeln!(page, " remarks |");
    let _ = writeln!(page, "|{}", " --- |".repeat(measures.len() + 2));
    for (system, rounds) in ran {
        let _ = write!(page, "| {} |", system.name());
        for measure in &measures {
            let _ = write!(page, " {} |", cell(rounds, *measure));
        }
        let _ = writeln!(page, " {} |", remark(rounds));
    }
}

fn cell(rounds: &Rounds, measure: Measure) -> String {
    let values: Vec<f64> = rounds.by_round(measure).into_iter().flatten().collect();
    match Spread::of(&values) {
        Some(Spread { median, min, max }) if values.len() > 1 => {
            format!("{} ({}–{})", measure.show(median), measure.show(min), measure.show(max))
        }
        Some(spread) => measure.show(spread.median),
        None => "–".to_owned(),
    }
}

fn remark(rounds: &Rounds) -> String {
    match rounds.failure() {
        Some(reason) if reason.starts_with("not installed") => reason.to_owned(),
        Some(reason) => {
            let reason = reason.replace('|', "/").replace('\n', " ");
            format!("failed in round {}, not tried again: {reason}", rounds.figures.len())
        }
        None => String::new(),
    }
}

pub fn date_utc() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string()
}
