//! The same slicings, decoded by the tap, by tshark and by the Python peer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use glassline_tap::{Addresses, Direction, FrameKind, Line, LineOutput, Observation, Recorder, Side};
use glassline_testkit::frame::frame;
use glassline_testkit::{Folder, Rng, seed_or};
use glassline_wire::websocket::{FrameHeader, Opcode};
use serde_json::{Map, Value, json};

use crate::tools::{frames, has_tshark, python};

const AT_US: u64 = 1_764_429_300_000_000;
const CONNECTIONS: u64 = 1_000;

/// A slice of a connection, as it passed.
struct Slice {
    connection: u64,
    direction: Direction,
    bytes: Vec<u8>,
}

/// Content of each frame, by connection, direction and number.
type Said = BTreeMap<(u64, String, u64), Map<String, Value>>;

/// Texts that are easy to get wrong: escapes, several planes, JSON in JSON, headers, commands.
const WORDS: [&str; 14] = [
    "hello",
    "a b  c",
    "\"quoted\"",
    "back\\slash",
    "ünïcödé",
    "日本語",
    "👩‍👩‍👧",
    "{\"type\":\"send\"}",
    "5         hello",
    "/exit",
    "GLASSLINE2",
    "]}",
    "Ω≈ç√",
    "'; --",
];

fn words(rng: &mut Rng) -> String {
    let words: Vec<&str> = (0..rng.magnitude(30)).map(|_| rng.pick(&WORDS)).collect();
    words.join(" ")
}

/// A JSON object as bytes; half of them with everything beyond ASCII escaped.
fn encoded(object: &Value, rng: &mut Rng) -> Vec<u8> {
    let text = object.to_string();
    if rng.once_in(2) {
        return text.into_bytes();
    }
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(char::from(byte)),
            _ => write!(escaped, "\\u{unit:04x}").expect("a String takes everything"),
        }
    }
    escaped.into_bytes()
}

/// Bytes of both directions of a connection.
fn conversation(rng: &mut Rng) -> [(Direction, Vec<u8>); 2] {
    let name = format!("user{}", rng.below(100));
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    if rng.once_in(2) {
        to_server.extend(frame(&name));
        for _ in 0..rng.between(0, 6) {
            to_server.extend(frame(words(rng)));
            to_client.extend([frame(rng.pick(&["*", "bob", "ünï"])), frame(words(rng))].concat());
        }
        if rng.once_in(2) {
            to_server.extend(b"/exit");
        }
    } else {
        let hello = json!({"type": "hello", "name": name, "agent": "test/1.0", "rooms": ["lobby", "den"]});
        to_server.extend([b"GLASSLINE2".to_vec(), frame(encoded(&hello, rng))].concat());
        to_client.extend(frame(encoded(&json!({"type": "welcome", "name": name, "seq": 12, "ok": true}), rng)));
        for seq in 0..rng.between(0, 6) {
            let send = json!({"type": "send", "room": "lobby", "text": words(rng), "id": format!("{seq:032x}")});
            let direct =
                json!({"type": "direct", "to": "bob", "text": words(rng), "nested": {"text": ["x", null, -1.5e3]}});
            to_server.extend(frame(encoded(rng.pick(&[&send, &direct]), rng)));
            let message = json!({"type": "message", "seq": seq, "room": "lobby", "from": "bob", "text": words(rng)});
            let joined = json!({"type": "joined", "room": "den", "name": "ünï"});
            to_client.extend(frame(encoded(rng.pick(&[&message, &joined]), rng)));
        }
    }
    [(Direction::ToServer, to_server), (Direction::ToClient, to_client)]
}

const REQUEST: &[u8] = b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The content in messages of a WebSocket, with pings between them.
fn in_messages(direction: Direction, content: &[u8], rng: &mut Rng) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), content);
    while !rest.is_empty() {
        // The server answers the first message, which is small and has the opening.
        let length = if bytes.is_empty() { 30 } else { rng.magnitude(70_000) };
        let (message, after) = rest.split_at(rest.len().min(length as usize));
        let opcodes = [(Opcode::Binary, message), (Opcode::Ping, &b"there?"[..])];
        for (opcode, payload) in opcodes.into_iter().take(if rng.once_in(3) { 2 } else { 1 }) {
            let mask = (direction == Direction::ToServer).then(|| (rng.next_u64() as u32).to_be_bytes());
            let header = FrameHeader { is_final: true, opcode, mask, payload_bytes: payload.len() as u64 };
            let key = mask.unwrap_or_default();
            bytes.extend_from_slice(header.encode().as_ref());
            bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        }
        rest = after;
    }
    bytes
}

/// Cuts a connection: the client speaks first, then both directions alternate at random.
fn slices(connection: u64, rng: &mut Rng) -> Vec<Slice> {
    let [(_, mut to_server), (_, mut to_client)] = conversation(rng);
    let mut slices = Vec::new();
    if to_server.starts_with(b"GLASSLINE2") && rng.once_in(2) {
        to_server = in_messages(Direction::ToServer, &to_server, rng);
        to_client = in_messages(Direction::ToClient, &to_client, rng);
        for (direction, head) in [(Direction::ToServer, REQUEST), (Direction::ToClient, RESPONSE)] {
            let (start, end) = head.split_at(rng.index(head.len()).max(1));
            slices.extend([start, end].map(|bytes| Slice { connection, direction, bytes: bytes.to_vec() }));
        }
    }
    let spoken_first = if slices.is_empty() { 12 } else { slices.len() + 60 };
    let mut rests = [(Direction::ToServer, &to_server[..]), (Direction::ToClient, &to_client[..])];
    let is_fine = rng.once_in(8);
    while rests.iter().any(|rest| !rest.1.is_empty()) {
        // The server answers what it has read, the opening and the first header at least.
        let index = if slices.len() < spoken_first && !rests[0].1.is_empty() { 0 } else { rng.index(2) };
        let (direction, rest) = &mut rests[index];
        if rest.is_empty() {
            continue;
        }
        let most = if is_fine { 3 } else { 400 };
        let (bytes, after) = rest.split_at(rest.len().min(rng.magnitude(most) as usize));
        slices.push(Slice { connection, direction: *direction, bytes: bytes.to_vec() });
        *rest = after;
    }
    slices
}

