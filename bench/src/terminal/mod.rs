//! The terminal client under load, beside a naive one that redraws for each message.

mod client;
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

use std::time::Duration;

use anyhow::Result;
use glassline_testkit::Folder;
use strum::VariantArray as _;

use crate::arguments::RunOptions;
use crate::pinning::{self, GENERATOR_CORE};
use crate::report;
use crate::results::{Figures, Measure, Results, Row, Table};
use crate::stats::Spread;
use crate::systems::System;
use client::Client;
pub use client::{GLASSLINE_REDRAW_MARK, start_in_terminal};
use pace::Pace;
pub use pty::Terminal;
pub use typing::KEY_EVERY;

const START: Table = "start";
/// Connect, `hello`, `welcome`, and nothing else.
const BARE_HELLO: Row = "bare hello";

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
    let home = Folder::new();
    let mut results = Results::default();
    for round in 1..=scale.rounds {
        for &pace in Pace::VARIANTS {
            for &client in Client::VARIANTS {
                // What the metronome is for, it shows under the load that keeps the reader busy and no busier.
                if client == Client::Metronome && pace != Pace::Steady {
                    continue;
                }
                report::note(&mut results, options, (pace.into_str(), client.into_str()), round, || {
                    measure(options, client, pace, &scale, &home)
                });
            }
        }
        for client in [Some(Client::Glassline), Some(Client::Naive), None] {
            let row = client.map_or(BARE_HELLO, |client| client.into_str());
            report::note(&mut results, options, (START, row), round, || measure_starts(options, client, &scale, &home));
        }
    }
    report::printed(page::page(&results, &scale), &results)
}

fn measure(options: &RunOptions, client: Client, pace: Pace, scale: &Scale, home: &Folder) -> Result<Figures> {
    let server = System::Glassline.start_on(GENERATOR_CORE, &options.glassline)?;
    let mut terminal = client.start(&options.glassline, server.addr, home.path())?;
    start::wait_until_online(&terminal)?;
    if client == Client::Metronome {
        load::measure_jitter(&terminal, server.addr, pace, scale.duration)
    } else {
        load::measure(&mut terminal, server.addr, pace, scale.duration)
    }
}

/// Measures starts of a client, or the bare hello.
fn measure_starts(options: &RunOptions, client: Option<Client>, scale: &Scale, home: &Folder) -> Result<Figures> {
    let server = System::Glassline.start_on(GENERATOR_CORE, &options.glassline)?;
    let (mut prompt_ms, mut online_ms) = (Vec::new(), Vec::new());
    for _ in 0..scale.starts {
        if let Some(client) = client {
            let terminal = client.start(&options.glassline, server.addr, home.path())?;
            let started = start::wait_until_online(&terminal)?;
            prompt_ms.push(started.prompt_ms);
            online_ms.push(started.online_ms);
        } else {
            online_ms.push(start::bare_hello_ms(server.addr)?);
        }
    }
    let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median);
    let mut figures = Figures::default();
    figures.put(Measure::PromptMillis, median(&prompt_ms));
    figures.put(Measure::OnlineMillis, median(&online_ms));
    Ok(figures)
}
