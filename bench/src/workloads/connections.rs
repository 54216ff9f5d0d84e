//! Number of connections held at once, near the limit of descriptors.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::one_at_a_time::deliver_one;
use super::scale::TEXT_BYTES;
use crate::clients::Clients;
use crate::process::descriptor_limit;
use crate::results::{Figures, Measure};
use crate::systems::{Server, System};

pub const CONNECTIONS: usize = 19_000;
/// Descriptors that this process has open besides.
const OTHER_DESCRIPTORS: usize = 50;

pub fn run(system: System, server: &Server) -> Result<Figures> {
    if let Some(limit) = descriptor_limit() {
        ensure!(
            limit >= CONNECTIONS + OTHER_DESCRIPTORS,
            "the limit of {limit} descriptors is too low: ulimit -n 20000"
        );
    }
    let text = [b'x'; TEXT_BYTES];
    let mut clients = Clients::new(system, server)?;
    let first_connect = Instant::now();
    let sender = clients.add_readers_and_sender(CONNECTIONS - 1, &text)?;
    let join_seconds = first_connect.elapsed().as_secs_f64();
    clients.settle()?;
    let reached = deliver_one(&mut clients, sender, &text)?;
    Ok(Figures::from([
        (Measure::Held, CONNECTIONS as f64),
        (Measure::JoinSeconds, join_seconds),
        (Measure::ReachMillis, reached.as_secs_f64() * 1e3),
    ]))
}