fn said(fields: [(&str, Option<&str>); 5]) -> Map<String, Value> {
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    fields.collect()
}

/// Frames as the tap's JSON tells them.
fn by_tap(slices: &[Slice]) -> Said {
    let mut lines: BTreeMap<u64, Line> = BTreeMap::new();
    let (mut all, mut numbers) = (Said::new(), BTreeMap::new());
    for slice in slices {
        let line = lines.entry(slice.connection).or_insert_with(|| Line::new(slice.connection));
        line.receive(slice.direction, &slice.bytes, AT_US);
        while let Some(output) = line.next(AT_US) {
            let LineOutput::Arrived(frame, meaning) = output else { continue };
            // The others number what is within a WebSocket by itself.
            if !matches!(frame.kind, FrameKind::Payload | FrameKind::Opening | FrameKind::Goodbye) {
                assert!(matches!(frame.kind, FrameKind::Http | FrameKind::Control(_)), "{frame:?}");
                continue;
            }
            let number = numbers.entry((slice.connection, frame.direction)).or_insert(0_u64);
            *number += 1;
            let report = Observation::Arrived(frame, meaning).to_json();
            let content = &report["content"];
            let field = |name: &str| content[name].as_str();
            let is_opening = report["kind"] == "opening";
            let fields = [
                ("type", field("type").or(is_opening.then_some("opening"))),
                ("from", report["speaker"].as_str().or(field("from"))),
                ("to", field("to")),
                ("room", field("room")),
                ("text", field("text")),
            ];
            let direction = report["direction"].as_str().expect("a direction").to_owned();
            all.insert((slice.connection, direction, *number), said(fields));
        }
    }
    all
}

/// Frames as tshark dissects them. Its TCP streams are in the order of the connections.
fn by_tshark(slices: &[Slice]) -> Said {
    let folder = Folder::new();
    let path = folder.join("slicings.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    for connection in 1..=CONNECTIONS {
        let address = |port: u64| format!("127.0.0.1:{port}").parse().expect("an address");
        let addresses = Addresses {
            client: address(10_000 + connection),
            listen: address(1234),
            local: address(20_000 + connection),
            server: address(1234),
        };
        recorder.opened(connection, &addresses, AT_US).expect("written");
    }
    for slice in slices {
        let written = recorder.data(slice.connection, Side::Client, slice.direction, &slice.bytes, AT_US, None);
        written.expect("written");
    }
    recorder.finish().expect("written");
    let mut all = Said::new();
    for (stream, frame) in frames(&path, "glassline") {
        let field = |name: &str| frame[format!("glassline.{name}")].as_str();
        let mut fields = [
            ("type", field("type")),
            ("from", field("from").or(if field("type") == Some("name") { field("name") } else { None })),
            ("to", field("to")),
            ("room", field("room")),
            ("text", field("text")),
        ];
        if field("opening").is_some() {
            fields[0].1 = Some("opening");
        }
        if field("exit").is_some() {
            fields[0].1 = Some("bye");
        }
        let number = field("number").and_then(|number| number.parse().ok()).expect("a number");
        // Both sides of a connection are opened, so every second stream is the client's.
        let key = (stream / 2 + 1, field("direction").expect("a direction").to_owned(), number);
        all.insert(key, said(fields));
    }
    all
}

/// Frames as the peer in Python decodes them.
fn by_python(slices: &[Slice]) -> Said {
    let mut input = String::new();
    for slice in slices {
        let hex = slice.bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes everything");
            hex
        });
        let part = json!({"connection": slice.connection, "direction": slice.direction, "bytes": hex});
        writeln!(input, "{part}").expect("a String takes everything");
    }
    let mut all = Said::new();
    for line in python("decode.py", &input).lines() {
        let report: Map<String, Value> = serde_json::from_str(line).expect("JSON");
        let field = |name: &str| report.get(name).and_then(Value::as_str);
        let number = |name: &str| report.get(name).and_then(Value::as_u64).expect("a number");
        let fields = ["type", "from", "to", "room", "text"].map(|name| (name, field(name)));
        all.insert((number("connection"), field("direction").expect("one").to_owned(), number("frame")), said(fields));
    }
    all
}

fn all_slices() -> Vec<Slice> {
    let rng = Rng::new(seed_or(1_000));
    (1..=CONNECTIONS).flat_map(|connection| slices(connection, &mut rng.labelled(connection))).collect()
}

#[track_caller]
fn assert_equal(left: &Said, right: &Said) {
    for (key, frame) in left {
        assert_eq!(Some(frame), right.get(key), "{key:?}");
    }
    assert_eq!(left.len(), right.len());
}

#[test]
fn tap_and_python_decode_the_same() {
    let slices = all_slices();
    let tap = by_tap(&slices);
    assert!(tap.len() > 5_000, "{}", tap.len());
    assert_equal(&by_python(&slices), &tap);
}

#[test]
fn tap_and_tshark_decode_the_same() {
    if !has_tshark() {
        return;
    }
    let slices = all_slices();
    assert_equal(&by_tshark(&slices), &by_tap(&slices));
}
