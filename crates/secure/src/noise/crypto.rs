//! The parameters of the handshake, and the primitives behind them.

use std::sync::PoisonError;

use glassline_wire::layer::LayerError;
use snow::params::{CipherChoice, DHChoice, HashChoice, NoiseParams};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random as NoiseRandom};
use snow::{Builder, HandshakeState};
use zeroize::Zeroizing;

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

/// X25519 key pair that a side shows to all its peers. The private half is wiped with it.
pub(super) struct StaticKey {
    private: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl StaticKey {
    pub(super) fn generate(random: &mut dyn Random) -> Result<Self, NoRandomness> {
        let private = Zeroizing::new(random::bytes(random)?);
        Ok(Self { public: public_key(&private), private })
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

/// Starts the handshake of one side.
///
/// # Errors
/// [`LayerError::Unavailable`].
pub(super) fn start(role: Role, keys: &LocalKeys, prologue: &[u8]) -> Result<HandshakeState, LayerError> {
    build(role, keys, prologue).map_err(|error| local_failure(&error))
}

fn build(role: Role, keys: &LocalKeys, prologue: &[u8]) -> Result<HandshakeState, snow::Error> {
    let parameters: NoiseParams = PARAMETERS.parse()?;
    let builder = Builder::with_resolver(parameters, Box::new(Primitives { random: keys.random.clone() }))
        .local_private_key(&*keys.static_key.private)?
        .prologue(prologue)?;
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

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
mod tests {
    use std::fs;
    use std::sync::{Arc, Mutex};

    use glassline_wire::hex;
    use serde_json::Value;

    use super::*;

    /// The bytes of `keys`, in their order.
    #[derive(Debug)]
    struct Scripted(Vec<u8>);

    impl Random for Scripted {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
            let rest = self.0.split_off(bytes.len());
            bytes.copy_from_slice(&std::mem::replace(&mut self.0, rest));
            Ok(())
        }
    }

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value["hex"].as_str().expect("bytes as hex")).expect("hex")
    }

    fn side(role: Role, vector: &Value, keys: &Value) -> HandshakeState {
        let random = Scripted([bytes(&keys["static"]), bytes(&keys["ephemeral"])].concat());
        let keys = LocalKeys::new(None, Arc::new(Mutex::new(random))).expect("keys");
        start(role, &keys, &bytes(&vector["prologue"])).expect("a handshake")
    }

    #[test]
    fn the_handshake_is_that_of_the_vectors_of_its_pattern() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/noise.json");
        let file: Value = serde_json::from_str(&fs::read_to_string(path).expect("the vectors")).expect("JSON");
        let vector = &file["pattern"];
        assert_eq!(vector["protocol"], PARAMETERS);
        let mut client = side(Role::Initiator, vector, &vector["client"]);
        let mut server = side(Role::Responder, vector, &vector["server"]);
        let messages = vector["messages"].as_array().expect("a list");
        let (handshake, transport) = messages.split_at(3);
        let mut buffers = ([0; 300], [0; 300]);
        for (number, message) in handshake.iter().enumerate() {
            let (from, to) = if number == 1 { (&mut server, &mut client) } else { (&mut client, &mut server) };
            let (payload, expected) = (bytes(&message["payload"]), bytes(&message["bytes"]));
            let written = from.write_message(&payload, &mut buffers.0).expect("written");
            assert_eq!(&buffers.0[..written], expected, "message {number}");
            let read = to.read_message(&expected, &mut buffers.1).expect("read");
            assert_eq!(&buffers.1[..read], payload, "message {number}");
        }
        assert_eq!(client.get_handshake_hash(), bytes(&vector["handshake_hash"]));
        let (mut client, mut server) =
            (client.into_transport_mode().expect("over"), server.into_transport_mode().expect("over"));
        for (number, message) in transport.iter().enumerate() {
            let (from, to) = if number % 2 == 0 { (&mut server, &mut client) } else { (&mut client, &mut server) };
            let (payload, expected) = (bytes(&message["payload"]), bytes(&message["bytes"]));
            let written = from.write_message(&payload, &mut buffers.0).expect("written");
            assert_eq!(&buffers.0[..written], expected, "record {number}");
            let read = to.read_message(&expected, &mut buffers.1).expect("read");
            assert_eq!(&buffers.1[..read], payload, "record {number}");
        }
    }
}
