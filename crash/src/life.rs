//! One life of the server: started, checked, put under load, killed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::checker::Checker;
use crate::crew::Crew;
use crate::draws::Draws;
use crate::fault::Fault;
use crate::ledger::{Due, Ledger};
use crate::plan::{Death, Plan};
use crate::server::{Program, Server, spin_until};

/// A turn that nothing ends before; a kill is due between turns.
const TURN: Duration = Duration::from_millis(20);

/// Context of the run that a life gets.
pub(crate) struct Life<'a> {
    /// The server's program.
    pub(crate) program: &'a Program,
    /// The clients.
    pub(crate) crew: &'a mut Crew,
    /// Ledger of all messages.
    pub(crate) ledger: &'a mut Ledger,
    /// Random decisions of this life.
    pub(crate) draws: Draws,
    /// Longest wait for an answer.
    pub(crate) patience: Duration,
    /// Most acknowledgements that are waited for.
    pub(crate) messages_max: u64,
}

impl Life<'_> {
    /// Runs it to its end.
    ///
    /// # Errors
    /// A broken promise.
    pub(crate) fn run(mut self, plan: Plan) -> Result<(), Fault> {
        let started = Instant::now();
        let mut server = self.program.start()?;
        let due = self.ledger.due();
        if let Death::Starting { after_us } = plan.death {
            let death = started + Duration::from_micros(after_us);
            // A sleep is too coarse for the first microseconds, and shorter than the rest.
            std::thread::sleep(Duration::from_micros(after_us).saturating_sub(Duration::from_micros(200)));
            spin_until(death);
            return server.kill();
        }
        let Some(address) = server.address_within(self.patience)? else {
            let (who, what) = ("the harness".to_owned(), "the server to listen".to_owned());
            return Err(Fault::Hang { who, what, limit_s: self.patience.as_secs() });
        };
        let lived = self.live(plan, address, due);
        // A server that ended by itself says more than the connection that it closed.
        if let (Err(_), Some(detail)) = (&lived, server.ended()) {
            return Err(Fault::Closed { by: "everybody".to_owned(), detail: format!("{detail}; {}", said(&lived)) });
        }
        lived?;
        self.die(&mut server)
    }

    fn live(&mut self, plan: Plan, address: SocketAddr, due: Due) -> Result<(), Fault> {
        let settles = plan.death == Death::Settled;
        let budget = if settles { 0 } else { u32::try_from(self.messages_max).unwrap_or(u32::MAX) };
        let tutor_budget = budget / 8;
        self.crew.prepare(budget, tutor_budget);
        let began = Instant::now();
        let acknowledged_before = self.ledger.acknowledged();
        let checker = Checker::of_the_new(self.ledger, due, &mut self.draws);
        self.crew.check(checker, address, self.ledger)?;
        let mut is_connected = false;
        let mut killed_at = match plan.death {
            Death::Recovering { after_us } => Some(began + Duration::from_micros(after_us)),
            _ => None,
        };
        loop {
            if !is_connected && (!plan.checks_first || self.crew.is_checked()) {
                self.crew.connect(address, self.ledger)?;
                is_connected = true;
            }
            let left = killed_at.map(|moment| moment.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            // The system's clock for waiting is coarse: what is left below a millisecond is not slept.
            let limit = left.map_or(TURN, |left| TURN.min(left.saturating_sub(Duration::from_millis(1))));
            self.crew.turn(limit, self.patience, is_connected, address, self.ledger)?;
            match plan.death {
                Death::UnderLoad { acknowledgements, after_us } if killed_at.is_none() => {
                    let acknowledged = self.ledger.acknowledged() - acknowledged_before;
                    if self.crew.is_checked() && acknowledged >= acknowledgements {
                        killed_at = Some(Instant::now() + Duration::from_micros(after_us));
                    }
                }
                Death::Settled if is_connected && self.crew.is_quiet() => return self.settle(address),
                _ => {}
            }
        }
    }

    /// Everything is acknowledged: reads all of it back, and waits until everybody has it.
    fn settle(&mut self, address: SocketAddr) -> Result<(), Fault> {
        let due = self.ledger.due();
        self.crew.check(Checker::of_all(due), address, self.ledger)?;
        let mut read_at = None;
        loop {
            self.crew.turn(TURN, self.patience, false, address, self.ledger)?;
            if !self.crew.is_checked() {
                continue;
            }
            self.ledger.end_of_run()?;
            if self.crew.has_all(self.ledger) {
                return Ok(());
            }
            if read_at.get_or_insert_with(Instant::now).elapsed() > self.patience {
                let (who, what) = ("somebody".to_owned(), "messages that are stored".to_owned());
                return Err(Fault::Hang { who, what, limit_s: self.patience.as_secs() });
            }
        }
    }

    fn die(&mut self, server: &mut Server) -> Result<(), Fault> {
        server.kill()?;
        self.crew.drain(self.ledger)
    }
}

fn said(lived: &Result<(), Fault>) -> String {
    lived.as_ref().err().map(ToString::to_string).unwrap_or_default()
}
