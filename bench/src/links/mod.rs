//! TLS beside plaintext and beside the peers' TLS: throughput, CPU, memory, handshakes; and the cost
//! of sealing.

mod handshakes;
mod page;
mod sealing;
pub mod tls;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use strum::VariantArray as _;

use crate::arguments::RunOptions;
use crate::clients::Clients;
use crate::pinning;
use crate::process::cpu_ns;
use crate::report;
use crate::results::{Figures, Measure, Results, Row};
use crate::systems::{Server, System};
use crate::workloads::one_at_a_time::{self, WARM_UP_MESSAGES, deliver_singly};
use crate::workloads::{Scale, TEXT_BYTES, idle, windowed};
use handshakes::{Answerer, Storm};
use sealing::Half;

/// Members of a room, beside the sender.
const READERS: usize = 1_000;
const STORM_CLIENTS: usize = 8;
/// Longer than the measurement under a storm.
const STORM_S: u64 = 120;

/// Systems whose fan-out over TLS is measured beside, where their packages have it.
const PEERS: [System; 3] = [System::Redis, System::Nats, System::Ngircd];

/// Protection of the members' bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Link {
    Plain,
    Tls,
}

impl Link {
    fn start(self, glassline: &Path) -> Result<Server> {
        System::Glassline.start(glassline)
    }

    fn clients(self, server: &Server) -> Result<Clients> {
        let mut clients = Clients::new(System::Glassline, server)?;
        if self == Self::Tls {
            clients.secure()?;
        }
        Ok(clients)
    }
}

/// Kind of load, each a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Workload {
    Fanout,
    OneAtATime,
    Idle,
    Handshakes,
    Storm,
    Seal,
}

impl Workload {
    /// The long ones are repeated less often.
    fn rounds(self, rounds: usize) -> usize {
        match self {
            Self::Idle => rounds.min(3),
            _ => rounds,
        }
    }

    /// Returns what is measured, of the peers only these.
    fn rows(self, peers: &[System]) -> Vec<Row> {
        let links = Link::VARIANTS.iter().map(|link| link.into_str());
        match self {
            Self::Fanout => links.chain(peers.iter().map(|peer| peer.into_str())).collect(),
            Self::OneAtATime | Self::Idle => links.collect(),
            Self::Handshakes => Answerer::VARIANTS.iter().map(|answerer| answerer.into_str()).collect(),
            Self::Storm => vec![Link::Tls.into_str()],
            Self::Seal => Half::VARIANTS.iter().map(|half| half.into_str()).collect(),
        }
    }

    fn measure(self, row: Row, glassline: &Path, scale: &Scale) -> Result<Figures> {
        let link = Link::VARIANTS.iter().find(|link| link.into_str() == row).copied().unwrap_or(Link::Tls);
        match self {
            Self::Fanout => match PEERS.into_iter().find(|peer| peer.into_str() == row) {
                Some(peer) => peer_fanout(peer, scale),
                None => fanout(link, glassline, scale),
            },
            Self::OneAtATime => one_at_a_time(link, glassline, scale),
            Self::Idle => idle(link, glassline),
            Self::Handshakes => {
                let answerer = Answerer::VARIANTS.iter().find(|answerer| answerer.into_str() == row);
                answerer.context("no such server")?.measure(glassline, 2 * scale.measured)
            }
            Self::Storm => storm(glassline, scale),
            Self::Seal => {
                let half = Half::VARIANTS.iter().find(|half| half.into_str() == row);
                half.context("no such half")?.measure()
            }
        }
    }
}

/// Measures, and gives the page.
pub fn run(options: &RunOptions) -> Result<String> {
    pinning::pin_generator()?;
    let mut scale = if options.quick { Scale::quick() } else { Scale::full() };
    scale.rounds = options.rounds.unwrap_or(scale.rounds);
    let peers: Vec<System> = PEERS.into_iter().filter(|peer| peer.tls_missing().is_none()).collect();
    let mut results = Results::default();
    for &workload in Workload::VARIANTS {
        for round in 1..=workload.rounds(scale.rounds) {
            for row in workload.rows(&peers) {
                let measure = || workload.measure(row, &options.glassline, &scale);
                report::note(&mut results, options, (workload.into_str(), row), round, measure);
            }
        }
    }
    report::printed(page::page(&results, &scale), &results)
}

fn fanout(link: Link, glassline: &Path, scale: &Scale) -> Result<Figures> {
    let server = link.start(glassline)?;
    windowed::FANOUT.run(link.clients(&server)?, &server, scale)
}

fn peer_fanout(peer: System, scale: &Scale) -> Result<Figures> {
    let server = peer.start_secured_peer()?;
    let mut clients = Clients::new(peer, &server)?;
    clients.secure()?;
    let figures = windowed::FANOUT.run(clients, &server, scale);
    figures.with_context(|| format!("the server's last line: {}", server.last_line().unwrap_or_default()))
}

/// A room of readers and one sender, all of whom are in.
struct Room {
    server: Server,
    clients: Clients,
    sender: usize,
}

const TEXT: [u8; TEXT_BYTES] = [b'x'; TEXT_BYTES];

impl Room {
    fn new(link: Link, glassline: &Path) -> Result<Self> {
        let server = link.start(glassline)?;
        let mut clients = link.clients(&server)?;
        let sender = clients.add_readers_and_sender(READERS, &TEXT)?;
        clients.settle()?;
        clients.count_secured();
        deliver_singly(&mut clients, sender, &TEXT, WARM_UP_MESSAGES)?;
        Ok(Self { server, clients, sender })
    }

    /// Returns the times of messages that are sent one after the other.
    fn deliver(&mut self, messages: usize) -> Result<Vec<f64>> {
        deliver_singly(&mut self.clients, self.sender, &TEXT, messages)
    }
}

fn one_at_a_time(link: Link, glassline: &Path, scale: &Scale) -> Result<Figures> {
    let mut room = Room::new(link, glassline)?;
    let before_ns = cpu_ns(room.server.pid())?;
    let millis = room.deliver(scale.single_messages)?;
    let busy_ns = cpu_ns(room.server.pid())? - before_ns;
    room.clients.finish()?;
    let mut figures = one_at_a_time::times(&millis)?;
    let deliveries = (scale.single_messages * READERS) as f64;
    figures.put(Measure::CpuMicrosPerDelivery, busy_ns as f64 / 1e3 / deliveries);
    Ok(figures)
}

fn idle(link: Link, glassline: &Path) -> Result<Figures> {
    let server = link.start(glassline)?;
    Ok(idle::Cost::measure(link.clients(&server)?, &server)?.memory())
}

fn storm(glassline: &Path, scale: &Scale) -> Result<Figures> {
    let mut room = Room::new(Link::Tls, glassline)?;
    let calm = one_at_a_time::times(&room.deliver(scale.single_messages)?)?;
    let raging = Storm::start(room.server.addr, STORM_CLIENTS, STORM_S)?;
    // Those who come first have come.
    std::thread::sleep(Duration::from_millis(300));
    let mut figures = one_at_a_time::times(&room.deliver(scale.single_messages)?)?;
    drop(raging);
    let p99 = |figures: &Figures| figures.of(Measure::P99Millis);
    figures.put(Measure::CalmP99Millis, p99(&calm));
    figures.put(Measure::StormP99Ratio, p99(&figures).zip(p99(&calm)).map(|(storm, calm)| storm / calm));
    Ok(figures)
}
