//! A sound scheme in two hundred lines, from which each protection can be removed at run time, so
//! that a test sees which cells of the table it holds.
//!
//! ```text
//! client                      server
//! e                 ────►                   a fresh key
//!                   ◄────     e, proof      another, and a proof that needs the server's own key
//! records           ◄───►     records
//! ```

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::{LayerError, LayerStack};

use crate::primitives::{Key, MAC_BYTES, is_mac, keystream_xor, mac, public, shared};
use crate::records::{Handshake, Protection, Step, layers};

/// Protection of the scheme, which can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Texts are encrypted.
    Encryption,
    /// Records have an authentication code.
    Authentication,
    /// Records have a number that the receiver counts too.
    Numbers,
    /// Each direction has a key of its own.
    Directions,
    /// The end is announced.
    End,
    /// The server proves its own key.
    Proof,
    /// The server draws a fresh key for each session.
    FreshKey,
}

/// The scheme, with all its protections or without one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    pub(crate) without: Option<Part>,
}

impl Reference {
    fn has(self, part: Part) -> bool {
        self.without != Some(part)
    }
}

impl LinkScheme for Reference {
    fn public(&self, own: &Secret) -> Vec<u8> {
        public(own).to_vec()
    }

    fn client(&self, _: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        let pinned = memory.known().and_then(|known| known.try_into().ok());
        layers(Client { scheme: *self, pinned, fresh: random })
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        // Without a fresh key the own one stands in its place in every session.
        let fresh = if self.has(Part::FreshKey) { random } else { keys.own };
        layers(Server { scheme: *self, own: keys.own, fresh })
    }
}

#[derive(Debug)]
struct Client {
    scheme: Reference,
    pinned: Option<Key>,
    fresh: Key,
}

impl Handshake for Client {
    fn start(&mut self) -> Step {
        Step::Continue(public(&self.fresh).to_vec())
    }

    fn receive(&mut self, message: &[u8]) -> Result<Step, LayerError> {
        let Some((peer, proof)) = message.split_first_chunk::<32>() else { return Err(malformed()) };
        let pinned = match self.pinned {
            Some(pinned) => pinned,
            None if !self.scheme.has(Part::Proof) => *peer,
            None => return Err(LayerError::Untrusted("get the server's key from its owner first".to_owned())),
        };
        let both = [shared(&self.fresh, peer), shared(&self.fresh, &pinned)];
        let [Some(fresh), Some(own)] = both else { return Err(malformed()) };
        let session = self.scheme.session_key(&fresh, &own, &public(&self.fresh), peer);
        if self.scheme.has(Part::Proof) && !is_mac(&session, &[b"proof"], proof) {
            return Err(LayerError::Untrusted("the server does not have the key that it had".to_owned()));
        }
        Ok(Step::Open(Vec::new(), Box::new(self.scheme.records(&session, true))))
    }
}

#[derive(Debug)]
struct Server {
    scheme: Reference,
    own: Key,
    fresh: Key,
}

impl Handshake for Server {
    fn start(&mut self) -> Step {
        Step::Continue(Vec::new())
    }

    fn receive(&mut self, message: &[u8]) -> Result<Step, LayerError> {
        let Ok(peer) = message.try_into() else { return Err(malformed()) };
        let [Some(fresh), Some(own)] = [shared(&self.fresh, &peer), shared(&self.own, &peer)] else {
            return Err(malformed());
        };
        let session = self.scheme.session_key(&fresh, &own, &peer, &public(&self.fresh));
        let answer = [public(&self.fresh), mac(&session, &[b"proof"])].concat();
        Ok(Step::Open(answer, Box::new(self.scheme.records(&session, false))))
    }
}

fn malformed() -> LayerError {
    LayerError::Malformed("a handshake message is malformed".to_owned())
}

impl Reference {
    /// Derives the key of a session from both shared secrets and everything that was sent.
    fn session_key(self, fresh: &Key, own: &Key, client: &Key, server: &Key) -> Key {
        let own = if self.has(Part::Proof) { own } else { &[0; 32] };
        mac(fresh, &[b"session", own, client, server])
    }

    fn records(self, session: &Key, is_client: bool) -> Records {
        let [up, down] = if self.has(Part::Directions) { ["to server", "to client"] } else { ["both"; 2] };
        let (sending, receiving) = if is_client { (up, down) } else { (down, up) };
        Records { scheme: self, sending: Half::new(session, sending), receiving: Half::new(session, receiving) }
    }
}

/// One direction: keys, and the number of the next record.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) encryption: Key,
    pub(crate) authentication: Key,
    pub(crate) number: u64,
}

impl Half {
    pub(crate) fn new(session: &Key, label: &str) -> Self {
        let key = |purpose: &[u8]| mac(session, &[purpose, label.as_bytes()]);
        Self { encryption: key(b"encrypt"), authentication: key(b"confirm"), number: 0 }
    }
}

/// Records: `number (8) | encrypted | code (32)`, where the receiver counts along.
#[derive(Debug)]
struct Records {
    scheme: Reference,
    sending: Half,
    receiving: Half,
}

impl Protection for Records {
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let (half, mut body) = (&mut self.sending, plaintext.to_vec());
        if self.scheme.has(Part::Encryption) {
            keystream_xor(&half.encryption, half.number, &mut body);
        }
        let number = half.number.to_be_bytes();
        let code = mac(&half.authentication, &[&number, &body]);
        half.number += 1;
        if self.scheme.has(Part::Authentication) {
            [&number, &*body, &code].concat()
        } else {
            [&number, &*body].concat()
        }
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        const REASON: &str = "a record was changed, or is not the next one";
        let half = &mut self.receiving;
        let code_bytes = if self.scheme.has(Part::Authentication) { MAC_BYTES } else { 0 };
        let (number, rest) = record.split_first_chunk::<8>().ok_or(REASON)?;
        let (body, code) = rest.split_at_checked(rest.len().wrapping_sub(code_bytes)).ok_or(REASON)?;
        if self.scheme.has(Part::Authentication) && !is_mac(&half.authentication, &[number, body], code) {
            return Err(REASON);
        }
        let number = u64::from_be_bytes(*number);
        if self.scheme.has(Part::Numbers) && number != half.number {
            return Err(REASON);
        }
        half.number += 1;
        let mut plaintext = body.to_vec();
        if self.scheme.has(Part::Encryption) {
            keystream_xor(&half.encryption, number, &mut plaintext);
        }
        Ok(plaintext)
    }

    fn has_end(&self) -> bool {
        self.scheme.has(Part::End)
    }
}
