//! Observations of the tap on a line, in their order, and their JSON form.

use std::net::SocketAddr;

use glassline_wire::link::LinkKind;
use glassline_wire::timestamp::Timestamp;
use serde_json::{Map, Value, json};

use crate::applied::Applied;
use crate::frame::{Direction, Frame, FrameKind};
use crate::line::{Ask, End};
use crate::meaning::Meaning;
use glassline_wire::hex;

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// A client connected, and the tap connected to the server.
    Opened {
        /// Number of the connection, from 1.
        connection: u64,
        /// Time, in microseconds since 1970 (UTC).
        at_us: u64,
        /// Address of the client.
        client: SocketAddr,
    },
    /// The client opened a secure link, which ends at the tap, and begins another to the server. The
    /// frames of the connection are what passes inside.
    Intercepted {
        /// Number of the connection.
        connection: u64,
        /// Time, in microseconds since 1970 (UTC).
        at_us: u64,
        /// Scheme of both links.
        link: LinkKind,
    },
    /// A frame arrived from its sender.
    Arrived(Frame, Box<Meaning>),
    /// A frame waits for a decision.
    Asked(Box<Ask>),
    /// A rule was applied, or could not be.
    Applied(Applied),
    /// A direction has ended.
    Ended {
        /// Number of the connection.
        connection: u64,
        /// Time, in microseconds since 1970 (UTC).
        at_us: u64,
        /// Direction that its sender ended.
        direction: Direction,
        /// Kind of the end.
        end: End,
        /// True if the tap ended it, by a rule or because it stops, and not its sender.
        by_tap: bool,
    },
    /// Both directions have ended, or the connection was given up.
    Closed {
        /// Number of the connection.
        connection: u64,
        /// Time, in microseconds since 1970 (UTC).
        at_us: u64,
    },
    /// Something that the user of the tap must know: the recording stopped, a hook was bypassed,
    /// the server cannot be reached.
    Problem {
        /// Connection that it concerns, if it is one alone.
        connection: Option<u64>,
        /// Time, in microseconds since 1970 (UTC).
        at_us: u64,
        /// A sentence with a next step.
        text: String,
    },
    /// Observations were left out here: their reader is too slow.
    Omitted {
        /// Number of observations.
        observations: u64,
        /// Those among them that tell the arrival of a frame.
        frames: u64,
    },
}

impl Observation {
    /// The observation as one JSON object: `observation` names its kind; a frame has `raw`
    /// (hexadecimal), and in `content` the request or event by the published schema, where it can
    /// be read.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Opened { connection, at_us, client } => {
                json!({"observation": "opened", "at": at(*at_us), "connection": connection, "client": client.to_string()})
            }
            Self::Intercepted { connection, at_us, link } => {
                json!({"observation": "intercepted", "at": at(*at_us), "connection": connection, "link": link.as_str()})
            }
            Self::Arrived(frame, meaning) => frame_to_json(frame, meaning),
            Self::Asked(ask) => asked_to_json(ask),
            Self::Applied(applied) => {
                let mut object =
                    Map::from_iter([("observation".into(), json!("applied")), ("at".into(), json!(at(applied.at_us)))]);
                if let Ok(Value::Object(fields)) = serde_json::to_value(applied) {
                    object.extend(fields.into_iter().filter(|(field, _)| field != "at_us"));
                }
                Value::Object(object)
            }
            Self::Ended { connection, at_us, direction, end, by_tap } => json!({
                "observation": "ended", "at": at(*at_us), "connection": connection, "direction": direction, "end": end,
                "by_tap": by_tap,
            }),
            Self::Closed { connection, at_us } => {
                json!({"observation": "closed", "at": at(*at_us), "connection": connection})
            }
            Self::Problem { connection, at_us, text } => {
                json!({"observation": "problem", "at": at(*at_us), "connection": connection, "text": text})
            }
            Self::Omitted { observations, frames } => {
                json!({"observation": "omitted", "count": observations, "frames": frames})
            }
        }
    }
}

fn frame_to_json(frame: &Frame, meaning: &Meaning) -> Value {
    let (kind, reason) = match frame.kind {
        FrameKind::Opening => ("opening", None),
        FrameKind::Payload => ("payload", None),
        FrameKind::Goodbye => ("goodbye", None),
        FrameKind::Record(_) => ("record", None),
        FrameKind::Http => ("http", None),
        FrameKind::Control(_) => ("control", None),
        FrameKind::Raw(reason) => ("raw", Some(reason)),
    };
    json!({
        "observation": "frame", "at": at(frame.at_us), "connection": frame.connection, "direction": frame.direction,
        "frame": frame.number, "offset": frame.offset, "dialect": frame.dialect, "websocket": frame.in_websocket, "kind": kind, "reason": reason,
        "speaker": meaning.speaker, "content": meaning.content, "raw": hex::encode(&frame.bytes),
    })
}

/// The frame, and who waits for how long.
fn asked_to_json(ask: &Ask) -> Value {
    let mut object = frame_to_json(&ask.frame, &ask.meaning);
    object["observation"] = json!("asked");
    object["rule"] = json!(ask.rule);
    object["passes_at"] = json!(at(ask.deadline_us));
    object
}

fn at(at_us: u64) -> Timestamp {
    Timestamp::from_unix_ms(at_us / 1_000)
}
