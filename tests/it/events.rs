//! The event dialect (E): which requests are valid, and the answer to each.

use serde_json::{Value, json};

use crate::harness::{EventClient, Pair, Server, Tutorial, fresh_id};

#[test]
fn what_a_client_says_about_from_seq_and_at_is_overwritten() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut adam = EventClient::join(server.address, "adam");
    let mut old = Tutorial::join(server.address, "old");
    eve.send(&json!({
        "type": "send", "room": "lobby", "text": "it was not me", "id": fresh_id(),
        "from": "adam", "seq": 999, "at": "1999-01-01T00:00:00.000Z", "ref": "mine"
    }));
    for (client, reference) in [(&mut eve, json!("mine")), (&mut adam, Value::Null)] {
        let message = client.expect_message("eve", "it was not me");
        assert_eq!((&message["seq"], &message["ref"]), (&json!(1), &reference));
        let at = message["at"].as_str().expect("a time");
        assert!(at.len() == 24 && at.ends_with('Z') && !at.starts_with("1999"), "{at}");
    }
    old.expect_message("eve", "it was not me");
    eve.send(&json!({"type": "direct", "to": "adam", "text": "psst", "id": fresh_id(), "from": "old", "at": 7}));
    assert_eq!(adam.expect("direct")["from"], "eve");
}

#[test]
fn the_same_id_again_is_the_same_message_and_no_second_copy() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut old = Tutorial::join(server.address, "old");
    let mut request = json!({"type": "send", "room": "lobby", "text": "once", "id": fresh_id()});
    eve.send(&request);
    let first = eve.expect_message("eve", "once");
    eve.send(&request);
    let again = eve.expect_message("eve", "once");
    assert_eq!((&again["seq"], &again["id"], &again["at"]), (&first["seq"], &request["id"], &first["at"]));
    request["text"] = json!("something else");
    eve.send(&request);
    eve.expect_error("id_reused");
    request["text"] = json!("once");
    eve.send(&json!({"type": "rename", "name": "eva"}));
    eve.send(&request);
    eve.expect("renamed");
    assert_eq!(eve.expect("message")["seq"], first["seq"], "an id follows its sender to another name");
    eve.say("done");
    assert_eq!(eve.expect_message("eva", "done")["seq"], 2);
    old.expect_message("eve", "once");
    old.expect_message("eva", "done");
}

#[test]
fn what_left_the_memory_of_ids_is_too_late() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut adam = EventClient::join(server.address, "adam");
    let first = json!({"type": "send", "room": "lobby", "text": "first", "id": fresh_id(), "after": 0, "ref": "r"});
    let second = json!({"type": "send", "room": "lobby", "text": "second", "id": fresh_id(), "after": 1});
    for request in [&first, &second] {
        eve.send(request);
        eve.expect("message");
    }
    // As many ids as are kept without a history, the second among them (L).
    for _ in 0..127 {
        for _ in 0..129 {
            eve.say("x");
        }
        eve.barrier();
        adam.barrier();
    }
    eve.send(&first);
    let refused = eve.expect_error("too_late");
    assert_eq!(refused["ref"], "r");
    assert!(refused["text"].as_str().expect("a text").contains("ask in the room"), "{refused}");
    eve.send(&second);
    assert_eq!(eve.expect_message("eve", "second")["seq"], 2, "it is remembered");
    let new = |after: u64| json!({"type": "send", "room": "lobby", "text": "new", "id": fresh_id(), "after": after});
    eve.send(&new(0));
    eve.expect_error("too_late");
    for after in [1, u64::MAX] {
        eve.send(&new(after));
        eve.expect_message("eve", "new");
    }
    // Messages of others do not matter, and they receive it once.
    adam.send(&json!({"type": "send", "room": "lobby", "text": "mine", "id": first["id"], "after": 16_387}));
    let received = adam.barrier();
    assert_eq!((&received[0]["seq"], &received[1]["seq"]), (&json!(16_386), &json!(16_387)), "the two that are new");
    assert_eq!(
        (received.len(), &received[2]["from"], &received[2]["seq"]),
        (3, &json!("adam"), &json!(16_388)),
        "{received:?}"
    );
}

