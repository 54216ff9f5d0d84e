//! The unit of traffic that the tap shows, counts and changes: one frame of one direction, or one
//! record of a TLS link, one head of HTTP, or one control frame of a WebSocket.

use crate::tls_record::{RECORD_HEADER_BYTES, RecordType};

use std::fmt;
use std::str::FromStr;

/// Direction of bytes on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// Both directions, the client's first.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// Returns its sign in the name of a frame.
    pub fn sign(self) -> char {
        match self {
            Self::ToServer => '>',
            Self::ToClient => '<',
        }
    }

    /// Returns the other direction.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// Name of a frame, shown as `3>12` or `3<12`. Raw pieces in a row share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct FrameId {
    /// Number of the connection.
    pub connection: u64,
    /// Direction in which it was sent.
    pub direction: Direction,
    /// Number within connection and direction.
    #[serde(rename = "frame")]
    pub number: u64,
}

impl fmt::Display for FrameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.connection, self.direction.sign(), self.number)
    }
}

/// Text that names no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a frame as 3>12 or 3<12")]
pub struct FrameIdError;

impl FromStr for FrameId {
    type Err = FrameIdError;

    fn from_str(text: &str) -> Result<Self, FrameIdError> {
        let split = |direction: Direction| text.split_once(direction.sign()).map(|parts| (direction, parts));
        let (direction, (connection, number)) = Direction::BOTH.into_iter().find_map(split).ok_or(FrameIdError)?;
        let parse = |text: &str| text.trim().parse().map_err(|_| FrameIdError);
        Ok(Self { connection: parse(connection)?, direction, number: parse(number)? })
    }
}

/// Dialect that the first bytes of the client announce (clause D).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Dialect {
    /// Pairs of name and text (T).
    Tutorial,
    /// Frames of JSON after `GLASSLINE2` (E).
    Event,
    /// A TLS link.
    Tls,
    /// A Noise link.
    Noise,
    /// An HTTP request.
    Http,
    /// Bytes that no dialect starts with, or too few to decide.
    Unknown,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Returns its name in rules and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns whether the connection carries frames that can be read.
    pub fn has_frames(self) -> bool {
        matches!(self, Self::Tutorial | Self::Event)
    }
}

/// Cause for which bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawReason {
    /// No header stands where one belongs, or its length is beyond the limit.
    Malformed,
    /// The stream ended inside a frame or a record.
    Truncated,
    /// The link is not of this protocol, or encrypted without boundaries that can be seen.
    Opaque,
}

/// Kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// The ten bytes `GLASSLINE2`.
    Opening,
    /// A header and its payload.
    Payload,
    /// The five bytes `/exit` in place of a header (T6).
    Goodbye,
    /// A record of a TLS link: a header of five bytes, and content that is not read.
    Record(RecordType),
    /// Head of an HTTP request or response.
    Http,
    /// Control frame of a WebSocket, without its mask.
    Control(Control),
    /// Bytes that are not a frame. Several consecutive pieces have the same number.
    Raw(RawReason),
}

/// Kind of a WebSocket's control frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Request for a pong.
    Ping,
    /// Answer to a ping.
    Pong,
    /// End of what its sender sends.
    Close,
}

impl Control {
    /// Returns its name in rules, which differs from that of an event.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ping => "ws_ping",
            Self::Pong => "ws_pong",
            Self::Close => "ws_close",
        }
    }
}

/// One frame as it passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Number of the connection, from 1, in the order of acceptance.
    pub connection: u64,
    /// Direction in which it was sent.
    pub direction: Direction,
    /// Number within connection and direction, from 1.
    pub number: u64,
    /// Bytes of this direction before it, without the headers and masks of a WebSocket's messages.
    pub offset: u64,
    /// Time of its last byte, in microseconds since 1970 (UTC).
    pub at_us: u64,
    /// Dialect of the connection, as far as it was known.
    pub dialect: Dialect,
    /// It passed within a WebSocket.
    pub in_websocket: bool,
    /// Kind.
    pub kind: FrameKind,
    /// All its bytes, header included.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// Returns its name.
    pub fn id(&self) -> FrameId {
        FrameId { connection: self.connection, direction: self.direction, number: self.number }
    }

    /// Returns whether it is a control frame of a WebSocket, which may come within any other frame.
    pub fn is_control(&self) -> bool {
        matches!(self.kind, FrameKind::Control(_))
    }

    /// Returns the first line of a head of HTTP.
    pub fn head_line(&self) -> &[u8] {
        self.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default()
    }

    /// Returns the code and the reason of a close frame of a WebSocket, if it has them.
    pub fn close_code(&self) -> Option<(u16, &[u8])> {
        let is_close = self.kind == FrameKind::Control(Control::Close);
        let (code, reason) = self.payload().split_first_chunk().filter(|_| is_close)?;
        Some((u16::from_be_bytes(*code), reason))
    }

    /// Returns the bytes after the header; all bytes of a frame without one.
    pub fn payload(&self) -> &[u8] {
        match self.kind {
            FrameKind::Payload => &self.bytes[glassline_wire::limits::HEADER_BYTES.min(self.bytes.len())..],
            FrameKind::Record(_) => &self.bytes[RECORD_HEADER_BYTES.min(self.bytes.len())..],
            // Without a mask and with 125 bytes at most, its header has two bytes.
            FrameKind::Control(_) => &self.bytes[2.min(self.bytes.len())..],
            FrameKind::Opening | FrameKind::Goodbye | FrameKind::Http | FrameKind::Raw(_) => &self.bytes,
        }
    }
}
