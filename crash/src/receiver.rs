//! A client that only receives; one of them reconnects while others send.

use std::time::Instant;

use glassline_testkit::Rng;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::membership::{Membership, Received};
use crate::peer::Peer;
use crate::script::ROOMS;

#[derive(Debug)]
pub(crate) struct Receiver {
    membership: Membership,
    reconnects: Option<Reconnects>,
}

/// When the next reconnect is due.
#[derive(Debug)]
struct Reconnects {
    rng: Rng,
    after_messages: u64,
}

/// Most messages between two reconnects.
const RECONNECT_AFTER_MAX: u64 = 500;

impl Receiver {
    /// A client that stays in a room.
    pub(crate) fn staying(name: &str, room: usize) -> Self {
        Self { membership: Membership::new(name, vec![room], false), reconnects: None }
    }

    /// A client in all rooms that disconnects at random, and reconnects at once.
    pub(crate) fn reconnecting(name: &str, mut rng: Rng) -> Self {
        let after_messages = rng.magnitude(RECONNECT_AFTER_MAX);
        let rooms = (0..ROOMS.len()).collect();
        Self { membership: Membership::new(name, rooms, false), reconnects: Some(Reconnects { rng, after_messages }) }
    }
}

impl Peer for Receiver {
    fn name(&self) -> &str {
        self.membership.name()
    }

    fn open(&mut self, _ledger: &mut Ledger, out: &mut Vec<u8>) {
        self.membership.open(out);
    }

    fn take(&mut self, payload: &[u8], ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<(), Fault> {
        let received = self.membership.take(payload, ledger, out)?;
        let by = self.membership.name().to_owned();
        if let Received::TooLate { answer, .. } = received {
            return Err(Fault::Stray { by, answer });
        }
        if let Received::Message(message) = received {
            if message.reference.is_some() {
                return Err(Fault::Stray { by, answer: format!("{message:?}") });
            }
            if let Some(room) = ROOMS.iter().position(|room| *room == message.room) {
                self.membership.stream(room).take(&by, &message.room, message.seq, false)?;
            }
            if let Some(reconnects) = &mut self.reconnects {
                reconnects.after_messages = reconnects.after_messages.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn waits_for(&self) -> Option<(&'static str, Instant)> {
        self.membership.waits_for()
    }

    fn wants_to_reconnect(&mut self) -> bool {
        match &mut self.reconnects {
            Some(reconnects) if reconnects.after_messages == 0 => {
                reconnects.after_messages = reconnects.rng.magnitude(RECONNECT_AFTER_MAX);
                true
            }
            _ => false,
        }
    }

    fn has_all(&self, ledger: &Ledger) -> bool {
        self.membership.has_all(ledger)
    }
}
