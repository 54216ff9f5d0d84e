//! The three messages of the handshake, and who may say what in them.

use std::fmt;
use std::sync::Arc;

use glassline_wire::layer::LayerError;
use glassline_wire::link::{IdentityKey, LinkKind};
use snow::HandshakeState;

use super::LocalKeys;
use super::credential::{CREDENTIAL_BYTES, Credential};
use super::crypto::{self, PublicKey, Role, local_failure};
use super::framing::length;
use super::offer::Offer;
use super::records::Records;
use crate::{Authority, Identity, ServerOffer, ServerTrust};

const PUBLIC_KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const MESSAGE_1_BYTES: usize = PUBLIC_KEY_BYTES;
const MESSAGE_2_BYTES: usize = PUBLIC_KEY_BYTES + MESSAGE_3_BYTES;
const MESSAGE_3_BYTES: usize = ANONYMOUS_MESSAGE_3_BYTES + CREDENTIAL_BYTES;
/// Message 3 of a client that shows no identity.
const ANONYMOUS_MESSAGE_3_BYTES: usize = PUBLIC_KEY_BYTES + TAG_BYTES + TAG_BYTES;

/// Handshake that is over.
#[derive(Debug)]
pub(super) struct Established {
    pub(super) records: Records,
    pub(super) peer: Option<IdentityKey>,
}

/// A client that has sent message 1.
pub(super) struct ClientHandshake {
    state: HandshakeState,
    keys: Arc<LocalKeys>,
    trust: Arc<dyn ServerTrust>,
}

impl ClientHandshake {
    /// Appends the offer and message 1 to `output`.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`].
    pub(super) fn start(
        keys: &Arc<LocalKeys>,
        offer: &Offer,
        trust: Arc<dyn ServerTrust>,
        output: &mut Vec<u8>,
    ) -> Result<Self, LayerError> {
        let mut state = crypto::start(Role::Initiator, keys, offer.as_bytes())?;
        let message = write(&mut state, &[])?;
        output.extend_from_slice(offer.as_bytes());
        output.extend(message);
        Ok(Self { state, keys: Arc::clone(keys), trust })
    }

    /// Judges the length of message 2.
    pub(super) fn check_length(bytes: usize) -> Result<(), LayerError> {
        if bytes == MESSAGE_2_BYTES {
            return Ok(());
        }
        let text = "the server answers with something else than Noise; it may not offer it on this port";
        Err(LayerError::Malformed(text.to_owned()))
    }

    /// Takes message 2, has the server's identity decided about, and only then appends message 3,
    /// with the client's key in it, to `output`.
    ///
    /// # Errors
    /// The message is not that of the server it names, or its identity is not trusted.
    pub(super) fn finish(mut self, message: &[u8], output: &mut Vec<u8>) -> Result<Established, LayerError> {
        let payload = read(&mut self.state, message).ok_or_else(|| {
            LayerError::Malformed("the server's part of the handshake was changed on the way".to_owned())
        })?;
        let peer = Credential::verify(&payload, &peer_static_key(&self.state)?)?;
        let key = Identity::fingerprint_of(&peer)
            .ok_or_else(|| LayerError::Malformed("the server's identity is no key".to_owned()))?;
        let authority = Authority::None("a Noise link has no certificates".to_owned());
        self.trust
            .check(&ServerOffer { link: LinkKind::Noise, key, authority })
            .map_err(|untrusted| LayerError::Untrusted(untrusted.0))?;
        let credential = self.keys.credential.as_ref().map_or(&[][..], Credential::as_bytes);
        output.extend(write(&mut self.state, credential)?);
        Ok(Established { records: Records::new(self.state)?, peer: Some(peer) })
    }
}

/// A server that has sent message 2.
pub(super) struct ServerHandshake {
    state: HandshakeState,
}

impl ServerHandshake {
    /// Judges the length of message 1.
    pub(super) fn check_first_length(bytes: usize) -> Result<(), LayerError> {
        check_length(1, bytes, &[MESSAGE_1_BYTES])
    }

    /// Takes message 1 and appends message 2 to `output`.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`]; a message 1 of the right length has no other faults.
    pub(super) fn start(
        keys: &LocalKeys,
        offer: &Offer,
        message: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Self, LayerError> {
        let mut state = crypto::start(Role::Responder, keys, offer.as_bytes())?;
        read(&mut state, message)
            .ok_or_else(|| LayerError::Malformed("message 1 of the handshake holds no key".to_owned()))?;
        let credential = keys.credential.as_ref().map_or(&[][..], Credential::as_bytes);
        output.extend(write(&mut state, credential)?);
        Ok(Self { state })
    }

    /// Judges the length of message 3.
    pub(super) fn check_length(bytes: usize) -> Result<(), LayerError> {
        check_length(3, bytes, &[MESSAGE_3_BYTES, ANONYMOUS_MESSAGE_3_BYTES])
    }

    /// Takes message 3.
    ///
    /// # Errors
    /// The message does not answer message 2, or its sender does not own the identity in it.
    pub(super) fn finish(mut self, message: &[u8]) -> Result<Established, LayerError> {
        let payload = read(&mut self.state, message).ok_or_else(|| {
            let text = "message 3 of the handshake was changed on the way, or belongs to another connection";
            LayerError::Malformed(text.to_owned())
        })?;
        let static_key = peer_static_key(&self.state)?;
        let peer = (!payload.is_empty()).then(|| Credential::verify(&payload, &static_key)).transpose()?;
        Ok(Established { records: Records::new(self.state)?, peer })
    }
}

fn check_length(message: u8, bytes: usize, expected: &[usize]) -> Result<(), LayerError> {
    if expected.contains(&bytes) {
        return Ok(());
    }
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    let text = format!("message {message} of the handshake has {} bytes, not {bytes}", expected.join(" or "));
    Err(LayerError::Malformed(text))
}

fn peer_static_key(state: &HandshakeState) -> Result<PublicKey, LayerError> {
    let key = state.get_remote_static().and_then(|key| key.try_into().ok());
    key.ok_or_else(|| LayerError::Malformed("the handshake holds no static key".to_owned()))
}

/// Returns the payload of a received message; `None` where its tags are wrong.
fn read(state: &mut HandshakeState, message: &[u8]) -> Option<Vec<u8>> {
    let mut payload = vec![0; message.len()];
    let bytes = state.read_message(message, &mut payload).ok()?;
    payload.truncate(bytes);
    Some(payload)
}

/// Returns the next message with `payload`, behind its length.
fn write(state: &mut HandshakeState, payload: &[u8]) -> Result<Vec<u8>, LayerError> {
    let mut message = [0; MESSAGE_2_BYTES + TAG_BYTES];
    let bytes = state.write_message(payload, &mut message).map_err(|error| local_failure(&error))?;
    Ok([&length(bytes), &message[..bytes]].concat())
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake").finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake").finish_non_exhaustive()
    }
}
