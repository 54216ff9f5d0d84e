//! What a frame says: who, to whom, in which room, and the words. The tutorial dialect needs the
//! frames before it, the event dialect the name under which the client logged in.

use serde_json::{Map, Value, json};

use crate::frame::{Dialect, Direction, Frame, FrameKind};

/// The content of one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meaning {
    /// Type of the request or event; `name` and `text` in the tutorial dialect; empty for bytes
    /// that say nothing readable.
    pub kind: String,
    /// Who says it: the name in the frame, else the name of this connection's client.
    pub speaker: Option<String>,
    /// Who alone it is for.
    pub to: Option<String>,
    /// The room.
    pub room: Option<String>,
    /// The words.
    pub text: Option<String>,
    /// The request or event as JSON; for the tutorial dialect an object of the same form.
    pub content: Option<Value>,
}

/// Reads the frames of one connection in their order.
#[derive(Debug, Default)]
pub struct Reader {
    client_name: Option<String>,
    /// The name that precedes a text of the tutorial dialect.
    pair_name: Option<String>,
}

impl Reader {
    /// Returns what this frame says.
    pub fn read(&mut self, frame: &Frame) -> Meaning {
        match (frame.kind, frame.dialect) {
            (FrameKind::Payload, Dialect::Tutorial) => self.tutorial(frame),
            (FrameKind::Payload, Dialect::Event) => self.event(frame),
            (FrameKind::Goodbye, _) => Meaning {
                kind: "bye".into(),
                speaker: self.client_name.clone(),
                content: Some(json!({"type": "bye"})),
                ..Meaning::default()
            },
            (FrameKind::Opening, _) => Meaning { kind: "opening".into(), ..Meaning::default() },
            (FrameKind::Payload | FrameKind::Raw(_), _) => Meaning::default(),
        }
    }

    fn tutorial(&mut self, frame: &Frame) -> Meaning {
        let Ok(text) = std::str::from_utf8(frame.payload()) else {
            if frame.direction == Direction::ToClient && self.pair_name.take().is_none() {
                self.pair_name = Some(String::from_utf8_lossy(frame.payload()).into_owned());
            }
            return Meaning::default();
        };
        let is_name = match frame.direction {
            Direction::ToServer => self.client_name.is_none(),
            Direction::ToClient => self.pair_name.is_none(),
        };
        if is_name {
            let name = match frame.direction {
                Direction::ToServer => &mut self.client_name,
                Direction::ToClient => &mut self.pair_name,
            };
            *name = Some(text.to_owned());
            let content = Some(json!({"type": "name", "name": text}));
            return Meaning { kind: "name".into(), speaker: Some(text.to_owned()), content, ..Meaning::default() };
        }
        let speaker = match frame.direction {
            Direction::ToServer => self.client_name.clone(),
            Direction::ToClient => self.pair_name.take(),
        };
        let content = Some(json!({"type": "text", "from": speaker, "text": text}));
        Meaning { kind: "text".into(), speaker, text: Some(text.to_owned()), content, ..Meaning::default() }
    }

    fn event(&mut self, frame: &Frame) -> Meaning {
        let Ok(Value::Object(object)) = serde_json::from_slice(frame.payload()) else { return Meaning::default() };
        let text_of = |field: &str| string(&object, field);
        let kind = text_of("type").unwrap_or_default();
        match (frame.direction, kind.as_str()) {
            (Direction::ToServer, "hello") | (Direction::ToClient, "welcome") => {
                self.client_name = text_of("name").or(self.client_name.take());
            }
            (Direction::ToClient, "renamed") if text_of("from") == self.client_name => {
                self.client_name = text_of("to").or(self.client_name.take());
            }
            _ => {}
        }
        let speaker = match frame.direction {
            Direction::ToServer => self.client_name.clone(),
            Direction::ToClient => text_of("from").filter(|_| matches!(kind.as_str(), "message" | "direct")),
        };
        Meaning {
            speaker,
            to: text_of("to").filter(|_| kind == "direct"),
            room: text_of("room"),
            text: text_of("text"),
            content: Some(Value::Object(object)),
            kind,
        }
    }
}

fn string(object: &Map<String, Value>, field: &str) -> Option<String> {
    object.get(field).and_then(Value::as_str).map(str::to_owned)
}
