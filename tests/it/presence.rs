//! Arrivals and departures come in batches (T11): at most four a second, twenty names and a count.

use std::time::Instant;

use serde_json::Value;

use crate::harness::{EventClient, Server, Tutorial};

const CROWD: usize = 200;

/// The names and the count in `alice, bob +3 joined`.
fn crowd_in<'a>(text: &'a str, verb: &str) -> Option<(Vec<&'a str>, usize)> {
    let listed = text.strip_suffix(verb)?.trim_end();
    let (names, more) = listed.rsplit_once(" +").unwrap_or((listed, "0"));
    let names: Vec<&str> = names.split(", ").collect();
    let count = names.len() + more.parse::<usize>().expect("a count");
    Some((names, count))
}

/// Reads announcements until the whole crowd was announced; returns how many it took.
fn count_announcements(mut next: impl FnMut() -> (usize, usize)) -> usize {
    let (mut announced, mut announcements) = (0, 0);
    while announced < CROWD {
        let (names, count) = next();
        assert_eq!(names, count.min(20), "twenty names and then a count");
        announced += count;
        announcements += 1;
    }
    assert_eq!(announced, CROWD, "everybody is announced once");
    announcements
}

fn next_event(client: &mut EventClient, kind: &str) -> (usize, usize) {
    let presence = client.expect(kind);
    let names = presence["names"].as_array().map_or(0, Vec::len);
    (names, presence["count"].as_u64().and_then(|count| usize::try_from(count).ok()).expect("a count"))
}

fn next_word(client: &mut Tutorial, verb: &str) -> (usize, usize) {
    let word = client.expect_word(verb);
    let (names, count) = crowd_in(&word, verb).expect("an announcement");
    (names.len(), count)
}

#[test]
fn a_crowd_is_announced_at_most_four_times_a_second() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut eve = EventClient::join(server.address, "eve");
    old.expect_word("eve joined");
    eve.expect("joined");
    let mut crowd = Vec::new();
    for (verb, kind) in [(" joined", "joined"), (" left", "left")] {
        let started = Instant::now();
        if crowd.is_empty() {
            crowd.extend((0..CROWD).map(|n| Tutorial::join(server.address, &format!("m{n}"))));
        } else {
            crowd.clear();
        }
        let output = count_announcements(|| next_word(&mut old, verb));
        let seen = count_announcements(|| next_event(&mut eve, kind));
        let quarters = started.elapsed().as_millis() / 250;
        for announcements in [output, seen] {
            assert!(
                announcements as u128 <= quarters + 2,
                "{announcements} announcements in {quarters} quarter seconds"
            );
        }
    }
}

#[test]
fn a_single_arrival_is_announced_at_once_to_both_dialects() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut eve = EventClient::join(server.address, "eve");
    let visitor = Tutorial::join(server.address, "guest");
    old.expect_word("guest joined");
    let names = |event: &Value| event["names"].as_array().cloned().unwrap_or_default();
    while !names(&eve.expect("joined")).contains(&"guest".into()) {}
    drop(visitor);
    old.expect_word("guest left");
    assert_eq!(names(&eve.expect("left")), ["guest"]);
}
