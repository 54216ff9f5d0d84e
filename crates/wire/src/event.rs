//! Events of a server in the event dialect (E3): one JSON object, an event, in each frame.
//!
//! Each has a struct of its name with its fields; self-explanatory fields have no comment.
//! The same objects are the lines of `join --json`. Their schema is `spec/events.schema.json`.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

pub use crate::audit::{AuditEntry, AuditKind};
use crate::limits;
use crate::message_id::MessageId;
use crate::timestamp::Timestamp;

/// Version of the published schema; it changes when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

/// An event from the server to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The answer to a good `hello`.
    Welcome(Welcome),
    /// A message in a room; to its sender it is the acknowledgement (E4).
    Message(Message),
    /// A message to one person; its sender gets it too.
    Direct(Direct),
    /// Members joined a room (T11).
    Joined(Presence),
    /// Members left a room (T11).
    Left(Presence),
    /// A member of one of the client's rooms has a new name.
    Renamed(Renamed),
    /// Members of a room.
    Members(Members),
    /// Stored messages of a room: an answer (E8), or the context of a join.
    History(History),
    /// Connection details of a member (E3).
    Whois(Whois),
    /// Which rooms there are (E3).
    Rooms(Rooms),
    /// A member is away, or back: the requester itself, or the recipient of its message (E3).
    Away(Away),
    /// Act of an operator (O2).
    Act(AuditEntry),
    /// A notice of the server.
    Notice(Notice),
    /// A request was refused (E6).
    Error(Rejection),
    /// Asks for a `pong`: the server has received nothing from the client for a while.
    Ping {},
    /// The answer to a `ping`, after everything that preceded it (E5).
    Pong {},
    /// Messages that this client will not get by itself (E7).
    Gap(Gap),
    /// The server closes the connection after this.
    Bye(Bye),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The client's name; it may differ from the one asked for.
    pub name: String,
    /// Takes the name back from a connection that died unnoticed (E2). A secret of this client.
    pub token: String,
    /// Program and version, as `glassline/0.1.0`.
    pub server: String,
    pub limits: Limits,
    /// The rooms the client is in now.
    pub rooms: Vec<RoomState>,
}

/// Limits of a server; published so that a client can check before it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Characters in a name.
    pub name_chars: usize,
    /// Bytes in a name.
    pub name_bytes: usize,
    /// Bytes in a text.
    pub text_bytes: usize,
    /// Bytes in an event's frame.
    pub event_bytes: usize,
    /// Bytes in a `sealed`; 0 from a server that relays none.
    #[serde(default)]
    pub sealed_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            name_chars: limits::NAME_CHARS_MAX,
            name_bytes: limits::NAME_BYTES_MAX,
            text_bytes: limits::TEXT_BYTES_MAX,
            event_bytes: limits::EVENT_BYTES_MAX,
            sealed_bytes: limits::SEALED_BYTES_MAX,
        }
    }
}

/// A room as a client finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    pub room: String,
    /// Number of its newest message; 0 before the first.
    pub seq: u64,
    /// Number of members in it, this client included.
    pub count: usize,
    /// Beginning of the newest sealed message, if the room is sealed (S7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The room it was sent to.
    pub room: String,
    /// Its number in the room: from 1, without holes. Absent where the server has no numbers (a tutorial server).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Time at which the server accepted it. Absent if the server omits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Author, set by the server, not the sender.
    pub from: String,
    pub text: String,
    /// True for `/me`: the text describes an action of the sender.
    #[serde(default, skip_serializing_if = "is_false")]
    pub action: bool,
    /// The sender's id for it, if it was sent in the event dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The message, encrypted for members with the room's key (S); `text` is [`SEALED_TEXT`](crate::sealed::SEALED_TEXT) then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direct {
    pub from: String,
    pub to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    pub text: String,
    /// The sender's id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
}

/// Fields of `joined` and `left`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    pub room: String,
    /// Up to twenty of the names.
    pub names: Vec<String>,
    /// Number of members that came or went.
    pub count: usize,
    /// The number of the room's newest message, 0 before the first, for the one who joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// For the one who joined a sealed room: the beginning of its newest sealed message (S7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub room: String,
    /// Up to a thousand of the names.
    pub names: Vec<String>,
    /// Number of members in the room.
    pub count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    pub room: String,
    /// The messages asked for, oldest first.
    pub messages: Vec<Message>,
    /// There are more in the direction asked: older ones, or newer ones for an `after`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whois {
    /// Name of the member, as it is written.
    pub name: String,
    /// When this connection came in.
    pub since: Timestamp,
    /// Whole seconds since its last request.
    pub idle_s: u64,
    /// `tutorial` or `event`.
    pub dialect: String,
    /// Protection of its bytes on the way to the server: a [`LinkKind`](crate::link::LinkKind).
    pub link: String,
    /// Identity that the member has proven in the link's handshake: an Ed25519 public key in 64
    /// hexadecimal digits. Absent where it has shown none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub rooms: Vec<String>,
    /// Why it is away; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// Up to five hundred of the rooms ([`LISTED_ROOMS_MAX`](limits::LISTED_ROOMS_MAX)).
    pub rooms: Vec<RoomCount>,
    pub count: usize,
}

