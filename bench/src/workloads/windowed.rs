//! Throughput: as many messages in flight as a window allows, all the time.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::scale::{Scale, TEXT_BYTES};
use crate::clients::{Clients, Reading};
use crate::peers::Role;
use crate::process::cpu_ns;
use crate::results::{Figures, Measure};
use crate::systems::Server;

const POLL_LIMIT: Duration = Duration::from_millis(100);

pub struct Windowed {
    pub readers: usize,
    pub senders: Senders,
    /// One window for all clients, moved by the slowest reader: a message leaves it when everybody has it. With
    /// many senders a window each would need every message's sender looked at; one window of the same total size
    /// needs a count per connection only, and keeps the generator cheap.
    pub window_messages: u64,
    pub writes: Writes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// All that the window allows goes in one write. The clients then move in step: the server sees one large chunk,
    /// and the next when all have it. Nothing suits a server without a protocol better.
    AllAtOnce,
    /// A write for each message, as chat programs do: putting messages together is the server's art.
    OnePerMessage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    /// One connection beside the readers.
    One,
    /// The readers themselves, or as many connections again where readers cannot send.
    AsManyAsReaders,
}

pub const FANOUT: Windowed =
    Windowed { readers: 1000, senders: Senders::One, window_messages: 256, writes: Writes::AllAtOnce };
pub const FANOUT_SINGLY: Windowed = Windowed { writes: Writes::OnePerMessage, ..FANOUT };
pub const ALL_SENDING: Windowed =
    Windowed { readers: 200, senders: Senders::AsManyAsReaders, window_messages: 200 * 32, writes: Writes::AllAtOnce };

impl Windowed {
    /// Runs with clients of which none is connected yet.
    pub fn run(&self, mut clients: Clients, server: &Server, scale: &Scale) -> Result<Figures> {
        let text = [b'x'; TEXT_BYTES];
        let readers = clients.add(self.readers, Role::Member, Reading::Always)?;
        let senders = match self.senders {
            Senders::One => clients.add(1, Role::Sender, Reading::Always)?,
            Senders::AsManyAsReaders if clients.peer().publishes_apart() => {
                clients.add(self.readers, Role::Sender, Reading::Always)?
            }
            Senders::AsManyAsReaders => readers,
        };
        clients.probe_all(senders.end - 1, &text)?;
        clients.settle()?;
        clients.count_secured();

        let mut turn = Turn { next: senders.start, senders };
        let started = Instant::now();
        let mut measured_from = None;
        loop {
            turn.spend(&mut clients, self, &text)?;
            clients.pump(POLL_LIMIT)?;
            clients.check_alive()?;
            let now = Instant::now();
            match measured_from {
                None if now - started >= scale.warm_up => {
                    measured_from = Some((now, clients.deliveries(), cpu_ns(server.pid())?));
                }
                Some((from, deliveries, cpu)) if now - from >= scale.measured => {
                    let delivered = (clients.deliveries() - deliveries) as f64;
                    let seconds = (now - from).as_secs_f64();
                    let cpu_seconds = (cpu_ns(server.pid())? - cpu) as f64 / 1e9;
                    clients.finish()?;
                    return Ok(Figures::from([
                        (Measure::DeliveriesPerSecond, delivered / seconds),
                        (Measure::CpuMicrosPerDelivery, cpu_seconds * 1e6 / delivered),
                        (Measure::ServerBusyPercent, cpu_seconds / seconds * 100.0),
                    ]));
                }
                _ => {}
            }
        }
    }
}

/// Senders whose turn it is.
struct Turn {
    senders: std::ops::Range<usize>,
    next: usize,
}

impl Turn {
    /// Shares out what the window allows, each share in one write; the next call starts at the next sender.
    fn spend(&mut self, clients: &mut Clients, windowed: &Windowed, text: &[u8]) -> Result<()> {
        let mut credit = windowed.window_messages.saturating_sub(clients.in_flight());
        let share = match windowed.writes {
            Writes::AllAtOnce => credit.div_ceil(self.senders.len() as u64),
            Writes::OnePerMessage => 1,
        };
        while credit > 0 {
            let count = share.min(credit);
            clients.send(self.next, count, text)?;
            credit -= count;
            self.next += 1;
            if self.next == self.senders.end {
                self.next = self.senders.start;
            }
        }
        Ok(())
    }
}
