//! Requests of a client in the event dialect (E3), and the errors of unreadable requests (E6).

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::envelope::Envelope;
use crate::event::{ErrorCode, Rejection, is_false};
use crate::limits::REF_BYTES_MAX;
use crate::message_id::MessageId;

/// The room of clients that name no other (E2).
pub const LOBBY: &str = "lobby";

/// A request of a client, with the `ref` that is returned on every event that answers (E5).
pub type Request = Envelope<Ask>;

/// The requests, by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Ask {
    /// Opens the session.
    Hello(Hello),
    /// Sends a message to a room.
    Send(Send),
    /// Sends a direct message.
    Direct(SendDirect),
    /// Enters a room.
    Join(RoomName),
    /// Leaves a room.
    Leave(RoomName),
    /// Takes another name.
    Rename(PersonName),
    /// Asks for the members of a room.
    Members(RoomName),
    /// Asks for stored messages.
    History(HistoryRange),
    /// Searches stored messages.
    Search(Search),
    /// Asks how a member is connected.
    Whois(PersonName),
    /// Asks which rooms there are.
    Rooms {},
    /// Marks the client as away, or as back.
    Away(AwayText),
    /// Executes an operator command (O).
    Operate(Operate),
    /// Asks for a `pong` after everything before it.
    Ping {},
    /// Answers the server's `ping`.
    Pong {},
    /// Leaves.
    Bye {},
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub name: String,
    /// Rooms to enter; absent means the lobby.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rooms: Option<Vec<String>>,
    /// The newest `seq` the client has of each room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<BTreeMap<String, u64>>,
    /// The `token` of an earlier `welcome`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    pub room: String,
    pub text: String,
    /// The client's own id for it.
    pub id: MessageId,
    /// The newest `seq` of the room that the client knew when it first sent this message (E4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// True for `/me`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub action: bool,
    /// The message, encrypted for members with the room's key (S7). `text` is empty then, and
    /// `action` absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendDirect {
    pub to: String,
    pub text: String,
    /// The client's own id for it.
    pub id: MessageId,
    /// True for an answer: delivered only to a client that has written to the sender.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reply: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomName {
    pub room: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRange {
    pub room: String,
    /// Only messages before this `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Only messages after this `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The messages on both sides of this `seq`, and itself; not together with the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<u64>,
    /// Highest number of messages, 1 to [`PAGE_MESSAGES_MAX`](crate::limits::PAGE_MESSAGES_MAX);
    /// absent means as many as there may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    pub room: String,
    /// Text to search for, in any case: 1 to [`QUERY_BYTES_MAX`](crate::limits::QUERY_BYTES_MAX)
    /// bytes.
    pub query: String,
    /// Only messages before this `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Highest number of messages, as in [`HistoryRange::limit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operate {
    /// Command line of an operator, without the slash: `mute bob 10m` (O2).
    pub line: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonName {
    /// Name of a member in any case, or the requested one.
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwayText {
    /// Why, in 1 to [`AWAY_BYTES_MAX`](crate::limits::AWAY_BYTES_MAX) bytes; absent means back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Fields of every request; read first, so that an answer can carry the `ref` whatever else is
/// wrong.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "ref", default)]
    reference: Option<String>,
}

/// The header without its `ref`: distinguishes a bad `ref` from a payload that is no event.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    _kind: String,
}

impl Request {
    /// Reads a request from a frame's payload.
    ///
    /// # Errors The rejection states why the payload is no request, and is in an envelope with the
    /// `ref` if one could be read. The client is at fault; the connection continues (E6).
    pub fn from_json(payload: &[u8]) -> Result<Self, Envelope<Rejection>> {
        let text = core::str::from_utf8(payload)
            .map_err(|_| Rejection::new(ErrorCode::NotUtf8, "the frame is not UTF-8; send JSON text in UTF-8"))?;
        let Header { kind, reference } = header(text)?;
        if reference.as_ref().is_some_and(|reference| reference.len() > REF_BYTES_MAX) {
            let text = format!("\"ref\" is longer than {REF_BYTES_MAX} bytes");
            return Err(Rejection::new(ErrorCode::TooLong, text).into());
        }
        match ask(&kind, text) {
            Ok(ask) => Ok(Self::new(ask, reference)),
            Err(rejection) => Err(Envelope::new(rejection, reference)),
        }
    }
}

/// Reads the fields of a request of this `type`.
fn ask(kind: &str, text: &str) -> Result<Ask, Rejection> {
    match kind {
        "hello" => fields(text).map(Ask::Hello),
        "send" => fields(text).map(Ask::Send),
        "direct" => fields(text).map(Ask::Direct),
        "join" => fields(text).map(Ask::Join),
        "leave" => fields(text).map(Ask::Leave),
        "rename" => fields(text).map(Ask::Rename),
        "members" => fields(text).map(Ask::Members),
        "history" => fields(text).map(Ask::History),
        "search" => fields(text).map(Ask::Search),
        "whois" => fields(text).map(Ask::Whois),
        "rooms" => Ok(Ask::Rooms {}),
        "away" => fields(text).map(Ask::Away),
        "operate" => fields(text).map(Ask::Operate),
        "ping" => Ok(Ask::Ping {}),
        "pong" => Ok(Ask::Pong {}),
        "bye" => Ok(Ask::Bye {}),
        _ => {
            let text = "no request has this \"type\"; spec/protocol.md lists them (E3)";
            Err(Rejection::new(ErrorCode::UnknownType, text))
        }
    }
}

/// The error quotes what the peer sent, which may be long.
fn brief(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect()
}

/// An array would do for a struct as well, but an event is an object (E1).
fn header(text: &str) -> Result<Header, Rejection> {
    let not_an_event = |cause: &str| {
        let text = format!("the frame is not a JSON object with a string \"type\": {cause}");
        Rejection::new(ErrorCode::NotAnEvent, text)
    };
    if !text.trim_start().starts_with('{') {
        return Err(not_an_event("it does not start with a brace"));
    }
    serde_json::from_str(text).map_err(|error| match serde_json::from_str::<Kind>(text) {
        Ok(_) => Rejection::new(ErrorCode::BadField, format!("\"ref\" must be one string: {}", brief(&error))),
        Err(_) => not_an_event(&brief(&error)),
    })
}

fn fields<T: DeserializeOwned>(text: &str) -> Result<T, Rejection> {
    serde_json::from_str(text).map_err(|error| {
        Rejection::new(ErrorCode::BadField, format!("a field is missing or mistyped: {}", brief(&error)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_is_read_and_what_the_server_stamps_is_not() {
        let request = Request::from_json(
            br#"{"type":"send","room":"lobby","text":"hi","id":"00000000000000000000000000000007","ref":"r","from":"root","seq":9,"at":"x"}"#,
        )
        .expect("reads");
        assert_eq!(request.reference.as_deref(), Some("r"));
        let Ask::Send(send) = request.content else { panic!("a send") };
        assert_eq!((send.room.as_str(), send.text.as_str(), send.id), ("lobby", "hi", MessageId(7)));
    }

    #[test]
    fn each_fault_has_its_code_and_keeps_the_ref() {
        let cases: [(&[u8], ErrorCode, Option<&str>); 14] = [
            (br#"["ping"]"#, ErrorCode::NotAnEvent, None),
            (br#"["ping","a"]"#, ErrorCode::NotAnEvent, None),
            (br#"{"type":"ping","ref":5}"#, ErrorCode::BadField, None),
            (b"\xff", ErrorCode::NotUtf8, None),
            (b"", ErrorCode::NotAnEvent, None),
            (b"[]", ErrorCode::NotAnEvent, None),
            (br#"{"type":5}"#, ErrorCode::NotAnEvent, None),
            (br#"{"type":"dance","ref":"a"}"#, ErrorCode::UnknownType, Some("a")),
            (br#"{"type":"send","ref":"a"}"#, ErrorCode::BadField, Some("a")),
            (br#"{"type":"join","room":5,"ref":"a"}"#, ErrorCode::BadField, Some("a")),
            (br#"{"type":"send","room":"l","text":"t","id":"7","ref":"a"}"#, ErrorCode::BadField, Some("a")),
            (
                br#"{"type":"send","room":"l","text":"t","id":"00000000000000000000000000000007","after":-1}"#,
                ErrorCode::BadField,
                None,
            ),
            (
                br#"{"type":"send","room":"l","text":"t","id":"00000000000000000000000000000007","after":18446744073709551616}"#,
                ErrorCode::BadField,
                None,
            ),
            (br#"{"type":"ping"} x"#, ErrorCode::NotAnEvent, None),
        ];
        for (payload, code, reference) in cases {
            let error = Request::from_json(payload).expect_err("refused");
            assert_eq!((error.content.code, error.reference.as_deref()), (code, reference), "{payload:?}");
        }
        let long = format!(r#"{{"type":"ping","ref":"{}"}}"#, "x".repeat(65));
        assert_eq!(Request::from_json(long.as_bytes()).expect_err("refused").content.code, ErrorCode::TooLong);
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion_into_it() {
        let deep = format!(r#"{{"type":"ping","x":{}"#, "[".repeat(50_000));
        assert_eq!(Request::from_json(deep.as_bytes()).expect_err("refused").content.code, ErrorCode::NotAnEvent);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for ask in [
            Ask::Hello(Hello { name: "a".into(), rooms: Some(Vec::new()), ..Hello::default() }),
            Ask::Send(Send {
                room: "l".into(),
                text: "t\n".into(),
                id: MessageId(u128::MAX),
                after: Some(u64::MAX),
                action: true,
                sealed: None,
            }),
            Ask::Send(Send {
                room: "l".into(),
                text: String::new(),
                id: MessageId(1),
                after: None,
                action: false,
                sealed: Some("AQ".into()),
            }),
            Ask::Whois(PersonName { name: "Bob".into() }),
            Ask::Rooms {},
            Ask::Away(AwayText { text: Some("lunch".into()) }),
            Ask::Away(AwayText { text: None }),
            Ask::Ping {},
            Ask::Bye {},
        ] {
            let request = Request::new(ask, Some("7".into()));
            assert_eq!(Request::from_json(&request.to_json()), Ok(request));
        }
    }
}
