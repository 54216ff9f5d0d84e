//! Several rooms: where messages go, what waits in other rooms, and what is shown on going there.

use serde_json::json;

use super::harness::{Opening, Table};
use crate::harness::fresh_id;

/// Bob enters rooms beside the lobby.
#[track_caller]
fn bob_enters(table: &mut Table, rooms: &[&str]) {
    for room in rooms {
        table.bob.send(&json!({"type": "join", "room": room}));
    }
    table.bob.barrier();
}

#[track_caller]
fn bob_says(table: &mut Table, room: &str, text: &str) {
    table.bob.send(&json!({"type": "send", "room": room, "text": text, "id": fresh_id()}));
}

#[track_caller]
fn alice_enters(table: &mut Table, rooms: &[&str]) {
    for room in rooms {
        table.alice.keys_until(&format!("/join {room}\r"), &format!("alice in {room}"));
    }
}

#[test]
fn messages_elsewhere_are_counted_and_shown_on_going_there() {
    let mut table = Table::new();
    bob_enters(&mut table, &["den", "pub"]);
    alice_enters(&mut table, &["den", "pub", "lobby"]);
    bob_says(&mut table, "den", "first in the den");
    table.alice.see("2:den +1");
    bob_says(&mut table, "den", "second, alice");
    bob_says(&mut table, "pub", "in the pub");
    table.alice.see("2:den +2! · 3:pub +1");
    assert_eq!(table.alice.count_written("\x07"), 1, "a mention rings wherever it is");
    for text in ["first in the den", "second, alice", "in the pub"] {
        assert!(!table.alice.written().contains(text), "{text} is for another room");
    }
    table.alice.keys_until("\x1b2", "alice in den");
    table.alice.see("── den: 2 new, 1 for you ──\nbob > first in the den\nbob > second, alice");
    table.alice.see("3:pub +1");
    table.alice.see_no_more("2:den");
    // Talking goes where one is.
    let said = |event: &serde_json::Value| event["type"] == "message" && event["from"] == "alice";
    table.alice.keys("hello den\r");
    let received = super::harness::receive(&mut table.bob, said);
    assert_eq!((&received["room"], &received["text"]), (&json!("den"), &json!("hello den")));
    table.alice.keys_until("\x1b[1;3C", "── pub: 1 new ──\nbob > in the pub");
    table.alice.see_no_more("+1");
    assert_eq!(table.alice.transcript().join("\n").matches("first in the den").count(), 1, "shown once");
}

#[test]
fn each_room_has_its_draft() {
    let mut table = Table::new();
    alice_enters(&mut table, &["den"]);
    table.alice.keys_until("half", "> half");
    table.alice.keys_until("\x1b1", "alice in lobby");
    table.alice.see_input("");
    assert_eq!(table.said("for all\r"), "for all");
    table.alice.keys_until("\x1b2", "alice in den");
    table.alice.see("> half");
    // What was begun in a room that one leaves goes along.
    table.alice.keys_until("\x1b1", "alice in lobby");
    table.alice.keys("/leave den\r");
    table.alice.see("> half");
    assert_eq!(table.said(" said\r"), "half said");
}

#[test]
fn unread_messages_are_listed_on_leaving() {
    let mut table = Table::new();
    bob_enters(&mut table, &["den"]);
    alice_enters(&mut table, &["den", "lobby"]);
    bob_says(&mut table, "den", "alice?");
    table.alice.see("2:den +1!");
    table.alice.keys("\r\r\r");
    assert_eq!(table.alice.exit_code(), 0);
    let transcript = table.alice.transcript().join("\n");
    assert!(transcript.contains("* not read: 1 in den (1 for you)"), "{transcript}");
}

#[test]
fn a_room_that_waits_for_long_loses_nothing() {
    let mut table = Table::new();
    bob_enters(&mut table, &["den"]);
    alice_enters(&mut table, &["den", "lobby"]);
    for number in 0..1_200 {
        bob_says(&mut table, "den", &format!("den {number}."));
    }
    table.alice.see("2:den +1200");
    table.alice.keys_until("\x1b2", "den 1199.");
    let transcript = table.alice.transcript().join("\n");
    for number in 0..1_200 {
        assert_eq!(transcript.matches(&format!(" den {number}.")).count(), 1, "den {number}");
    }
}

#[test]
fn the_last_room_that_is_left_says_how_to_enter_one() {
    let mut table = Table::new();
    table.alice.keys_until("/leave\r", "you are in no room now; /join ROOM enters one");
    table.alice.keys_until("to nobody\r", "not sent: you are in no room");
    table.alice.see_input("to nobody");
    table.alice.keys_until("\x15/join lobby\r", "alice in lobby");
    assert_eq!(table.said("back\r"), "back");
}

#[test]
fn in_the_tutorial_dialect_the_server_names_the_room() {
    let table = Table::new();
    let opening = Opening::join(table.server.address, "old").argument("--dialect").argument("tutorial");
    let mut old = opening.size(12, 100).open();
    old.see("/help lists commands");
    old.see("old in lobby");
    old.keys_until("/join den\r", "you are in den; nobody else is here");
    old.see("old in den");
    old.keys_until("/join den\r", "you are there already");
    old.see("old in den");
    old.keys_until("/join\r", "usage: /join ROOM");
    old.see("old in den");
    old.keys_until("/join *\r", "room name");
    old.see_no_more("old in ");
    old.keys_until("/leave\r", "you are in lobby; here: ");
    old.see("old in lobby");
}
