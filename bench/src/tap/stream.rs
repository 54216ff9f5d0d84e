//! One client that writes frames as fast as they are taken, in large writes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::line::{OPENING, Server, message};
use super::passed;
use super::relays::Running;
use crate::process::resident_kib;
use crate::results::{Figures, Measure};

/// Bytes of one write.
const WRITE_BYTES: usize = 64 * 1024;
const READ_BYTES: usize = 256 * 1024;

/// Frames a second of `frames` frames.
pub fn rate(running: &Running, server: &Server, frames: u64) -> Result<Figures> {
    let mut stream = Stream::open(running.addr, server)?;
    stream.pass(frames / 10)?;
    let busy_before = running.cpu_ns()?;
    let elapsed = stream.pass(frames)?;
    Ok(passed(frames, elapsed, running.cpu_ns()? - busy_before))
}

/// Memory of the relay after some frames, and after many.
pub fn memory(running: &Running, server: &Server, few: u64, many: u64) -> Result<Figures> {
    let mut stream = Stream::open(running.addr, server)?;
    let resident_mib = || Ok::<_, anyhow::Error>(resident_kib(running.pid())? as f64 / 1024.0);
    stream.pass(few)?;
    let few_mib = resident_mib()?;
    stream.pass(many - few)?;
    let many_mib = resident_mib()?;
    let measured = [(Measure::FewMib, few_mib), (Measure::ManyMib, many_mib), (Measure::GrowthMib, many_mib - few_mib)];
    Ok(Figures::from(measured))
}

/// A connection through a relay that passes frames in one direction.
pub struct Stream {
    client: TcpStream,
    server: TcpStream,
    /// As many frames as fit in one write.
    batch: Vec<u8>,
    frame_bytes: usize,
    buffer: Vec<u8>,
}

impl Stream {
    pub fn open(relay: SocketAddr, server: &Server) -> Result<Self> {
        let line = server.connect(relay)?;
        let (mut client, mut server, frame) = (line.client, line.server, message());
        client.write_all(OPENING)?;
        server.read_exact(&mut [0; OPENING.len()]).context("the first bytes do not arrive")?;
        let batch = frame.repeat(WRITE_BYTES / frame.len());
        Ok(Self { client, server, batch, frame_bytes: frame.len(), buffer: vec![0; READ_BYTES] })
    }

    /// Frames of one write; [`Self::pass`] passes multiples of them.
    pub fn frames_per_write(&self) -> u64 {
        (self.batch.len() / self.frame_bytes) as u64
    }

    /// Passes at least so many frames, and returns the time until the last has arrived.
    pub fn pass(&mut self, frames: u64) -> Result<Duration> {
        let writes = (frames * self.frame_bytes as u64).div_ceil(self.batch.len() as u64);
        let bytes = writes * self.batch.len() as u64;
        let (client, batch) = (&mut self.client, &self.batch);
        let started = Instant::now();
        thread::scope(|scope| {
            let writer = scope.spawn(move || (0..writes).try_for_each(|_| client.write_all(batch)));
            let mut arrived = 0;
            while arrived < bytes {
                let read = self.server.read(&mut self.buffer).context("the relay has stalled")?;
                ensure!(read > 0, "the relay has ended the connection");
                arrived += read as u64;
            }
            let elapsed = started.elapsed();
            writer.join().map_err(|_| anyhow::anyhow!("the writer has failed"))??;
            Ok(elapsed)
        })
    }
}
