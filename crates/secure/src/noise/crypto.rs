//! The parameters of the handshake, and the primitives behind them.

use std::sync::PoisonError;

use glassline_wire::layer::LayerError;
use snow::params::{CipherChoice, DHChoice, HashChoice, NoiseParams};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random as NoiseRandom};
use snow::{Builder, HandshakeState};

use super::offer::Offer;
use super::{LocalKeys, SharedRandom};
use crate::random::{self, NoRandomness, Random};

const PARAMETERS: &str = "Noise_XX_25519_ChaChaPoly_SHA256";

/// X25519 public key.
pub(super) type PublicKey = [u8; 32];

/// Side of a handshake.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Initiator,
    Responder,
}

/// X25519 key pair that a side shows to all its peers.
pub(super) struct StaticKey {
    private: [u8; 32],
    public: PublicKey,
}

impl StaticKey {
    pub(super) fn generate(random: &mut dyn Random) -> Result<Self, NoRandomness> {
        let private = random::bytes(random)?;
        Ok(Self { private, public: public_key(&private) })
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }
}

fn public_key(private: &[u8; 32]) -> PublicKey {
    let mut public = [0; 32];
    if let Some(mut dh) = DefaultResolver.resolve_dh(&DHChoice::Curve25519) {
        dh.set(private);
        public.copy_from_slice(dh.pubkey());
    }
    public
}

/// Starts the handshake of one side, with the offer as its prologue.
///
/// # Errors
/// [`LayerError::Unavailable`].
pub(super) fn start(role: Role, keys: &LocalKeys, offer: &Offer) -> Result<HandshakeState, LayerError> {
    build(role, keys, offer).map_err(|error| local_failure(&error))
}

fn build(role: Role, keys: &LocalKeys, offer: &Offer) -> Result<HandshakeState, snow::Error> {
    let parameters: NoiseParams = PARAMETERS.parse()?;
    let builder = Builder::with_resolver(parameters, Box::new(Primitives { random: keys.random.clone() }))
        .local_private_key(&keys.static_key.private)?
        .prologue(offer.as_bytes())?;
    match role {
        Role::Initiator => builder.build_initiator(),
        Role::Responder => builder.build_responder(),
    }
}

/// Failure that no peer has caused.
pub(super) fn local_failure(error: &snow::Error) -> LayerError {
    LayerError::Unavailable(match error {
        snow::Error::Rng => "the system gives no random numbers".to_owned(),
        other => format!("Noise: {other}"),
    })
}

/// The primitives of `snow` with the factory's random numbers.
struct Primitives {
    random: SharedRandom,
}

impl CryptoResolver for Primitives {
    fn resolve_rng(&self) -> Option<Box<dyn NoiseRandom>> {
        Some(Box::new(HandshakeRandom(self.random.clone())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

struct HandshakeRandom(SharedRandom);

impl NoiseRandom for HandshakeRandom {
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), snow::Error> {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        random.fill(bytes).map_err(|_| snow::Error::Rng)
    }
}
