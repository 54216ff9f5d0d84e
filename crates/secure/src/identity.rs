//! The key of one person, or of one server.

use std::fmt;

use ed25519_dalek::ed25519::pkcs8::KeypairBytes;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use glassline_wire::link::IdentityKey;

use crate::Fingerprint;

/// Causes for which there is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The system gave no random bytes.
    #[error("the system gives no random numbers ({0}); no key can be made")]
    NoRandomness(String),
    /// The text is no Ed25519 key in PKCS #8.
    #[error("this is no Ed25519 key in PEM (PKCS #8)")]
    NotAKey,
}

/// Ed25519 key pair. It is the client's key in TLS, signs the static key of Noise, and signs sealed
/// messages.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
}

impl Identity {
    /// Makes a new one from the system's random numbers.
    ///
    /// # Errors
    /// [`IdentityError::NoRandomness`].
    pub fn generate() -> Result<Self, IdentityError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| IdentityError::NoRandomness(error.to_string()))?;
        Ok(Self::from_seed(&seed))
    }

    /// Returns the identity of a seed (RFC 8032), for tests and vectors.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// Reads PKCS #8 in PEM, as written by [`to_pem`](Self::to_pem).
    ///
    /// # Errors
    /// [`IdentityError::NotAKey`].
    pub fn from_pem(pem: &str) -> Result<Self, IdentityError> {
        SigningKey::from_pkcs8_pem(pem).map(|key| Self { key }).map_err(|_| IdentityError::NotAKey)
    }

    /// Returns the private key as PKCS #8 in PEM, without the public key, as OpenSSL reads and writes
    /// it.
    ///
    /// # Errors
    /// None in practice: a key always has this form.
    pub fn to_pem(&self) -> Result<String, IdentityError> {
        let bytes = KeypairBytes { secret_key: self.key.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(|_| IdentityError::NotAKey)
    }

    /// The public key.
    pub fn public(&self) -> IdentityKey {
        self.key.verifying_key().to_bytes()
    }

    /// Fingerprint of the public key.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint_of(&self.key.verifying_key())
    }

    /// Signs `message`. The caller puts a label of its domain in front.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// Fingerprint of somebody's public key; `None` where the bytes are no key.
    pub fn fingerprint_of(key: &IdentityKey) -> Option<Fingerprint> {
        VerifyingKey::from_bytes(key).ok().map(|key| fingerprint_of(&key))
    }

    /// Returns the key in a `SubjectPublicKeyInfo`; `None` for keys of another kind, and for those of
    /// small order, of which anybody can make signatures.
    pub(crate) fn key_of_spki(spki: &[u8]) -> Option<IdentityKey> {
        VerifyingKey::from_public_key_der(spki).ok().filter(|key| !key.is_weak()).map(|key| key.to_bytes())
    }

    /// Returns whether `signature` is that of `key` over `message`; keys of small order are refused.
    pub fn verify(key: &IdentityKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

/// Hashes the key as a `SubjectPublicKeyInfo`, like that of a certificate.
fn fingerprint_of(key: &VerifyingKey) -> Fingerprint {
    // An Ed25519 key has one encoding, whose length is fixed.
    let spki = key.to_public_key_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default();
    Fingerprint::of_spki(&spki)
}

impl fmt::Debug for Identity {
    /// Shows the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_its_file() {
        let identity = Identity::from_seed(&[7; 32]);
        let read = Identity::from_pem(&identity.to_pem().unwrap()).unwrap();
        assert_eq!(read.public(), identity.public());
        assert_eq!(Identity::fingerprint_of(&read.public()), Some(identity.fingerprint()));
        assert!(matches!(Identity::from_pem("garbage"), Err(IdentityError::NotAKey)));
    }

    #[test]
    fn a_signature_holds_for_its_key_and_message_only() {
        let (alice, eve) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
        let signature = alice.sign(b"hello");
        assert!(Identity::verify(&alice.public(), b"hello", &signature));
        assert!(!Identity::verify(&alice.public(), b"hallo", &signature));
        assert!(!Identity::verify(&eve.public(), b"hello", &signature));
        assert!(!Identity::verify(&[0; 32], b"hello", &[0; 64]));
    }

    #[test]
    fn keys_of_another_kind_or_of_small_order_are_no_identity() {
        let alice = Identity::from_seed(&[1; 32]);
        let spki = alice.key.verifying_key().to_public_key_der().unwrap();
        assert_eq!(Identity::key_of_spki(spki.as_bytes()), Some(alice.public()));
        let prefix = &spki.as_bytes()[..12];
        let mut neutral = [0; 32];
        neutral[0] = 1;
        // The neutral element, and one of order 4.
        for weak in [neutral, [0; 32]] {
            assert_eq!(Identity::key_of_spki(&[prefix, &weak].concat()), None);
        }
        assert_eq!(Identity::key_of_spki(&spki.as_bytes()[1..]), None);
        assert_eq!(Identity::key_of_spki(b""), None);
    }

    #[test]
    fn the_private_key_is_not_in_the_debug_output() {
        let shown = format!("{:?}", Identity::from_seed(&[0xab; 32]));
        assert!(!shown.contains("171") && !shown.to_lowercase().contains("abab"), "{shown}");
    }
}
