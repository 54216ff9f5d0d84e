//! One message at a time among a few: what a commit adds to the way of a message.

use anyhow::{Context, Result};

use super::load::Dialect;
use super::metrics;
use crate::clients::{Clients, Reading};
use crate::peers::Role;
use crate::results::{Figures, Measure};
use crate::stats::quantile;
use crate::systems::{Server, System};
use crate::workloads::TEXT_BYTES;
use crate::workloads::one_at_a_time::deliver_one;

/// Few, so that the commit is seen and not the fan-out.
pub const READERS: usize = 10;
const WARM_UP_MESSAGES: usize = 20;

/// Times from before a message is sent until the last has it.
pub fn run(server: &Server, keeps: bool, messages: usize, seed: u64) -> Result<Figures> {
    let text = [b'x'; TEXT_BYTES];
    let mut clients = Clients::of(Dialect::Event.peer(seed), System::GlasslineEvent.connects_at_once(), server)?;
    clients.add(READERS, Role::Member, Reading::Always)?;
    let sender = clients.add(1, Role::Sender, Reading::Always)?.start;
    clients.probe_all(sender, &text)?;
    clients.settle()?;
    for _ in 0..WARM_UP_MESSAGES {
        deliver_one(&mut clients, sender, &text)?;
    }
    let before = metrics::of(server, keeps)?;
    let mut millis = Vec::with_capacity(messages);
    for _ in 0..messages {
        millis.push(deliver_one(&mut clients, sender, &text)?.as_secs_f64() * 1e3);
    }
    let after = metrics::of(server, keeps)?;
    clients.finish()?;
    let mut figures = times(millis)?;
    if let (Some(before), Some(after)) = (before, after) {
        figures.put(Measure::CommitMillis, after.since(before).commit_mean_ms());
    }
    Ok(figures)
}

pub fn times(mut millis: Vec<f64>) -> Result<Figures> {
    millis.sort_by(f64::total_cmp);
    let mut figures = Figures::default();
    figures.put(Measure::MedianMillis, quantile(&millis, 0.5).context("no samples")?);
    figures.put(Measure::P99Millis, quantile(&millis, 0.99).context("no samples")?);
    Ok(figures)
}
