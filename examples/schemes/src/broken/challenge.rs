//! A challenge to which both sides answer in the same way: whoever sends a client's own bytes back
//! to it passes.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::{LayerError, LayerStack};

use crate::primitives::{Key, MAC_BYTES, is_mac, mac};
use crate::records::{Handshake, Protection, Step, layers};

#[derive(Debug)]
pub(crate) struct ChallengeResponse {
    pub(crate) is_fixed: bool,
}

impl LinkScheme for ChallengeResponse {
    fn client(&self, keys: &MemberKeys, _: &Arc<Memory>, random: Secret) -> LayerStack {
        layers(self.side(keys.shared, random, "client", "server"))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        layers(self.side(keys.shared, random, "server", "client"))
    }
}

impl ChallengeResponse {
    fn side(&self, shared: Key, challenge: Key, own: &'static str, peer: &'static str) -> Side {
        // The fix: the role goes into the answer, and into the keys of the records.
        let [own, peer] = if self.is_fixed { [own, peer] } else { ["both"; 2] };
        Side { shared, challenge, own, peer, challenged: None }
    }
}

#[derive(Debug)]
struct Side {
    shared: Key,
    challenge: Key,
    own: &'static str,
    peer: &'static str,
    challenged: Option<Key>,
}

impl Handshake for Side {
    fn start(&mut self) -> Step {
        Step::Continue(self.challenge.to_vec())
    }

    fn receive(&mut self, message: &[u8]) -> Result<Step, LayerError> {
        let Some(challenge) = self.challenged else {
            let challenge =
                <Key>::try_from(message).map_err(|_| LayerError::Malformed("a challenge is malformed".to_owned()))?;
            self.challenged = Some(challenge);
            return Ok(Step::Continue(mac(&self.shared, &[b"answer", self.own.as_bytes(), &challenge]).to_vec()));
        };
        if !is_mac(&self.shared, &[b"answer", self.peer.as_bytes(), &self.challenge], message) {
            return Err(LayerError::Untrusted("the peer does not know the shared key".to_owned()));
        }
        let both: Vec<u8> = self.challenge.iter().zip(challenge).map(|(one, other)| one ^ other).collect();
        let key = |role: &str| mac(&self.shared, &[b"records", role.as_bytes(), &both]);
        Ok(Step::Open(
            Vec::new(),
            Box::new(Records { sending: key(self.own), receiving: key(self.peer), numbers: [0; 2] }),
        ))
    }
}

/// Records: `plaintext | code`. Nothing is encrypted here.
#[derive(Debug)]
struct Records {
    sending: Key,
    receiving: Key,
    numbers: [u64; 2],
}

impl Protection for Records {
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let code = mac(&self.sending, &[&self.numbers[0].to_be_bytes(), plaintext]);
        self.numbers[0] += 1;
        [plaintext, &code].concat()
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        const REASON: &str = "a record was changed, or is not the next one";
        let (plaintext, code) = record.split_at_checked(record.len().wrapping_sub(MAC_BYTES)).ok_or(REASON)?;
        if !is_mac(&self.receiving, &[&self.numbers[1].to_be_bytes(), plaintext], code) {
            return Err(REASON);
        }
        self.numbers[1] += 1;
        Ok(plaintext.to_vec())
    }
}
