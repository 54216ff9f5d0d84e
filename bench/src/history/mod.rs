//! Costs of a history, compared with the same server without one, and speed of reads in a large
//! one.

mod client;
mod corpus;
mod folder;
mod latency;
mod load;
mod metrics;
mod page;
mod questions;
mod stored;
mod storing;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::arguments::RunOptions;
use crate::clients::Clients;
use crate::pinning;
use crate::process::resident_kib;
use crate::report;
use crate::results::{Figures, Measure, Results, Row, Table, in_words};
use crate::systems::{Server, System};
use crate::workloads::{self, one_at_a_time, windowed};
use folder::{HistoryFolder, start};
use load::Dialect;
use stored::Stored;
use storing::Until;

const STORED_MESSAGES: u64 = 10_000_000;
/// Messages that the search index may lag before storing waits for it (docs/operating.md).
const INDEX_LAG_MAX: u64 = 1_000_000;
/// Rounds of the workloads that take long: few, because the histories grow by each.
const ENDLESS_ROUNDS: usize = 2;
const ASKED_ROUNDS: usize = 3;
const SETTLE: Duration = Duration::from_millis(500);

/// Amounts of work of a run.
pub struct Scale {
    pub rounds: usize,
    pub windowed: workloads::Scale,
    pub single_messages: usize,
    pub questions: usize,
    pub stored: u64,
    /// A smaller one, for what must not grow with it.
    pub stored_less: u64,
    /// So many in a row until the search index must keep pace; nothing where that is not waited for.
    pub behind: Option<u64>,
    /// Messages stored in addition where memory is measured.
    pub stored_more: u64,
}

impl Scale {
    fn of(options: &RunOptions) -> Self {
        let stored = options.stored.unwrap_or(STORED_MESSAGES);
        let (windowed, single_messages, questions, behind, stored_more) = if options.quick {
            (workloads::Scale::quick(), 100, 20, None, 200_000)
        } else {
            let windowed = workloads::Scale { measured: Duration::from_secs(4), ..workloads::Scale::full() };
            (windowed, 400, 100, Some(INDEX_LAG_MAX + 200_000), 1_000_000)
        };
        let rounds = options.rounds.unwrap_or(windowed.rounds);
        let stored_less = stored / 10;
        Self { rounds, windowed, single_messages, questions, stored, stored_less, behind, stored_more }
    }
}

/// Tables of the page.
pub mod tables {
    use super::Table;

    pub const FANOUT: Table = "fanout";
    pub const ALL_SENDING: Table = "all-sending";
    pub const STORING: Table = "storing";
    pub const ONE_AT_A_TIME: Table = "one-at-a-time";
    pub const MADE: Table = "stored: the large history";
    pub const ASKED: Table = "stored: asking";
    pub const ASKED_SMALL: Table = "stored: asking a tenth of it";
    pub const MEMORY: Table = "stored: memory";
}

/// Rows of the tables that compare.
pub mod rows {
    use super::Row;

    pub const TUTORIAL_NONE: Row = "tutorial, no history";
    pub const TUTORIAL_KEPT: Row = "tutorial, history";
    pub const EVENT_NONE: Row = "event, no history";
    pub const EVENT_KEPT: Row = "event, history";
    pub const NONE: Row = "no history";
    pub const EMPTY: Row = "history, empty at first";
    pub const SMALL: Row = "history, a tenth of that at first";
    pub const LARGE: Row = "history, large at first";
    pub const ENDLESS: Row = "history, the index at its bound";
    pub const KEPT: Row = "history";
    pub const SYNC: Row = "the disk alone: append 4 KiB, fdatasync";
}

