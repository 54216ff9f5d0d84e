//! The tap beside a plain relay and other programs that stand between a client and a server.

mod line;
mod page;
pub mod plain;
mod relays;
mod singly;
mod stream;
mod view;

use std::time::Duration;

use anyhow::{Result, ensure};
use strum::VariantArray as _;

use crate::arguments::RunOptions;
use crate::pinning;
use crate::report;
use crate::results::{Figures, Measure, Results};
use line::Server;
use relays::{Relay, Running};
use view::Load;

/// Amounts of work of a run.
pub struct Scale {
    pub rounds: usize,
    /// Frames of a stream.
    pub frames: u64,
    pub measured: Duration,
    /// Connections that have one frame under way each.
    pub connections: usize,
    pub single_frames: usize,
    /// Frames after which memory is looked at.
    pub memory_frames: (u64, u64),
    pub idle_connections: usize,
    /// Keys pressed in the live view.
    pub keys: usize,
}

impl Scale {
    fn of(options: &RunOptions) -> Self {
        let common = Self {
            rounds: options.rounds.unwrap_or(5),
            frames: 5_000_000,
            measured: Duration::from_secs(2),
            connections: 64,
            single_frames: 5_000,
            memory_frames: (1_000_000, 10_000_000),
            idle_connections: 9_000,
            keys: 100,
        };
        if !options.quick {
            return common;
        }
        let measured = Duration::from_millis(500);
        let rounds = options.rounds.unwrap_or(2);
        Self { rounds, frames: 1_000_000, measured, single_frames: 1_000, idle_connections: 1_000, keys: 30, ..common }
    }
}

/// Kind of load, and the figures that are taken under it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Workload {
    Stream,
    Singly,
    Latency,
    Memory,
    Connections,
}

impl Workload {
    fn relays(self) -> &'static [Relay] {
        match self {
            Self::Stream | Self::Singly => Relay::VARIANTS,
            Self::Latency => {
                &[Relay::Plain, Relay::Socat, Relay::Tap, Relay::TapLinear, Relay::TapRecord, Relay::Mitmdump]
            }
            Self::Memory => &[Relay::Tap, Relay::TapLinear, Relay::TapRecord, Relay::Mitmdump],
            Self::Connections => &[Relay::Plain, Relay::Tap, Relay::TapLinear],
        }
    }

    /// Returns whether a round is long and says the same each time.
    fn is_measured_once(self) -> bool {
        matches!(self, Self::Memory | Self::Connections)
    }

    fn measure(self, relay: Relay, running: &Running, server: &Server, scale: &Scale) -> Result<Figures> {
        match self {
            Self::Stream => stream::rate(running, server, scale.frames / relay.divisor()),
            Self::Singly => singly::rate(running, server, scale.connections, scale.measured),
            Self::Latency => singly::latency(running, server, scale.single_frames),
            Self::Memory => stream::memory(running, server, scale.memory_frames.0, scale.memory_frames.1),
            Self::Connections => singly::idle(running, server, scale.idle_connections),
        }
    }
}

/// Figures of frames that have passed in a time, for which the relay has used some of its core's time.
fn passed(frames: u64, elapsed: Duration, busy_ns: u64) -> Figures {
    Figures::from([
        (Measure::FramesPerSecond, frames as f64 / elapsed.as_secs_f64()),
        (Measure::CpuMicrosPerFrame, busy_ns as f64 / 1e3 / frames as f64),
        (Measure::RelayBusyPercent, 100.0 * busy_ns as f64 / elapsed.as_nanos() as f64),
    ])
}

/// Measures, and gives the page. Failed rounds are on it.
pub fn run(options: &RunOptions) -> Result<String> {
    pinning::pin_generator()?;
    let scale = Scale::of(options);
    let mut results = Results::default();
    let mut has_failed = false;
    for round in 1..=scale.rounds {
        for &workload in Workload::VARIANTS.iter().filter(|workload| round == 1 || !workload.is_measured_once()) {
            for &relay in workload.relays() {
                let row = (workload.into_str(), relay.into_str());
                let measure = || measure(workload, relay, options, &scale);
                has_failed |= !report::note(&mut results, options, row, round, measure) && relay.missing().is_none();
            }
        }
        for &load in Load::VARIANTS {
            let row = (view::TABLE, load.into_str());
            let measure = || view::measure(load, &options.glassline, scale.keys);
            has_failed |= !report::note(&mut results, options, row, round, measure);
        }
    }
    let page = page::page(&results, &scale);
    // Printed before it is written: a run is long, and must not be lost to a path.
    print!("{page}");
    ensure!(!has_failed, "some rounds have failed; the tables tell which, and nothing is written");
    Ok(page)
}

fn measure(workload: Workload, relay: Relay, options: &RunOptions, scale: &Scale) -> Result<Figures> {
    let server = Server::new()?;
    let running = relay.start(&options.glassline, server.addr()?)?;
    workload.measure(relay, &running, &server, scale)
}
