//! Information on connections, rooms and absence (E3, T10).

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{EventClient, Pair, Server, Tutorial, fresh_id, words_in};

/// Sends a request, and returns the events with its `ref` until it is answered.
#[track_caller]
fn answers(client: &mut EventClient, mut request: Value) -> Vec<Value> {
    let reference = fresh_id();
    request["ref"] = json!(reference);
    client.send(&request);
    let mut answers = client.barrier();
    answers.retain(|event| event["ref"] == reference.as_str());
    for answer in &mut answers {
        answer.as_object_mut().expect("an event").remove("ref");
    }
    answers
}

#[track_caller]
fn answer(client: &mut EventClient, request: Value) -> Value {
    let answers = answers(client, request);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.into_iter().next().expect("one answer")
}

fn direct_request(to: &str, text: &str) -> Value {
    json!({"type": "direct", "to": to, "text": text, "id": fresh_id()})
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn whois_shows_how_a_member_is_connected() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut bob = EventClient::join(server.address, "Bob");
    let _old = Tutorial::join(server.address, "old");
    assert_eq!(answer(&mut bob, json!({"type": "join", "room": "den"}))["type"], "joined");
    let mut found = answer(&mut eve, json!({"type": "whois", "name": "bOB"}));
    let since = found["since"].take();
    assert!(since.as_str().is_some_and(|since| since.len() == 24 && since.ends_with('Z')), "{since}");
    assert!(found["idle_s"].take().is_u64());
    assert_eq!(
        found,
        json!({
            "type": "whois", "name": "Bob", "since": null, "idle_s": null, "dialect": "event", "link": "plaintext",
            "rooms": ["lobby", "den"]
        })
    );
    let found = answer(&mut eve, json!({"type": "whois", "name": "old"}));
    assert_eq!((&found["dialect"], &found["rooms"]), (&json!("tutorial"), &json!(["lobby"])));
    answer(&mut bob, json!({"type": "away", "text": "lunch"}));
    assert_eq!(answer(&mut eve, json!({"type": "whois", "name": "bob"}))["away"], "lunch");
    assert_eq!(answer(&mut eve, json!({"type": "whois", "name": "nobody"}))["code"], "unknown_name");
    assert_eq!(answer(&mut eve, json!({"type": "whois"}))["code"], "bad_field");
    assert!(bob.barrier().iter().all(|event| event["type"] != "whois"), "the member in question is not notified");
}

#[test]
fn idle_time_grows_until_a_message_is_sent() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut bob = EventClient::join(server.address, "bob");
    let mut idle_s = || answer(&mut eve, json!({"type": "whois", "name": "bob"}))["idle_s"].as_u64().expect("seconds");
    while idle_s() < 1 {}
    answer(&mut bob, json!({"type": "members", "room": "lobby"}));
    bob.barrier();
    assert!(idle_s() >= 1, "neither a ping nor a look at who is there is activity");
    let before = Instant::now();
    bob.say("hi");
    bob.barrier();
    let idle_after_s = idle_s();
    assert!(idle_after_s <= before.elapsed().as_secs(), "{idle_after_s} s after saying something");
}

#[test]
fn the_rooms_are_listed_to_both_dialects() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut old = Tutorial::join(server.address, "old");
    answer(&mut eve, json!({"type": "join", "room": "#Den"}));
    assert_eq!(
        answer(&mut eve, json!({"type": "rooms"})),
        json!({"type": "rooms", "rooms": [{"room": "lobby", "count": 2}, {"room": "den", "count": 1}], "count": 2})
    );
    old.say("/rooms");
    old.expect_word("rooms: lobby (2), den (1)");
    answer(&mut eve, json!({"type": "leave", "room": "den"}));
    assert_eq!(answer(&mut eve, json!({"type": "rooms"}))["count"], 1);
}

