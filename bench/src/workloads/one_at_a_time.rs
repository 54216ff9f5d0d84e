//! Latency without load: one message, and the next when the last reader has it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Scale, TEXT_BYTES};
use crate::clients::{Clients, Reading};
use crate::peers::Role;
use crate::process::cpu_ns;
use crate::results::{Figures, Measure};
use crate::stats::quantile;
use crate::systems::{Server, System};

pub const READERS: usize = 1000;
const WARM_UP_MESSAGES: usize = 20;
const POLL_LIMIT: Duration = Duration::from_millis(100);

pub fn run(system: System, server: &Server, scale: &Scale) -> Result<Figures> {
    let text = [b'x'; TEXT_BYTES];
    let mut clients = Clients::new(system, server)?;
    clients.add(READERS, Role::Member, Reading::Always)?;
    let sender = clients.add(1, Role::Sender, Reading::Always)?.start;
    clients.probe_all(sender, &text)?;
    clients.settle()?;

    for _ in 0..WARM_UP_MESSAGES {
        deliver_one(&mut clients, sender, &text)?;
    }
    let (deliveries, cpu) = (clients.deliveries(), cpu_ns(server.pid())?);
    let mut millis = Vec::with_capacity(scale.single_messages);
    for _ in 0..scale.single_messages {
        millis.push(deliver_one(&mut clients, sender, &text)?.as_secs_f64() * 1e3);
    }
    clients.finish()?;
    let delivered = (clients.deliveries() - deliveries) as f64;
    let cpu_micros = (cpu_ns(server.pid())? - cpu) as f64 / 1e3;
    millis.sort_by(f64::total_cmp);
    Ok(Figures::from([
        (Measure::MedianMillis, quantile(&millis, 0.5).context("no samples")?),
        (Measure::P99Millis, quantile(&millis, 0.99).context("no samples")?),
        (Measure::CpuMicrosPerDelivery, cpu_micros / delivered),
    ]))
}

/// Sends one message and waits until everybody has it.
pub fn deliver_one(clients: &mut Clients, sender: usize, text: &[u8]) -> Result<Duration> {
    let sent_at = Instant::now();
    clients.send(sender, 1, text)?;
    while clients.in_flight() > 0 {
        clients.pump(POLL_LIMIT)?;
        clients.check_alive()?;
    }
    Ok(sent_at.elapsed())
}
