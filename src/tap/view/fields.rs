//! A frame's bytes as fields: which bytes say what.

use std::ops::Range;

use glassline_tap::{Frame, FrameKind, Meaning, RECORD_HEADER_BYTES, RawReason, RecordType};
use glassline_wire::limits::HEADER_BYTES;
use serde_json::Value;

use crate::tap::columns::{opaque, printable, raw_label, safe};

/// Bytes of a value that are shown.
const VALUE_BYTES_MAX: usize = 4_096;

/// Consecutive bytes of a frame that say one thing. The fields of a frame cover all its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Name, safe to show.
    pub(super) name: String,
    /// Value, safe to show, cut off at a bound.
    pub(super) value: String,
    /// The bytes within the frame.
    pub(super) bytes: Range<usize>,
}

/// Returns the fields of a frame, in the order of their bytes.
pub(super) fn fields(frame: &Frame, meaning: &Meaning) -> Vec<Field> {
    let whole = |name: &str, bytes: Range<usize>| Field {
        name: name.to_owned(),
        value: printable(start(&frame.bytes[bytes.clone()])),
        bytes,
    };
    let all = 0..frame.bytes.len();
    match frame.kind {
        FrameKind::Opening => vec![whole("opening", all)],
        FrameKind::Goodbye => vec![whole("goodbye", all)],
        FrameKind::Http => vec![whole("head", all)],
        FrameKind::Control(_) => control_fields(frame, meaning),
        FrameKind::Record(record_type) => record_fields(frame, record_type),
        FrameKind::Raw(reason @ RawReason::Opaque) => {
            vec![Field { value: opaque(start(&frame.bytes)), ..whole(raw_label(reason), all) }]
        }
        FrameKind::Raw(reason) => vec![whole(raw_label(reason), all)],
        FrameKind::Payload => {
            let header = HEADER_BYTES.min(frame.bytes.len());
            let mut fields = vec![whole("length", 0..header)];
            match members(frame.payload()) {
                Some(members) => {
                    fields.extend(members.into_iter().map(|member| Field {
                        bytes: member.bytes.start + header..member.bytes.end + header,
                        ..member
                    }));
                }
                None if frame.bytes.len() > header => {
                    let name = if meaning.kind.is_empty() { "payload" } else { &meaning.kind };
                    fields.push(whole(&safe(name), header..frame.bytes.len()));
                }
                None => {}
            }
            fields
        }
    }
}

/// Returns the header of a WebSocket's control frame, and its payload.
fn control_fields(frame: &Frame, meaning: &Meaning) -> Vec<Field> {
    let header = frame.bytes.len() - frame.payload().len();
    let field = |name: &str, value: String, bytes: Range<usize>| Field { name: name.to_owned(), value, bytes };
    let mut fields = vec![field("header", meaning.kind.clone(), 0..header)];
    if header < frame.bytes.len() {
        fields.push(field("payload", opaque(frame.payload()), header..frame.bytes.len()));
    }
    fields
}

/// Returns the header of a TLS record in three fields, and its content; one field where a rule has
/// left less than a header.
fn record_fields(frame: &Frame, record_type: RecordType) -> Vec<Field> {
    let content = RECORD_HEADER_BYTES..frame.bytes.len();
    let field = |name: &str, value: String, bytes: Range<usize>| Field { name: name.to_owned(), value, bytes };
    let Some([_, major, minor, high, low]) = frame.bytes.first_chunk::<RECORD_HEADER_BYTES>() else {
        return vec![field("record", printable(&frame.bytes), 0..frame.bytes.len())];
    };
    let mut fields = vec![
        field("record", record_type.name().to_owned(), 0..1),
        field("version", format!("{major}.{minor}"), 1..3),
        field("length", u16::from_be_bytes([*high, *low]).to_string(), 3..RECORD_HEADER_BYTES),
    ];
    if !content.is_empty() {
        fields.push(field("content, opaque", opaque(start(&frame.bytes[content.clone()])), content));
    }
    fields
}

/// Returns the members of a JSON object, with the punctuation before each; `None` where the payload
/// is no object or an empty one.
fn members(payload: &[u8]) -> Option<Vec<Field>> {
    // The scanner below relies on valid JSON.
    let Ok(Value::Object(_)) = serde_json::from_slice(payload) else { return None };
    let (mut depth, mut in_string, mut is_escaped) = (0_u32, false, false);
    let mut starts = vec![0];
    for (at, byte) in payload.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => starts.push(at),
            _ => {}
        }
    }
    let ends = starts.iter().skip(1).copied().chain([payload.len()]);
    let is_last = |end: usize| end == payload.len();
    starts.iter().zip(ends).map(|(&start, end)| member(&payload[start..end], start, is_last(end))).collect()
}

