//! A line between two scripted ends.

mod attacks;
mod bounds;
mod decisions;
mod delivery;
mod properties;
mod removal;
mod websocket;

use std::sync::Arc;

use glassline_wire::frame::put_frame;

use super::*;
use crate::frame::Control;
use crate::rules::{Action, Matcher, Rule};

const UP: Direction = Direction::ToServer;
const DOWN: Direction = Direction::ToClient;
const STEP_US: u64 = 1_000;
const SECOND_US: u64 = 1_000_000;

/// A line with a clock, and what came out of it.
struct Fixture {
    line: Line,
    now_us: u64,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    /// Time, direction, bytes and comment of each write.
    writes: Vec<(u64, Direction, Vec<u8>, Option<String>)>,
    applied: Vec<Applied>,
    asks: Vec<Ask>,
    ends: Vec<(Direction, End)>,
    arrived: Vec<u8>,
}

impl Fixture {
    fn new(seed: u64, rules: Vec<Rule>) -> Self {
        let mut line = Line::new(1);
        line.set_rules(Arc::new(RuleSet::new(seed, rules).expect("labels differ")), 0);
        Self {
            line,
            now_us: 0,
            to_server: Vec::new(),
            to_client: Vec::new(),
            writes: Vec::new(),
            applied: Vec::new(),
            asks: Vec::new(),
            ends: Vec::new(),
            arrived: Vec::new(),
        }
    }

    fn send(&mut self, direction: Direction, bytes: &[u8]) {
        self.line.receive(direction, bytes, self.now_us);
        self.pump();
        self.now_us += STEP_US;
    }

    fn set_rules(&mut self, rules: Vec<Rule>) {
        self.line.set_rules(Arc::new(RuleSet::new(1, rules).expect("labels differ")), self.now_us);
        self.pump();
    }

    fn end(&mut self, direction: Direction) {
        self.line.end(direction, End::Finished, self.now_us);
        self.pump();
    }

    /// Takes every output that is due now.
    fn pump(&mut self) {
        while let Some(output) = self.line.next(self.now_us) {
            match output {
                LineOutput::Arrived(frame, _) => self.arrived.extend(frame.bytes),
                LineOutput::Applied(applied) => self.applied.push(applied),
                LineOutput::Ask(ask) => self.asks.push(*ask),
                LineOutput::Forward { direction, bytes, comment } => {
                    let ended = self.ends.iter().any(|(ended, _)| *ended == direction);
                    assert!(!ended, "bytes after the end of {direction:?}");
                    match direction {
                        Direction::ToServer => self.to_server.extend(&bytes),
                        Direction::ToClient => self.to_client.extend(&bytes),
                    }
                    self.writes.push((self.now_us, direction, bytes, comment));
                }
                LineOutput::End(direction, end) => self.ends.push((direction, end)),
            }
        }
    }

    /// Lets time pass until nothing waits for it.
    fn wait_out(&mut self) {
        let mut waits = 0;
        while let Some(due_us) = self.line.due_us() {
            waits += 1;
            assert!(waits < 1_000_000, "a due time that never comes");
            self.now_us = self.now_us.max(due_us);
            let before = (self.writes.len(), self.ends.len(), self.applied.len(), self.asks.len());
            self.pump();
            let after = (self.writes.len(), self.ends.len(), self.applied.len(), self.asks.len());
            assert!(after != before || self.line.due_us().is_none_or(|next_us| next_us > due_us), "due without effect");
        }
    }

    /// Ends both directions, and waits for everything.
    fn finish(mut self) -> Self {
        for direction in Direction::BOTH {
            self.end(direction);
        }
        self.wait_out();
        for direction in Direction::BOTH {
            assert_eq!(self.line.held_bytes(direction), 0, "{direction:?}");
            assert_eq!(self.ends.iter().filter(|(ended, _)| *ended == direction).count(), 1, "{direction:?}");
        }
        self
    }

    fn effects(&self) -> Vec<&str> {
        self.applied.iter().map(|applied| applied.effect.as_str()).collect()
    }
}

fn frame(payload: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_frame(&mut bytes, payload.as_bytes());
    bytes
}

fn pair(name: &str, text: &str) -> Vec<u8> {
    [frame(name), frame(text)].concat()
}

fn message(from: &str, text: &str) -> Vec<u8> {
    frame(&format!(r#"{{"type":"message","room":"lobby","from":"{from}","text":"{text}","seq":7}}"#))
}

fn request(text: &str) -> Vec<u8> {
    frame(&format!(r#"{{"type":"send","room":"lobby","text":"{text}","id":"00112233445566778899aabbccddeeff"}}"#))
}

/// Opening and hello of bob.
fn hello() -> Vec<u8> {
    [b"GLASSLINE2".to_vec(), frame(r#"{"type":"hello","name":"bob"}"#)].concat()
}

/// A session in the event dialect: what the client sends, and what the server.
fn event_session() -> Vec<(Direction, Vec<u8>)> {
    let mut script = vec![(UP, hello()), (DOWN, frame(r#"{"type":"welcome","name":"bob","token":"t"}"#))];
    for index in 0..12 {
        script.push((UP, request(&format!("secret {index}"))));
        script.push((DOWN, message("alice", &format!("words {index}"))));
    }
    script
}

/// The same in the tutorial dialect.
fn tutorial_session() -> Vec<(Direction, Vec<u8>)> {
    let mut script = vec![(UP, frame("bob")), (DOWN, pair("*", "lobby: bob"))];
    for index in 0..12 {
        script.push((UP, frame(&format!("secret {index}"))));
        script.push((DOWN, pair("alice", &format!("words {index}"))));
    }
    script
}

/// A record of a TLS link, of this type, with so many bytes of content.
fn record(record_type: u8, length: u8) -> Vec<u8> {
    [&[record_type, 3, 3, 0, length][..], &vec![length; length.into()]].concat()
}

/// A session over TLS.
fn tls_session() -> Vec<(Direction, Vec<u8>)> {
    let mut script = vec![(UP, record(0x16, 200)), (DOWN, [record(0x16, 90), record(0x14, 1)].concat())];
    for index in 0..12 {
        script.push((UP, record(0x17, 40 + index)));
        script.push((DOWN, record(0x17, 60 + index)));
    }
    script
}

fn run(seed: u64, rules: Vec<Rule>, script: &[(Direction, Vec<u8>)]) -> Fixture {
    let mut fixture = Fixture::new(seed, rules);
    for (direction, bytes) in script {
        fixture.send(*direction, bytes);
    }
    fixture.finish()
}

fn sent(script: &[(Direction, Vec<u8>)], direction: Direction) -> Vec<u8> {
    script.iter().filter(|(sent, _)| *sent == direction).flat_map(|(_, bytes)| bytes.clone()).collect()
}

/// Matches what the server sends to the client.
fn down() -> Matcher {
    Matcher::in_direction(DOWN)
}

/// Matches what the client sends.
fn up() -> Matcher {
    Matcher::in_direction(UP)
}
