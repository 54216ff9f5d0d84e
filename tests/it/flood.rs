//! The flood limit (L): over it the server stops reading; nothing is lost and nobody is thrown out.

use std::time::{Duration, Instant};

use glassline_server::{Config, FloodLimit};
use serde_json::Value;

use crate::harness::{EventClient, Server, Tutorial, frame};

#[test]
fn over_the_limit_a_sender_is_slowed_and_loses_nothing() {
    let server = Server::with(Config { flood: FloodLimit::PerSecond(20), ..Config::default() });
    let mut ear = Tutorial::join(server.address, "ear");
    let mut reader = EventClient::join(server.address, "eye");
    let mut flooder = Tutorial::join(server.address, "flooder");
    // Eighty at once, then twenty a second.
    let messages = 120;
    let burst: Vec<u8> = (0..messages).flat_map(|n| frame(format!("message {n}"))).collect();
    let started = Instant::now();
    flooder.send_bytes(burst);
    flooder.send_bytes("/exit");
    // Messages that reached the reader before the answer to its ping.
    let mut early = Vec::new().into_iter();
    for n in 0..messages {
        ear.expect_message("flooder", &format!("message {n}"));
        match early.next() {
            Some(text) => assert_eq!(text, format!("message {n}")),
            None => _ = reader.expect_message("flooder", &format!("message {n}")),
        }
        if n == 100 {
            // Whoever keeps to the limit is not held up by one who does not.
            let texts = |event: &Value| event["text"].as_str().map(str::to_owned);
            early = reader.barrier().iter().filter_map(texts).collect::<Vec<_>>().into_iter();
            assert!(early.len() < messages - 1 - n, "the answer came behind the flood");
        }
    }
    assert!(started.elapsed() > Duration::from_millis(1_500), "120 messages took only {:?}", started.elapsed());
    flooder.expect_closed();
    ear.expect_word("flooder left");
}

#[test]
fn this_machine_is_not_limited_unless_asked() {
    let server = Server::start();
    let mut ear = Tutorial::join(server.address, "ear");
    let mut talker = Tutorial::join(server.address, "talker");
    let started = Instant::now();
    for n in 0..500 {
        talker.say(n.to_string());
        ear.expect_message("talker", &n.to_string());
    }
    assert!(started.elapsed() < Duration::from_secs(20), "five a second would take a hundred seconds");
}