#[test]
fn a_message_to_somebody_away_is_answered_after_its_echo() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut bob = EventClient::join(server.address, "bob");
    let mut old = Tutorial::join(server.address, "old");
    eve.barrier();
    let lunch = json!({"type": "away", "name": "bob", "text": "lunch"});
    assert_eq!(answer(&mut bob, json!({"type": "away", "text": "lunch"})), lunch);
    assert!(eve.barrier().iter().all(|event| event["type"] == "joined"), "nobody else is notified at once");
    assert!(old.barrier().iter().all(Pair::is_presence), "nobody else is notified at once");

    // Talking, and another name, do not end it.
    bob.say("still away");
    bob.expect_message("bob", "still away");
    eve.expect_message("bob", "still away");
    assert_eq!(answer(&mut bob, json!({"type": "rename", "name": "Rob"}))["type"], "renamed");
    eve.expect("renamed");

    let output = answers(&mut eve, direct_request("rob", "psst"));
    assert_eq!(kinds(&output), ["direct", "away"]);
    assert_eq!(output[1], json!({"type": "away", "name": "Rob", "text": "lunch"}));
    assert_eq!(bob.expect("direct")["text"], "psst", "the message arrives all the same");
    old.say("/msg rob psst");
    old.expect_word("Rob is away: lunch");
    assert_eq!(bob.expect("direct")["from"], "old");
    assert_eq!(kinds(&answers(&mut bob, direct_request("rob", "a note"))), ["direct"], "to oneself there is no notice");

    assert_eq!(answer(&mut bob, json!({"type": "away"})), json!({"type": "away", "name": "Rob"}));
    assert_eq!(kinds(&answers(&mut eve, direct_request("rob", "psst"))), ["direct"]);
    old.say("/msg rob psst");
    assert!(words_in(&old.barrier()).iter().all(|word| !word.contains("away")), "bob is back");
}

#[test]
fn being_away_ends_with_the_connection() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut bob = EventClient::join(server.address, "bob");
    answer(&mut bob, json!({"type": "away", "text": "lunch"}));
    bob.send(&json!({"type": "bye"}));
    bob.expect_closed();
    let _bob = EventClient::join(server.address, "bob");
    assert_eq!(kinds(&answers(&mut eve, direct_request("bob", "psst"))), ["direct"]);
}

#[test]
fn the_reason_is_one_short_line() {
    let server = Server::start();
    let mut bob = EventClient::join(server.address, "bob");
    let mut away = |text: &str| answer(&mut bob, json!({"type": "away", "text": text}));
    assert_eq!(away("")["code"], "empty_text");
    assert_eq!(away(&"x".repeat(257))["code"], "too_long");
    assert_eq!(away(&"ß".repeat(128))["text"], "ß".repeat(128));
    assert_eq!(away("a\nb\tc\u{1b}]d\u{202e}e")["text"], "a\u{fffd}b\u{fffd}c\u{fffd}]d\u{fffd}e");
    assert_eq!(answer(&mut bob, json!({"type": "away", "text": 7}))["code"], "bad_field");
}

#[test]
fn a_tutorial_member_goes_away_and_comes_back() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut tom = Tutorial::join(server.address, "tom");
    let mut eve = EventClient::join(server.address, "eve");
    old.barrier();
    tom.barrier();
    tom.say("/away lunch\nat noon");
    tom.expect_word("you are away: lunch\u{fffd}at noon; /back ends it");
    let output = answers(&mut eve, direct_request("tom", "psst"));
    assert_eq!(kinds(&output), ["direct", "away"]);
    assert_eq!((&output[1]["name"], &output[1]["text"]), (&json!("tom"), &json!("lunch\u{fffd}at noon")));
    tom.expect_message("eve→you", "psst");
    old.say("/whois tom");
    let found = old.expect_word("tom: here since ");
    assert!(found.contains(", idle for ") && found.contains(" s, plaintext, "), "{found}");
    assert!(found.ends_with(", plaintext, tutorial dialect, in lobby; away: lunch\u{fffd}at noon"), "{found}");
    tom.say("/away");
    tom.expect_word("you are away: away;");
    tom.say("/reply later");
    assert_eq!(eve.expect("direct")["text"], "later");
    old.say("/msg tom psst");
    old.expect_word("tom is away: away");
    tom.expect_message("old→you", "psst");
    tom.say("/back");
    tom.expect_word("you are back");
    old.say("/msg tom psst");
    old.say("/whois tom");
    let pairs = old.barrier();
    assert!(matches!(words_in(&pairs)[..], [whois] if whois.ends_with("in lobby")), "{pairs:?}");
    tom.say(format!("/away {}", "x".repeat(257)));
    tom.expect_word("the limit is 256; say it shorter");
}
