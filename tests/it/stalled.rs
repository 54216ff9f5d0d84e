//! Readers that stop reading (L, E7): the others notice nothing; the stalled get a notice of what
//! they missed, or are closed.

use std::time::{Duration, Instant};

use glassline_server::Limits;
use serde_json::{Value, json};

use crate::harness::{EventClient, PROMPT, Pair, Server, Tutorial, Wire, fresh_id};

/// Enough to fill every buffer between a server and a peer that reads nothing, and the log after it.
const MESSAGES: u64 = 700;

fn small_log() -> Limits {
    Limits { log_bytes_max: 256 * 1024, ..Limits::default() }
}

/// A long text that begins with its number.
fn numbered(n: u64) -> String {
    format!("{n} {}", "x".repeat(15 * 1024))
}

fn number_in(text: &str) -> u64 {
    text.split(' ').next().and_then(|number| number.parse().ok()).expect("a numbered text")
}

/// Sends messages 1 to [`MESSAGES`], and asserts that each reaches a member that reads at once.
#[track_caller]
fn talk_past_the_stalled(server: &Server) -> (Tutorial, Tutorial) {
    let mut talker = Tutorial::join(server.address, "talker");
    let mut reader = Tutorial::join(server.address, "reader");
    let mut slowest = Duration::ZERO;
    for n in 1..=MESSAGES {
        let said = Instant::now();
        talker.say(numbered(n));
        reader.expect_message("talker", &numbered(n));
        slowest = slowest.max(said.elapsed());
    }
    assert!(slowest < PROMPT, "the stalled held up a reader for {slowest:?}");
    (talker, reader)
}

/// Returns the number of missed messages in a notice.
fn missed(pair: &Pair) -> Option<u64> {
    let count = pair.text.strip_prefix("you missed ")?.strip_suffix(" messages")?;
    count.parse().ok().filter(|_| pair.is_word())
}

/// Asserts that messages and gaps cover all that was sent, once and in order.
#[track_caller]
fn expect_no_silent_hole(events: &[Value]) {
    let mut next = 1;
    let mut gaps = 0;
    for event in events {
        match event["type"].as_str().expect("a type") {
            "message" => {
                assert_eq!(event["seq"], next, "a repetition or a silent hole");
                assert_eq!(number_in(event["text"].as_str().expect("a text")), next);
                next += 1;
            }
            "gap" => {
                assert_eq!((&event["room"], event["from"].as_u64()), (&"lobby".into(), Some(next)), "{event}");
                next = event["to"].as_u64().expect("a number") + 1;
                gaps += 1;
            }
            _ => {}
        }
    }
    assert_eq!(next, MESSAGES + 1);
    assert!(gaps > 0, "everything fitted: the test is too small");
}

#[test]
fn a_stalled_tutorial_client_gets_the_count_of_missed_messages() {
    let server = Server::with_limits(small_log());
    let mut stalled = Tutorial::join_over(Wire::connect_narrow(server.address), "stalled");
    let (_talker, _reader) = talk_past_the_stalled(&server);
    let mut next = 1;
    let mut missed_in_all = 0;
    for pair in stalled.barrier() {
        if let Some(missed) = missed(&pair) {
            next += missed;
            missed_in_all += missed;
        } else if pair.from == "talker" {
            assert_eq!(number_in(&pair.text), next, "the notice and the hole differ");
            next += 1;
        }
    }
    assert_eq!(next, MESSAGES + 1);
    assert!(missed_in_all > 0, "everything fitted: the test is too small");
    assert!(server.log().contains("fell behind"));
}

#[test]
fn a_stalled_event_client_gets_the_numbers_of_missed_messages() {
    let server = Server::with_limits(small_log());
    let mut stalled = EventClient::join_over(Wire::connect_narrow(server.address), "stalled");
    let (_talker, _reader) = talk_past_the_stalled(&server);
    expect_no_silent_hole(&stalled.barrier());
}

#[test]
fn one_that_leaves_while_behind_gets_no_repeat_or_hidden_gap() {
    let server = Server::with_limits(small_log());
    let mut stalled = EventClient::join_over(Wire::connect_narrow(server.address), "stalled");
    let (_talker, _reader) = talk_past_the_stalled(&server);
    stalled.send(&json!({"type": "bye"}));
    expect_no_silent_hole(&stalled.expect_closed());
}

#[test]
fn one_that_talks_without_reading_misses_no_own_messages() {
    let server = Server::with_limits(small_log());
    let mut stalled = Tutorial::join_over(Wire::connect_narrow(server.address), "stalled");
    let mut talker = Tutorial::join(server.address, "talker");
    let mut reader = Tutorial::join(server.address, "reader");
    for n in 1..=MESSAGES {
        talker.say(numbered(n));
        reader.expect_message("talker", &numbered(n));
        stalled.say("mine");
        reader.expect_message("stalled", "mine");
    }
    let mut next = 1;
    for pair in stalled.barrier() {
        if let Some(missed) = missed(&pair) {
            next += missed;
        } else if !pair.is_word() {
            assert_eq!((pair.from.as_str(), number_in(&pair.text)), ("talker", next));
            next += 1;
        }
    }
    assert_eq!(next, MESSAGES + 1);
}

#[test]
fn one_that_takes_no_byte_for_too_long_is_closed_and_logged() {
    let server = Server::with_limits(Limits { no_progress_timeout_ms: 500, ..small_log() });
    let mut stalled = Tutorial::join_over(Wire::connect_narrow(server.address), "stalled").into_wire();
    let mut stalled_too = EventClient::join_over(Wire::connect_narrow(server.address), "stalled_too").into_wire();
    let (_talker, mut reader) = talk_past_the_stalled(&server);
    let left = |server: &Server| server.log().matches("reason=\"reads_nothing\"").count();
    while left(&server) < 2 {
        reader.expect_word("left");
    }
    for wire in [&mut stalled, &mut stalled_too] {
        wire.rest();
    }
    reader.say("/names");
    reader.expect_word("2 here: reader, talker");
}

#[test]
fn direct_messages_to_one_that_does_not_read_are_refused() {
    let server = Server::with_limits(Limits { send_queue_bytes_max: 64 * 1024, ..small_log() });
    let _stalled = Tutorial::join_over(Wire::connect_narrow(server.address), "stalled");
    let mut writer = EventClient::join(server.address, "writer");
    let mut reader = Tutorial::join(server.address, "reader");
    let mut delivered = 0;
    loop {
        let id = fresh_id();
        writer.send(&json!({"type": "direct", "to": "stalled", "text": numbered(delivered), "id": id}));
        let answer = writer.event();
        if answer["type"] == "error" {
            assert_eq!(answer["code"], "busy", "{answer}");
            break;
        }
        delivered += u64::from(answer["type"] == "direct");
        assert!(delivered < 5_000, "the server hoards without end");
    }
    writer.say("the room goes on");
    reader.expect_message("writer", "the room goes on");
}
