//! A freeze (O3): nobody but operators reaches others with words, the names of newcomers and of
//! rooms included.

use serde_json::{Value, json};

use crate::harness::{EventClient, Tutorial, words_in};
use crate::operators::{act, operator, server};

/// Part of each word that must not reach anybody.
const MARK: &str = "boring";

/// Reads up to the announcement that names somebody; returns everything before it and that itself.
#[track_caller]
fn until_left(client: &mut EventClient, name: &str) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        events.push(client.event());
        let last = &events[events.len() - 1];
        if last["type"] == "left" && last["names"].as_array().is_some_and(|names| names.contains(&json!(name))) {
            return events;
        }
    }
}

#[track_caller]
fn asked(client: &mut EventClient, mut request: Value) -> Value {
    request["ref"] = json!("asked");
    client.send(&request);
    client.barrier().into_iter().find(|event| event["ref"] == "asked").expect("an answer")
}

#[track_caller]
fn members(client: &mut EventClient) -> Value {
    asked(client, json!({"type": "members", "room": "lobby"}))
}

fn has_mark(events: &[Value]) -> bool {
    events.iter().any(|event| event.to_string().contains(MARK))
}

#[test]
fn newcomers_in_a_freeze_are_announced_once_it_ends() {
    let server = server();
    let mut teacher = operator(&server, "teacher");
    let (mut pupil, mut old) = (EventClient::join(server.address, "pupil"), Tutorial::join(server.address, "old"));
    let leaver = Tutorial::join(server.address, "leaver");
    act(&mut teacher, "freeze");
    pupil.barrier();
    old.barrier();
    // They come and go in both dialects, and try what else others might read.
    for n in 0..3 {
        let mut gone = Tutorial::join(server.address, &format!("{MARK}_{n}"));
        gone.say("/exit");
        gone.expect_closed();
    }
    let hello = json!({"type": "hello", "name": format!("{MARK}_event"), "rooms": ["lobby", format!("{MARK}_room")]});
    let (mut event, welcome) = EventClient::greet(server.address, &hello);
    assert_eq!(welcome["rooms"].as_array().map(Vec::len), Some(1), "{welcome}");
    event.expect("notice");
    event.expect_error("frozen");
    for request in [
        json!({"type": "join", "room": format!("{MARK}_hall")}),
        json!({"type": "away", "text": MARK}),
        json!({"type": "rename", "name": format!("{MARK}_again")}),
    ] {
        event.send(&request);
        event.expect_error("frozen");
    }
    let mut late = Tutorial::join(server.address, &format!("{MARK}_late"));
    for line in ["/join boring_den", "/away boring", "/nick boring_too"] {
        late.say(line);
        late.expect_word("froze the talk");
    }
    assert_eq!(members(&mut event)["names"], json!([format!("{MARK}_event"), "leaver", "old", "pupil", "teacher"]));
    // Who was there before is announced, behind the announcements of the others.
    drop(leaver);
    let output = until_left(&mut pupil, "leaver");
    assert!(!has_mark(&output), "{output:?}");
    old.expect_word("leaver left");
    let (listed, rooms) = (members(&mut pupil), asked(&mut pupil, json!({"type": "rooms"})));
    assert_eq!((&listed["names"], &listed["count"]), (&json!(["old", "pupil", "teacher"]), &json!(3)));
    assert!(!rooms.to_string().contains(MARK), "{rooms}");
    old.say("/names");
    assert_eq!(old.expect_word("5 here"), "5 here: old, pupil, teacher, and 2 who came during the freeze");
    old.say("/rooms");
    assert_eq!(old.expect_word("rooms:"), "rooms: lobby (5)");
    let mut last = Tutorial::connect(server.address);
    last.say("last");
    assert_eq!(
        last.expect_word("here:"),
        "here: old, pupil, teacher, and 2 who came during the freeze; /help lists commands"
    );
    // Operators see everybody, and may take hold of them.
    assert_eq!(members(&mut teacher)["count"], members(&mut teacher)["names"].as_array().map_or(0, Vec::len));
    act(&mut teacher, &format!("kick {MARK}_event"));
    event.expect_closed();
    act(&mut teacher, "thaw");
    pupil.expect("notice");
    let announced = pupil.expect("joined");
    let names = announced["names"].as_array().expect("names");
    assert!(names.len() == 2 && names.contains(&json!("boring_late")) && names.contains(&json!("last")), "{announced}");
    assert_eq!(announced["count"], 2);
    old.expect_word("boring_late");
    late.say("hi");
    old.expect_message("boring_late", "hi");
    drop(late);
    until_left(&mut pupil, "boring_late");
}

#[test]
fn members_that_may_send_in_a_freeze_are_announced() {
    let server = server();
    let mut teacher = operator(&server, "teacher");
    let (mut pupil, welcome) = EventClient::greet(server.address, &json!({"type": "hello", "name": "pupil"}));
    let mut old = Tutorial::join(server.address, "old");
    teacher.barrier();
    act(&mut teacher, "freeze");
    old.barrier();
    let _aide = operator(&server, "aide");
    old.expect_word("aide joined");
    // The same person under the same name goes on where it was; its link is dead, and nobody is
    // told.
    let claim = json!({"type": "hello", "name": "pupil", "token": welcome["token"]});
    let (mut again, _) = EventClient::greet(server.address, &claim);
    pupil.expect_closed();
    assert_eq!(members(&mut teacher)["names"], json!(["aide", "old", "pupil", "teacher"]));
    again.barrier();
    old.say("/names");
    assert_eq!(old.expect_word("4 here"), "4 here: aide, old, pupil, teacher");
    let words = old.barrier();
    assert!(!words_in(&words).iter().any(|word| word.contains("pupil")), "{words:?}");
    // An operator may open a room, and a room that is open may be joined.
    teacher.send(&json!({"type": "join", "room": "den"}));
    teacher.expect("joined");
    old.say("/join den");
    old.expect_word("you are in den; here: teacher");
}
