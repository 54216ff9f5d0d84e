//! The laboratory: runs the table of attacks over the program's own schemes, a sound example and
//! broken ones, and over schemes from which a protection was removed. It is no part of a release.

mod broken;
mod documents;
mod fresh;
mod primitives;
mod records;
mod reference;
mod sabotage;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use glassline_matrix::{Adversary, Effort, Scheme, Selection, Table, program, schemes};

use crate::broken::BROKEN;
use crate::reference::{Part, Reference};
use crate::sabotage::Sabotage;

/// Run attacks on security schemes, each beside honest messages, and print what was observed
#[derive(Debug, Parser)]
#[command(name = "cargo xtask matrix", bin_name = "cargo xtask matrix")]
struct Arguments {
    /// Try a few byte positions, not each
    #[arg(long)]
    few: bool,
    /// Cells to run, and their transcripts, as `tamper/noise`; `tamper/` or `/noise` for a row or a
    /// column
    #[arg(long, value_name = "ATTACK/SCHEME")]
    cell: Option<Selection>,
    /// Number that decides keys, texts and the attacker's choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// A program that is a scheme, as docs/scheme-programs.md describes it; only it is run
    #[arg(long, value_name = "PROGRAM")]
    scheme: Option<PathBuf>,
    /// Run the sound example without this protection
    #[arg(long, value_name = "PART")]
    without: Option<Part>,
    /// Run one of the program's own schemes without this protection
    #[arg(long, value_name = "PROTECTION")]
    sabotage: Option<Sabotage>,
    /// File for the table as a page, in which a cell opens its transcript
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Compare the outcomes with docs/threats.md and the README, or write them there
    #[arg(long, value_enum)]
    documents: Option<documents::Task>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let effort = if arguments.few { Effort::Few } else { Effort::All };
    let chosen = chosen_schemes(arguments)?;
    let selection = arguments.cell.clone().unwrap_or_default();
    println!("seed {}", arguments.seed);
    let table = Table::run(&chosen, &selection, effort, arguments.seed, |cell| {
        println!("{}", if arguments.cell.is_some() { cell.to_text() } else { cell.to_line() });
    });
    if table.cells().is_empty() {
        return Err("there is no such cell; an attack or scheme is named as in docs/threats.md".to_owned());
    }
    if let Some(file) = &arguments.html {
        std::fs::write(file, table.to_html()).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        println!("{} is written; open it in a browser", file.display());
    }
    if let Some(task) = arguments.documents {
        documents::run(task, &table)?;
    }
    match table.cells().iter().find_map(|cell| cell.result().as_ref().err().map(|defect| (cell, defect))) {
        Some((cell, defect)) => Err(format!("{}: {defect}", cell.replay())),
        None => Ok(()),
    }
}

fn chosen_schemes(arguments: &Arguments) -> Result<Vec<Scheme>, String> {
    let unsealed = || Arc::new(schemes::Unsealed);
    if let Some(program) = &arguments.scheme {
        return program::scheme(program).map(|scheme| vec![scheme]).map_err(|error| error.to_string());
    }
    if let Some(sabotage) = arguments.sabotage {
        return Ok(vec![sabotage.scheme()]);
    }
    if arguments.without.is_some() {
        return Ok(vec![Scheme::new("reference", Arc::new(Reference { without: arguments.without }), unsealed())]);
    }
    Ok(schemes::all().into_iter().chain(examples()).collect())
}

/// The sound example, and the broken ones. They protect the line only.
fn examples() -> Vec<Scheme> {
    let unsealed = Arc::new(schemes::Unsealed);
    let sound = Scheme::new("reference", Arc::new(Reference { without: None }), unsealed.clone());
    let broken = BROKEN.iter().map(|broken| Scheme::new(broken.name, (broken.make)(false), unsealed.clone()));
    [sound].into_iter().chain(broken).map(|scheme| scheme.only(Adversary::Line)).collect()
}
