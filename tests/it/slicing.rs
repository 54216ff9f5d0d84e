//! The same bytes in any slicing are the same conversation (T1, D1).

use serde_json::{Value, json};

use crate::harness::{EventClient, Pair, Server, Tutorial, Wire, frame, fresh_id};

/// A conversation with something of everything in it, from the name to the goodbye.
fn tutorial_conversation() -> Vec<u8> {
    let mut bytes = [frame("alice"), frame("hi"), frame("häß 漢"), frame("/me waves"), frame("//x")].concat();
    bytes.extend_from_slice(b"  3       abc0000000003def");
    bytes.extend([frame("/nope"), frame(""), frame([0xff, 0xfe])].concat());
    bytes.extend_from_slice(b"/exit");
    bytes
}

/// Checks the messages that another member receives, and the end of the conversation.
#[track_caller]
fn expect_tutorial_conversation(alice: &mut Tutorial, bob: &mut Tutorial) {
    for text in ["hi", "häß 漢", "* waves", "/x", "abc", "def"] {
        bob.expect_message("alice", text);
    }
    let mut words = alice.expect_closed();
    words.retain(|pair| !pair.is_presence());
    let parts = ["here: bob", "no command /nope", "the text is empty", "not UTF-8"];
    assert_eq!(words.len(), parts.len(), "{words:?}");
    for (word, part) in words.iter().zip(parts) {
        assert!(word.is_word() && word.text.contains(part), "{part:?} is not in {word:?}");
    }
}

#[test]
fn a_tutorial_conversation_cut_at_any_byte_is_the_same() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let bytes = tutorial_conversation();
    for cut in 0..=bytes.len() {
        let mut alice = Tutorial::connect(server.address);
        alice.send_bytes(&bytes[..cut]);
        // The server has read the first part before it answers this.
        let received_by_now = bob.barrier();
        alice.send_bytes(&bytes[cut..]);
        bob.put_back(received_by_now);
        expect_tutorial_conversation(&mut alice, &mut bob);
    }
}

#[test]
fn a_tutorial_conversation_byte_by_byte_is_the_same() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Tutorial::connect(server.address);
    let mut received = Vec::new();
    for byte in tutorial_conversation() {
        alice.send_bytes([byte]);
        received.extend(bob.barrier());
    }
    bob.put_back(received);
    expect_tutorial_conversation(&mut alice, &mut bob);
}

fn event_conversation() -> Vec<u8> {
    let mut bytes = b"GLASSLINE2".to_vec();
    for request in [
        json!({"type": "members", "room": "lobby", "ref": "early"}),
        json!({"type": "hello", "name": "alice", "ref": "h"}),
        json!({"type": "send", "room": "lobby", "text": "häß 漢", "id": fresh_id(), "ref": "s"}),
        json!({"type": "send", "room": "lobby", "text": "one more", "id": fresh_id()}),
        json!({"type": "direct", "to": "bob", "text": "psst", "id": fresh_id()}),
        json!({"type": "dance", "ref": "d"}),
        json!({"type": "ping", "ref": "p"}),
        json!({"type": "bye", "ref": "b"}),
    ] {
        bytes.extend(frame(request.to_string()));
    }
    bytes
}

/// Returns the events that a conversation's client is sent, as far as it is the same each time.
fn event_transcript(alice: &mut EventClient) -> Vec<String> {
    let mut events = alice.expect_closed();
    events.retain(|event| event["type"] != "joined" && event["type"] != "left");
    let outline =
        |event: &Value| ["type", "ref", "code", "from", "text"].map(|field| event[field].to_string()).join(" ");
    events.iter().map(outline).collect()
}

#[track_caller]
fn expect_event_conversation(alice: &mut EventClient, bob: &mut Tutorial) {
    for (from, text) in [("alice", "häß 漢"), ("alice", "one more"), ("alice→you", "psst")] {
        bob.expect_message(from, text);
    }
    let transcript = event_transcript(alice);
    let starts = [
        "\"error\" \"early\" \"out_of_order\"",
        "\"welcome\" \"h\"",
        "\"message\" \"s\" null \"alice\" \"häß 漢\"",
        "\"message\" null null \"alice\" \"one more\"",
        "\"direct\" null null \"alice\" \"psst\"",
        "\"error\" \"d\" \"unknown_type\"",
        "\"pong\" \"p\"",
        "\"bye\" \"b\"",
    ];
    assert_eq!(transcript.len(), starts.len(), "{transcript:?}");
    for (line, start) in transcript.iter().zip(starts) {
        assert!(line.starts_with(start), "{line:?} does not start with {start:?}");
    }
}

#[test]
fn an_event_conversation_cut_at_any_byte_is_the_same() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    for cut in 0..=event_conversation().len() {
        let bytes = event_conversation();
        let mut alice = EventClient::over(Wire::connect(server.address));
        alice.send_bytes(&bytes[..cut.min(bytes.len())]);
        let received_by_now = bob.barrier();
        alice.send_bytes(&bytes[cut.min(bytes.len())..]);
        bob.put_back(received_by_now);
        expect_event_conversation(&mut alice, &mut bob);
    }
}

#[test]
fn a_thousand_frames_in_one_segment_are_a_thousand_messages() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut eve = EventClient::join(server.address, "eve");
    let mut alice = Tutorial::join(server.address, "alice");
    let burst: Vec<u8> = (0..1_000).flat_map(|n| frame(format!("message {n}"))).collect();
    assert!(burst.len() < 60_000, "one segment on a loopback");
    alice.send_bytes(burst);
    for n in 0..1_000 {
        bob.expect_message("alice", &format!("message {n}"));
        assert_eq!(eve.expect_message("alice", &format!("message {n}"))["seq"], n + 1);
    }
    let events = (0..300).flat_map(|n| {
        let request = json!({"type": "send", "room": "lobby", "text": format!("event {n}"), "id": fresh_id()});
        frame(request.to_string())
    });
    eve.send_bytes(events.collect::<Vec<u8>>());
    for n in 0..300 {
        bob.expect_message("eve", &format!("event {n}"));
        alice.expect_message("eve", &format!("event {n}"));
        assert_eq!(eve.expect_message("eve", &format!("event {n}"))["seq"], n + 1_001);
    }
}

#[test]
fn a_frame_cut_off_by_the_end_is_dropped_and_the_rest_is_not() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Tutorial::join(server.address, "alice");
    alice.say("whole");
    alice.send_bytes("9         cut");
    alice.finish();
    alice.expect_closed();
    bob.expect_message("alice", "whole");
    bob.expect_word("alice left");
    assert!(bob.barrier().iter().all(Pair::is_word));
}
