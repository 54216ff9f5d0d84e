//! A handshake in which both sides send a random number, and derive the keys of both directions from
//! a key that they have agreed upon.

use glassline_wire::layer::LayerError;

use crate::primitives::{Key, mac};
use crate::records::{Handshake, Protection, Step};
use crate::reference::Half;

/// Makes the records of a session from its directions: the sending one, and the receiving one.
pub(crate) type MakeRecords = Box<dyn Fn(Half, Half) -> Box<dyn Protection> + Send>;

pub(crate) struct Fresh {
    shared: Key,
    own: Key,
    is_client: bool,
    records: MakeRecords,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh").field("is_client", &self.is_client).finish_non_exhaustive()
    }
}

impl Fresh {
    pub(crate) fn new(shared: Key, random: Key, is_client: bool, records: MakeRecords) -> Self {
        Self { shared, own: random, is_client, records }
    }
}

impl Handshake for Fresh {
    fn start(&mut self) -> Step {
        Step::Continue(if self.is_client { self.own.to_vec() } else { Vec::new() })
    }

    fn receive(&mut self, message: &[u8]) -> Result<Step, LayerError> {
        let Ok(peer) = <Key>::try_from(message) else {
            return Err(LayerError::Malformed("a handshake message is malformed".to_owned()));
        };
        let (client, server) = if self.is_client { (self.own, peer) } else { (peer, self.own) };
        let session = mac(&self.shared, &[&client, &server]);
        let answer = if self.is_client { Vec::new() } else { self.own.to_vec() };
        let [up, down] = ["to server", "to client"].map(|label| Half::new(&session, label));
        let (sending, receiving) = if self.is_client { (up, down) } else { (down, up) };
        Ok(Step::Open(answer, (self.records)(sending, receiving)))
    }
}
