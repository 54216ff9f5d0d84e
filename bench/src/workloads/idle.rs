//! Cost of silent members: memory, and the time to take them all in.

use std::time::Instant;

use anyhow::Result;

use super::scale::TEXT_BYTES;
use crate::clients::Clients;
use crate::process::resident_kib;
use crate::results::{Figures, Measure};
use crate::systems::Server;

pub const READERS: usize = 10_000;

/// Cost of the readers and a sender.
pub struct Cost {
    pub kib_per_member: f64,
    pub join_seconds: f64,
}

impl Cost {
    /// Measures a server that has just started, with clients that have not connected yet.
    pub fn measure(mut clients: Clients, server: &Server) -> Result<Self> {
        let empty_kib = resident_kib(server.pid())?;
        let first_connect = Instant::now();
        clients.add_readers_and_sender(READERS, &[b'x'; TEXT_BYTES])?;
        let join_seconds = first_connect.elapsed().as_secs_f64();
        clients.settle()?;
        let grown_kib = resident_kib(server.pid())?.saturating_sub(empty_kib);
        Ok(Self { kib_per_member: grown_kib as f64 / (READERS + 1) as f64, join_seconds })
    }

    /// Returns the memory alone.
    pub fn memory(&self) -> Figures {
        Figures::from([(Measure::KibPerMember, self.kib_per_member)])
    }

    pub fn figures(&self) -> Figures {
        Figures::from([(Measure::KibPerMember, self.kib_per_member), (Measure::JoinSeconds, self.join_seconds)])
    }
}
