//! Breaches of the rules of a WebSocket, and the codes that answer them (RFC 6455, 7.4.1).

use super::CONTROL_BYTES_MAX;

/// Code of a close frame that this side sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The conversation is over.
    Normal = 1_000,
    /// The peer breaks the rules of the protocol.
    ProtocolError = 1_002,
    /// The peer sends what is not taken here, such as text.
    Unsupported = 1_003,
    /// The reason of the peer's close frame is not UTF-8.
    NotUtf8 = 1_007,
    /// A message is too long.
    TooLong = 1_009,
}

/// Breach of the protocol's rules, or of this program's narrower ones. The sender is at fault in
/// each case, and its stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A bit that only an extension gives a meaning.
    #[error("a reserved bit is set, but no extension was agreed on")]
    ReservedBits,
    /// A kind of frame that does not exist.
    #[error("no frame has the opcode {0:#x}")]
    UnknownOpcode(u8),
    /// A client's frame without a mask.
    #[error("a frame of a client is not masked")]
    Unmasked,
    /// A server's frame with a mask.
    #[error("a frame of a server is masked")]
    Masked,
    /// A control frame in fragments.
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// A control frame with too much payload.
    #[error("a control frame has more than {CONTROL_BYTES_MAX} bytes")]
    LongControl,
    /// A length that is not in its shortest form, or not below 2^63.
    #[error("a length is not in its shortest form, or not below 2^63")]
    BadLength,
    /// A fragment of no message.
    #[error("a fragment continues no message")]
    NothingToContinue,
    /// A message that begins before the last one has ended.
    #[error("a message begins inside another one")]
    Interleaved,
    /// A text message: the bytes of this protocol are not text.
    #[error("a text message: this server takes binary messages")]
    Text,
    /// A message above the decoder's limit.
    #[error("a message is longer than {0} bytes")]
    TooLong(u64),
    /// A close frame with half a code, or with one that may not be sent.
    #[error("a close frame has half a code, or one that may not be sent")]
    BadCloseCode,
    /// A close frame whose reason is not UTF-8.
    #[error("the reason of a close frame is not UTF-8")]
    CloseNotUtf8,
}

impl Violation {
    /// Code of the close frame that answers it.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::Text => CloseCode::Unsupported,
            Self::TooLong(_) => CloseCode::TooLong,
            Self::CloseNotUtf8 => CloseCode::NotUtf8,
            _ => CloseCode::ProtocolError,
        }
    }
}
