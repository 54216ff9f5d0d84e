//! Secure links that end at the tap.

use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use glassline_secure::Identity;
use glassline_tap::relay::{Observations, channel};
use glassline_tap::{Direction, End, Interceptor, Observation, Rule, RuleSet};
use glassline_testkit::frame::frame;
use glassline_wire::layer::LayerError;
use glassline_wire::link::LinkKind;

use crate::relay_fixture::{RelayFixture, rest, sent, wait_for};
use crate::secure_peer::{Ended, STOP, SecurePeer, ServerKeys, client_layers};

const SCHEMES: [LinkKind; 2] = [LinkKind::Tls, LinkKind::Noise];
const HELLO: &[u8] = b"GLASSLINE227        {\"type\":\"hello\",\"name\":\"b\"}";

fn interceptor() -> Interceptor {
    Interceptor::new("127.0.0.1:1234".parse().unwrap()).unwrap()
}

fn intercepting() -> (RelayFixture, Observations) {
    let (observer, observations) = channel(10_000, 64 << 20);
    (RelayFixture::start(|options| options.observe(observer).intercept(interceptor())), observations)
}

/// Both sides of a link through the relay, with their handshakes done.
fn linked(fixture: &RelayFixture, link: LinkKind) -> (SecurePeer, SecurePeer) {
    let (client, server) = fixture.connect();
    let identity = Identity::from_seed(&[9; 32]);
    let mut client = SecurePeer::new(client, client_layers(link, None, Some(identity)));
    let mut server = SecurePeer::new(server, ServerKeys::new().layers(link));
    let shaken = thread::spawn(move || server.shake_hands().map(|()| server));
    client.shake_hands().unwrap();
    (client, shaken.join().unwrap().unwrap())
}

fn problem(observations: &Observations) -> String {
    match wait_for(observations, |seen| matches!(seen, Observation::Problem { .. })) {
        Observation::Problem { text, .. } => text,
        _ => unreachable!(),
    }
}

#[test]
fn frames_inside_are_observed_and_pass_unchanged() {
    for link in SCHEMES {
        let (fixture, observations) = intercepting();
        let (mut client, mut server) = linked(&fixture, link);
        client.send(HELLO);
        assert_eq!(server.read(HELLO.len()), HELLO);
        let is_wanted = |seen: &Observation| matches!(seen, Observation::Intercepted { .. });
        let Observation::Intercepted { link: seen, .. } = wait_for(&observations, is_wanted) else { unreachable!() };
        assert_eq!(seen, link);
        let is_hello = |seen: &Observation| matches!(seen, Observation::Arrived(_, meaning) if meaning.kind == "hello");
        wait_for(&observations, is_hello);
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let expected = bytes.clone();
        let reading = thread::spawn(move || client.read(expected.len()) == expected);
        server.send(&bytes);
        assert!(reading.join().unwrap(), "{link}");
    }
}

#[test]
fn the_server_is_shown_the_key_of_the_tap() {
    for link in SCHEMES {
        let (fixture, _observations) = intercepting();
        let (client, server) = linked(&fixture, link);
        assert_eq!(server.facts().kind, link);
        assert_ne!(server.facts().peer, Some(Identity::from_seed(&[9; 32]).public()));
        assert!(server.facts().peer.is_some());
        assert_eq!(client.facts().kind, link);
    }
}

