//! Recordings of a relay whose peers do not read, or are gone.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use glassline_tap::capture::Capture;
use glassline_tap::relay::channel;
use glassline_tap::rules::{Action, Content, Matcher, Rule};
use glassline_tap::{Direction, RuleSet, Side};
use glassline_testkit::Folder;

use crate::load::fill;
use crate::relay_fixture::{RelayFixture, rest, sent};

/// Bytes that the client's connection, the second one, has sent, as a side has them.
fn recorded_bytes(path: &Path, side: Side) -> Vec<u8> {
    let capture = Capture::open(path).unwrap();
    let connection = capture.connections(side).nth(1).unwrap();
    let frames = connection.frames.iter().filter(|captured| captured.frame.direction == Direction::ToServer);
    frames.flat_map(|captured| captured.frame.bytes.clone()).collect()
}

#[test]
fn bytes_that_were_not_taken_are_not_recorded_as_sent() {
    let (observer, _observations) = channel(10_000, 1 << 20);
    let mut observers = [None, Some(observer)];
    for observer in &mut observers {
        let folder = Folder::new();
        let path = folder.join("line.pcapng");
        let fixture = RelayFixture::recording(&path, |options| match observer.take() {
            Some(observer) => options.observe(observer),
            None => options,
        });
        let mut other = fixture.connect();
        let (mut client, mut server) = fixture.connect();
        let sent = fill(&mut client, &mut other);
        fixture.stop();
        let (received, _) = rest(&mut server);
        assert!(received.len() < sent, "the relay had bytes that the server had no room for");
        assert!(recorded_bytes(&path, Side::Server) == received);
        assert!(recorded_bytes(&path, Side::Client).starts_with(&received));
    }
}

#[test]
fn bytes_that_waited_are_recorded_with_their_rules() {
    const FRAMES: usize = 100;
    let content = Content::Raw(vec![b'x'; 100_000]);
    let rule = Rule::new(Matcher::in_direction(Direction::ToServer), Action::Send(content));
    let rules = Arc::new(RuleSet::new(1, vec![rule]).unwrap());
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let fixture = RelayFixture::recording(&path, |options| options.apply(rules));
    let (mut other_client, mut other_server) = fixture.connect();
    let (mut client, mut server) = fixture.connect();
    client.write_all(&b"0         ".repeat(FRAMES)).unwrap();
    // The relay has had turns to fill what the server does not read.
    for _ in 0..100 {
        assert_eq!(sent(&mut other_server, &mut other_client, b"1         b"), b"1         b");
    }
    let mut received = vec![0; FRAMES * 100_000];
    server.read_exact(&mut received).unwrap();
    fixture.stop();
    assert!(recorded_bytes(&path, Side::Server) == received);
    let file = std::fs::read(&path).unwrap();
    let comment = b"send-1: 100000 other bytes sent in its place";
    assert_eq!(file.windows(comment.len()).filter(|bytes| bytes == comment).count(), FRAMES);
}
