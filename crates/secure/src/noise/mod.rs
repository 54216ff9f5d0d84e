//! The Noise link: `Noise_XX_25519_ChaChaPoly_SHA256` with identities, rekeying and an
//! authenticated end (N in `spec/protocol.md`).
//!
//! ```text
//! client                                          server
//! GLASSNOISE | version | name       ── offer ──►
//! e                                 ─── 1 ────►
//!                                   ◄── 2 ─────   e, ee, s, es, identity
//! the person or a pin decides about the identity
//! s, se, identity                   ─── 3 ────►
//! records                           ◄─────────►   records
//! ```
//!
//! Each factory makes one static key of Noise when it is created, keeps it in memory only, and has
//! the identity sign it once. So a flood of openings costs no signatures, and the static key that a
//! thief could take is gone with the process.

mod credential;
mod crypto;
mod framing;
mod handshake;
mod layer;
mod offer;
mod records;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use glassline_wire::layer::{LayerFactory, LayerStack};

use crate::{Identity, NoRandomness, Random, ServerTrust, SystemRandom};
use credential::Credential;
use crypto::StaticKey;
use layer::NoiseLayer;
use offer::Offer;

pub use offer::NAME_BYTES_MAX;
pub use records::{REKEY_RECORDS, SENT_PLAINTEXT_BYTES_MAX};

/// Causes for which there is no Noise link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoiseError {
    /// The dialled name does not fit the offer.
    #[error("a server's name has 1 to {NAME_BYTES_MAX} bytes; this one has {0}")]
    NameLength(usize),
    /// There is no key without them.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Random numbers of all connections of one factory.
type SharedRandom = Arc<Mutex<dyn Random>>;

/// Static key of this process, and what its peers are shown with it.
struct LocalKeys {
    static_key: StaticKey,
    /// The identity's statement about the static key; `None` where no identity is shown.
    credential: Option<Credential>,
    random: SharedRandom,
}

impl LocalKeys {
    fn new(identity: Option<&Identity>, random: SharedRandom) -> Result<Self, NoiseError> {
        let static_key = StaticKey::generate(&mut *random.lock().unwrap_or_else(PoisonError::into_inner))?;
        let credential = identity.map(|identity| Credential::issue(identity, static_key.public()));
        Ok(Self { static_key, credential, random })
    }
}

impl fmt::Debug for LocalKeys {
    /// Shows nothing of the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKeys").field("credential", &self.credential).finish_non_exhaustive()
    }
}

/// The server's side of Noise links.
#[derive(Debug)]
pub struct NoiseServer {
    keys: Arc<LocalKeys>,
}

impl NoiseServer {
    /// Returns the side of a server with this identity.
    ///
    /// # Errors
    /// [`NoiseError::NoRandomness`].
    pub fn new(identity: &Identity) -> Result<Self, NoiseError> {
        Self::with_random(identity, SystemRandom)
    }

    /// As [`new`](Self::new), with random numbers of the caller's, so that a run can be repeated.
    ///
    /// # Errors
    /// [`NoiseError::NoRandomness`].
    pub fn with_random(identity: &Identity, random: impl Random + 'static) -> Result<Self, NoiseError> {
        let keys = LocalKeys::new(Some(identity), Arc::new(Mutex::new(random)))?;
        Ok(Self { keys: Arc::new(keys) })
    }
}

impl LayerFactory for NoiseServer {
    fn layers(&self) -> LayerStack {
        LayerStack::new(vec![Box::new(NoiseLayer::server(Arc::clone(&self.keys)))])
    }
}

/// Settings of a client's side.
#[derive(Debug, Clone)]
pub struct NoiseClientOptions {
    /// Name or address that was dialled: 1 to [`NAME_BYTES_MAX`] bytes. Everybody on the way reads it.
    pub server_name: String,
    /// Identity that the server is shown, once it is trusted; `None` to show none.
    pub identity: Option<Arc<Identity>>,
    /// Decides about the server's identity.
    pub trust: Arc<dyn ServerTrust>,
}

/// The client's side of Noise links.
#[derive(Debug)]
pub struct NoiseClient {
    keys: Arc<LocalKeys>,
    offer: Offer,
    trust: Arc<dyn ServerTrust>,
}

impl NoiseClient {
    /// Returns the side of a client with these settings.
    ///
    /// # Errors
    /// The name does not fit, or the system gives no random numbers.
    pub fn new(options: &NoiseClientOptions) -> Result<Self, NoiseError> {
        Self::with_random(options, SystemRandom)
    }

    /// As [`new`](Self::new), with random numbers of the caller's, so that a run can be repeated.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_random(options: &NoiseClientOptions, random: impl Random + 'static) -> Result<Self, NoiseError> {
        let offer = Offer::new(&options.server_name)?;
        let keys = LocalKeys::new(options.identity.as_deref(), Arc::new(Mutex::new(random)))?;
        Ok(Self { keys: Arc::new(keys), offer, trust: Arc::clone(&options.trust) })
    }
}

impl LayerFactory for NoiseClient {
    fn layers(&self) -> LayerStack {
        LayerStack::new(vec![Box::new(NoiseLayer::client(&self.keys, &self.offer, Arc::clone(&self.trust)))])
    }
}
