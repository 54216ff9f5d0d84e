//! Kinds of links, and what a link has established about the peer.

use alloc::string::String;
use core::fmt;

use crate::hex;

/// Protection of the bytes between a client and its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkKind {
    /// None: everybody on the way reads and changes them.
    Plaintext,
    /// TLS 1.3.
    Tls,
    /// The Noise pattern XX.
    Noise,
}

impl LinkKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Plaintext, Self::Tls, Self::Noise];

    /// Name as in `whois` (E3) and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Tls => "tls",
            Self::Noise => "noise",
        }
    }

    /// Name in a sentence for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Tls => "TLS",
            Self::Noise => "Noise",
        }
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Ed25519 public key that a peer has proven to own.
pub type IdentityKey = [u8; 32];

/// Facts about a link whose handshake is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkFacts {
    /// Protection of the bytes.
    pub kind: LinkKind,
    /// Identity of the peer; `None` where it has shown none.
    pub peer: Option<IdentityKey>,
}

impl LinkFacts {
    /// Facts of a connection without a secure layer.
    pub const PLAINTEXT: Self = Self { kind: LinkKind::Plaintext, peer: None };

    /// The peer's identity in 64 hexadecimal digits, as in `whois` (E3).
    pub fn peer_hex(&self) -> Option<String> {
        self.peer.map(|key| hex::encode(&key))
    }
}
