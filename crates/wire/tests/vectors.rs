//! Holds the code to the golden vectors in `spec/vectors/`; their README describes the format.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::Event;
use glassline_wire::frame::{Decoder, Frame, HeaderError, LENGTH_MAX, RAW_GOODBYE, header, parse_header, put_frame};
use glassline_wire::hex;
use glassline_wire::limits::{EVENT_BYTES_MAX, GREETING_BYTES_MAX, HEADER_BYTES, TEXT_BYTES_MAX};
use glassline_wire::opening::{EVENT_OPENING, Opening, Sniffed, sniff};
use glassline_wire::request::Request;
use glassline_wire::websocket::{self, CloseNotice, Item, Sender};
use serde_json::{Value, json};

/// The text of a vector file, which must be there and hold something.
fn read(file: &str) -> String {
    let path = format!("{}/../../spec/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("spec/vectors/{file}: {error}"));
    assert!(!text.trim().is_empty(), "spec/vectors/{file} is empty");
    text
}

fn read_json(file: &str) -> Value {
    serde_json::from_str(&read(file)).unwrap_or_else(|error| panic!("spec/vectors/{file}: {error}"))
}

/// A list that must not be empty.
fn list<'value>(value: &'value Value, key: &str) -> &'value [Value] {
    let list = value[key].as_array().unwrap_or_else(|| panic!("{key:?} is a list"));
    assert!(!list.is_empty(), "{key:?} is empty");
    list
}

fn string<'value>(value: &'value Value, key: &str) -> &'value str {
    value[key].as_str().unwrap_or_else(|| panic!("{key:?} is a string in {value}"))
}

fn number(value: &Value, key: &str) -> usize {
    value[key].as_u64().and_then(|number| number.try_into().ok()).unwrap_or_else(|| panic!("{key:?} is a number"))
}

/// Bytes in any of the forms that the README lists.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Array(parts) => parts.iter().flat_map(bytes).collect(),
        _ if value["hex"].is_string() => hex::decode(string(value, "hex")).expect("whole bytes as hex"),
        _ => string(value, "repeat").repeat(number(value, "times")).into_bytes(),
    }
}

#[derive(Debug, PartialEq, Eq, Clone)]
enum Seen {
    Payload(Vec<u8>),
    RawGoodbye,
}

/// Returns the output of a decoder for these slices: the frames, then a refusal or whether the
/// input ends at a boundary.
fn decode<'input>(
    mut decoder: Decoder,
    slices: impl IntoIterator<Item = &'input [u8]>,
) -> (Vec<Seen>, Result<bool, HeaderError>) {
    let mut seen = Vec::new();
    for mut slice in slices {
        loop {
            match decoder.next(&mut slice) {
                Ok(Some(Frame::Payload(payload))) => seen.push(Seen::Payload(payload.to_vec())),
                Ok(Some(Frame::Goodbye)) => seen.push(Seen::RawGoodbye),
                Ok(None) => break,
                Err(error) => return (seen, Err(error)),
            }
        }
    }
    (seen, Ok(decoder.is_at_boundary()))
}

#[test]
fn headers() {
    let vectors = read_json("headers.json");
    for case in list(&vectors, "written") {
        assert_eq!(header(number(case, "length")).as_slice(), bytes(&case["header"]), "{case}");
    }
    for case in list(&vectors, "accepted") {
        let header = bytes(&case["header"]).try_into().expect("ten bytes");
        assert_eq!(parse_header(header), Ok(number(case, "length") as u64), "{case}");
    }
    for case in list(&vectors, "refused") {
        let header = bytes(&case["header"]);
        let check = |error: &HeaderError| {
            assert_eq!(<&str>::from(error), string(case, "reason"), "{case}");
            if let HeaderError::NotDecimal { at, byte, .. } = error {
                assert_eq!((*at, *byte), (number(case, "at"), header[*at]), "{case}");
            }
        };
        check(&parse_header(header.clone().try_into().expect("ten bytes")).expect_err("refused"));
        let decoder = || Decoder::tutorial(usize::try_from(LENGTH_MAX).unwrap_or(usize::MAX));
        check(&decode(decoder(), [&header[..]]).1.expect_err("refused"));
        check(&decode(decoder(), header.chunks(1)).1.expect_err("refused"));
    }
}

