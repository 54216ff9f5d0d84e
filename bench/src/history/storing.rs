//! Rate at which messages are stored, by senders that each wait for the acknowledgements of their
//! own window.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::load::Alone;
use super::metrics;
use crate::clients::{Clients, Reading};
use crate::peers::Role;
use crate::process::cpu_ns;
use crate::results::{Figures, Measure};
use crate::systems::Server;

pub const SENDERS: usize = 200;
/// Of each sender, under way to the disk at once.
pub const WINDOW_MESSAGES: u64 = 32;
const CONNECTS_AT_ONCE: usize = 128;
const POLL_LIMIT: Duration = Duration::from_millis(100);

/// End of a storing run.
#[derive(Clone, Copy)]
pub enum Until {
    Passed {
        warm_up: Duration,
        measured: Duration,
    },
    /// Measured after so many messages.
    Behind {
        messages: u64,
        measured: Duration,
    },
    Stored(u64),
}

impl Until {
    /// Returns whether what is measured starts now.
    fn has_begun(self, started: Instant, stored: u64) -> bool {
        match self {
            Self::Passed { warm_up, .. } => started.elapsed() >= warm_up,
            Self::Behind { messages, .. } => stored >= messages,
            Self::Stored(_) => true,
        }
    }

    fn is_over(self, from: Instant, stored: u64) -> bool {
        match self {
            Self::Passed { measured, .. } | Self::Behind { measured, .. } => from.elapsed() >= measured,
            Self::Stored(wanted) => stored >= wanted,
        }
    }
}

/// Each sender in a room of its own: a message is sent only back, as its acknowledgement.
pub fn alone(server: &Server, keeps: bool, seed: u64, until: Until) -> Result<Figures> {
    let mut clients = Clients::of(Box::new(Alone::new(seed)), CONNECTS_AT_ONCE, server)?;
    clients.add(SENDERS, Role::Member, Reading::Always)?;
    let mut acknowledged = vec![0_u64; SENDERS];
    for sender in 0..SENDERS {
        clients.send(sender, 1, &[])?;
    }
    while acknowledged.contains(&0) {
        clients.pump_watched(POLL_LIMIT, |at, got| acknowledged[at] += got)?;
        clients.check_alive()?;
    }
    ensure!(acknowledged.iter().all(|count| *count == 1), "more was acknowledged than sent");

    for sender in 0..SENDERS {
        clients.send(sender, WINDOW_MESSAGES, &[])?;
    }
    let started = Instant::now();
    let mut measured_from = None;
    let mut came = Vec::with_capacity(SENDERS);
    loop {
        clients.pump_watched(POLL_LIMIT, |at, got| came.push((at, got)))?;
        clients.check_alive()?;
        for (sender, got) in came.drain(..) {
            clients.send(sender, got, &[])?;
        }
        match measured_from {
            None if until.has_begun(started, clients.deliveries()) => {
                measured_from =
                    Some((metrics::of(server, keeps)?, Instant::now(), clients.deliveries(), cpu_ns(server.pid())?));
            }
            Some((before, from, stored, cpu)) if until.is_over(from, clients.deliveries() - stored) => {
                let seconds = from.elapsed().as_secs_f64();
                let stored = (clients.deliveries() - stored) as f64;
                let cpu_seconds = (cpu_ns(server.pid())? - cpu) as f64 / 1e9;
                let mut figures = Figures::default();
                figures.put(Measure::MessagesPerSecond, stored / seconds);
                figures.put(Measure::CpuMicrosPerMessage, cpu_seconds * 1e6 / stored);
                figures.put(Measure::ServerBusyPercent, cpu_seconds / seconds * 100.0);
                metrics::put_commits(&mut figures, before, server)?;
                return Ok(figures);
            }
            _ => {}
        }
    }
}
