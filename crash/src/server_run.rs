//! One run of the server: started, checked, put under load, killed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use glassline_testkit::Rng;

use crate::checker::Checker;
use crate::clients::Clients;
use crate::fault::Fault;
use crate::ledger::{Due, Ledger};
use crate::plan::{KillPoint, Plan};
use crate::server::{Program, Server, spin_until};

/// A turn that nothing ends before; a kill is due between turns.
const TURN: Duration = Duration::from_millis(20);

/// One run of the server, and what it uses.
pub(crate) struct ServerRun<'a> {
    pub(crate) program: &'a Program,
    pub(crate) clients: &'a mut Clients,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) rng: Rng,
    pub(crate) patience: Duration,
    /// Most acknowledgements that are waited for.
    pub(crate) messages_max: u64,
}

impl ServerRun<'_> {
    pub(crate) fn run(mut self, plan: Plan) -> Result<(), Fault> {
        let started = Instant::now();
        let mut server = self.program.start()?;
        let due = self.ledger.due();
        if let KillPoint::Starting { after_us } = plan.kill_point {
            let kill_at = started + Duration::from_micros(after_us);
            // A sleep is too coarse for the first microseconds, and shorter than the rest.
            std::thread::sleep(Duration::from_micros(after_us).saturating_sub(Duration::from_micros(200)));
            spin_until(kill_at);
            return server.kill();
        }
        let Some(address) = server.address_within(self.patience)? else {
            return Err(Fault::hang("the harness", "the server to listen", self.patience));
        };
        let ended = self.live(plan, address, due);
        // A server that ended by itself is a better report than the connection that it closed.
        if let (Err(_), Some(detail)) = (&ended, server.ended()) {
            return Err(Fault::Closed { by: "everybody".to_owned(), detail: format!("{detail}; {}", said(&ended)) });
        }
        ended?;
        self.kill(&mut server)
    }

    fn live(&mut self, plan: Plan, address: SocketAddr, due: Due) -> Result<(), Fault> {
        let settles = plan.kill_point == KillPoint::Settled;
        let budget = if settles { 0 } else { u32::try_from(self.messages_max).unwrap_or(u32::MAX) };
        self.clients.prepare(budget);
        let began = Instant::now();
        let acknowledged_before = self.ledger.acknowledged();
        let checker = Checker::of_new(self.ledger, due, &mut self.rng);
        self.clients.check(checker, address, self.ledger)?;
        let mut is_connected = false;
        let mut killed_at = match plan.kill_point {
            KillPoint::Recovering { after_us } => Some(began + Duration::from_micros(after_us)),
            _ => None,
        };
        loop {
            if !is_connected && (!plan.checks_first || self.clients.is_checked()) {
                self.clients.connect(address, self.ledger)?;
                is_connected = true;
            }
            let left = killed_at.map(|moment| moment.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            // The system's clock for waiting is coarse: what is left below a millisecond is not slept.
            let limit = left.map_or(TURN, |left| TURN.min(left.saturating_sub(Duration::from_millis(1))));
            self.clients.turn(limit, self.patience, is_connected, address, self.ledger)?;
            match plan.kill_point {
                KillPoint::UnderLoad { acknowledgements, after_us } if killed_at.is_none() => {
                    let acknowledged = self.ledger.acknowledged() - acknowledged_before;
                    if self.clients.is_checked() && acknowledged >= acknowledgements {
                        killed_at = Some(Instant::now() + Duration::from_micros(after_us));
                    }
                }
                KillPoint::Settled if is_connected && self.clients.is_quiet() => return self.settle(address),
                _ => {}
            }
        }
    }

    /// Everything is acknowledged: reads all of it back, and waits until everybody has it.
    fn settle(&mut self, address: SocketAddr) -> Result<(), Fault> {
        let due = self.ledger.due();
        self.clients.check(Checker::of_all(due), address, self.ledger)?;
        let mut read_at = None;
        loop {
            self.clients.turn(TURN, self.patience, false, address, self.ledger)?;
            if !self.clients.is_checked() {
                continue;
            }
            self.ledger.end_of_run()?;
            if self.clients.has_all(self.ledger) {
                return Ok(());
            }
            if read_at.get_or_insert_with(Instant::now).elapsed() > self.patience {
                return Err(Fault::hang("somebody", "messages that are stored", self.patience));
            }
        }
    }

    fn kill(&mut self, server: &mut Server) -> Result<(), Fault> {
        server.kill()?;
        self.clients.drain(self.ledger)
    }
}

fn said(ended: &Result<(), Fault>) -> String {
    ended.as_ref().err().map(ToString::to_string).unwrap_or_default()
}
