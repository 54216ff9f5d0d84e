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

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
mod tests {
    use std::sync::{Arc, Mutex};

    use glassline_wire::layer::{Layer, LayerState};

    use super::super::layer::NoiseLayer;
    use super::super::offer::Offer;
    use super::super::{LocalKeys, SharedRandom};
    use super::*;
    use crate::{ServerOffer, ServerTrust, SystemRandom, Untrusted};

    /// Trusts the owner of every key, so that only the proof of the key protects.
    #[derive(Debug)]
    struct Anybody;

    impl ServerTrust for Anybody {
        fn check(&self, _: &ServerOffer) -> Result<(), Untrusted> {
            Ok(())
        }
    }

    fn victim() -> Identity {
        Identity::from_seed(&[1; 32])
    }

    /// Keys of the victim, or of somebody who shows a copied credential.
    fn keys(copied: Option<Credential>) -> Arc<LocalKeys> {
        let random: SharedRandom = Arc::new(Mutex::new(SystemRandom));
        let mut keys = LocalKeys::new(Some(&victim()), random).expect("random numbers");
        keys.credential = copied.or(keys.credential);
        Arc::new(keys)
    }

    fn pass(from: &mut NoiseLayer, to: &mut NoiseLayer) -> Result<(), LayerError> {
        let bytes = from.output().to_vec();
        from.consume_output(bytes.len());
        to.receive(&bytes, &mut Vec::new())
    }

    /// Has a client and a server shake hands, one of them with a copied credential.
    fn shake(client: Option<Credential>, server: Option<Credential>) -> (Result<(), LayerError>, [LayerState; 2]) {
        let offer = Offer::new("chat.example").expect("it fits");
        let mut client = NoiseLayer::client(&keys(client), &offer, Arc::new(Anybody));
        let mut server = NoiseLayer::server(keys(server));
        let result = pass(&mut client, &mut server)
            .and_then(|()| pass(&mut server, &mut client))
            .and_then(|()| pass(&mut client, &mut server));
        (result, [client.state(), server.state()])
    }

    #[test]
    fn a_copied_credential_proves_nothing() {
        // The victim has signed another static key; everybody it has talked to has this statement.
        let copied = Some(Credential::issue(&victim(), &[9; 32]));
        let (refused, states) = shake(None, copied);
        let text = refused.expect_err("the client refuses").to_string();
        assert!(text.contains("does not own the identity"), "{text}");
        assert_eq!(states, [LayerState::Handshaking; 2]);
        let (refused, states) = shake(copied, None);
        let text = refused.expect_err("the server refuses").to_string();
        assert!(text.contains("does not own the identity"), "{text}");
        assert_eq!(states, [LayerState::Open, LayerState::Handshaking]);
        assert_eq!(shake(None, None), (Ok(()), [LayerState::Open; 2]));
    }

    #[test]
    fn a_credential_belongs_to_one_identity_and_one_key() {
        let key = [7; 32];
        let honest = Credential::issue(&victim(), &key);
        assert_eq!(Credential::verify(honest.as_bytes(), &key), Ok(victim().public()));
        assert!(Credential::verify(honest.as_bytes(), &[8; 32]).is_err());
        for at in 0..CREDENTIAL_BYTES {
            let mut changed = *honest.as_bytes().first_chunk::<CREDENTIAL_BYTES>().expect("its length");
            changed[at] ^= 1;
            assert!(Credential::verify(&changed, &key).is_err(), "byte {at}");
        }
        for bytes in [0, 32, CREDENTIAL_BYTES - 1] {
            assert!(Credential::verify(&honest.as_bytes()[..bytes], &key).is_err(), "{bytes} bytes");
        }
        // A signature of the same identity for another purpose.
        let mut other = *honest.as_bytes().first_chunk::<CREDENTIAL_BYTES>().expect("its length");
        other[KEY_BYTES..].copy_from_slice(&victim().sign(&key));
        assert!(Credential::verify(&other, &key).is_err());
    }
}
