//! People in a room: joins, leaves and absence, `/whois` and `/ignore`.

use serde_json::json;

use super::harness::{Table, receive};
use crate::harness::{EventClient, Tutorial, fresh_id};

#[test]
fn ten_who_come_at_once_are_a_line_or_two() {
    let mut table = Table::new();
    let others: Vec<Tutorial> =
        (0..10).map(|number| Tutorial::join(table.server.address, &format!("guest{number}"))).collect();
    table.alice.see(" joined");
    table.alice.see("12 ");
    drop(others);
    table.alice.see(" left");
    let transcript = table.alice.transcript();
    for did in [" joined", " left"] {
        let lines = transcript.iter().filter(|line| line.contains("guest") && line.contains(did)).count();
        assert!((1..=3).contains(&lines), "{lines} lines of ten who {did}:\n{}", transcript.join("\n"));
    }
}

#[test]
fn away_is_sent_to_who_writes_and_back_ends_it() {
    let mut table = Table::new();
    let direct = |text: &str| json!({"type": "direct", "to": "alice", "text": text, "id": fresh_id()});
    table.alice.keys_until("/away at lunch\r", "you are away (at lunch)");
    table.alice.see("alice (away) in lobby");
    table.bob.send(&direct("one"));
    assert_eq!(receive(&mut table.bob, |event| event["type"] == "away")["text"], "at lunch");
    table.alice.keys_until("/back\r", "you are back");
    table.bob.send(&direct("two"));
    let before = table.bob.barrier();
    assert!(before.iter().all(|event| event["type"] != "away"), "{before:?}");
    // The other way round.
    table.bob.send(&json!({"type": "away", "text": "in a meeting"}));
    table.bob.barrier();
    table.alice.keys_until("/msg bob hello\r", "bob is away (in a meeting)");
}

#[test]
fn whois_shows_since_when_how_idle_and_how_connected() {
    let mut table = Table::with(|opening| opening.size(24, 140));
    let _old = Tutorial::join(table.server.address, "old");
    table.bob.send(&json!({"type": "away", "text": "tea"}));
    table.bob.barrier();
    table.alice.keys_until("/whois BOB\r", "* bob is here since 20");
    table.alice.see("active now, away (tea), in lobby, event dialect");
    table.alice.see("over plaintext");
    table.alice.keys_until("/whois old\r", "* old is here since 20");
    table.alice.see("tutorial dialect over");
    table.alice.keys_until("/whois nobody\r", "error: ");
}

#[test]
fn an_ignored_member_stays_hidden_under_every_new_name() {
    let mut table = Table::new();
    table.alice.keys_until("/ignore BOB\r", "what BOB says is not shown any more");
    table.bob.say("unheard");
    table.bob.send(&json!({"type": "direct", "to": "alice", "text": "unheard directly", "id": fresh_id()}));
    table.bob.send(&json!({"type": "rename", "name": "robert"}));
    table.bob.barrier();
    table.bob.say("unheard again, alice");
    table.bob.barrier();
    let mut carol = EventClient::join(table.server.address, "carol");
    carol.say("heard");
    table.alice.see("carol > heard");
    assert_eq!(table.alice.count_written("unheard"), 0);
    assert_eq!(table.alice.count_written("\x07"), 0);
    table.alice.keys_until("/unignore robert\r", "what robert says is shown again");
    table.bob.say("heard at last");
    table.alice.see("robert > heard at last");
}

#[test]
fn why_somebody_is_away_is_no_tower_over_other_lines() {
    let mut table = Table::new();
    let tower = format!("z{}", "\u{301}".repeat(100));
    table.bob.send(&json!({"type": "away", "text": tower}));
    table.bob.barrier();
    table.alice.keys_until("/whois bob\r", "bob is here since");
    table.alice.keys_until("/msg bob hello\r", "bob is away (z");
    assert_eq!(table.alice.count_written(&"\u{301}".repeat(20)), 0);
}

#[test]
fn a_reply_reaches_whom_it_was_begun_for_and_nobody_else() {
    let mut table = Table::new();
    let direct = |text: &str| json!({"type": "direct", "to": "alice", "text": text, "id": fresh_id()});
    let mut mallory = EventClient::join(table.server.address, "mallory");
    table.bob.send(&direct("what is the code?"));
    table.alice.see("bob -> you > what is the code?");
    table.alice.keys_until("/reply it is 7", "reply to bob\n> /reply it is 7");
    mallory.send(&direct("hey"));
    table.alice.see("this goes to bob, but mallory has written since you began");
    table.alice.keys_until("\r", "Enter again sends it to bob");
    table.alice.keys("\r");
    assert_eq!(
        receive(&mut table.bob, |event| event["type"] == "direct" && event["from"] == "alice")["text"],
        "it is 7"
    );
    assert!(mallory.barrier().iter().all(|event| event["text"] != "it is 7"));
}

#[test]
fn a_reply_does_not_reach_another_owner_of_a_name_unseen() {
    let mut table = Table::new();
    // In a room that alice is not in, so that she gets no announcements of it.
    let hello = json!({"type": "hello", "name": "carl", "rooms": ["den"]});
    let (mut carl, _) = EventClient::greet(table.server.address, &hello);
    carl.send(&json!({"type": "direct", "to": "alice", "text": "it is me", "id": fresh_id()}));
    table.alice.see("carl -> you > it is me");
    carl.send(&json!({"type": "bye"}));
    carl.expect_closed();
    let (mut other, welcome) = EventClient::greet(table.server.address, &hello);
    assert_eq!(welcome["name"], "carl");
    table.alice.keys_until("/reply the door code is 99\r", "carl has not written to you on this connection");
    assert!(other.barrier().iter().all(|event| event["type"] != "direct"));
}
