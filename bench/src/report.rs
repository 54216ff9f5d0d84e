//! The measurements as markdown pages.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use strum::VariantArray as _;

use crate::arguments::RunOptions;
use crate::process;
use crate::ratios;
use crate::results::{Figures, Measure, Results, Row, Table, in_words};
use crate::stats::Spread;
use crate::systems::System;
use crate::workloads::Workload;

// Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.

/// Words between the head of a page and its tables.
pub const HOW_TO_READ: &str = "\nA figure is the median of its rounds, with the smallest and the largest in brackets. \
                               Machines are noisy: only ratios taken in one run count. A server that is not busy was \
                               not the bottleneck.\n";

/// Starts a page.
pub fn head(title: &str, command: &str) -> String {
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    format!("# {title}\n\nWritten by `{command}` on {date}.\n\n- machine: {}\n", process::machine())
}

/// Measures a row of a table if it is wanted. Returns false if that failed.
pub fn note(
    results: &mut Results,
    options: &RunOptions,
    (table, row): (Table, Row),
    round: usize,
    measure: impl FnOnce() -> Result<Figures>,
) -> bool {
    let title = format!("{table}/{row}");
    if !options.wants(&title) {
        return true;
    }
    let figures = measure().map_err(|error| format!("{error:#}"));
    eprintln!("{title}, round {round}: {}", in_words(&figures));
    let is_measured = figures.is_ok();
    results.add(table, row, figures);
    is_measured
}

/// Appends a table, unless it has no row; `corner` is the title of its first column.
pub fn put_table(page: &mut String, results: &Results, corner: &str, table: Table, explanation: &str, of: &[Measure]) {
    let mut rows = results.rows(table).peekable();
    if rows.peek().is_none() {
        return;
    }
    let titles: String = of.iter().map(|measure| format!(" {} |", measure.title())).collect();
    let _ = writeln!(page, "\n## {table}\n\n{explanation}\n\n{corner}{titles} remarks |");
    let _ = writeln!(page, "|{}", " --- |".repeat(of.len() + 2));
    for row in rows {
        let cells: String = of.iter().map(|measure| format!(" {} |", cell(results, table, row, *measure))).collect();
        let _ = writeln!(page, "| {row} |{cells} {} |", remark(results.rounds(table, row)));
    }
}

fn cell(results: &Results, table: Table, row: &'static str, measure: Measure) -> String {
    let rounds = results.by_round(table, row, measure).into_iter().flatten().count();
    match results.spread(table, row, measure) {
        Some(Spread { median, min, max }) if rounds > 1 => {
            format!("{} ({}–{})", measure.show(median), measure.show(min), measure.show(max))
        }
        Some(spread) => measure.show(spread.median),
        None => "–".to_owned(),
    }
}

fn remark(rounds: &[Result<Figures, String>]) -> String {
    let failures: Vec<&String> = rounds.iter().filter_map(|figures| figures.as_ref().err()).collect();
    match failures[..] {
        [] => String::new(),
        [reason, ..] if reason.starts_with("not installed") => reason.clone(),
        [reason, ..] => {
            let reason = reason.replace('|', "/").replace('\n', " ");
            format!("failed in {} rounds: {reason}", failures.len())
        }
    }
}

/// Prints a page before anything else can go wrong (a run is long), and returns it if no round failed.
pub fn printed(page: String, results: &Results) -> Result<String> {
    print!("{page}");
    ensure!(!results.has_failures(), "some rounds have failed; the tables tell which, and nothing is written");
    Ok(page)
}

/// Returns the page of the workloads.
pub fn page(results: &Results) -> String {
    let mut page = head("Benchmarks", "glassline-bench run");
    page.push_str(
        "- server on core 0, generator on core 1, loopback; systems one at a time, in turn\n\
         - glassline keeps no history here (`--history none`); what one costs: [benchmarks-history.md](benchmarks-history.md)\n",
    );
    for system in System::VARIANTS.iter().filter(|system| system.peer_program().is_some()) {
        let version = system.version().or_else(|| system.missing()).unwrap_or_else(|| "unknown version".into());
        let _ = writeln!(page, "- {}: {version}", system.into_str());
    }
    page.push_str(HOW_TO_READ);
    for &workload in Workload::VARIANTS {
        let table = workload.into_str();
        put_table(&mut page, results, "| system |", table, &workload.explanation(), &results.measures(table));
    }
    ratios::put(&mut page, results);
    page
}
