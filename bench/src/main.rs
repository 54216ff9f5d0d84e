//! Measures Glassline against a bare floor, against the usual example, and against its peers.
#![forbid(unsafe_code)]

mod arguments;
mod broadcast;
mod certificate;
mod child;
mod clients;
mod floor;
mod history;
mod links;
mod markdown;
mod peers;
mod pinning;
mod process;
mod ratios;
mod report;
mod results;
mod rounds;
mod stats;
mod systems;
mod tap;
mod target;
mod terminal;
mod web;
mod workloads;

use std::path::Path;

use anyhow::{Context, Result};
use clap::Parser as _;

use crate::arguments::{Arguments, Command, RunOptions};
use crate::workloads::Scale;

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Floor { addr } => floor::serve(addr),
        Command::Broadcast { addr } => broadcast::serve(addr),
        Command::NaiveClient { addr } => terminal::naive::run(addr),
        Command::PlainRelay { addr, to } => tap::plain::serve(addr, to),
        Command::Metronome => terminal::metronome::run(),
        Command::History(options) => keep(&history::run(&options)?, options.out.as_deref()),
        Command::Links(options) => keep(&links::run(&options)?, options.out.as_deref()),
        Command::Run(options) => run(&options),
        Command::Tap(options) => keep(&tap::run(&options)?, options.out.as_deref()),
        Command::Terminal(options) => keep(&terminal::run(&options)?, options.out.as_deref()),
        Command::Web(options) => keep(&web::run(&options)?, options.out.as_deref()),
    }
}

fn run(options: &RunOptions) -> Result<()> {
    pinning::pin_generator()?;
    let mut scale = if options.quick { Scale::quick() } else { Scale::full() };
    scale.rounds = options.rounds.unwrap_or(scale.rounds);
    let results = rounds::run(options, &scale);
    let page = report::page(&results);
    // Printed before it is written: a run is long, and must not be lost to a path.
    print!("{page}");
    keep(&page, options.out.as_deref())
}

fn keep(page: &str, out: Option<&Path>) -> Result<()> {
    let Some(out) = out else { return Ok(()) };
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(out, markdown::wrapped(page)).with_context(|| format!("cannot write {}", out.display()))
}
