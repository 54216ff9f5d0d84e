//! Meaning of a frame: who, to whom, in which room, and the words. The tutorial dialect needs the
//! frames before it, the event dialect the name under which the client logged in.

use serde_json::{Map, Value, json};

use crate::frame::{Dialect, Direction, Frame, FrameKind};

/// End of the name before a direct message of the tutorial dialect (T12); no name contains it.
const DIRECT_SUFFIX: &str = "→you";

/// The content of one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meaning {
    /// Type of the request or event; `name` and `text` in the tutorial dialect; empty for bytes
    /// that say nothing readable.
    pub kind: String,
    /// Speaker: the name in the frame, else the name of this connection's client.
    pub speaker: Option<String>,
    /// The only recipient, of a direct message.
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
            (FrameKind::Payload | FrameKind::Record(_) | FrameKind::Raw(_), _) => Meaning::default(),
        }
    }

    fn tutorial(&mut self, frame: &Frame) -> Meaning {
        let text = &*String::from_utf8_lossy(frame.payload());
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
            let speaker = Some(text.strip_suffix(DIRECT_SUFFIX).unwrap_or(text).to_owned());
            return Meaning { kind: "name".into(), speaker, content, ..Meaning::default() };
        }
        match frame.direction {
            Direction::ToServer => self.tutorial_line(text),
            Direction::ToClient => self.tutorial_message(text),
        }
    }

    /// A client's message or command (T3, T10).
    fn tutorial_line(&self, line: &str) -> Meaning {
        let speaker = self.client_name.clone();
        let content = json!({"type": "text", "from": speaker, "text": line});
        let said = |kind: &str, to: Option<&str>, text: String| Meaning {
            kind: kind.into(),
            speaker: speaker.clone(),
            to: to.map(str::to_owned),
            text: Some(text),
            content: Some(content.clone()),
            ..Meaning::default()
        };
        let Some(command) = line.strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
            return said("text", None, line.strip_prefix('/').unwrap_or(line).to_owned());
        };
        let (name, arguments) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match (name, arguments.trim_start().split_once(char::is_whitespace)) {
            ("me", _) => said("text", None, format!("* {}", arguments.trim_start())),
            ("msg", Some((to, text))) => said("direct", Some(to), text.trim_start().to_owned()),
            _ => said("command", None, line.to_owned()),
        }
    }

    /// A message of a pair. The name of a direct one ends with an arrow and `you` (T12).
    fn tutorial_message(&mut self, text: &str) -> Meaning {
        let name = self.pair_name.take();
        let content = Some(json!({"type": "text", "from": name, "text": text}));
        let text = Some(text.to_owned());
        match name.as_deref().and_then(|name| name.strip_suffix(DIRECT_SUFFIX)) {
            Some(speaker) => Meaning {
                kind: "direct".into(),
                speaker: Some(speaker.to_owned()),
                to: self.client_name.clone(),
                text,
                content,
                ..Meaning::default()
            },
            None => Meaning { kind: "text".into(), speaker: name, text, content, ..Meaning::default() },
        }
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
