//! Interface of a client of the harness to the loop that drives it.

use std::time::Instant;

use crate::fault::Fault;
use crate::ledger::Ledger;

/// A client: bytes in, bytes out, what it saw into the ledger.
pub(crate) trait Peer: std::fmt::Debug {
    /// Returns the client's name in a fault.
    fn name(&self) -> &str;

    /// The first bytes to send on a new connection.
    fn open(&mut self, ledger: &mut Ledger, out: &mut Vec<u8>);

    /// A whole payload came.
    fn take(&mut self, payload: &[u8], ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<(), Fault>;

    /// Sets the number of messages that may be sent in the next run of the server.
    fn prepare(&mut self, _budget: u32) {}

    /// It may put the server under load now.
    fn work(&mut self, _ledger: &mut Ledger, _out: &mut Vec<u8>) {}

    /// It must get an answer: to what, and since when.
    fn waits_for(&self) -> Option<(&'static str, Instant)>;

    /// Nothing it asked for is in flight.
    fn is_done(&self) -> bool {
        true
    }

    /// It wants its connection closed and another one.
    fn wants_to_reconnect(&mut self) -> bool {
        false
    }

    /// It has all of these rooms up to their newest messages.
    fn has_all(&self, _ledger: &Ledger) -> bool {
        true
    }
}
