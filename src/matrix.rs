//! `glassline matrix`: attacks on security schemes, each beside honest messages.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};
use glassline_matrix::{Effort, Selection, Table, program, schemes};

use crate::note;

/// Run attacks on security schemes, each beside honest messages
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  glassline matrix --few                       the program's own schemes, in half a minute
  glassline matrix --scheme ./mine             a scheme of your own: a program, in any language
  glassline matrix --cell truncate/sealed      one cell, with its transcript

Each line is an observation: stopped, detected (a victim is told), succeeds, or why the attack does not apply. Everything \
runs in memory; no socket is opened. docs/threats.md explains the attacks, docs/schemes.md leads to a scheme of your own.")]
pub(crate) struct MatrixArguments {
    /// A program that is a scheme; only it is run
    #[arg(long, value_name = "PROGRAM", value_hint = ValueHint::ExecutablePath)]
    scheme: Option<PathBuf>,
    /// Cells to run, with their transcripts: `tamper/noise`; `tamper/` or `/noise` for a row or a
    /// column
    #[arg(long, value_name = "ATTACK/SCHEME")]
    cell: Option<Selection>,
    /// Number that decides keys, texts and the attacker's choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Try a few byte positions, not each
    #[arg(long)]
    few: bool,
    /// Write a page of HTML as well, in which a cell opens its transcript
    #[arg(long, value_name = "PAGE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
}

/// Runs the cells and prints each of them.
pub(crate) fn matrix(arguments: &MatrixArguments) -> anyhow::Result<()> {
    let chosen = match &arguments.scheme {
        Some(program) => vec![program::scheme(program)?],
        None => schemes::all(),
    };
    let effort = if arguments.few { Effort::Few } else { Effort::All };
    let selection = arguments.cell.clone().unwrap_or_default();
    print(&format!("seed {}", arguments.seed));
    let table = Table::run(&chosen, &selection, effort, arguments.seed, |cell| {
        print(&if arguments.cell.is_some() { cell.to_text() } else { cell.to_line() });
    });
    if table.cells().is_empty() {
        bail!("there is no such cell; without --cell all of them are run and named");
    }
    if let Some(page) = &arguments.html {
        fs::write(page, table.to_html()).with_context(|| format!("cannot write {}", page.display()))?;
        note(format_args!("{} is written; open it in a browser", page.display()));
    }
    match table.cells().iter().find_map(|cell| cell.result().as_ref().err()) {
        Some(defect) => bail!("{defect}"),
        None => Ok(()),
    }
}

/// Prints a line. A closed output ends nothing: the page is written all the same.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
