//! Steps of a replay, what is sent and what is waited for, derived from a recorded connection.

use std::collections::HashMap;
use std::fmt;

use glassline_wire::frame::frame as wire_frame;
use serde_json::{Map, Value};

use crate::frame::{Control, Dialect, Direction, Frame, FrameKind};
use crate::websocket;

/// Treatment of the ids of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// The recorded bytes, ids and tokens included: an attack.
    Identical,
    /// New ids and no token, so that the server takes the messages for new ones: a test.
    Fresh,
}

/// Something that the other side sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// An answer: an event with this `ref`.
    Reference(String),
    /// An event or request of this type; `http` is a head.
    Kind(String),
    /// Frames beyond those of earlier waits: the tutorial dialect has no answers.
    Frames(u64),
    /// The ten bytes of the event dialect.
    Opening,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(reference) => write!(f, "the answer to {reference:?}"),
            Self::Kind(kind) => write!(f, "a frame of the type {kind:?}, as it was recorded here"),
            Self::Frames(count) => write!(f, "{count} frames"),
            Self::Opening => f.write_str("the opening of the event dialect"),
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Sends the bytes of the recorded frame with this number.
    Send {
        /// Number of the frame in the recording.
        number: u64,
        /// The bytes, with new ids where these are asked for; within a WebSocket as a message of their own.
        bytes: Vec<u8>,
    },
    /// Waits for something that the other side sent before the next step in the recording.
    Wait(Awaited),
}

/// The steps of one side of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    direction: Direction,
    steps: Vec<Step>,
    pongs_omitted: u64,
}

/// Cause for which a recorded connection cannot be played back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// This side sent nothing.
    #[error("this side of the connection sent nothing; choose the other side or another connection")]
    Empty,
    /// The connection is encrypted.
    #[error(
        "connection {connection} is encrypted ({}): its keys are new each time, so its bytes cannot be played back",
        match dialect { Dialect::Noise => "Noise", _ => "TLS" }
    )]
    Encrypted {
        /// Number of the connection.
        connection: u64,
        /// Dialect of the connection.
        dialect: Dialect,
    },
}

impl Script {
    /// Derives the script of the side that sends in `direction` from the frames of a
    /// connection, in the order in which they passed. `new_id` returns ids that were never used.
    ///
    /// # Errors
    /// This side sent nothing, or what it sent cannot be played back.
    pub fn new<'a>(
        frames: impl IntoIterator<Item = &'a Frame, IntoIter: Clone>,
        direction: Direction,
        ids: Ids,
        mut new_id: impl FnMut() -> String,
    ) -> Result<Self, ScriptError> {
        let frames = frames.into_iter();
        let first = frames.clone().find(|frame| frame.direction == direction).ok_or(ScriptError::Empty)?;
        if matches!(first.dialect, Dialect::Tls | Dialect::Noise) {
            return Err(ScriptError::Encrypted { connection: first.connection, dialect: first.dialect });
        }
        let mut script = Self { direction, steps: Vec::new(), pongs_omitted: 0 };
        let mut new_ids = HashMap::new();
        let mut renewed = |id: &str| new_ids.entry(id.to_owned()).or_insert_with(&mut new_id).clone();
        for frame in frames {
            if frame.direction != direction {
                script.wait_for(frame);
            } else if kind(frame).as_deref() == Some("pong") || frame.kind == FrameKind::Control(Control::Pong) {
                // It answers a `ping` whose time is the peer's; the player answers as they come.
                script.pongs_omitted += 1;
            } else {
                let bytes = match ids {
                    Ids::Identical => frame.bytes.clone(),
                    Ids::Fresh => with_fresh_ids(frame, &mut renewed),
                };
                let bytes = websocket::carried(frame, bytes);
                script.steps.push(Step::Send { number: frame.number, bytes });
            }
        }
        while let Some(Step::Wait(Awaited::Kind(kind))) = script.steps.last()
            && kind == "ping"
        {
            script.steps.pop();
        }
        Ok(script)
    }

    /// Returns the direction in which this side sends.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns how many recorded `pong`s the script does not repeat.
    pub fn pongs_omitted(&self) -> u64 {
        self.pongs_omitted
    }

    /// Adds the wait for a frame of the other side, if this side can have waited for it: an answer,
    /// the result of its login, a `pong`; or any frame, where the dialect has no answers.
    fn wait_for(&mut self, frame: &Frame) {
        let object = object(frame);
        let text_of = |field: &str| object.as_ref()?.get(field)?.as_str().map(str::to_owned);
        let awaited = match (frame.kind, text_of("ref"), text_of("type")) {
            (FrameKind::Opening, ..) => Awaited::Opening,
            (FrameKind::Http, ..) => Awaited::Kind("http".into()),
            // A client chooses other references each time.
            (FrameKind::Payload, Some(_), Some(kind)) if frame.direction == Direction::ToServer => Awaited::Kind(kind),
            (FrameKind::Payload, Some(reference), _) => Awaited::Reference(reference),
            (FrameKind::Payload, None, Some(kind)) if is_answer(&kind) => Awaited::Kind(kind),
            (FrameKind::Payload, ..) if frame.dialect == Dialect::Tutorial => {
                if let Some(Step::Wait(Awaited::Frames(count))) = self.steps.last_mut() {
                    *count += 1;
                    return;
                }
                Awaited::Frames(1)
            }
            // Events of others come or not, in whatever order.
            _ => return,
        };
        self.steps.push(Step::Wait(awaited));
    }
}

