//! Latency without load: one message, and the next when the last reader has it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::scale::{Scale, TEXT_BYTES};
use crate::clients::Clients;
use crate::process::cpu_ns;
use crate::results::{Figures, Measure};
use crate::stats::quantile;
use crate::systems::{Server, System};

pub const READERS: usize = 1000;
pub const WARM_UP_MESSAGES: usize = 20;
const POLL_LIMIT: Duration = Duration::from_millis(100);

pub fn run(system: System, server: &Server, scale: &Scale) -> Result<Figures> {
    let text = [b'x'; TEXT_BYTES];
    let mut clients = Clients::new(system, server)?;
    let sender = clients.add_readers_and_sender(READERS, &text)?;
    clients.settle()?;

    deliver_singly(&mut clients, sender, &text, WARM_UP_MESSAGES)?;
    let (deliveries, cpu) = (clients.deliveries(), cpu_ns(server.pid())?);
    let millis = deliver_singly(&mut clients, sender, &text, scale.single_messages)?;
    clients.finish()?;
    let delivered = (clients.deliveries() - deliveries) as f64;
    let cpu_micros = (cpu_ns(server.pid())? - cpu) as f64 / 1e3;
    let mut figures = times(&millis)?;
    figures.put(Measure::CpuMicrosPerDelivery, cpu_micros / delivered);
    Ok(figures)
}

/// Returns the median and the 99th percentile.
pub fn times(millis: &[f64]) -> Result<Figures> {
    let quantile = |share| quantile(millis, share).context("no samples");
    Ok(Figures::from([(Measure::MedianMillis, quantile(0.5)?), (Measure::P99Millis, quantile(0.99)?)]))
}

/// Sends messages one after the other; returns the milliseconds until everybody had each.
pub fn deliver_singly(clients: &mut Clients, sender: usize, text: &[u8], messages: usize) -> Result<Vec<f64>> {
    (0..messages).map(|_| Ok(deliver_one(clients, sender, text)?.as_secs_f64() * 1e3)).collect()
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
