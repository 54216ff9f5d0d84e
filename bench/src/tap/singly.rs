//! Connections that each have one frame under way: no relay can join two frames in one read.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mio::{Events, Interest, Poll, Token};

use super::line::{Line, OPENING, STALL_LIMIT, Server, message};
use super::passed;
use super::relays::Running;
use crate::process::resident_kib;
use crate::results::{Figures, Measure};
use crate::stats::quantile;

const EVENTS_PER_POLL: usize = 1024;

/// Frames a second through so many connections.
pub fn rate(running: &Running, server: &Server, connections: usize, measured: Duration) -> Result<Figures> {
    let mut lines = Lines::open(running, server, connections)?;
    lines.circulate(measured / 5)?;
    let (started, busy_before) = (Instant::now(), running.cpu_ns()?);
    let frames = lines.circulate(measured)?;
    let elapsed = started.elapsed();
    Ok(passed(frames, elapsed, running.cpu_ns()? - busy_before))
}

/// Times of single frames.
pub fn latency(running: &Running, server: &Server, frames: usize) -> Result<Figures> {
    let Line { mut client, mut server } = server.connect(running.addr)?;
    let (frame, mut arrived) = (message(), Vec::new());
    let mut times_us = Vec::with_capacity(frames);
    client.write_all(OPENING)?;
    server.read_exact(&mut [0; OPENING.len()])?;
    arrived.resize(frame.len(), 0);
    for number in 0..frames + frames / 10 {
        let started = Instant::now();
        client.write_all(&frame)?;
        server.read_exact(&mut arrived).context("a frame does not arrive")?;
        if number >= frames / 10 {
            times_us.push(started.elapsed().as_secs_f64() * 1e6);
        }
    }
    let mut figures = Figures::default();
    figures.put(Measure::MedianMicros, quantile(&times_us, 0.5));
    figures.put(Measure::P99Micros, quantile(&times_us, 0.99));
    Ok(figures)
}

/// Memory of so many connections through which something has passed, and which then are idle.
pub fn idle(running: &Running, server: &Server, connections: usize) -> Result<Figures> {
    let before_kib = resident_kib(running.pid())?;
    let started = Instant::now();
    let mut lines = Lines::open(running, server, connections)?;
    lines.send_all()?;
    lines.receive_all()?;
    let elapsed = started.elapsed();
    let grown_kib = resident_kib(running.pid())?.saturating_sub(before_kib);
    Ok(Figures::from([
        (Measure::Held, connections as f64),
        (Measure::JoinSeconds, elapsed.as_secs_f64()),
        (Measure::KibPerConnection, grown_kib as f64 / connections as f64),
    ]))
}

struct Lines {
    poll: Poll,
    events: Events,
    clients: Vec<TcpStream>,
    servers: Vec<mio::net::TcpStream>,
    frame: Vec<u8>,
    /// Bytes of its frame that have arrived, for each connection.
    arrived: Vec<usize>,
}

impl Lines {
    fn open(running: &Running, server: &Server, connections: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let (mut clients, mut servers) = (Vec::new(), Vec::new());
        for index in 0..connections {
            let Line { mut client, server: mut end } = server.connect(running.addr)?;
            client.write_all(OPENING)?;
            end.read_exact(&mut [0; OPENING.len()]).context("the first bytes do not arrive")?;
            end.set_nonblocking(true)?;
            let mut end = mio::net::TcpStream::from_std(end);
            poll.registry().register(&mut end, Token(index), Interest::READABLE)?;
            clients.push(client);
            servers.push(end);
        }
        let (events, arrived) = (Events::with_capacity(EVENTS_PER_POLL), vec![0; connections]);
        Ok(Self { poll, events, clients, servers, frame: message(), arrived })
    }

    fn send_all(&mut self) -> Result<()> {
        self.clients.iter_mut().try_for_each(|client| Ok(client.write_all(&self.frame)?))
    }

    /// Sends a frame on each connection, and the next when it has arrived. Returns the frames of this time.
    fn circulate(&mut self, measured: Duration) -> Result<u64> {
        self.send_all()?;
        let (until, mut frames) = (Instant::now() + measured, 0);
        while Instant::now() < until {
            for index in self.receive()? {
                self.clients[index].write_all(&self.frame)?;
                frames += 1;
            }
        }
        self.receive_all()?;
        Ok(frames)
    }

    /// Waits until the frame of each connection has arrived.
    fn receive_all(&mut self) -> Result<()> {
        let mut missing = self.clients.len();
        while missing > 0 {
            missing -= self.receive()?.len();
        }
        Ok(())
    }

    /// Waits, and returns the connections whose frames have arrived.
    fn receive(&mut self) -> Result<Vec<usize>> {
        match self.poll.poll(&mut self.events, Some(STALL_LIMIT)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(Vec::new()),
            polled => polled?,
        }
        ensure!(!self.events.is_empty(), "the relay has stalled");
        let (mut complete, mut buffer) = (Vec::new(), [0; 4096]);
        for event in &self.events {
            let Token(index) = event.token();
            match self.servers[index].read(&mut buffer) {
                Ok(0) => anyhow::bail!("the relay has ended a connection"),
                Ok(length) => self.arrived[index] += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            }
            if self.arrived[index] == self.frame.len() {
                self.arrived[index] = 0;
                complete.push(index);
            }
        }
        Ok(complete)
    }
}
