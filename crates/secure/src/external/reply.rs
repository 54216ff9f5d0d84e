//! Answers of a scheme's program. Unknown fields are ignored.

use glassline_wire::layer::{LayerError, LayerState};
use serde::Deserialize;

use super::VERSION;
use super::hex::Hex;

/// Answer to `hello`: the abilities of the program. One that does not know the request has a link.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Features {
    /// Version of the lines.
    pub version: u32,
    /// Name of the scheme, for tables; empty where it has none.
    pub name: String,
    /// It has layers.
    pub link: bool,
    /// It has a seal.
    pub seal: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self { version: VERSION, name: String::new(), link: true, seal: false }
    }
}

/// Answer to `public`.
#[derive(Debug, Deserialize)]
pub(super) struct PublicReply {
    pub(super) public: Hex,
}

/// Answer to all requests about a layer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LayerReply {
    /// Progress after the request; none where it stays.
    #[serde(default)]
    pub state: Option<Progress>,
    /// Bytes to be written, after those of earlier answers.
    #[serde(default)]
    pub output: Hex,
    /// Plaintext that has arrived.
    #[serde(default)]
    pub plaintext: Hex,
    /// Public key of the server, which a client is to remember.
    #[serde(default)]
    pub server: Option<Hex>,
    /// The scheme announces the end of a stream, so that one that was cut off can be noticed.
    #[serde(default)]
    pub has_end: Option<bool>,
    /// Cause for which the connection has failed.
    #[serde(default)]
    pub error: Option<LayerFault>,
}

/// Progress of a layer, as [`LayerState`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Nothing can be sent yet.
    Handshaking,
    /// Plaintext passes in both directions.
    Open,
    /// The peer has announced its end.
    PeerClosed,
}

impl From<Progress> for LayerState {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Handshaking => Self::Handshaking,
            Progress::Open => Self::Open,
            Progress::PeerClosed => Self::PeerClosed,
        }
    }
}

/// Failure of a layer, with a text for the person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum LayerFault {
    /// Bytes that break the rules, or were changed on the way.
    Malformed(String),
    /// The server's key is not accepted.
    Untrusted {
        /// Reason, both keys, and what to do.
        untrusted: String,
    },
}

impl From<LayerFault> for LayerError {
    fn from(fault: LayerFault) -> Self {
        match fault {
            LayerFault::Malformed(text) => Self::Malformed(text),
            LayerFault::Untrusted { untrusted } => Self::Untrusted(untrusted),
        }
    }
}
