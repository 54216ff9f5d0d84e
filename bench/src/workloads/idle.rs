//! Cost of silent members: memory, and the time to take them all in.

use std::time::Instant;

use anyhow::Result;

use super::scale::TEXT_BYTES;
use crate::clients::Clients;
use crate::process::resident_kib;
use crate::results::{Figures, Measure};
use crate::systems::{Server, System};

pub const READERS: usize = 10_000;

pub fn run(system: System, server: &Server) -> Result<Figures> {
    let text = [b'x'; TEXT_BYTES];
    let mut clients = Clients::new(system, server)?;
    let empty_kib = resident_kib(server.pid())?;
    let first_connect = Instant::now();
    clients.add_readers_and_sender(READERS, &text)?;
    let join_seconds = first_connect.elapsed().as_secs_f64();
    clients.settle()?;
    let grown_kib = resident_kib(server.pid())?.saturating_sub(empty_kib);
    Ok(Figures::from([
        (Measure::KibPerMember, grown_kib as f64 / (READERS + 1) as f64),
        (Measure::JoinSeconds, join_seconds),
    ]))
}
