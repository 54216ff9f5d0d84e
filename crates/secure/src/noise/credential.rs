//! Statement of an identity that a static key of Noise is its own: the payload of the handshake's
//! messages 2 and 3.
//!
//! ```text
//! public key of the identity (32) | signature over LABEL and the static public key (64)
//! ```
//!
//! The signature names no session: the handshake itself proves that the sender has the private half
//! of the static key, and a transcript thus proves to nobody that a conversation took place.

use std::fmt;

use glassline_wire::layer::LayerError;
use glassline_wire::link::IdentityKey;

use super::crypto::PublicKey;
use crate::Identity;

/// Separates these signatures from all others of the same identity.
const LABEL: &[u8] = b"glassline noise static key";
const KEY_BYTES: usize = 32;
/// Bytes of the whole statement.
pub(super) const CREDENTIAL_BYTES: usize = KEY_BYTES + 64;

/// The statement as bytes.
#[derive(Clone, Copy)]
pub(super) struct Credential([u8; CREDENTIAL_BYTES]);

impl Credential {
    /// Has `identity` sign `static_key`.
    pub(super) fn issue(identity: &Identity, static_key: &PublicKey) -> Self {
        let mut bytes = [0; CREDENTIAL_BYTES];
        let (key, signature) = bytes.split_at_mut(KEY_BYTES);
        key.copy_from_slice(&identity.public());
        signature.copy_from_slice(&identity.sign(&signed_message(static_key)));
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the identity in a received payload, which owns `static_key`.
    ///
    /// # Errors
    /// The payload has another length, or the signature is not that of the identity over this key.
    pub(super) fn verify(payload: &[u8], static_key: &PublicKey) -> Result<IdentityKey, LayerError> {
        let (key, signature) = payload
            .split_first_chunk::<KEY_BYTES>()
            .and_then(|(key, signature)| Some((key, signature.try_into().ok()?)))
            .ok_or_else(|| LayerError::Malformed("the handshake holds no identity where one belongs".to_owned()))?;
        if !Identity::verify(key, &signed_message(static_key), signature) {
            let text = "the peer does not own the identity it shows: the signature is not that of its key";
            return Err(LayerError::Malformed(text.to_owned()));
        }
        Ok(*key)
    }
}

fn signed_message(static_key: &PublicKey) -> Vec<u8> {
    [LABEL, static_key].concat()
}

impl fmt::Debug for Credential {
    /// Shows whose it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.0.first_chunk().and_then(Identity::fingerprint_of);
        f.debug_tuple("Credential").field(&key).finish()
    }
}
