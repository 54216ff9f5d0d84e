//! Frames of the WebSocket protocol (RFC 6455, W): headers, masks, close codes, and a decoder that
//! hands on payload as it arrives, so that no message is ever held.
//!
//! Messages are binary and their boundaries mean nothing: a WebSocket carries the bytes that TCP
//! would carry.

mod close;
mod decoder;
mod header;
mod violation;

pub use close::{CloseNotice, put_close};
pub use decoder::{Decoder, Item, Payload, apply_mask};
pub use header::{EncodedHeader, FrameHeader, HEADER_BYTES_MAX, Opcode, Sender, put_control};
pub use violation::{CloseCode, Violation};

/// Longest message, its fragments' headers included, in bytes (W): larger than what any client has
/// to send at once. Endless fragments reach it too, as each has a header.
pub const MESSAGE_BYTES_MAX: u64 = 1 << 20;
/// Longest payload of a ping, pong or close in bytes (RFC 6455, 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;