#[test]
fn frames_in_any_slicing() {
    let vectors = read_json("frames.json");
    for case in list(&vectors, "cases") {
        let name = string(case, "name");
        let payload_max = number(case, "payload_max");
        let decoder = || match string(case, "dialect") {
            "tutorial" => Decoder::tutorial(payload_max),
            "event" => Decoder::event(payload_max),
            other => panic!("no dialect is called {other:?}"),
        };
        let input = bytes(&case["input"]);
        let expected: Vec<Seen> = case["frames"].as_array().expect("frames").iter().map(expected_frame).collect();
        let check = |how: &str, (seen, end): (Vec<Seen>, Result<bool, HeaderError>)| {
            assert!(seen == expected, "{name}, {how}: the frames differ");
            match end {
                Ok(true) => assert_eq!(case["end"], "boundary", "{name}, {how}"),
                Ok(false) => assert_eq!(case["end"], "inside", "{name}, {how}"),
                Err(error) => assert_eq!(case["error"], <&str>::from(&error), "{name}, {how}"),
            }
        };
        check("whole", decode(decoder(), [&input[..]]));
        check("one byte at a time", decode(decoder(), input.chunks(1)));
        // Where the input is long, the cuts near its ends are those that differ.
        let cuts = (0..=input.len()).filter(|&cut| cut < 128 || cut + 128 > input.len());
        for cut in cuts {
            let (head, tail) = input.split_at(cut);
            check(&format!("cut at byte {cut}"), decode(decoder(), [head, tail]));
        }
    }
}

fn expected_frame(value: &Value) -> Seen {
    if value["goodbye"].is_string() { Seen::RawGoodbye } else { Seen::Payload(bytes(value)) }
}

#[test]
fn openings_at_every_length() {
    let vectors = read_json("openings.json");
    for case in list(&vectors, "cases") {
        let first = bytes(&case["bytes"]);
        let decided = match string(case, "opening") {
            "tutorial" => Sniffed::Is(Opening::Tutorial),
            "event" => Sniffed::Is(Opening::Event),
            "noise" => Sniffed::Is(Opening::Noise),
            "tls" => Sniffed::Is(Opening::Tls),
            "http" => Sniffed::Is(Opening::Http),
            "unknown" => Sniffed::Unknown,
            "undecided" => Sniffed::NeedsMore,
            other => panic!("no opening is called {other:?}"),
        };
        let decided_after = case["decided_after"].as_u64();
        assert_eq!(decided_after.is_none(), decided == Sniffed::NeedsMore, "{case}");
        assert!(decided_after.is_none_or(|after| after <= first.len() as u64), "{case}");
        for length in 0..=first.len() {
            let enough = decided_after.is_some_and(|after| length as u64 >= after);
            let expected = if enough { decided } else { Sniffed::NeedsMore };
            assert_eq!(sniff(&first[..length]), expected, "{case}: {length} bytes");
        }
    }
}

#[test]
fn websockets_in_any_slicing() {
    let vectors = read_json("websocket.json");
    for case in list(&vectors, "cases") {
        let input = bytes(&case["input"]);
        let control: Vec<String> = case["control"].as_array().expect("a list").iter().map(Value::to_string).collect();
        let violation = case["violation"].as_u64().map(|code| code as u16);
        let expected = (bytes(&case["payload"]), control, violation);
        assert_eq!(unframed(case, [&input[..]]), expected, "{case}");
        assert_eq!(unframed(case, input.chunks(1)), expected, "{case}: byte by byte");
        for cut in 0..=input.len() {
            let (head, tail) = input.split_at(cut);
            assert_eq!(unframed(case, [head, tail]), expected, "{case}: cut at byte {cut}");
        }
    }
}

/// Returns what a decoder of a WebSocket makes of these slices: the payload of the messages, the
/// control frames, and the code that answers a violation.
fn unframed<'input>(
    case: &Value,
    slices: impl IntoIterator<Item = &'input [u8]>,
) -> (Vec<u8>, Vec<String>, Option<u16>) {
    let sender = if string(case, "sender") == "client" { Sender::Client } else { Sender::Server };
    let mut decoder = websocket::Decoder::new(sender, number(case, "message_max") as u64);
    let (mut payload, mut control) = (Vec::new(), Vec::new());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    for mut slice in slices {
        loop {
            match decoder.next(&mut slice) {
                Ok(Some(Item::Payload(part))) => part.append_to(&mut payload),
                Ok(Some(Item::Ping(ping))) => control.push(json!({"ping": text(ping)}).to_string()),
                Ok(Some(Item::Pong(pong))) => control.push(json!({"pong": text(pong)}).to_string()),
                Ok(Some(Item::Close(CloseNotice { code, reason }))) => {
                    control.push(json!({"close": code, "reason": reason}).to_string());
                }
                Ok(None) => break,
                Err(violation) => return (payload, control, Some(violation.close_code() as u16)),
            }
        }
    }
    (payload, control, None)
}

