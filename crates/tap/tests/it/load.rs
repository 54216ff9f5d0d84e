//! Connections that do not read, or are many; memory while much passes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use glassline_tap::relay::channel;
use glassline_tap::rules::{Action, Content, Matcher, Rule};
use glassline_tap::{Direction, Observation, RuleSet};
use glassline_testkit::resident_kib;

use crate::relay_fixture::{RelayFixture, rest, sent, wait_for};

/// Rounds of the other connection without progress after which a writer is blocked: in each, the
/// relay has had more turns than it needs to take what it can.
const ROUNDS_WITHOUT_PROGRESS: usize = 100;
/// More than the buffers of the kernel on the way.
const BUFFERS_BYTES_MAX: usize = 64 << 20;

/// Writes until nothing is taken any more, while another connection is in use. Returns the bytes.
pub(crate) fn fill(stalled: &mut TcpStream, (client, server): &mut (TcpStream, TcpStream)) -> usize {
    stalled.set_nonblocking(true).unwrap();
    let chunk = vec![b'x'; 64 * 1024];
    let (mut total, mut rounds) = (0, 0);
    while rounds < ROUNDS_WITHOUT_PROGRESS {
        rounds += 1;
        match stalled.write(&chunk) {
            Ok(length) => (total, rounds) = (total + length, 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert!(total < BUFFERS_BYTES_MAX, "the relay takes bytes that nobody reads");
        assert_eq!(sent(client, server, b"1         a"), b"1         a");
        assert_eq!(sent(server, client, b"1         b"), b"1         b");
    }
    stalled.set_nonblocking(false).unwrap();
    total
}

#[test]
fn a_peer_that_never_reads_stops_only_its_sender() {
    for fixture in [RelayFixture::start(|options| options), RelayFixture::observed().0] {
        let mut other = fixture.connect();
        let (mut client, mut server) = fixture.connect();
        let total = fill(&mut client, &mut other);
        // The other direction of the same connection is not stopped.
        assert_eq!(sent(&mut server, &mut client, b"4         open"), b"4         open");
        let reader = thread::spawn(move || {
            let mut server = server;
            rest(&mut server)
        });
        drop(client);
        let (arrived, ended) = reader.join().unwrap();
        ended.unwrap();
        assert_eq!(arrived.len(), total);
    }
}

#[test]
fn a_client_that_leaves_frees_its_blocked_server() {
    let (fixture, observations) = RelayFixture::observed();
    let mut other = fixture.connect();
    let (client, mut server) = fixture.connect();
    fill(&mut server, &mut other);
    // The client has read nothing, so that its end is a reset.
    drop(client);
    wait_for(&observations, |observation| matches!(observation, Observation::Closed { connection: 2, .. }));
    assert_eq!(rest(&mut server).1.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn an_observer_that_does_not_listen_costs_no_bytes_nor_memory() {
    const FRAMES: usize = 3_000;
    let payload = vec![b'x'; 100_000];
    let mut frame = format!("{:<10}", payload.len()).into_bytes();
    frame.extend_from_slice(&payload);
    let (observer, observations) = channel(10_000, 1 << 20);
    let fixture = RelayFixture::start(|options| options.observe(observer));
    let (mut client, mut server) = fixture.connect();
    let before_kib = resident_kib();
    let writer = thread::spawn(move || {
        for _ in 0..FRAMES {
            client.write_all(&frame).unwrap();
        }
        frame.len()
    });
    let mut buffer = vec![0; 1 << 20];
    let mut arrived = 0;
    loop {
        match server.read(&mut buffer).unwrap() {
            0 => break,
            length => arrived += length,
        }
    }
    assert_eq!(arrived, FRAMES * writer.join().unwrap());
    fixture.stop();
    let grown_kib = resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < 100 * 1024, "{grown_kib} KiB more after {arrived} bytes");
    let mut seen = 0;
    while let Ok(observation) = observations.try_receive() {
        seen += match observation {
            Observation::Arrived(..) => 1,
            Observation::Omitted { frames, .. } => frames,
            _ => 0,
        };
    }
    // What is left out is counted where the next report is: here before the end of the connection.
    assert_eq!(seen, FRAMES as u64);
}

#[test]
fn short_frames_made_large_cost_bounded_memory() {
    const LARGE_BYTES: usize = 100_000;
    let content = Content::Raw(vec![b'x'; LARGE_BYTES]);
    let rule = Rule::new(Matcher::in_direction(Direction::ToServer), Action::Send(content));
    let rules = Arc::new(RuleSet::new(1, vec![rule]).unwrap());
    let fixture = RelayFixture::start(|options| options.apply(rules));
    let (mut client, mut server) = fixture.connect();
    let before_kib = resident_kib();
    // Frames without a payload, more than one read takes.
    client.write_all(&b"0         ".repeat(12_000)).unwrap();
    let (mut other_client, mut other_server) = fixture.connect();
    for _ in 0..ROUNDS_WITHOUT_PROGRESS {
        assert_eq!(sent(&mut other_server, &mut other_client, b"1         b"), b"1         b");
    }
    let grown_kib = resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < 200 * 1024, "{grown_kib} KiB more");
    let mut arrived = vec![0; 100 * LARGE_BYTES];
    server.read_exact(&mut arrived).unwrap();
    assert!(arrived.iter().all(|byte| *byte == b'x'));
}
