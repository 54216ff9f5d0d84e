//! The decision of a client whether a server's key is the right one.

use std::fmt::Debug;

use glassline_wire::link::LinkKind;

use crate::Fingerprint;

/// Statement of certificate authorities about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// An authority that this machine trusts vouches for the key and the dialled name.
    Valid,
    /// None does, for this reason.
    None(String),
}

/// Key that a server has proven to own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOffer {
    /// The scheme in which it was proven.
    pub link: LinkKind,
    /// The key.
    pub key: Fingerprint,
    /// Statement of authorities; [`Authority::None`] on links without certificates.
    pub authority: Authority,
}

/// Text for the person, for whom the connection ends: both fingerprints, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untrusted(pub String);

/// Decides about keys of the one server that was dialled.
pub trait ServerTrust: Debug + Send + Sync {
    /// Called once for each handshake, before name, token, text or the client's key is sent.
    ///
    /// # Errors
    /// The key is not the server's; the connection ends.
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted>;
}