/// A string of `conversation-tutorial.txt`, quotes included.
fn unquoted(quoted: &str) -> Vec<u8> {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("a string in quotes");
    let mut out = Vec::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next().expect("something behind a backslash") {
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"));
            }
            escaped => out.extend_from_slice(escaped.to_string().as_bytes()),
        }
    }
    out
}

#[test]
fn the_tutorial_conversation_is_made_of_frames_and_pairs() {
    let text = read("conversation-tutorial.txt");
    let (mut sent, mut received) = (0, std::collections::BTreeMap::<&str, Vec<Vec<u8>>>::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line == "pause" || line.ends_with(" connects") || line.ends_with(" is closed") {
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let (who, direction) = (words.next().expect("a name"), words.next().expect("a direction"));
        let stream = unquoted(words.next().expect("bytes"));
        match direction {
            ">" => {
                sent += 1;
                let whole = decode(Decoder::tutorial(TEXT_BYTES_MAX), [&stream[..]]);
                assert_eq!(whole, decode(Decoder::tutorial(TEXT_BYTES_MAX), stream.chunks(1)), "{line}");
                let one = matches!(whole, (ref seen, Ok(true)) if seen.len() == 1);
                assert!(one || whole.1.is_err(), "one frame or a refused header: {line}");
                assert_eq!(whole.0 == [Seen::RawGoodbye], stream == RAW_GOODBYE, "{line}");
            }
            "<" => {
                // What a server writes is canonical (T1).
                let payload = stream[HEADER_BYTES..].to_vec();
                let mut canonical = Vec::new();
                put_frame(&mut canonical, &payload);
                assert_eq!(stream, canonical, "{line}");
                received.entry(who).or_default().push(payload);
            }
            other => panic!("neither > nor <: {other:?}"),
        }
    }
    assert!(sent > 0 && !received.is_empty(), "the conversation is not empty");
    for (who, frames) in received {
        assert!(frames.len().is_multiple_of(2), "{who} receives pairs (T4)");
        assert!(frames.chunks(2).all(|pair| pair[0] != who.as_bytes()), "{who} never hears itself (T5)");
    }
}

#[test]
fn the_event_conversations_are_made_of_requests_and_events() {
    for file in ["conversation-event.json", "conversation-history.json"] {
        is_made_of_requests_and_events(&read_json(file));
    }
}

fn is_made_of_requests_and_events(vectors: &Value) {
    let (mut sent, mut got) = (0, 0);
    for (index, step) in list(vectors, "steps").iter().enumerate() {
        if let Some(opening) = step.get("sends_bytes") {
            assert_eq!(bytes(opening), EVENT_OPENING, "step {index}");
        }
        if let Some(request) = step.get("sends") {
            sent += 1;
            let payload = serde_json::to_vec(request).expect("JSON");
            assert!(payload.len() <= GREETING_BYTES_MAX, "step {index}");
            if let Err(refused) = Request::from_json(&payload) {
                // A fault that the wire alone can see is answered in the next step.
                let answer = &list(vectors, "steps")[index + 1]["gets"];
                assert_eq!(serde_json::to_value(refused.content.code).expect("a code"), answer["code"], "step {index}");
                assert_eq!(refused.reference.as_deref(), answer["ref"].as_str(), "step {index}");
            }
        }
        if let Some(event) = step.get("gets") {
            got += 1;
            let payload = serde_json::to_vec(event).expect("JSON");
            assert!(payload.len() <= EVENT_BYTES_MAX, "step {index}");
            let read = Envelope::<Event>::from_json(&payload).unwrap_or_else(|error| panic!("step {index}: {error}"));
            let written: Value = serde_json::from_slice(&read.to_json()).expect("JSON");
            assert_eq!(&written, event, "step {index}");
        }
    }
    assert!(sent > 0 && got > 0, "the conversation is not empty");
}
