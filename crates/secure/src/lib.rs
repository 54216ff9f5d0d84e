//! Identities, fingerprints, secure links and sealed messages.
//!
//! The only crate that uses cryptography. It does no I/O: bytes in, bytes out. Files with keys are
//! the keyring's, sockets belong to client and server.

pub mod external;
mod fingerprint;
mod gather;
mod identity;
pub mod noise;
mod random;
pub mod seal;
pub mod tls;
mod trust;

pub use fingerprint::{DifferingWord, Fingerprint, FingerprintError};
pub use identity::{Identity, IdentityError};
pub use random::{NoRandomness, Random, SystemRandom};
pub use trust::{Authority, ServerOffer, ServerTrust, Untrusted};