/// Returns whether an event or request without `ref` is what the other side waits for.
fn is_answer(kind: &str) -> bool {
    matches!(kind, "welcome" | "hello" | "pong" | "bye")
}

fn object(frame: &Frame) -> Option<Map<String, Value>> {
    match (frame.kind, frame.dialect, serde_json::from_slice(frame.payload())) {
        (FrameKind::Payload, Dialect::Event, Ok(Value::Object(object))) => Some(object),
        _ => None,
    }
}

fn kind(frame: &Frame) -> Option<String> {
    object(frame)?.get("type")?.as_str().map(str::to_owned)
}

/// The frame with another id, and without the token that would take its name over.
fn with_fresh_ids(frame: &Frame, renewed: &mut impl FnMut(&str) -> String) -> Vec<u8> {
    let Some(mut object) = object(frame) else { return frame.bytes.clone() };
    if object.get("type").and_then(Value::as_str) == Some("hello") {
        object.remove("token");
        object.remove("since");
    }
    if let Some(id) = object.get("id").and_then(Value::as_str) {
        let id = renewed(id);
        object.insert("id".into(), Value::String(id));
    }
    wire_frame(Value::Object(object).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitter::Splitter;

    fn frames(parts: &[(Direction, &str)]) -> Vec<Frame> {
        let mut splitter = Splitter::new(1);
        let mut frames = Vec::new();
        for (direction, part) in parts {
            let bytes = if *part == "GLASSLINE2" { (*part).to_owned() } else { format!("{:<10}{part}", part.len()) };
            splitter.receive(*direction, bytes.as_bytes(), 0, |frame| frames.push(frame));
        }
        frames
    }

    const SESSION: [(Direction, &str); 9] = [
        (Direction::ToServer, "GLASSLINE2"),
        (Direction::ToServer, r#"{"type":"hello","name":"bob","token":"t"}"#),
        (Direction::ToClient, r#"{"type":"welcome","name":"bob"}"#),
        (Direction::ToServer, r#"{"type":"send","room":"lobby","text":"hi","id":"01","ref":"r1"}"#),
        (Direction::ToClient, r#"{"type":"joined","room":"lobby","names":["eve"]}"#),
        (Direction::ToClient, r#"{"type":"message","room":"lobby","seq":1,"from":"bob","text":"hi","ref":"r1"}"#),
        (Direction::ToServer, r#"{"type":"send","room":"lobby","text":"hi","id":"01","ref":"r2"}"#),
        (Direction::ToServer, r#"{"type":"ping"}"#),
        (Direction::ToClient, r#"{"type":"pong"}"#),
    ];

    fn script(ids: Ids) -> Script {
        let mut next = 0;
        let new_id = || {
            next += 1;
            format!("new{next}")
        };
        Script::new(&frames(&SESSION), Direction::ToServer, ids, new_id).expect("a script")
    }

    fn waits(script: &Script) -> Vec<String> {
        let words = |step: &Step| match step {
            Step::Send { number, .. } => format!("send {number}"),
            Step::Wait(awaited) => format!("{awaited:?}"),
        };
        script.steps().iter().map(words).collect()
    }

    #[test]
    fn each_frame_waits_for_the_answers_before_it() {
        let expected = [
            "send 1",
            "send 2",
            "Kind(\"welcome\")",
            "send 3",
            "Reference(\"r1\")",
            "send 4",
            "send 5",
            "Kind(\"pong\")",
        ];
        assert_eq!(waits(&script(Ids::Identical)), expected, "but not for what others do");
    }

    #[test]
    fn a_server_waits_for_requests_of_the_same_types() {
        let script =
            Script::new(&frames(&SESSION), Direction::ToClient, Ids::Identical, String::new).expect("a script");
        let expected = ["Opening", "Kind(\"hello\")", "send 1", "Kind(\"send\")", "send 2", "send 3", "Kind(\"send\")"];
        assert_eq!(waits(&script)[..7], expected, "the references are those of the recorded client");
    }

    #[test]
    fn fresh_ids_are_new_and_equal_where_they_were_equal() {
        let script = script(Ids::Fresh);
        let sent: Vec<String> = script
            .steps()
            .iter()
            .filter_map(|step| match step {
                Step::Send { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
                Step::Wait(_) => None,
            })
            .collect();
        assert!(sent[1].ends_with(r#"{"type":"hello","name":"bob"}"#), "no token: {}", sent[1]);
        assert!(sent[2].contains(r#""id":"new1""#) && sent[3].contains(r#""id":"new1""#), "a resend stays one");
        let (header, payload) = sent[2].split_at(10);
        assert_eq!(header, format!("{:<10}", payload.len()), "the header is that of the new length");
    }

    #[test]
    fn identical_ids_are_the_recorded_bytes() {
        let recorded: Vec<u8> = frames(&SESSION)
            .iter()
            .filter(|frame| frame.direction == Direction::ToServer)
            .flat_map(|frame| frame.bytes.clone())
            .collect();
        let sent: Vec<u8> = script(Ids::Identical)
            .steps()
            .iter()
            .flat_map(|step| if let Step::Send { bytes, .. } = step { bytes.clone() } else { Vec::new() })
            .collect();
        assert_eq!(sent, recorded);
    }

    #[test]
    fn tutorial_frames_are_counted() {
        let session = [
            (Direction::ToServer, "bob"),
            (Direction::ToClient, "*"),
            (Direction::ToClient, "Here: bob"),
            (Direction::ToServer, "hi"),
        ];
        let script = Script::new(&frames(&session), Direction::ToServer, Ids::Fresh, String::new).expect("a script");
        assert_eq!(waits(&script), ["send 1", "Frames(2)", "send 2"]);
    }

    #[test]
    fn an_encrypted_link_is_not_played_back() {
        let mut splitter = Splitter::new(3);
        let mut tls = Vec::new();
        splitter.receive(Direction::ToServer, &[0x16, 3, 1, 0, 1, 1], 0, |frame| tls.push(frame));
        let rejected = Script::new(&tls, Direction::ToServer, Ids::Identical, String::new);
        assert_eq!(rejected, Err(ScriptError::Encrypted { connection: 3, dialect: Dialect::Tls }));
        assert_eq!(Script::new(&tls, Direction::ToClient, Ids::Identical, String::new), Err(ScriptError::Empty));
    }
}
