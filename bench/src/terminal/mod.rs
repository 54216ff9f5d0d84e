//! The terminal client under load, beside a naive one that draws anew for each message.

mod client;
mod figures;
mod load;
pub mod metronome;
pub mod naive;
mod pace;
mod page;
mod pty;
mod redraws;
mod sender;
mod start;
mod tally;
mod typing;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::arguments::RunOptions;
use crate::pinning::{self, GENERATOR_CORE};
use crate::stats::Spread;
use crate::systems::System;
use client::Client;
use figures::{Figures, Measure, Results, Row, Table};
use pace::Pace;
use tempfile::TempDir;

/// Amounts of work of a run.
pub struct Scale {
    pub rounds: usize,
    pub duration: Duration,
    pub starts: usize,
}

impl Scale {
    fn of(options: &RunOptions) -> Self {
        let (rounds, seconds, starts) = if options.quick { (2, 2, 5) } else { (5, 8, 20) };
        Self { rounds: options.rounds.unwrap_or(rounds), duration: Duration::from_secs(seconds), starts }
    }
}

/// Measures, and gives the page. Failed rounds are on it.
pub fn run(options: &RunOptions) -> Result<String> {
    pinning::pin_generator()?;
    let scale = Scale::of(options);
    let home = tempfile::tempdir()?;
    let mut results = Results::default();
    for round in 1..=scale.rounds {
        for pace in Pace::ALL {
            for client in Client::ALL {
                // What the metronome is for, it shows under the load that keeps the reader busy and no busier.
                if client == Client::Metronome && pace != Pace::Steady {
                    continue;
                }
                let title = format!("{}/{}", pace.name(), client.name());
                if is_wanted(options, &title) {
                    let figures = measure(options, client, pace, &scale, &home);
                    note(&mut results, (Table::Load(pace), Row::Client(client)), &title, round, figures);
                }
            }
        }
        for row in [Row::Client(Client::Glassline), Row::Client(Client::Naive), Row::BareHello] {
            let title = format!("start/{}", row.name());
            if is_wanted(options, &title) {
                let figures = measure_starts(options, row, &scale, &home);
                note(&mut results, (Table::Start, row), &title, round, figures);
            }
        }
    }
    let page = page::page(&results, &scale);
    // Printed before anything else can go wrong: a run is long.
    print!("{page}");
    ensure!(!results.has_failures(), "some rounds have failed; the tables tell which, and nothing is written");
    Ok(page)
}

/// Returns the explanation of the table row that is no client.
fn metronome_explained() -> &'static str {
    "The metronome is no client: it draws every 16 ms by the clock and never sooner, while the messages go by. What is read of it \
     closer than that is the reader's jitter on this machine, and bounds what the other rows can tell."
}

fn is_wanted(options: &RunOptions, title: &str) -> bool {
    options.only.is_empty() || options.only.iter().any(|word| title.contains(word.as_str()))
}

fn note(results: &mut Results, (table, row): (Table, Row), title: &str, round: usize, figures: Result<Figures>) {
    let figures = figures.map_err(|error| format!("{error:#}"));
    match &figures {
        Ok(figures) => eprintln!("{title}, round {round}: {}", figures.in_words()),
        Err(reason) => eprintln!("{title}, round {round} failed: {reason}"),
    }
    results.add(table, row, figures);
}

fn measure(options: &RunOptions, client: Client, pace: Pace, scale: &Scale, home: &TempDir) -> Result<Figures> {
    let server = System::Glassline.start_on(GENERATOR_CORE, &options.glassline)?;
    let mut terminal = client.start(&options.glassline, server.addr, home.path())?;
    start::wait_until_online(&terminal)?;
    if client == Client::Metronome {
        load::measure_jitter(&terminal, server.addr, pace, scale.duration)
    } else {
        load::measure(&mut terminal, server.addr, pace, scale.duration)
    }
}

fn measure_starts(options: &RunOptions, row: Row, scale: &Scale, home: &TempDir) -> Result<Figures> {
    let server = System::Glassline.start_on(GENERATOR_CORE, &options.glassline)?;
    let (mut prompt_ms, mut online_ms) = (Vec::new(), Vec::new());
    for _ in 0..scale.starts {
        match row {
            Row::Client(client) => {
                let started = start_once(client, &options.glassline, server.addr, home.path())?;
                prompt_ms.push(started.prompt_ms);
                online_ms.push(started.online_ms);
            }
            Row::BareHello => online_ms.push(start::bare_hello_ms(server.addr)?),
        }
    }
    let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median);
    let mut figures = Figures::default();
    figures.put(Measure::PromptMillis, median(&prompt_ms));
    figures.put(Measure::OnlineMillis, median(&online_ms));
    Ok(figures)
}

fn start_once(client: Client, glassline: &Path, addr: SocketAddr, home: &Path) -> Result<start::Started> {
    let terminal = client.start(glassline, addr, home)?;
    start::wait_until_online(&terminal)
}
