//! Cost of members that never read, for the others.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::one_at_a_time::times;
use super::scale::Scale;
use crate::clients::{Clients, Reading};
use crate::peers::Role;
use crate::process::resident_kib;
use crate::results::{Figures, Measure};
use crate::systems::{Server, System};

const READERS: usize = 900;
const STALLED: usize = 100;
const TEXT_BYTES: usize = 1024;
/// Sent as fast as the readers take it before anything is measured: more than the kernel keeps for one loopback
/// connection, so that the stalled members' buffers are full from then on.
const FILL_BYTES: usize = 4 * 1024 * 1024;
const FILL_WINDOW_MESSAGES: u64 = 64;
const RECEIVE_BUFFER_BYTES: usize = 4096;
/// Half of what a bare loop on one core can deliver to so many: queueing for want of CPU is not what is measured.
const PACE: Duration = Duration::from_millis(20);

pub fn explanation() -> String {
    format!(
        "{READERS} readers and {STALLED} members that never read, against the same run without these. One sender, \
         {TEXT_BYTES}-byte texts (400 for IRC, whose lines are short): first {} MiB as fast as the readers take it, \
         which fills the buffers of the stalled, then a message every {} ms. Times of all single deliveries to the \
         readers; memory growth with the stalled, from before the fill to the end.",
        FILL_BYTES / 1024 / 1024,
        PACE.as_millis()
    )
}

pub fn run(system: System, server: &Server, scale: &Scale, with_stalled: bool) -> Result<Figures> {
    let mut clients = Clients::new(system, server)?;
    let text = vec![b'x'; TEXT_BYTES.min(clients.peer().longest_text_bytes())];
    if with_stalled {
        let reading = Reading::Never { receive_buffer_bytes: RECEIVE_BUFFER_BYTES };
        clients.add(STALLED, Role::Member, reading)?;
    }
    let sender = clients.add_readers_and_sender(READERS, &text)?;
    clients.settle()?;
    let before_kib = resident_kib(server.pid())?;
    fill(&mut clients, sender, &text)?;
    clients.settle()?;
    let millis = paced(&mut clients, sender, &text, scale.paced_messages)?;
    let grown_kib = resident_kib(server.pid())?.saturating_sub(before_kib);
    let mut figures = times(&millis)?;
    figures.put(Measure::GrowthMib, grown_kib as f64 / 1024.0);
    Ok(figures)
}

pub fn compare(alone: &Figures, mut beside: Figures) -> Figures {
    let p99 = |figures: &Figures| figures.of(Measure::P99Millis);
    let ratio = p99(&beside).zip(p99(alone)).map(|(beside, alone)| beside / alone);
    beside.put(Measure::AloneMedianMillis, alone.of(Measure::MedianMillis));
    beside.put(Measure::AloneP99Millis, p99(alone));
    beside.put(Measure::StalledP99Ratio, ratio);
    beside
}

fn fill(clients: &mut Clients, sender: usize, text: &[u8]) -> Result<()> {
    let mut left = (FILL_BYTES / text.len()) as u64;
    while left > 0 || clients.in_flight() > 0 {
        let count = FILL_WINDOW_MESSAGES.saturating_sub(clients.in_flight()).min(left);
        if count > 0 {
            clients.send(sender, count, text)?;
            left -= count;
        }
        clients.pump(PACE)?;
        clients.check_alive()?;
    }
    Ok(())
}

/// Sends at a steady pace and returns how long each single delivery took, in milliseconds.
fn paced(clients: &mut Clients, sender: usize, text: &[u8], messages: usize) -> Result<Vec<f64>> {
    let mut sent_at = Vec::with_capacity(messages);
    let mut received = vec![0; sender + 1];
    let mut millis = Vec::with_capacity(messages * READERS);
    let mut next_at = Instant::now();
    while sent_at.len() < messages || clients.in_flight() > 0 {
        if sent_at.len() < messages && Instant::now() >= next_at {
            sent_at.push(Instant::now());
            clients.send(sender, 1, text)?;
            next_at += PACE;
        }
        let wait = next_at.saturating_duration_since(Instant::now());
        clients.pump_watched(wait, |member, got| {
            let now = Instant::now();
            // One order for all: a member's next message is the next that was sent.
            for _ in 0..got {
                if let Some(sent) = sent_at.get(received[member]) {
                    millis.push((now - *sent).as_secs_f64() * 1e3);
                }
                received[member] += 1;
            }
        })?;
        clients.check_alive()?;
    }
    Ok(millis)
}
