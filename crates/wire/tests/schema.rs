//! Holds the types to `spec/events.schema.json`: the same types, fields, error codes and limits, and readable examples.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::fs;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Limits, SCHEMA_VERSION};
use glassline_wire::limits::{
    ANNOUNCED_NAMES_MAX, AWAY_BYTES_MAX, LISTED_NAMES_MAX, LISTED_ROOMS_MAX, NAME_BYTES_MAX, NAME_CHARS_MAX,
    OPERATE_BYTES_MAX, PAGE_MESSAGES_MAX, QUERY_BYTES_MAX, REF_BYTES_MAX, SEALED_BYTES_MAX, TEXT_BYTES_MAX,
};
use glassline_wire::request::{Ask, Request};
use serde_json::{Value, json};

/// The names of an enum's variants, and a match that does not compile while one is missing.
macro_rules! closed {
    ($list:ident, $name_of:ident, $kind:ident: $($variant:ident = $name:literal,)*) => {
        const $list: &[&str] = &[$($name),*];
        fn $name_of(value: &$kind) -> &'static str {
            match value { $($kind::$variant { .. } => $name),* }
        }
    };
}

closed! { EVENTS, event_type, Event:
    Welcome = "welcome", Message = "message", Direct = "direct", Joined = "joined", Left = "left", Renamed = "renamed",
    Members = "members", History = "history", Whois = "whois", Rooms = "rooms", Away = "away", Act = "act", Notice = "notice", Error = "error", Ping = "ping", Pong = "pong",
    Gap = "gap", Bye = "bye",
}

closed! { REQUESTS, request_type, Ask:
    Hello = "hello", Send = "send", Direct = "direct", Join = "join", Leave = "leave", Rename = "rename",
    Members = "members", History = "history", Search = "search", Whois = "whois", Rooms = "rooms", Away = "away", Operate = "operate", Ping = "ping", Pong = "pong", Bye = "bye",
}

closed! { CODES, code_name, ErrorCode:
    NotAnEvent = "not_an_event", NotUtf8 = "not_utf8", UnknownType = "unknown_type", BadField = "bad_field",
    OutOfOrder = "out_of_order", BadName = "bad_name", NameTaken = "name_taken", TooLong = "too_long",
    EmptyText = "empty_text", UnknownRoom = "unknown_room", BadRoom = "bad_room", TooManyRooms = "too_many_rooms",
    UnknownName = "unknown_name", Busy = "busy", IdReused = "id_reused", TooLate = "too_late", NoHistory = "no_history", NotStored = "not_stored", NotOperator = "not_operator",
    Muted = "muted", Frozen = "frozen", Banned = "banned", Kicked = "kicked", RoomSealed = "room_sealed", NotSealed = "not_sealed", LinkRequired = "link_required", Rate = "rate",
}

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/events.schema.json");
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("spec/events.schema.json: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("spec/events.schema.json: {error}"))
}

/// The schemas of one side, by `type`.
fn branches<'schema>(schema: &'schema Value, side: &str) -> Vec<(&'schema str, &'schema Value)> {
    let listed = schema["$defs"][side]["oneOf"].as_array().expect("a list of types");
    let branches: Vec<_> = listed
        .iter()
        .map(|branch| {
            let name = branch["$ref"].as_str().and_then(|at| at.strip_prefix("#/$defs/")).expect("a reference");
            let definition = &schema["$defs"][name];
            (definition["properties"]["type"]["const"].as_str().expect("a type"), definition)
        })
        .collect();
    assert!(!branches.is_empty(), "{side} has types");
    branches
}

