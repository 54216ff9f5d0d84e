//! A script is played over a socket: it waits for answers, reports what is missing, and ends.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use glassline_tap::replay::{Awaited, Ids, Outcome, Player, ReplayError, Script};
use glassline_tap::{Control, Direction, Frame, FrameKind, Splitter};
use glassline_testkit::{frame, resident_kib};

const SEND: &str = r#"{"type":"send","room":"lobby","text":"hi","id":"01","ref":"r1"}"#;
const ANSWER: &str = r#"{"type":"message","room":"lobby","seq":1,"from":"bob","text":"hi","ref":"r1"}"#;

fn recorded() -> Vec<Frame> {
    let parts: [(Direction, Vec<u8>); 5] = [
        (Direction::ToServer, b"GLASSLINE2".to_vec()),
        (Direction::ToServer, frame::frame(r#"{"type":"hello","name":"bob"}"#)),
        (Direction::ToClient, frame::frame(r#"{"type":"welcome","name":"bob"}"#)),
        (Direction::ToServer, frame::frame(SEND)),
        (Direction::ToClient, frame::frame(ANSWER)),
    ];
    let mut splitter = Splitter::new(1);
    let mut frames = Vec::new();
    for (direction, bytes) in parts {
        splitter.receive(direction, &bytes, 0, |frame| frames.push(frame));
    }
    frames
}

/// Plays the recording to a server that does this, and returns the outcome and what the server
/// read.
fn play(serve: impl FnOnce(&mut TcpStream) + Send + 'static, wait: Duration) -> (Outcome, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        serve(&mut stream);
        let mut read = Vec::new();
        let _ = stream.read_to_end(&mut read);
        read
    });
    let script = Script::new(&recorded(), Direction::ToServer, Ids::Identical, String::new).expect("a script");
    let stream = TcpStream::connect(address).expect("the server");
    let outcome = Player::new(&script, stream, wait).expect("a player").run().expect("an outcome");
    (outcome, server.join().expect("the server's thread"))
}

fn read_exactly(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).expect("the client's bytes");
    read
}

#[test]
fn nothing_is_sent_before_its_answer_has_come() {
    let greeting = 10 + frame::frame(r#"{"type":"hello","name":"bob"}"#).len();
    let (outcome, rest) = play(
        move |stream| {
            read_exactly(stream, greeting);
            stream.set_nonblocking(true).expect("a mode");
            let early = stream.read(&mut [0; 1]).map_err(|error| error.kind());
            assert_eq!(early, Err(std::io::ErrorKind::WouldBlock), "the message waits for the welcome");
            stream.set_nonblocking(false).expect("a mode");
            stream.write_all(&frame::frame(r#"{"type":"joined","room":"lobby","names":["eve"]}"#)).expect("written");
            stream.write_all(&frame::frame(r#"{"type":"ping"}"#)).expect("written");
            stream.write_all(&frame::frame(r#"{"type":"welcome","name":"bob"}"#)).expect("written");
            stream.write_all(&frame::frame(ANSWER)).expect("written");
        },
        Duration::from_secs(20),
    );
    assert_eq!((outcome.sent, outcome.received, outcome.missing), (3, 4, Vec::new()));
    let expected = [frame::frame(r#"{"type":"pong"}"#), frame::frame(SEND)].concat();
    assert_eq!(String::from_utf8_lossy(&rest), String::from_utf8_lossy(&expected), "pings are answered");
}

#[test]
fn an_answer_that_never_comes_is_reported() {
    let (outcome, _) = play(|_| {}, Duration::from_millis(50));
    assert_eq!(outcome.sent, 3, "the script goes on");
    assert_eq!(outcome.missing, [Awaited::Kind("welcome".into()), Awaited::Reference("r1".into())]);
}

#[test]
fn a_refusal_is_reported_in_the_words_of_the_server() {
    let (outcome, _) = play(
        |stream| {
            stream
                .write_all(&frame::frame(r#"{"type":"error","code":"name_taken","text":"bob is taken"}"#))
                .expect("written");
            stream.shutdown(std::net::Shutdown::Write).expect("an end");
        },
        Duration::from_secs(20),
    );
    assert_eq!(outcome.rejections, ["bob is taken"]);
    assert!(outcome.ended_by_peer && outcome.sent == 2, "{outcome:?}");
}

#[test]
fn a_peer_that_floods_is_waited_for_no_longer() {
    // Content of which a small text takes much memory.
    let dense = frame::frame(format!(r#"{{"type":"x","a":[{}0]}}"#, r#"{"":0},"#.repeat(1_000)));
    let before_kib = resident_kib();
    let (outcome, _) = play(move |stream| while stream.write_all(&dense).is_ok() {}, Duration::from_secs(1));
    assert_eq!(outcome.missing, [Awaited::Kind("welcome".into()), Awaited::Reference("r1".into())]);
    assert!(outcome.sent == 3 && outcome.received > 100, "{outcome:?}");
    let grown_kib = resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < 100 * 1024, "{grown_kib} KiB more after {} frames", outcome.received);
}

#[test]
fn a_peer_that_does_not_read_is_named_as_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("the server");
    let _silent = listener.accept().expect("a client");
    let large = frame::frame("x".repeat(90_000));
    let (mut splitter, mut frames) = (Splitter::new(1), Vec::new());
    for _ in 0..200 {
        splitter.receive(Direction::ToServer, &large, 0, |frame| frames.push(frame));
    }
    let script = Script::new(&frames, Direction::ToServer, Ids::Identical, String::new).expect("a script");
    let error = Player::new(&script, stream, Duration::from_millis(500)).expect("a player").run().expect_err("no end");
    assert!(matches!(error, ReplayError::NotTaken { sent: 1.., .. }), "{error}");
    assert!(error.to_string().starts_with("the other side took nothing for 0.5 s, after "), "{error}");
}

#[test]
fn a_conversation_in_a_websocket_is_asked_for_and_masked_again() {
    let request = b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    // Bytes of messages as a server sends them, and with a mask of zeros.
    let from_server = |content: &[u8]| [&[0x82, content.len() as u8][..], content].concat();
    let from_client = |content: &[u8]| [&[0x82, 0x80 | content.len() as u8, 0, 0, 0, 0][..], content].concat();
    let hello = frame::frame(r#"{"type":"hello","name":"bob"}"#);
    let welcome = frame::frame(r#"{"type":"welcome","name":"bob"}"#);
    let recorded = [
        (Direction::ToServer, request.to_vec()),
        (Direction::ToClient, response.to_vec()),
        (Direction::ToServer, from_client(b"GLASSLINE2")),
        (Direction::ToServer, from_client(&hello)),
        (Direction::ToClient, from_server(&welcome)),
        (Direction::ToServer, from_client(&frame::frame(r#"{"type":"bye"}"#))),
        (Direction::ToServer, vec![0x88, 0x80, 0, 0, 0, 0]),
    ];
    let (mut splitter, mut frames) = (Splitter::new(1), Vec::new());
    for (direction, bytes) in &recorded {
        splitter.receive(*direction, bytes, 0, |frame| frames.push(frame));
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut read = read_exactly(&mut stream, request.len());
        stream.write_all(response).expect("written");
        read.extend(read_exactly(&mut stream, 6 + 10 + 6 + 39));
        stream.write_all(&[0x89, 2, b'h', b'i']).expect("a ping");
        stream.write_all(&from_server(&welcome)).expect("written");
        stream.read_to_end(&mut read).expect("the rest");
        read
    });
    let script = Script::new(&frames, Direction::ToServer, Ids::Identical, String::new).expect("a script");
    let stream = TcpStream::connect(address).expect("the server");
    let outcome = Player::new(&script, stream, Duration::from_secs(20)).expect("a player").run().expect("an outcome");
    assert_eq!((outcome.sent, outcome.missing), (5, Vec::new()));
    let read = server.join().expect("the server's thread");
    let (mut splitter, mut sent) = (Splitter::new(1), Vec::new());
    splitter.receive(Direction::ToServer, &read, 0, |frame| sent.push((frame.kind, frame.bytes)));
    let pong = (FrameKind::Control(Control::Pong), vec![0x8a, 2, b'h', b'i']);
    let expected = frames.iter().filter(|frame| frame.direction == Direction::ToServer);
    let expected = expected.map(|frame| (frame.kind, frame.bytes.clone()));
    let (pongs, sent): (Vec<_>, Vec<_>) = sent.into_iter().partition(|frame| *frame == pong);
    assert_eq!((pongs.len(), sent), (1, expected.collect()));
}