/// Measures, and gives the page. Failed rounds are on it.
pub fn run(options: &RunOptions) -> Result<String> {
    pinning::pin_generator()?;
    folder::sweep()?;
    let scale = Scale::of(options);
    // Ids must be new in each run where a history is kept from run to run.
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    eprintln!("seed {seed}");
    let mut run = Run { glassline: &options.glassline, scale: &scale, seed, results: Results::default() };
    let large = if options.wants("stored") || options.wants("storing") {
        Some(run.ready(rows::LARGE, scale.stored)?)
    } else {
        None
    };
    let small = if options.wants("stored") { Some(run.ready(rows::SMALL, scale.stored_less)?) } else { None };
    for round in 1..=scale.rounds {
        eprintln!("round {round} of {}", scale.rounds);
        for (table, windowed) in [(tables::FANOUT, &windowed::FANOUT), (tables::ALL_SENDING, &windowed::ALL_SENDING)] {
            if options.wants(table) {
                run.deliver(table, windowed);
            }
        }
        if let Some(large) = large.as_ref().filter(|_| options.wants("storing")) {
            run.store(large);
            if round <= ENDLESS_ROUNDS {
                run.store_without_end();
            }
        }
        if options.wants("one-at-a-time") {
            run.send_singly();
        }
        if let (Some(small), Some(large)) =
            (&small, large.as_ref().filter(|_| options.wants("stored") && round <= ASKED_ROUNDS))
        {
            run.ask(small, large);
        }
    }
    report::printed(page::page(&run.results, &scale), &run.results)
}

/// A run on its way.
struct Run<'o> {
    glassline: &'o Path,
    scale: &'o Scale,
    seed: u64,
    results: Results,
}

