//! Answers of a scheme's program. Unknown fields are ignored.

use glassline_wire::layer::{LayerError, LayerState};
use serde::Deserialize;

use super::hex::Hex;

/// Answer to `hello`: what the program implements.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Features {
    /// Version of the lines.
    pub version: u32,
    /// Name of the scheme, for tables.
    pub name: String,
    /// It has layers.
    #[serde(default)]
    pub link: bool,
    /// It has a seal.
    #[serde(default)]
    pub seal: bool,
}

/// Answer to `public`.
#[derive(Debug, Deserialize)]
pub(super) struct PublicReply {
    pub(super) public: Hex,
}

/// Answer to all requests about a layer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LayerReply {
    /// Progress after the request.
    #[serde(with = "State")]
    pub state: LayerState,
    /// Bytes to be written, after those of earlier answers.
    #[serde(default)]
    pub output: Hex,
    /// Plaintext that has arrived.
    #[serde(default)]
    pub plaintext: Hex,
    /// Bytes of the plaintext that `send` has taken; all of them where it is absent.
    #[serde(default)]
    pub taken: Option<usize>,
    /// Public key of the server, which a client is to remember.
    #[serde(default)]
    pub known: Option<Hex>,
    /// Cause for which the connection has failed.
    #[serde(default)]
    pub error: Option<LayerFault>,
}

#[derive(Deserialize)]
#[serde(remote = "LayerState", rename_all = "snake_case")]
enum State {
    Handshaking,
    Open,
    PeerClosed,
}

/// Failure of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LayerFault {
    /// Cause.
    pub kind: FaultKind,
    /// Text for the person.
    #[serde(default)]
    pub text: String,
}

/// Causes for which a layer fails, as [`LayerError`] has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Bytes that break the rules, or were changed on the way.
    Malformed,
    /// An end that was not announced.
    Truncated,
    /// The server's key is not accepted.
    Untrusted,
}

impl From<LayerFault> for LayerError {
    fn from(fault: LayerFault) -> Self {
        match fault.kind {
            FaultKind::Malformed => Self::Malformed(fault.text),
            FaultKind::Truncated => Self::Truncated,
            FaultKind::Untrusted => Self::Untrusted(fault.text),
        }
    }
}
