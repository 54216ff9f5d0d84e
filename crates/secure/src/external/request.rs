//! Requests to a scheme's program.

use serde::Serialize;

use super::hex::Hex;
use super::seal::Message;

/// One line to the program. `layer` and `member` are numbers that the caller has chosen: a program
/// holds many of both at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of docs/scheme-programs.md")]
pub enum Request<'a> {
    /// First line: which version this side speaks.
    Hello { version: u32 },
    /// Public key of a server's own key, as its owner displays it.
    Public { own: Hex },
    /// A new connection of a client.
    Client { layer: u64, own: Hex, shared: Hex, known: Option<Hex>, random: Hex },
    /// A new connection that a server accepts.
    Server { layer: u64, own: Hex, shared: Hex, random: Hex },
    /// Bytes arrived.
    Receive { layer: u64, bytes: Hex },
    /// Plaintext is to be sent.
    Send { layer: u64, plaintext: Hex },
    /// Nothing more is to be sent.
    Close { layer: u64 },
    /// The stream of bytes has ended.
    End { layer: u64 },
    /// A member enters a room.
    Member { member: u64, name: &'a str, room: &'a str, passphrase: &'a str, own: Hex, random: Hex },
    /// The member sends a text.
    Seal { member: u64, id: &'a str, text: &'a str },
    /// A message arrived for the member.
    Open { member: u64, message: &'a Message },
    /// A layer or a member is needed no more.
    Forget {
        #[serde(skip_serializing_if = "Option::is_none")]
        layer: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        member: Option<u64>,
    },
}

impl Request<'_> {
    /// Name of the request, as in the line.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Public { .. } => "public",
            Self::Client { .. } => "client",
            Self::Server { .. } => "server",
            Self::Receive { .. } => "receive",
            Self::Send { .. } => "send",
            Self::Close { .. } => "close",
            Self::End { .. } => "end",
            Self::Member { .. } => "member",
            Self::Seal { .. } => "seal",
            Self::Open { .. } => "open",
            Self::Forget { .. } => "forget",
        }
    }

    /// The line, without its end.
    pub(super) fn to_line(&self) -> String {
        // Texts, numbers and lists of them always have a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}