#[test]
fn what_cannot_be_read_is_an_error_and_the_connection_stays() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let requests = [
        ("unknown_type", json!({"type": "dance"})),
        ("bad_field", json!({"type": "send", "room": "lobby", "text": "no id"})),
        ("bad_field", json!({"type": "send", "room": "lobby", "text": 7, "id": fresh_id()})),
        ("bad_field", json!({"type": "send", "room": "lobby", "text": "x", "id": "short"})),
        ("empty_text", json!({"type": "send", "room": "lobby", "text": "", "id": fresh_id()})),
        ("too_long", json!({"type": "send", "room": "lobby", "text": "x".repeat(16 * 1024 + 1), "id": fresh_id()})),
        ("unknown_room", json!({"type": "send", "room": "attic", "text": "x", "id": fresh_id()})),
        ("unknown_room", json!({"type": "leave", "room": "attic"})),
        ("bad_room", json!({"type": "join", "room": "a\u{1b}b"})),
        ("unknown_name", json!({"type": "direct", "to": "nobody", "text": "x", "id": fresh_id()})),
        ("out_of_order", json!({"type": "hello", "name": "eve"})),
        ("no_history", json!({"type": "history", "room": "lobby"})),
        ("no_history", json!({"type": "search", "room": "lobby", "query": "x"})),
    ];
    for (code, mut request) in requests {
        request["ref"] = json!(code);
        eve.send(&request);
        assert_eq!(eve.expect_error(code)["ref"], code);
    }
    for not_an_event in ["", "7", "[]", r#"["ping"]"#, "{}", r#"{"type":7}"#, "{", "null"] {
        eve.send_payload(not_an_event);
        eve.expect_error("not_an_event");
    }
    eve.send_payload([b'"', 0xff, b'"']);
    eve.expect_error("not_utf8");
    eve.send(&json!({"type": "ping", "ref": "x".repeat(65)}));
    eve.expect_error("too_long");
    eve.say("still here");
    assert_eq!(eve.expect_message("eve", "still here")["seq"], 1);
}

#[test]
fn fields_from_the_future_are_ignored() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    eve.send(&json!({"type": "send", "room": "lobby", "text": "hi", "id": fresh_id(), "mood": {"level": [9]}}));
    eve.expect_message("eve", "hi");
}

#[test]
fn a_reference_comes_back_on_every_answer() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let asked = [
        ("joined", json!({"type": "join", "room": "den"})),
        ("members", json!({"type": "members", "room": "den"})),
        ("message", json!({"type": "send", "room": "den", "text": "x", "id": fresh_id()})),
        ("direct", json!({"type": "direct", "to": "eve", "text": "note", "id": fresh_id()})),
        ("left", json!({"type": "leave", "room": "den"})),
        ("renamed", json!({"type": "rename", "name": "eva"})),
        ("pong", json!({"type": "ping"})),
        ("bye", json!({"type": "bye"})),
    ];
    for (n, (kind, mut request)) in asked.into_iter().enumerate() {
        let reference = format!("{n}-{kind}");
        request["ref"] = json!(reference);
        eve.send(&request);
        loop {
            let answer = eve.event();
            if answer["ref"] == reference.as_str() {
                assert_eq!(answer["type"], kind);
                break;
            }
        }
    }
    eve.expect_closed();
}

#[test]
fn both_dialects_talk_in_one_room() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut eve = EventClient::join(server.address, "eve");
    let mut adam = EventClient::join(server.address, "adam");
    for n in 1..=20 {
        let (from_old, from_eve) = (format!("old {n}"), format!("eve {n}"));
        old.say(&from_old);
        for client in [&mut eve, &mut adam] {
            assert_eq!(client.expect_message("old", &from_old)["seq"], 2 * n - 1);
        }
        eve.say(&from_eve);
        old.expect_message("eve", &from_eve);
        for client in [&mut eve, &mut adam] {
            assert_eq!(client.expect_message("eve", &from_eve)["seq"], 2 * n);
        }
    }
}

#[test]
fn a_direct_message_reaches_one_person_in_either_dialect() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut eve = EventClient::join(server.address, "eve");
    let mut third = Tutorial::join(server.address, "third");
    eve.send(&json!({"type": "direct", "to": "OLD", "text": "psst", "id": fresh_id(), "ref": "1"}));
    assert_eq!(eve.expect("direct")["ref"], "1");
    old.expect_message("eve→you", "psst");
    old.say("/reply yes?");
    let direct = eve.expect("direct");
    assert_eq!((&direct["from"], &direct["to"], &direct["text"]), (&json!("old"), &json!("eve"), &json!("yes?")));
    assert!(third.barrier().iter().all(Pair::is_presence), "a third hears nothing of it");
}

#[test]
fn messages_of_a_room_stay_there() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut adam = EventClient::join(server.address, "adam");
    let mut old = Tutorial::join(server.address, "old");
    eve.send(&json!({"type": "join", "room": "#Den", "ref": "j"}));
    let answers = eve.barrier();
    let joined = answers.iter().find(|event| event["ref"] == "j").expect("an answer");
    assert_eq!((&joined["type"], &joined["room"]), (&json!("joined"), &json!("den")));
    old.say("/join den");
    old.expect_word("you are in den; here: eve");
    eve.barrier();
    eve.send(&json!({"type": "send", "room": "den", "text": "quiet here", "id": fresh_id()}));
    let message = eve.expect_message("eve", "quiet here");
    assert_eq!((&message["room"], &message["seq"]), (&json!("den"), &json!(1)));
    old.expect_message("eve", "quiet here");
    old.say("so it is");
    eve.expect_message("old", "so it is");
    eve.say("hello lobby");
    adam.expect_message("eve", "hello lobby");
    assert!(adam.barrier().iter().all(|event| event["type"] != "message"));
    old.say("/leave");
    old.expect_word("you are in lobby; here: adam, eve");
    eve.barrier();
    eve.send(&json!({"type": "members", "room": "den"}));
    assert_eq!(eve.expect("members")["names"], json!(["eve"]));
}