/// A room as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCount {
    pub room: String,
    /// Number of members in it.
    pub count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// Name of the member that is away, or back.
    pub name: String,
    /// Why it is away; absent means that it is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Text of the server, for people to read.
    pub text: String,
}

/// Fields of `error`: why a request was refused. Sent only to the requester.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Rejection {
    /// The cause, for programs.
    pub code: ErrorCode,
    /// The cause and what to do, for people.
    pub text: String,
}

impl Rejection {
    /// A rejection for this cause.
    pub fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub room: String,
    /// Number of the first message missed.
    pub from: u64,
    /// Number of the last message missed.
    pub to: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// Why the server closes.
    pub text: String,
}

/// Every cause for which a server refuses a request (E6): a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErrorCode {
    /// The frame is not one JSON object with a string `type`.
    NotAnEvent,
    /// The frame is not UTF-8.
    NotUtf8,
    /// No request has this `type`.
    UnknownType,
    /// A field is missing or has the wrong type.
    BadField,
    /// A `hello` was expected first, or came twice.
    OutOfOrder,
    /// The name is empty, or holds characters that names may not have.
    BadName,
    /// This name, or one that looks like it, is taken.
    NameTaken,
    /// A name, text, room or `ref` is longer than the limit.
    TooLong,
    /// The text is empty.
    EmptyText,
    /// There is no room of this name, or the client is not in it.
    UnknownRoom,
    /// The room's name is empty, or holds characters that room names may not have.
    BadRoom,
    /// Too many rooms: in all, or for this client.
    TooManyRooms,
    /// No member has this name.
    UnknownName,
    /// The other side does not read what it is sent; try again later.
    Busy,
    /// An `id` came again with another text.
    IdReused,
    /// The message was first sent so long ago that it is unknown whether it was stored.
    TooLate,
    /// This server keeps no history.
    NoHistory,
    /// The message could not be stored, so it was not sent to anybody.
    NotStored,
    /// Only operators may do this, or the token is wrong.
    NotOperator,
    /// An operator muted this member.
    Muted,
    /// Only operators may send messages at the moment.
    Frozen,
    /// An operator keeps this name or address out.
    Banned,
    /// An operator closed this connection.
    Kicked,
    /// The room is sealed, and this message is not (S7).
    RoomSealed,
    /// The room is not sealed, and this member may not seal it (S7).
    NotSealed,
    /// The server takes other links only (D).
    LinkRequired,
    /// The client sends faster than the server's limit allows.
    Rate,
}

impl ErrorCode {
    /// Every cause, in the order of their declaration.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

impl Event {
    /// A `notice` of this text.
    pub fn notice(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into() })
    }

    /// A `bye` of this text.
    pub fn bye(text: impl Into<String>) -> Self {
        Self::Bye(Bye { text: text.into() })
    }

    /// The event as one JSON object, without a `ref` and without a header.
    pub fn to_json(&self) -> Vec<u8> {
        // Writing strings, numbers and lists of them to memory has no way to fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads an event from a frame's payload; unknown fields are ignored, and so is its `ref`.
    ///
    /// # Errors
    /// The payload is no event of this schema; the error's text gives the position.
    pub fn from_json(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn each_cause_is_listed_once_in_place_with_its_wire_word() {
        for (place, &code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(code as usize, place, "{code:?}");
            assert_eq!(serde_json::to_value(code).expect("a word"), <&str>::from(code));
        }
        assert_eq!(ErrorCode::Rate as usize, ErrorCode::ALL.len() - 1, "the last one declared is the last one listed");
    }

    #[test]
    fn an_event_starts_with_its_type_and_leaves_absent_fields_out() {
        let event = Event::Message(Message {
            room: "lobby".to_string(),
            seq: Some(7),
            at: Some(Timestamp::from_unix_ms(0)),
            from: "alice".to_string(),
            text: "hi \u{7}".to_string(),
            action: false,
            id: None,
            sealed: None,
        });
        let json = String::from_utf8(event.to_json()).expect("JSON is UTF-8");
        assert_eq!(
            json,
            r#"{"type":"message","room":"lobby","seq":7,"at":"1970-01-01T00:00:00.000Z","from":"alice","text":"hi \u0007"}"#
        );
        assert_eq!(Event::from_json(json.as_bytes()).expect("reads"), event);
    }

    #[test]
    fn unknown_fields_are_ignored_and_unknown_types_are_not() {
        assert!(Event::from_json(br#"{"type":"pong","ref":"1","later":[]}"#).is_ok());
        assert!(Event::from_json(br#"{"type":"later"}"#).is_err());
    }

    #[test]
    fn the_longest_list_of_rooms_fits_a_frame() {
        // No name that is 64 bytes long grows more in JSON than one of quotes alone.
        let room = RoomCount { room: "\"".repeat(limits::NAME_BYTES_MAX), count: usize::MAX };
        let rooms = Event::Rooms(Rooms { rooms: vec![room; limits::LISTED_ROOMS_MAX], count: usize::MAX });
        let bytes = Envelope::new(rooms, Some("\0".repeat(limits::REF_BYTES_MAX))).to_json().len();
        assert!(bytes <= limits::EVENT_BYTES_MAX, "{bytes} bytes");
    }
}