impl Run<'_> {
    /// A copy, which may grow, of a history of so many messages.
    fn ready(&mut self, row: Row, messages: u64) -> Result<HistoryFolder> {
        let stored = Stored::ready(self.glassline, messages)?;
        self.note(tables::MADE, row, Ok(stored.made));
        HistoryFolder::copy_of(&stored.history, &format!("copy-{messages}"))
    }

    fn deliver(&mut self, table: Table, windowed: &windowed::Windowed) {
        for (dialect, none, kept) in [
            (Dialect::Tutorial, rows::TUTORIAL_NONE, rows::TUTORIAL_KEPT),
            (Dialect::Event, rows::EVENT_NONE, rows::EVENT_KEPT),
        ] {
            for (row, keeps) in [(none, false), (kept, true)] {
                let (scale, seed) = (self.scale, self.next_seed());
                self.measure(table, row, keeps, |server| {
                    let clients = Clients::of(dialect.peer(seed), System::Glassline.connects_at_once(), server)?;
                    let before = metrics::of(server, keeps)?;
                    let mut figures = windowed.run(clients, server, &scale.windowed)?;
                    let deliveries = figures.of(Measure::DeliveriesPerSecond);
                    figures.put(Measure::MessagesPerSecond, deliveries.map(|value| value / windowed.readers as f64));
                    metrics::put_commits(&mut figures, before, server)?;
                    Ok(figures)
                });
            }
        }
    }

    fn store(&mut self, large: &HistoryFolder) {
        let until = Until::Passed { warm_up: self.scale.windowed.warm_up, measured: self.scale.windowed.measured };
        for (row, keeps) in [(rows::NONE, false), (rows::EMPTY, true)] {
            let seed = self.next_seed();
            self.measure(tables::STORING, row, keeps, |server| storing::alone(server, keeps, seed, until));
        }
        let (glassline, seed) = (self.glassline, self.next_seed());
        let on_large = || {
            let server = start(glassline, Some(&large.history()))?;
            let figures = storing::alone(&server, true, seed, until)?;
            leave(server)?;
            Ok(figures)
        };
        self.note(tables::STORING, rows::LARGE, on_large());
    }

    fn store_without_end(&mut self) {
        let (Some(messages), seed) = (self.scale.behind, self.next_seed()) else { return };
        let until = Until::Behind { messages, measured: self.scale.windowed.measured };
        self.measure(tables::STORING, rows::ENDLESS, true, |server| storing::alone(server, true, seed, until));
    }

    fn send_singly(&mut self) {
        let (messages, seed) = (self.scale.single_messages, self.next_seed());
        for (row, keeps) in [(rows::NONE, false), (rows::KEPT, true)] {
            self.measure(tables::ONE_AT_A_TIME, row, keeps, |server| latency::run(server, keeps, messages, seed));
        }
        let sync = HistoryFolder::new("sync").and_then(|fresh| folder::append_and_sync(fresh.folder(), messages));
        self.note(tables::ONE_AT_A_TIME, rows::SYNC, sync.and_then(|millis| one_at_a_time::times(&millis)));
    }

    /// Asks a large history and a smaller one, then stores more in them; and looks what that does to memory, beside servers that start with nothing.
    fn ask(&mut self, small: &HistoryFolder, large: &HistoryFolder) {
        for (row, keeps) in [(rows::NONE, false), (rows::EMPTY, true)] {
            let (more, seed) = (self.scale.stored_more, self.next_seed());
            self.measure(tables::MEMORY, row, keeps, |server| {
                let mut figures = Figures::default();
                figures.put(Measure::FreshMib, resident_mib(server)?);
                grow(server, keeps, more, seed, &mut figures)?;
                Ok(figures)
            });
        }
        for (table, row, history) in [(tables::ASKED_SMALL, rows::SMALL, small), (tables::ASKED, rows::LARGE, large)] {
            let asked = self.ask_and_grow(table, history);
            self.note(tables::MEMORY, row, asked);
        }
    }

    fn ask_and_grow(&mut self, table: Table, history: &HistoryFolder) -> Result<Figures> {
        let (seed, started) = (self.next_seed(), std::time::Instant::now());
        let server = start(self.glassline, Some(&history.history()))?;
        let mut figures = Figures::default();
        figures.put(Measure::StartMillis, started.elapsed().as_secs_f64() * 1e3);
        figures.put(Measure::FreshMib, resident_mib(&server)?);
        for (question, answers) in questions::ask_all(server.addr, self.scale.questions, seed)? {
            self.note(table, question.into_str(), Ok(answers));
        }
        figures.put(Measure::ReadMib, resident_mib(&server)?);
        grow(&server, true, self.scale.stored_more, self.next_seed(), &mut figures)?;
        leave(server)?;
        Ok(figures)
    }

    /// Runs on a server of its own, whose history, if it keeps one, is new.
    fn measure(&mut self, table: Table, row: Row, keeps: bool, run: impl FnOnce(&Server) -> Result<Figures>) {
        let glassline = self.glassline;
        let measured = || {
            let fresh = HistoryFolder::new("new")?;
            let history = fresh.history();
            let server = start(glassline, keeps.then_some(history.as_path()))?;
            run(&server).map_err(|error| match server.last_line() {
                Some(words) => error.context(format!("the server's last line: {words}")),
                None => error,
            })
        };
        self.note(table, row, measured());
    }

    fn note(&mut self, table: Table, row: Row, figures: Result<Figures>) {
        let figures = figures.map_err(|error| format!("{error:#}"));
        eprintln!("{table}, {row}: {}", in_words(&figures));
        self.results.add(table, row, figures);
    }

    fn next_seed(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(1);
        self.seed
    }
}

/// Stores more, and looks at the memory when what wrote is gone.
fn grow(server: &Server, keeps: bool, more: u64, seed: u64, figures: &mut Figures) -> Result<()> {
    let stored = storing::alone(server, keeps, seed, Until::Stored(more))?;
    std::thread::sleep(SETTLE);
    figures.put(Measure::GrownMib, resident_mib(server)?);
    for measure in [Measure::MessagesPerSecond, Measure::IndexLag] {
        figures.put(measure, stored.of(measure));
    }
    Ok(())
}

/// Ends a server whose history the next round continues: unindexed messages would burden it.
fn leave(server: Server) -> Result<()> {
    metrics::wait_until_indexed(&server)?;
    server.end()
}

fn resident_mib(server: &Server) -> Result<f64> {
    Ok(resident_kib(server.pid())? as f64 / 1024.0)
}