fn examples(definition: &Value) -> &[Value] {
    let examples = definition["examples"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(!examples.is_empty(), "an example in {definition}");
    examples
}

/// The example with a field that nobody knows yet.
fn from_the_future(example: &Value) -> Vec<u8> {
    let mut later = example.clone();
    later["later"] = json!({"deep": [1, null]});
    serde_json::to_vec(&later).expect("JSON")
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn every_example_of_an_event_is_read_and_written_again() {
    let schema = schema();
    for (kind, definition) in branches(&schema, "event") {
        for example in examples(definition) {
            let payload = serde_json::to_vec(example).expect("JSON");
            let event = Envelope::<Event>::from_json(&payload).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(event_type(&event.content), kind);
            let written: Value = serde_json::from_slice(&event.to_json()).expect("JSON");
            assert_eq!(&written, example);
            let later = Envelope::<Event>::from_json(&from_the_future(example)).expect("unknown fields are ignored");
            assert_eq!(later, event);
        }
    }
}

#[test]
fn every_example_of_a_request_is_read_and_written_again() {
    let schema = schema();
    for (kind, definition) in branches(&schema, "request") {
        for example in examples(definition) {
            let payload = serde_json::to_vec(example).expect("JSON");
            let request = Request::from_json(&payload).unwrap_or_else(|error| panic!("{example}: {error:?}"));
            assert_eq!(request_type(&request.content), kind);
            let written: Value = serde_json::from_slice(&request.to_json()).expect("JSON");
            assert_eq!(&written, example);
            assert_eq!(Request::from_json(&from_the_future(example)), Ok(request));
        }
    }
}

#[test]
fn the_schema_and_the_code_know_the_same_types() {
    let schema = schema();
    for (side, known) in [("event", EVENTS), ("request", REQUESTS)] {
        let listed = branches(&schema, side);
        let published: Vec<&str> = listed.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(names(&published), names(known), "{side}");
        assert_eq!(published.len(), known.len(), "{side}: each once");
    }
}

#[test]
fn every_required_field_is_required_and_no_other() {
    let schema = schema();
    for (side, read) in [
        ("event", (|payload| Event::from_json(payload).is_ok()) as fn(&[u8]) -> bool),
        ("request", |payload| Request::from_json(payload).is_ok()),
    ] {
        for (kind, definition) in branches(&schema, side) {
            let inherited = definition["allOf"].as_array().map_or(&[][..], Vec::as_slice);
            let inherited = inherited.iter().map(|_| &schema["$defs"]["said"]["required"]);
            let required: BTreeSet<&str> = inherited
                .chain([&definition["required"]])
                .flat_map(|list| list.as_array().expect("a list").iter().filter_map(Value::as_str))
                .collect();
            for example in examples(definition) {
                for field in example.as_object().expect("an object").keys() {
                    let mut without = example.clone();
                    without.as_object_mut().expect("an object").remove(field);
                    let payload = serde_json::to_vec(&without).expect("JSON");
                    assert_eq!(read(&payload), !required.contains(field.as_str()), "{side} {kind} without {field}");
                }
            }
        }
    }
}

#[test]
fn the_error_codes_are_one_closed_list() {
    let schema = schema();
    let published = schema["$defs"]["error_code"]["enum"].as_array().expect("a list of codes");
    let published: Vec<&str> = published.iter().filter_map(Value::as_str).collect();
    assert_eq!(names(&published), names(CODES));
    assert_eq!(published.len(), CODES.len(), "each once");
    for name in published {
        let code: ErrorCode = serde_json::from_value(json!(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(code_name(&code), name);
        assert_eq!(serde_json::to_value(code).expect("JSON"), json!(name));
    }
}

#[test]
fn the_limits_and_the_version_are_those_of_the_code() {
    let schema = schema();
    let defs = &schema["$defs"];
    assert_eq!(schema["x-version"], json!(SCHEMA_VERSION));
    assert_eq!(defs["name"]["maxLength"], json!(NAME_CHARS_MAX));
    assert_eq!(defs["name"]["x-maxBytes"], json!(NAME_BYTES_MAX));
    assert_eq!(defs["text_to_send"]["x-maxBytes"], json!(TEXT_BYTES_MAX));
    assert_eq!(defs["ref"]["x-maxBytes"], json!(REF_BYTES_MAX));
    assert_eq!(defs["sealed"]["maxLength"], json!(SEALED_BYTES_MAX));
    for kind in ["event_joined", "event_left"] {
        assert_eq!(defs[kind]["properties"]["names"]["maxItems"], json!(ANNOUNCED_NAMES_MAX));
    }
    assert_eq!(defs["event_members"]["properties"]["names"]["maxItems"], json!(LISTED_NAMES_MAX));
    assert_eq!(defs["event_rooms"]["properties"]["rooms"]["maxItems"], json!(LISTED_ROOMS_MAX));
    assert_eq!(defs["event_history"]["properties"]["messages"]["maxItems"], json!(PAGE_MESSAGES_MAX));
    assert_eq!(defs["page_limit"]["maximum"], json!(PAGE_MESSAGES_MAX));
    assert_eq!(defs["request_search"]["properties"]["query"]["x-maxBytes"], json!(QUERY_BYTES_MAX));
    assert_eq!(defs["request_operate"]["properties"]["line"]["x-maxBytes"], json!(OPERATE_BYTES_MAX));
    assert_eq!(defs["away_to_say"]["x-maxBytes"], json!(AWAY_BYTES_MAX));
    let published: BTreeSet<&String> = defs["limits"]["properties"].as_object().expect("an object").keys().collect();
    let limits = serde_json::to_value(Limits::default()).expect("JSON");
    assert_eq!(published, limits.as_object().expect("an object").keys().collect());
    assert_eq!(defs["event_welcome"]["examples"][0]["limits"], limits);
}
