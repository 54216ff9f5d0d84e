//! Number of people in a room, whenever it is announced who came and went (T11).

use super::*;

/// A session whose lobby holds these, itself among them.
fn with_people(names: &[&str]) -> TestClient {
    let mut client = TestClient::event();
    client.session.config.follows_people = true;
    let names = serde_json::to_string(names).expect("JSON");
    client.receive(&format!(r#"{{"type":"members","room":"lobby","names":{names},"count":3,"ref":"glassline-who"}}"#));
    assert_eq!(client.session.status(0).people, Some(3));
    client
}

#[test]
fn a_person_counted_on_arrival_is_not_counted_when_announced() {
    let mut client = with_people(&["alice", "bob", "x"]);
    // T11: each of these happened before the list of names, and is announced after it.
    for (announced, people) in [
        (r#""joined","room":"lobby","names":["x","alice"],"count":2"#, 3),
        (r#""left","room":"lobby","names":["gone"],"count":1"#, 3),
        (r#""left","room":"lobby","names":["alice"],"count":1"#, 3),
        (r#""joined","room":"lobby","names":["y"],"count":1"#, 4),
        (r#""left","room":"lobby","names":["x"],"count":1"#, 3),
        (r#""joined","room":"lobby","names":["x"],"count":1"#, 4),
    ] {
        client.receive(&format!(r#"{{"type":{announced}}}"#));
        assert_eq!(client.session.status(0).people, Some(people), "{announced}");
    }
    assert_eq!(client.session.status(0).others, ["bob", "x", "y"]);
}

#[test]
fn names_behind_bare_counts_are_requested_but_not_too_often() {
    let mut client = with_people(&["alice", "bob", "x"]);
    let asks = |client: &mut TestClient| -> Vec<String> {
        let rooms = client.take_requests().into_iter().filter_map(|request| match request.content {
            Ask::Members(room) => Some(room.room),
            _ => None,
        });
        rooms.collect()
    };
    client.receive(r#"{"type":"joined","room":"lobby","names":["y"],"count":3}"#);
    assert_eq!((client.session.status(0).people, asks(&mut client)), (Some(6), vec!["lobby".to_owned()]));
    client.pass_ms(1_000);
    client.receive(r#"{"type":"left","room":"lobby","names":[],"count":2}"#);
    client.receive(r#"{"type":"left","room":"elsewhere","names":[],"count":2}"#);
    client.pass_ms(28_999);
    assert!(asks(&mut client).is_empty(), "once in 30 s");
    client.pass_ms(1);
    assert_eq!(asks(&mut client), ["lobby"], "and then, also if nothing more comes");
    client.pass_ms(15_000);
    client.receive(r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"x"}"#);
    client.pass_ms(20_000);
    assert!(asks(&mut client).is_empty(), "nothing of it is left");
}
