//! Requests to a scheme's program.

use serde::Serialize;

use super::hex::Hex;

/// Side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The side that connects.
    Client,
    /// The side that accepts.
    Server,
}

/// Message as the server delivers it: all of it is the server's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Number in the room.
    pub number: u64,
    /// Room.
    pub room: String,
    /// The sender's id for it.
    pub id: String,
    /// Name of the sender.
    pub from: String,
    /// Text that everyone can read.
    pub text: String,
    /// Sealed text, if there is one.
    pub sealed: Option<String>,
}

/// One line to the program. `id` is a number of a layer or of a member, which the caller has
/// chosen: a program holds many of both at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of docs/scheme-programs.md")]
pub enum Request<'a> {
    /// First line: the version that this side speaks.
    Hello { version: u32 },
    /// Public key of a server's own key, as its owner displays it.
    Public { own: Hex },
    /// A new connection. `server` is the public key of the server, where a client knows it.
    Open { id: u64, role: Role, own: Hex, shared: Hex, server: Option<Hex>, random: Hex },
    /// Bytes arrived.
    Receive { id: u64, bytes: Hex },
    /// Plaintext is to be sent.
    Send { id: u64, bytes: Hex },
    /// Nothing more is to be sent.
    Close { id: u64 },
    /// A member enters a room.
    Member { id: u64, name: &'a str, room: &'a str, passphrase: &'a str, own: Hex, random: Hex },
    /// The member sends a text.
    Seal { id: u64, message: &'a str, text: &'a str },
    /// A message arrived for the member.
    Unseal { id: u64, message: &'a Message },
    /// A layer or a member is needed no more.
    Drop { id: u64 },
}

impl Request<'_> {
    /// The line, without its end.
    pub(super) fn to_line(&self) -> String {
        // Texts, numbers and lists of them always have a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}
