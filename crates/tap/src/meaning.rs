//! Meaning of a frame: who, to whom, in which room, and the words. The tutorial dialect needs the
//! frames before it, the event dialect the name under which the client logged in.

use glassline_wire::frame::DIRECT_SUFFIX;
use glassline_wire::limits::NAME_BYTES_MAX;
use serde_json::{Map, Value, json};

use crate::frame::{Control, Dialect, Direction, Frame, FrameKind};

/// Bytes of a client's name that are remembered. Servers accept less (T7), and each later frame
/// carries a copy: ten bytes must not cost a hundred thousand.
const REMEMBERED_BYTES_MAX: usize = 4 * NAME_BYTES_MAX;
/// Memory of an entry of a JSON object beside key and value content, and the entries that an object
/// has room for at least.
const ENTRY_BYTES: usize = size_of::<Value>() + 56;
const ENTRIES_MIN: usize = 4;

/// The content of one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meaning {
    /// Type of the request or event; `name` and `text` in the tutorial dialect; empty for bytes
    /// that say nothing readable.
    pub kind: String,
    /// Speaker: the name in the frame, else the name of this connection's client, of which a long
    /// one is cut and ends with `…`.
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

impl Meaning {
    /// Returns the memory of the texts and the content, in bytes, about.
    pub(crate) fn held_bytes(&self) -> usize {
        let texts = [&self.speaker, &self.to, &self.room, &self.text].into_iter().flatten();
        let content_bytes = self.content.as_ref().map_or(0, |content| size_of::<Value>() + nested_bytes(content));
        self.kind.len() + texts.map(String::len).sum::<usize>() + content_bytes
    }
}

/// Returns the memory of a value beyond its own size. The parser bounds the depth.
fn nested_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.capacity() * size_of::<Value>() + items.iter().map(nested_bytes).sum::<usize>(),
        Value::Object(object) if object.is_empty() => 0,
        Value::Object(object) => {
            let nested = object.iter().map(|(key, value)| key.len() + nested_bytes(value));
            object.len().max(ENTRIES_MIN) * ENTRY_BYTES + nested.sum::<usize>()
        }
    }
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
            (FrameKind::Http, _) => head(frame),
            (FrameKind::Control(kind), _) => control(kind, frame),
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
            *name = Some(match frame.direction {
                Direction::ToServer => remembered(text),
                Direction::ToClient => text.to_owned(),
            });
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
                self.client_name = text_of("name").map(|name| remembered(&name)).or(self.client_name.take());
            }
            (Direction::ToClient, "renamed") if text_of("from") == self.client_name => {
                self.client_name = text_of("to").map(|name| remembered(&name)).or(self.client_name.take());
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

/// Returns the first line of a head of HTTP.
fn head(frame: &Frame) -> Meaning {
    let content = Some(json!({"type": "http", "line": String::from_utf8_lossy(frame.head_line())}));
    Meaning { kind: "http".into(), content, ..Meaning::default() }
}

/// Returns what a control frame of a WebSocket says.
fn control(control: Control, frame: &Frame) -> Meaning {
    let kind = control.name();
    let content = match frame.close_code() {
        Some((code, reason)) => json!({"type": kind, "code": code, "reason": String::from_utf8_lossy(reason)}),
        None => json!({"type": kind}),
    };
    Meaning { kind: kind.into(), content: Some(content), ..Meaning::default() }
}

fn string(object: &Map<String, Value>, field: &str) -> Option<String> {
    object.get(field).and_then(Value::as_str).map(str::to_owned)
}

/// Returns a client's name as it is kept.
fn remembered(name: &str) -> String {
    if name.len() <= REMEMBERED_BYTES_MAX {
        return name.to_owned();
    }
    format!("{}…", &name[..name.floor_char_boundary(REMEMBERED_BYTES_MAX)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitter::Splitter;

    /// Memory of what a client's frames mean, without that of the first `skipped`.
    fn held_bytes(frames: &[&str], skipped: usize) -> Vec<usize> {
        let (mut splitter, mut reader, mut held) = (Splitter::new(1), Reader::default(), Vec::new());
        for frame in frames {
            let bytes =
                if *frame == "GLASSLINE2" { (*frame).to_owned() } else { format!("{:<10}{frame}", frame.len()) };
            splitter.receive(Direction::ToServer, bytes.as_bytes(), 0, |frame| {
                held.push(reader.read(&frame).held_bytes());
            });
        }
        held.split_off(skipped)
    }

    #[test]
    fn a_huge_name_is_not_copied_into_each_frame() {
        let name = "N".repeat(90_000);
        let hello = format!(r#"{{"type":"hello","name":"{name}"}}"#);
        for frames in
            [&[&name[..], "x", "/me x", "/msg bob x"][..], &["GLASSLINE2", &hello, "{}", r#"{"type":"ping"}"#]]
        {
            let held = held_bytes(frames, frames.len() - 2);
            assert!(held.iter().all(|bytes| *bytes < 4_096), "{held:?}");
        }
    }

    #[test]
    fn content_counts_as_the_memory_it_takes() {
        let dense = format!(r#"{{"a":[{}0]}}"#, r#"{"":0},"#.repeat(1_000));
        let text = format!(r#"{{"a":"{}"}}"#, "x".repeat(7_000));
        let held = held_bytes(&["GLASSLINE2", &dense, &text], 1);
        assert!(held[0] > 300_000 && held[1] < 10_000, "{held:?}");
    }
}
