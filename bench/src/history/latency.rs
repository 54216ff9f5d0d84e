//! One message at a time among a few: what a commit adds to the way of a message.

use anyhow::Result;

use super::load::Dialect;
use super::metrics;
use crate::clients::Clients;
use crate::results::{Figures, Measure};
use crate::systems::{Server, System};
use crate::workloads::TEXT_BYTES;
use crate::workloads::one_at_a_time::{WARM_UP_MESSAGES, deliver_singly, times};

/// Few, so that the commit is seen and not the fan-out.
pub const READERS: usize = 10;

/// Times from before a message is sent until the last has it.
pub fn run(server: &Server, keeps: bool, messages: usize, seed: u64) -> Result<Figures> {
    let text = [b'x'; TEXT_BYTES];
    let mut clients = Clients::of(Dialect::Event.peer(seed), System::GlasslineEvent.connects_at_once(), server)?;
    let sender = clients.add_readers_and_sender(READERS, &text)?;
    clients.settle()?;
    deliver_singly(&mut clients, sender, &text, WARM_UP_MESSAGES)?;
    let before = metrics::of(server, keeps)?;
    let millis = deliver_singly(&mut clients, sender, &text, messages)?;
    let after = metrics::of(server, keeps)?;
    clients.finish()?;
    let mut figures = times(&millis)?;
    if let (Some(before), Some(after)) = (before, after) {
        figures.put(Measure::CommitMillis, after.since(before).commit_mean_ms());
    }
    Ok(figures)
}
