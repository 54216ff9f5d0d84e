//! Bytes and ends of connections, in both directions.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use glassline_tap::relay::channel;
use glassline_tap::{Direction, End, Observation, Relay, RelayError, RelayOptions};
use socket2::SockRef;

use crate::relay_fixture::{RelayFixture, WAIT_MAX, rest, sent, wait_for};

/// Closes with RST.
fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

const HELLO: &[u8] = b"GLASSLINE227        {\"type\":\"hello\",\"name\":\"b\"}";

#[test]
fn bytes_pass_unchanged_in_both_directions() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for fixture in [RelayFixture::start(|options| options), RelayFixture::observed().0] {
        let (client, server) = fixture.connect();
        for (mut from, mut to) in
            [(&client, &server), (&server, &client)].map(|(a, b)| (a.try_clone().unwrap(), b.try_clone().unwrap()))
        {
            let expected = bytes.clone();
            let writer = thread::spawn(move || {
                from.write_all(&expected).unwrap();
                from.shutdown(Shutdown::Write).unwrap();
            });
            let (arrived, ended) = rest(&mut to);
            assert!(arrived == bytes, "{} of {} bytes", arrived.len(), bytes.len());
            ended.unwrap();
            writer.join().unwrap();
        }
    }
}

#[test]
fn a_half_close_leaves_the_other_direction_open() {
    for ends_first in Direction::BOTH {
        let (fixture, observations) = RelayFixture::observed();
        let (mut client, mut server) = fixture.connect();
        let (first, second) = match ends_first {
            Direction::ToServer => (&mut client, &mut server),
            Direction::ToClient => (&mut server, &mut client),
        };
        first.write_all(HELLO).unwrap();
        first.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(second).0, HELLO);
        let after = b"4         late";
        assert_eq!(sent(second, first, after), after);
        let is_end = |observation: &Observation| matches!(observation, Observation::Ended { .. });
        let Observation::Ended { direction, end, by_tap, .. } = wait_for(&observations, is_end) else { unreachable!() };
        assert_eq!((direction, end, by_tap), (ends_first, End::Finished, false));
        second.shutdown(Shutdown::Write).unwrap();
        assert!(rest(first).0.is_empty());
        wait_for(&observations, |observation| matches!(observation, Observation::Closed { connection: 1, .. }));
    }
}

#[test]
fn a_reset_arrives_behind_every_byte_before_it() {
    // More than the kernel's buffers hold, so that bytes wait in the tap.
    for (resets, length) in Direction::BOTH.into_iter().flat_map(|direction| [(direction, 10), (direction, 50_000)]) {
        for fixture in [RelayFixture::start(|options| options), RelayFixture::observed().0] {
            let (client, server) = fixture.connect();
            let (mut first, mut second) = match resets {
                Direction::ToServer => (client, server),
                Direction::ToClient => (server, client),
            };
            let bytes = vec![b'x'; length];
            assert_eq!(sent(&mut second, &mut first, b"5         begin"), b"5         begin");
            first.write_all(&bytes).unwrap();
            reset(first);
            let (arrived, ended) = rest(&mut second);
            assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
            assert_eq!(arrived.len(), length);
        }
    }
}

#[test]
fn a_reset_waits_for_bytes_that_the_kernel_holds() {
    const FRAMES: u64 = 100;
    let frame = format!("{:<10}{}", 600, "x".repeat(600));
    let (fixture, observations) = RelayFixture::observed();
    // The receiver takes little, so that most bytes wait on the tap's side.
    fixture.shrink_server_windows();
    let (mut client, mut server) = fixture.connect();
    for _ in 0..FRAMES {
        client.write_all(frame.as_bytes()).unwrap();
    }
    wait_for(
        &observations,
        |observation| matches!(observation, Observation::Arrived(frame, _) if frame.number == FRAMES),
    );
    reset(client);
    wait_for(&observations, |observation| matches!(observation, Observation::Ended { end: End::Reset, .. }));
    let (arrived, ended) = rest(&mut server);
    assert_eq!(arrived.len(), FRAMES as usize * frame.len());
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_reset_after_a_half_close_is_forwarded() {
    let (fixture, observations) = RelayFixture::observed();
    let (mut client, mut server) = fixture.connect();
    client.write_all(HELLO).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut server).0, HELLO);
    let left = Instant::now();
    reset(client);
    wait_for(&observations, |observation| matches!(observation, Observation::Ended { end: End::Reset, .. }));
    wait_for(&observations, |observation| matches!(observation, Observation::Closed { .. }));
    // Nothing precedes it, so that nothing is waited for.
    assert!(left.elapsed() < Duration::from_secs(5), "{:?}", left.elapsed());
    let refused = (0..).find_map(|_| server.write_all(b"late").err()).unwrap();
    assert!(matches!(refused.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{refused}");
}

#[test]
fn a_server_that_refuses_resets_the_client() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (observer, observations) = channel(100, 1_000);
    let options = RelayOptions::new("127.0.0.1:0".parse().unwrap(), nobody).observe(observer);
    let relay = Relay::bind(options).unwrap();
    let (address, handle) = (relay.address(), relay.handle());
    let relay = thread::spawn(move || relay.run());
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(WAIT_MAX)).unwrap();
    assert_eq!(rest(&mut client).1.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let Observation::Problem { connection, text, .. } = observations.receive_within(WAIT_MAX).unwrap() else {
        panic!("a problem")
    };
    assert_eq!(connection, Some(1));
    assert!(text.contains("nothing listens on") && text.contains(&nobody.to_string()), "{text}");
    handle.stop();
    relay.join().unwrap().unwrap();
}

#[test]
fn a_relay_does_not_connect_to_itself() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(Relay::bind(RelayOptions::new(free, free)), Err(RelayError::Loop(_))));
}

#[test]
fn a_stop_ends_every_connection_and_says_so() {
    let (fixture, observations) = RelayFixture::observed();
    let (mut client, mut server) = fixture.connect();
    assert_eq!(sent(&mut client, &mut server, HELLO), HELLO);
    fixture.stop();
    rest(&mut client).1.unwrap();
    rest(&mut server).1.unwrap();
    let observations: Vec<_> = std::iter::from_fn(|| observations.try_receive().ok()).collect();
    let ends = observations.iter().filter(|seen| matches!(seen, Observation::Ended { by_tap: true, .. })).count();
    assert_eq!(ends, 2);
    assert!(matches!(observations.last(), Some(Observation::Closed { connection: 1, .. })));
}
