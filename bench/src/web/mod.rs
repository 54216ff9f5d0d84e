//! Members in WebSockets beside members over TCP: throughput, memory; and the page in a browser.

mod browser;
mod page;
pub mod websocket;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use strum::VariantArray as _;

use crate::arguments::RunOptions;
use crate::clients::Clients;
use crate::pinning;
use crate::process::resident_kib;
use crate::report;
use crate::results::{Figures, Measure, Results, Row};
use crate::systems::{Server, System};
use crate::workloads::{Scale, TEXT_BYTES, idle, windowed};
use browser::Opened;

/// A class that is as busy as the page's target for typing says, for an hour.
const HOUR_MEMBERS: usize = 30;
const HOUR_MESSAGES: u64 = 200 * 3_600;
/// Part of these after which a server holds as much as it ever does, and which a quick run is content
/// with.
const HOUR_PART: u64 = 10;
const WINDOW_MESSAGES: u64 = 256;
/// A server closes a member of whom it hears nothing for 75 s.
const KEEPALIVE: Duration = Duration::from_secs(20);
const TEXT: [u8; TEXT_BYTES] = [b'x'; TEXT_BYTES];

/// Carrier of a member's frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Carrier {
    Tcp,
    WebSocket,
}

impl Carrier {
    fn clients(self, server: &Server) -> Result<Clients> {
        let mut clients = Clients::new(System::GlasslineEvent, server)?;
        if self == Self::WebSocket {
            clients.use_websockets();
        }
        Ok(clients)
    }
}

/// Kind of load, each a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Workload {
    Fanout,
    FanoutSingly,
    Idle,
    Hour,
    Load,
    Typing,
}

impl Workload {
    /// The long ones are repeated less often.
    fn rounds(self, rounds: usize) -> usize {
        match self {
            Self::Idle | Self::Typing => rounds.min(3),
            Self::Hour => 1,
            Self::Fanout | Self::FanoutSingly | Self::Load => rounds,
        }
    }

    fn rows(self) -> Vec<Row> {
        match self {
            Self::Load => Opened::VARIANTS.iter().map(|opened| opened.into_str()).collect(),
            Self::Typing => vec![Opened::Glassline.into_str()],
            _ => Carrier::VARIANTS.iter().map(|carrier| carrier.into_str()).collect(),
        }
    }

    fn measure(self, row: Row, options: &RunOptions, scale: &Scale) -> Result<Figures> {
        let carrier = || Carrier::VARIANTS.iter().find(|carrier| carrier.into_str() == row).context("no such carrier");
        let glassline = &options.glassline;
        match self {
            Self::Fanout => fanout(&windowed::FANOUT, *carrier()?, glassline, scale),
            Self::FanoutSingly => fanout(&windowed::FANOUT_SINGLY, *carrier()?, glassline, scale),
            Self::Idle => idle(*carrier()?, glassline),
            Self::Hour => {
                hour(*carrier()?, glassline, if options.quick { HOUR_MESSAGES / HOUR_PART } else { HOUR_MESSAGES })
            }
            Self::Load => {
                let opened = Opened::VARIANTS.iter().find(|opened| opened.into_str() == row);
                browser::load(*opened.context("no such page")?, glassline)
            }
            Self::Typing => browser::typing(glassline, options.quick),
        }
    }

    fn needs_browser(self) -> bool {
        matches!(self, Self::Load | Self::Typing)
    }
}

/// Measures, and gives the page.
pub fn run(options: &RunOptions) -> Result<String> {
    let mut scale = if options.quick { Scale::quick() } else { Scale::full() };
    scale.rounds = options.rounds.unwrap_or(scale.rounds);
    let missing = browser::missing();
    let mut results = Results::default();
    // A browser has several processes, which need both cores; it comes before the generator is pinned.
    let (in_browser, others): (Vec<Workload>, Vec<Workload>) =
        Workload::VARIANTS.iter().partition(|workload| workload.needs_browser());
    if missing.is_none() {
        measure_all(&in_browser, &mut results, options, &scale);
    }
    pinning::pin_generator()?;
    measure_all(&others, &mut results, options, &scale);
    report::printed(page::page(&results, &scale, missing.as_deref()), &results)
}

fn measure_all(workloads: &[Workload], results: &mut Results, options: &RunOptions, scale: &Scale) {
    for &workload in workloads {
        for round in 1..=workload.rounds(scale.rounds) {
            for row in workload.rows() {
                let measure = || workload.measure(row, options, scale);
                report::note(results, options, (workload.into_str(), row), round, measure);
            }
        }
    }
}

fn fanout(load: &windowed::Windowed, carrier: Carrier, glassline: &Path, scale: &Scale) -> Result<Figures> {
    let server = System::GlasslineEvent.start(glassline)?;
    load.run(carrier.clients(&server)?, &server, scale)
}

fn idle(carrier: Carrier, glassline: &Path) -> Result<Figures> {
    let server = System::GlasslineEvent.start(glassline)?;
    Ok(idle::Cost::measure(carrier.clients(&server)?, &server)?.memory())
}

/// Memory that the messages of an hour leave behind, beyond what the first of them did.
fn hour(carrier: Carrier, glassline: &Path, messages: u64) -> Result<Figures> {
    let server = System::GlasslineEvent.start(glassline)?;
    let mut clients = carrier.clients(&server)?;
    let sender = clients.add_readers_and_sender(HOUR_MEMBERS, &TEXT)?;
    clients.settle()?;
    let mut kept_alive = Instant::now();
    let mut deliver = |messages: u64| -> Result<f64> {
        let mut left = messages;
        while left > 0 {
            if kept_alive.elapsed() > KEEPALIVE {
                clients.keep_alive()?;
                kept_alive = Instant::now();
            }
            let count = left.min(WINDOW_MESSAGES.saturating_sub(clients.in_flight()));
            if count > 0 {
                clients.send(sender, count, &TEXT)?;
                left -= count;
            }
            clients.pump(Duration::from_millis(100))?;
            clients.check_alive()?;
        }
        clients.finish()?;
        Ok(resident_kib(server.pid())? as f64 / 1_024.0)
    };
    let warm_up = messages / HOUR_PART;
    let warm_mib = deliver(warm_up)?;
    let end_mib = deliver(messages - warm_up)?;
    Ok(Figures::from([
        (Measure::FewMib, warm_mib),
        (Measure::ManyMib, end_mib),
        (Measure::GrowthMib, end_mib - warm_mib),
    ]))
}
