//! Number of people in a room, whenever it is announced who came and went (T11).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::*;

/// A session whose lobby holds these, itself among them.
fn with_people(names: &[&str]) -> Line {
    let mut line = Line::event();
    line.session.config.follows_people = true;
    let names = serde_json::to_string(names).expect("JSON");
    line.hear(&format!(r#"{{"type":"members","room":"lobby","names":{names},"count":3,"ref":"glassline-who"}}"#));
    assert_eq!(line.session.status(0).people, Some(3));
    line
}

#[test]
fn a_person_counted_on_arrival_is_not_counted_when_announced() {
    let mut line = with_people(&["alice", "bob", "x"]);
    // T11: each of these happened before the names were told, and is announced behind them.
    for (announced, people) in [
        (r#""joined","room":"lobby","names":["x","alice"],"count":2"#, 3),
        (r#""left","room":"lobby","names":["gone"],"count":1"#, 3),
        (r#""left","room":"lobby","names":["alice"],"count":1"#, 3),
        (r#""joined","room":"lobby","names":["y"],"count":1"#, 4),
        (r#""left","room":"lobby","names":["x"],"count":1"#, 3),
        (r#""joined","room":"lobby","names":["x"],"count":1"#, 4),
    ] {
        line.hear(&format!(r#"{{"type":{announced}}}"#));
        assert_eq!(line.session.status(0).people, Some(people), "{announced}");
    }
    assert_eq!(line.session.status(0).others, ["bob", "x", "y"]);
}

#[test]
fn names_behind_bare_counts_are_requested_but_not_too_often() {
    let mut line = with_people(&["alice", "bob", "x"]);
    let asks = |line: &mut Line| -> Vec<String> {
        let rooms = line.take_requests().into_iter().filter_map(|request| match request.content {
            Ask::Members(room) => Some(room.room),
            _ => None,
        });
        rooms.collect()
    };
    line.hear(r#"{"type":"joined","room":"lobby","names":["y"],"count":3}"#);
    assert_eq!((line.session.status(0).people, asks(&mut line)), (Some(6), vec!["lobby".to_owned()]));
    line.pass_ms(1_000);
    line.hear(r#"{"type":"left","room":"lobby","names":[],"count":2}"#);
    line.hear(r#"{"type":"left","room":"elsewhere","names":[],"count":2}"#);
    line.pass_ms(28_999);
    assert!(asks(&mut line).is_empty(), "once in 30 s");
    line.pass_ms(1);
    assert_eq!(asks(&mut line), ["lobby"], "and then, also if nothing more comes");
    line.pass_ms(15_000);
    line.hear(r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"x"}"#);
    line.pass_ms(20_000);
    assert!(asks(&mut line).is_empty(), "nothing of it is left");
}