#[test]
fn rules_change_what_passes_inside() {
    for link in SCHEMES {
        let rule: Rule = "edit to=server text~noon replace.text=noon=>midnight".parse().unwrap();
        let rules = Arc::new(RuleSet::new(1, vec![rule]).unwrap());
        let fixture = RelayFixture::start(|options| options.intercept(interceptor()).apply(rules));
        let (mut client, mut server) = linked(&fixture, link);
        client.send(b"GLASSLINE2");
        client.send(&frame(r#"{"type":"send","room":"lobby","text":"meet at noon"}"#));
        let expected = [b"GLASSLINE2".to_vec(), frame(r#"{"type":"send","room":"lobby","text":"meet at midnight"}"#)];
        let expected = expected.concat();
        assert_eq!(server.read(expected.len()), expected);
    }
}

#[test]
fn a_client_with_a_pinned_key_refuses_the_tap() {
    for link in SCHEMES {
        let (fixture, observations) = intercepting();
        let (client, server) = fixture.connect();
        let keys = ServerKeys::new();
        let layers = client_layers(link, Some(keys.fingerprint(link)), Some(Identity::from_seed(&[9; 32])));
        let mut client = SecurePeer::new(client, layers);
        let refused = client.shake_hands();
        assert_eq!(refused, Err(Ended::Failed(LayerError::Untrusted(STOP.to_owned()))));
        client.cut_off();
        // Noise has no message that says why.
        let expected = match link {
            LinkKind::Tls => "it does not trust the certificate of this side",
            LinkKind::Noise | LinkKind::Plaintext => "a client that knows the server's key refuses that of the tap",
        };
        let problem = problem(&observations);
        assert!(problem.contains(expected), "{problem}");
        // The server, too, sees that nobody came.
        let mut server = SecurePeer::new(server, keys.layers(link));
        assert!(server.rest().0.is_empty());
        drop((client, server));
        wait_for(&observations, |seen| matches!(seen, Observation::Closed { .. }));
    }
}

#[test]
fn announced_ends_and_cut_ones_stay_what_they_are() {
    for (link, ends_first) in SCHEMES.into_iter().flat_map(|link| Direction::BOTH.map(|direction| (link, direction))) {
        for is_announced in [true, false] {
            let (fixture, observations) = intercepting();
            let (client, server) = linked(&fixture, link);
            let (mut first, mut second) = match ends_first {
                Direction::ToServer => (client, server),
                Direction::ToClient => (server, client),
            };
            first.send(HELLO);
            if is_announced {
                first.close();
            } else {
                first.cut_off();
            }
            let (bytes, ended) = second.rest();
            assert_eq!(bytes, HELLO, "{link}");
            let expected = if is_announced { Ended::Announced } else { Ended::Stream(Err(LayerError::Truncated)) };
            assert_eq!(ended, expected, "{link}");
            let is_end = |seen: &Observation| matches!(seen, Observation::Ended { .. });
            let Observation::Ended { end, by_tap, .. } = wait_for(&observations, is_end) else { unreachable!() };
            assert_eq!((end, by_tap), (if is_announced { End::Finished } else { End::Truncated }, false));
            // The other direction is open still.
            second.send(b"4         late");
            assert_eq!(first.read(14), b"4         late");
            second.close();
            assert_eq!(first.rest(), (Vec::new(), Ended::Announced));
            wait_for(&observations, |seen| matches!(seen, Observation::Closed { .. }));
        }
    }
}

#[test]
fn plaintext_passes_as_without_interception() {
    let (fixture, observations) = intercepting();
    let (mut client, mut server) = fixture.connect();
    // The opening arrives byte by byte.
    for byte in HELLO {
        client.write_all(&[*byte]).unwrap();
    }
    assert_eq!(sent(&mut server, &mut client, b"5         hello"), b"5         hello");
    let mut hello = vec![0; HELLO.len()];
    std::io::Read::read_exact(&mut server, &mut hello).unwrap();
    assert_eq!(hello, HELLO);
    drop(client);
    assert_eq!(rest(&mut server).0, b"");
    let mut is_intercepted = false;
    wait_for(&observations, |seen| {
        is_intercepted |= matches!(seen, Observation::Intercepted { .. });
        matches!(seen, Observation::Ended { .. })
    });
    assert!(!is_intercepted);
    // Bytes that begin several openings, and an end.
    let (mut client, mut server) = fixture.connect();
    client.write_all(b"GLASS").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(rest(&mut server).0, b"GLASS");
}

#[test]
fn a_server_without_the_scheme_is_reported() {
    for link in SCHEMES {
        let (fixture, observations) = intercepting();
        let (client, mut server) = fixture.connect();
        let mut client = SecurePeer::new(client, client_layers(link, None, None));
        server.write_all(&frame("this is plaintext, and no handshake of anything")).unwrap();
        let problem = problem(&observations);
        assert!(problem.starts_with("the secure link between the tap and the server has failed: "), "{problem}");
        let (bytes, ended) = client.rest();
        assert!(bytes.is_empty() && ended != Ended::Announced, "{ended:?}");
        wait_for(&observations, |seen| matches!(seen, Observation::Closed { .. }));
    }
}

#[test]
fn a_reader_that_stops_stops_its_sender_only() {
    for link in SCHEMES {
        let (fixture, _observations) = intercepting();
        fixture.shrink_server_windows();
        let (mut client, mut server) = linked(&fixture, link);
        let chunk = vec![b' '; 16 * 1024];
        let mut sent = 0;
        // Nobody reads at the server, so that all buffers become full.
        while client.send_within(Duration::from_millis(500), &chunk) {
            sent += chunk.len();
            assert!(sent < 64 << 20, "{sent} bytes are held somewhere");
        }
        server.send(b"5         still");
        assert_eq!(client.read(15), b"5         still");
    }
}

#[test]
fn a_changed_record_cuts_both_links_off() {
    for link in SCHEMES {
        let (fixture, observations) = intercepting();
        let (mut client, mut server) = linked(&fixture, link);
        client.send(HELLO);
        // A record of the right form that nobody has encrypted.
        let record = match link {
            LinkKind::Tls => [&[0x17, 3, 3, 0, 40][..], &[7; 40]].concat(),
            LinkKind::Noise | LinkKind::Plaintext => [&[0, 40][..], &[7; 40]].concat(),
        };
        client.stream.write_all(&record).unwrap();
        assert_eq!(server.rest(), (HELLO.to_vec(), Ended::Stream(Err(LayerError::Truncated))), "{link}");
        assert_ne!(client.rest().1, Ended::Announced, "{link}");
        assert!(problem(&observations).starts_with("the secure link between the tap and the client has failed: "));
        let is_end = |seen: &Observation| matches!(seen, Observation::Ended { end: End::Truncated, by_tap: true, .. });
        wait_for(&observations, is_end);
        wait_for(&observations, |seen| matches!(seen, Observation::Closed { .. }));
    }
}

#[test]
fn a_rule_ends_a_link_as_it_says() {
    for (link, end) in SCHEMES.into_iter().flat_map(|link| ["fin", "reset"].map(|end| (link, end))) {
        let rule: Rule = format!("cut to=server kind=send at=0 end={end}").parse().unwrap();
        let rules = Arc::new(RuleSet::new(1, vec![rule]).unwrap());
        let fixture = RelayFixture::start(|options| options.intercept(interceptor()).apply(rules));
        let (mut client, mut server) = linked(&fixture, link);
        client.send(&[HELLO, &frame(r#"{"type":"send","room":"lobby","text":"hi"}"#)].concat());
        let expected = if end == "fin" { Ended::Announced } else { Ended::Stream(Err(LayerError::Truncated)) };
        assert_eq!(server.rest(), (HELLO.to_vec(), expected), "{link} {end}");
        if end == "reset" {
            assert_ne!(client.rest().1, Ended::Announced, "a reset ends both sides");
        }
    }
}