/// Reads `,"name":value`, of the last member with the closing brace.
fn member(bytes: &[u8], offset: usize, is_last: bool) -> Option<Field> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start().trim_start_matches(['{', ',']).trim_start();
    let mut names = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let name = names.next()?.ok()?;
    let value = text[names.byte_offset()..].trim_start().strip_prefix(':')?.trim();
    let value = if is_last { value.strip_suffix('}')?.trim_end() } else { value };
    let shown = match serde_json::from_str::<Value>(value) {
        Ok(Value::String(text)) => printable(start(text.as_bytes())),
        _ => printable(start(value.as_bytes())),
    };
    Some(Field { name: safe(&name).into_owned(), value: shown, bytes: offset..offset + bytes.len() })
}

fn start(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(VALUE_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use glassline_tap::{Dialect, Direction, Observation};
    use glassline_testkit::frame::frame;

    use super::*;
    use crate::tap::generator::Generator;

    fn fields_of(direction: Direction, bytes: &[u8]) -> Vec<(String, String, String)> {
        let Observation::Arrived(frame, meaning) = Generator::new(1).pass(direction, bytes) else { panic!("a frame") };
        let fields = fields(&frame, &meaning);
        let covered: Vec<u8> = fields.iter().flat_map(|field| frame.bytes[field.bytes.clone()].to_vec()).collect();
        assert_eq!(covered, frame.bytes, "the fields cover all bytes once");
        let text = |field: &Field| String::from_utf8_lossy(&frame.bytes[field.bytes.clone()]).into_owned();
        fields.iter().map(|field| (field.name.clone(), field.value.clone(), text(field))).collect()
    }

    #[test]
    fn each_member_has_its_bytes() {
        let json = r#"{"type":"send", "text" : "a, \"b\" {]\u001b[2J", "list":[1,{"x":2}] , "n":null }"#;
        let fields = fields_of(Direction::ToServer, &frame(json));
        let named: Vec<_> = fields.iter().map(|(name, value, _)| (name.as_str(), value.as_str())).collect();
        let text = "a, \"b\" {]\u{fffd}[2J";
        let length = json.len().to_string();
        assert_eq!(
            named,
            [
                ("length", format!("{length:<10}").as_str()),
                ("type", "send"),
                ("text", text),
                ("list", r#"[1,{"x":2}]"#),
                ("n", "null")
            ]
        );
        assert_eq!(fields[1].2, r#"{"type":"send""#);
        assert_eq!(fields[4].2, r#", "n":null }"#);
    }

    #[test]
    fn what_is_no_object_is_one_field() {
        for payload in ["", "[]", "{}", "hello", "{\"a\":", "\u{1b}[2J"] {
            let fields = fields_of(Direction::ToServer, &frame(payload));
            assert_eq!(fields.len(), 2 - usize::from(payload.is_empty()), "{fields:?}");
            assert!(!fields.iter().any(|field| field.1.contains('\u{1b}')));
        }
        assert_eq!(fields_of(Direction::ToClient, b"what")[0].0, "raw bytes, malformed");
    }

    #[test]
    fn a_record_has_the_fields_of_its_header() {
        let bytes = b"\x16\x03\x01\x00\x04\x1b[2J".to_vec();
        let (direction, kind) = (Direction::ToServer, FrameKind::Record(RecordType::Handshake));
        let mut frame = Frame {
            connection: 1,
            direction,
            number: 1,
            offset: 0,
            at_us: 0,
            dialect: Dialect::Tls,
            in_websocket: false,
            kind,
            bytes,
        };
        let shown = fields(&frame, &Meaning::default());
        let shown: Vec<_> =
            shown.iter().map(|field| (field.name.as_str(), field.value.as_str(), field.bytes.clone())).collect();
        let expected = [
            ("record", "handshake", 0..1),
            ("version", "3.1", 1..3),
            ("length", "4", 3..5),
            ("content, opaque", "1b 5b 32 4a", 5..9),
        ];
        assert_eq!(shown, expected);
        frame.bytes.truncate(4);
        assert_eq!(fields(&frame, &Meaning::default()).len(), 1, "a rule has shortened it");
    }
}
