//! Throughput: as many messages in flight as a window allows, all the time.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Figures, Measure, Scale, TEXT_BYTES};
use crate::crowd::{Crowd, Reading};
use crate::peers::Role;
use crate::process::cpu_ns;
use crate::systems::Server;

const POLL_LIMIT: Duration = Duration::from_millis(100);

pub struct Windowed {
    pub readers: usize,
    pub senders: Senders,
    /// One window for the whole crowd, moved by the slowest reader: a message leaves it when everybody has it. With
    /// many senders a window each would need every message's sender looked at; one window of the same total size
    /// needs a count per connection only, and keeps the generator cheap.
    pub window_messages: u64,
    pub writes: Writes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// All that the window allows goes in one write. The crowd then moves in step: the server sees one large chunk,
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
    /// Runs with a crowd that nobody was added to yet.
    pub fn run(&self, mut crowd: Crowd, server: &Server, scale: &Scale) -> Result<Figures> {
        let text = [b'x'; TEXT_BYTES];
        let readers = crowd.add(self.readers, Role::Member, Reading::Always)?;
        let senders = match self.senders {
            Senders::One => crowd.add(1, Role::Sender, Reading::Always)?,
            Senders::AsManyAsReaders if crowd.peer().publishes_apart() => {
                crowd.add(self.readers, Role::Sender, Reading::Always)?
            }
            Senders::AsManyAsReaders => readers,
        };
        crowd.probe_all(senders.end - 1, &text)?;
        crowd.settle()?;

        let mut turn = Turn { next: senders.start, senders };
        let started = Instant::now();
        let mut measured_from = None;
        loop {
            turn.spend(&mut crowd, self, &text)?;
            crowd.pump(POLL_LIMIT)?;
            crowd.check_alive()?;
            let now = Instant::now();
            match measured_from {
                None if now - started >= scale.warm_up => {
                    measured_from = Some((now, crowd.deliveries(), cpu_ns(server.pid())?));
                }
                Some((from, deliveries, cpu)) if now - from >= scale.measured => {
                    let delivered = (crowd.deliveries() - deliveries) as f64;
                    let seconds = (now - from).as_secs_f64();
                    let cpu_seconds = (cpu_ns(server.pid())? - cpu) as f64 / 1e9;
                    crowd.finish()?;
                    return Ok(vec![
                        (Measure::DeliveriesPerSecond, delivered / seconds),
                        (Measure::CpuMicrosPerDelivery, cpu_seconds * 1e6 / delivered),
                        (Measure::ServerBusyPercent, cpu_seconds / seconds * 100.0),
                    ]);
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
    /// Shares out what the window allows, each share in one write; the next call goes on with the next sender.
    fn spend(&mut self, crowd: &mut Crowd, windowed: &Windowed, text: &[u8]) -> Result<()> {
        let mut credit = windowed.window_messages.saturating_sub(crowd.in_flight());
        let share = match windowed.writes {
            Writes::AllAtOnce => credit.div_ceil(self.senders.len() as u64),
            Writes::OnePerMessage => 1,
        };
        while credit > 0 {
            let count = share.min(credit);
            crowd.send(self.next, count, text)?;
            credit -= count;
            self.next += 1;
            if self.next == self.senders.end {
                self.next = self.senders.start;
            }
        }
        Ok(())
    }
}
