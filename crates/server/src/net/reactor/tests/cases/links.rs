//! Links that the first bytes select, with a stand-in for their cryptography.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use glassline_testkit::TestLayer;
use glassline_wire::layer::{Layer, LayerError, LayerFactory, LayerState};
use glassline_wire::link::{LinkFacts, LinkKind};
use glassline_wire::opening::NOISE_OPENING;

use super::layers::Layered;
use super::websocket::{PAGE, UPGRADE, message};
use super::*;
use crate::Links;
use crate::close_reason::CloseReason;

const TLS_OPENING: &[u8] = &[0x16, 0x03, 0x01];
const KEY: [u8; 32] = [0xcd; 32];
/// Answer of the stand-in to a peer that breaks its rules.
const ALERT: &[u8] = b"alert";
/// A byte at which the stand-in panics in its handshake.
const PANICS_AT: u8 = 0xff;

/// The test layer behind an opening, with a secure link's facts.
#[derive(Debug)]
struct StandIn {
    kind: LinkKind,
    opening_bytes: usize,
    layer: TestLayer,
    alert: Vec<u8>,
    steps: Arc<AtomicUsize>,
}

impl Layer for StandIn {
    fn state(&self) -> LayerState {
        self.layer.state()
    }

    fn facts(&self) -> Option<LinkFacts> {
        let is_established = self.state() != LayerState::Handshaking;
        is_established.then_some(LinkFacts { kind: self.kind, peer: Some(KEY) })
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        if self.state() == LayerState::Handshaking {
            self.steps.fetch_add(1, Ordering::Relaxed);
            assert!(bytes.last() != Some(&PANICS_AT), "as a faulty layer would");
        }
        let opening_bytes = self.opening_bytes.min(bytes.len());
        self.opening_bytes -= opening_bytes;
        self.layer.receive(&bytes[opening_bytes..], plaintext).inspect_err(|_| self.alert.extend(ALERT))
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        self.layer.send(plaintext)
    }

    fn close(&mut self) {
        self.layer.close();
    }

    fn output(&self) -> &[u8] {
        if self.alert.is_empty() { self.layer.output() } else { &self.alert }
    }

    fn consume_output(&mut self, bytes: usize) {
        if self.alert.is_empty() {
            self.layer.consume_output(bytes);
        } else {
            self.alert.drain(..bytes);
        }
    }
}

#[derive(Debug, Default)]
struct StandIns {
    /// Reads for handshakes so far.
    steps: Arc<AtomicUsize>,
    kind: Option<LinkKind>,
}

impl LayerFactory for StandIns {
    fn layers(&self) -> LayerStack {
        let (kind, opening_bytes) = match self.kind {
            Some(LinkKind::Noise) => (LinkKind::Noise, NOISE_OPENING.len()),
            _ => (LinkKind::Tls, TLS_OPENING.len()),
        };
        let (layer, steps) = (TestLayer::server(), Arc::clone(&self.steps));
        LayerStack::new(vec![Box::new(StandIn { kind, opening_bytes, layer, alert: Vec::new(), steps })])
    }
}

/// A server with both links, and its count of reads for handshakes.
fn secured(config: Config) -> (TestServer, Arc<AtomicUsize>) {
    let steps = Arc::new(AtomicUsize::new(0));
    let of = |kind| Some(Arc::new(StandIns { steps: Arc::clone(&steps), kind: Some(kind) }) as Arc<dyn LayerFactory>);
    let links = Links { tls: of(LinkKind::Tls), noise: of(LinkKind::Noise), ..config.links };
    (TestServer::open(Config { links, ..config }, None, NOW), steps)
}

/// A client behind the stand-in.
fn connect_secured(server: &mut TestServer, opening: &[u8]) -> Layered {
    let pipe = connect(server, 9);
    for slice in opening.chunks(2) {
        pipe.send(slice);
        turn_until_it_waits(server);
    }
    Layered::over(pipe)
}

#[test]
fn each_dialect_is_spoken_inside_each_link() {
    for (opening, kind) in [(TLS_OPENING, LinkKind::Tls), (&NOISE_OPENING[..], LinkKind::Noise)] {
        for step in [1, 100, usize::MAX] {
            let (mut server, _) = secured(unlimited());
            let witness = enter(&mut server, 1, r#"{"type":"hello","name":"witness"}"#);
            let mut bob = connect_secured(&mut server, opening);
            bob.exchange(&mut server, step);
            assert_eq!(bob.layer.state(), LayerState::Open);
            let welcome = bob.say(&mut server, &opened(r#"{"type":"hello","name":"bob"}"#));
            assert!(welcome.contains(r#""type":"welcome""#), "{welcome}");
            let mut tom = connect_secured(&mut server, opening);
            tom.exchange(&mut server, step);
            let list = tom.say(&mut server, &frame("tom"));
            assert!(list.contains("witness"), "{list}");
            tom.say(&mut server, &frame("hi"));
            assert!(received(&witness).contains(r#""text":"hi""#));
            for (name, expected) in [
                ("bob", format!(r#""link":"{kind}","rooms":["lobby"],"key":"{}""#, "cd".repeat(32))),
                ("tom", format!(r#""link":"{kind}""#)),
                ("witness", r#""link":"plaintext""#.to_string()),
            ] {
                let whois = bob.say(&mut server, &frame(format!(r#"{{"type":"whois","name":"{name}"}}"#)));
                let all_there = expected.split(',').all(|field| whois.contains(field));
                assert!(all_there, "{expected} in {whois}");
                assert_eq!(whois.contains("cdcd"), name != "witness", "{whois}");
            }
            let by_link = server.reactor.connections_by_link();
            assert_eq!((by_link[0], by_link[kind as usize]), (1, 2));
        }
    }
}

#[test]
fn a_pure_server_relays_the_same_bytes_inside_a_link() {
    let (mut server, _) = secured(Config { pure: true, ..unlimited() });
    let plain = connect(&mut server, 1);
    plain.send(&frame("ann"));
    turn_until_it_waits(&mut server);
    let mut bob = connect_secured(&mut server, TLS_OPENING);
    bob.exchange(&mut server, usize::MAX);
    assert_eq!(bob.say(&mut server, &[frame("bob"), frame("hi\u{7}")].concat()), "");
    assert_eq!(plain.take(usize::MAX), [frame("bob"), frame("hi\u{7}")].concat());
}

#[test]
fn a_link_inside_a_link_is_refused_there() {
    let (mut server, _) = secured(unlimited());
    for (inner, answer) in [(TLS_OPENING, "\u{15}\u{3}\u{3}\0\u{2}\u{2}\n"), (&NOISE_OPENING[..], "protected already")]
    {
        let mut bob = connect_secured(&mut server, TLS_OPENING);
        bob.exchange(&mut server, usize::MAX);
        let output = bob.say(&mut server, inner);
        assert!(output.contains(answer), "{output:?}");
        assert!(bob.pipe.is_finished() && bob.layer.state() == LayerState::PeerClosed);
    }
    assert!(server.counts().contains("nested_link=2"), "{}", server.counts());
}

#[test]
fn a_required_link_refuses_plaintext_in_its_own_dialect() {
    let links = Links { required: Some(LinkKind::Noise), ..Links::default() };
    let (mut server, _) = secured(Config { links, ..unlimited() });
    for (first, answer) in [
        (frame("tom"), "1         *"),
        (opened(r#"{"type":"hello","name":"bob"}"#), r#""code":"link_required""#),
        (TLS_OPENING.to_vec(), "F"),
    ] {
        let pipe = connect(&mut server, 1);
        pipe.send(&first);
        turn_until_it_waits(&mut server);
        let output = String::from_utf8_lossy(&pipe.take(usize::MAX)).into_owned();
        assert!(output.contains(answer) && pipe.is_finished(), "{output}");
        assert_eq!(output.contains("--link noise"), first != TLS_OPENING, "{output}");
    }
    assert!(server.counts().contains("link_required=3"), "{}", server.counts());
    let mut eve = connect_secured(&mut server, NOISE_OPENING);
    eve.exchange(&mut server, usize::MAX);
    assert!(eve.say(&mut server, &frame("eve")).starts_with("1         *"), "the required link itself");
    assert!(server.counts().contains("joined=1"), "{}", server.counts());
}

#[test]
fn a_failed_handshake_is_answered_by_its_link() {
    let (mut server, _) = secured(unlimited());
    let pipe = connect(&mut server, 1);
    pipe.send(&[TLS_OPENING, b"no record"].concat());
    turn_until_it_waits(&mut server);
    assert_eq!(pipe.take(usize::MAX), ALERT);
    assert!(pipe.is_finished() && !pipe.is_closed(), "what the peer sends on must not turn the answer into a reset");
    let mut failed = server.reactor.counters.failed_handshakes().filter(|(_, count)| *count > 0);
    assert_eq!(failed.next(), Some((CloseReason::HandshakeFailed, 1)));
}

#[test]
fn a_layer_that_panics_ends_its_connection_only() {
    let (mut server, _) = secured(unlimited());
    let witness = enter(&mut server, 1, r#"{"type":"hello","name":"witness"}"#);
    let pipe = connect(&mut server, 2);
    pipe.send(&[TLS_OPENING, &[PANICS_AT]].concat());
    turn_until_it_waits(&mut server);
    assert!(pipe.is_closed() && server.counts().contains("session_failed=1"), "{}", server.counts());
    witness.send(&frame(r#"{"type":"ping"}"#));
    turn_until_it_waits(&mut server);
    assert!(received(&witness).contains("pong"));
}

#[test]
fn half_open_handshakes_end_at_the_deadline_and_for_others() {
    let limits = Limits { unregistered_max: 20, ..Limits::default() };
    let (mut server, _) = secured(Config { limits, ..unlimited() });
    let half_open: Vec<Pipe> = (0..30)
        .map(|_| {
            let pipe = connect(&mut server, 1);
            pipe.send(&[TLS_OPENING, TestLayer::client().output()].concat());
            turn_until_it_waits(&mut server);
            pipe
        })
        .collect();
    let closed = half_open.iter().map(Pipe::is_closed);
    assert_eq!(closed.collect::<Vec<_>>(), [[true; 10].as_slice(), &[false; 20]].concat(), "the oldest first");
    let late = Now { monotonic_ms: Limits::default().greeting_timeout_ms, ..NOW };
    server.turn(late).expect("goes on");
    assert!(half_open.iter().all(Pipe::is_closed), "{}", server.counts());
    let failed: Vec<_> = server.reactor.counters.failed_handshakes().filter(|(_, count)| *count > 0).collect();
    assert_eq!(failed, [(CloseReason::CrowdedOut, 10), (CloseReason::NoNameInTime, 20)]);
}

/// Clients of one address whose first bytes have all been sent before any of them goes on.
fn connect_secured_at_once(server: &mut TestServer, number: u8, count: usize) -> Vec<Layered> {
    let clients: Vec<Layered> = (0..count).map(|_| Layered::over(connect(server, number))).collect();
    for client in &clients {
        client.pipe.send(TLS_OPENING);
    }
    turn_until_it_waits(server);
    clients
}

#[test]
fn half_open_handshakes_of_one_address_keep_no_other_out() {
    let (mut server, _) = secured(unlimited());
    let mut clients = connect_secured_at_once(&mut server, 2, 1);
    let half_open = connect_secured_at_once(&mut server, 1, 10_000);
    let open = half_open.iter().filter(|client| !client.pipe.is_closed()).count();
    assert_eq!(open, Limits::default().unregistered_per_address_max);
    clients.extend(connect_secured_at_once(&mut server, 2, 1));
    for (number, client) in clients.iter_mut().enumerate() {
        client.exchange(&mut server, usize::MAX);
        let hello = opened(&format!(r#"{{"type":"hello","name":"client{number}"}}"#));
        let welcome = client.say(&mut server, &hello);
        assert!(welcome.contains(r#""type":"welcome""#), "{}", server.counts());
    }
}

#[test]
fn thirty_pages_from_one_address_are_served_over_tls() {
    for required in [None, Some(LinkKind::Tls)] {
        let links = Links { required, ..Links::default() };
        let (mut server, _) = secured(Config { links, replay: 0, ..Config::default() });
        // Six connections of each browser, all in their handshake at once.
        let mut pages = connect_secured_at_once(&mut server, 1, 180);
        for page in &mut pages {
            page.exchange(&mut server, usize::MAX);
            let answer = page.say(&mut server, PAGE.as_bytes());
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}: {}", server.counts());
        }
        for (number, socket) in connect_secured_at_once(&mut server, 1, 30).iter_mut().enumerate() {
            socket.exchange(&mut server, usize::MAX);
            let answer = socket.say(&mut server, UPGRADE.as_bytes());
            assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}: {}", server.counts());
            let hello = opened(&format!(r#"{{"type":"hello","name":"pupil{number}"}}"#));
            socket.layer.send(&[&message(&hello)]);
            socket.exchange(&mut server, usize::MAX);
            let frames = socket.take_received();
            assert!(String::from_utf8_lossy(&frames).contains(r#""type":"welcome""#), "{}", server.counts());
        }
        assert_eq!(server.counts(), "joined=30", "nobody was delayed, nothing was closed");
    }
}

#[test]
fn handshakes_leave_the_turns_to_members() {
    let (mut server, steps) = secured(unlimited());
    let members: Vec<Pipe> =
        (0..100).map(|n| enter(&mut server, n, &format!(r#"{{"type":"hello","name":"m{n}"}}"#))).collect();
    let storm: Vec<Pipe> = (100..200).map(|n| connect(&mut server, n)).collect();
    for pipe in &storm {
        pipe.send(&[TLS_OPENING, TestLayer::client().output()].concat());
    }
    let mut most = 0;
    for round in 0..4 {
        members[0].send(&send("hi", round));
        let before = steps.load(Ordering::Relaxed);
        let mut turns = 0;
        while server.reactor.hub.has_writes() || turns == 0 {
            let step = steps.load(Ordering::Relaxed);
            turn(&mut server);
            assert!(steps.load(Ordering::Relaxed) <= step + 1, "one in a turn at most");
            turns += 1;
        }
        assert!(members.iter().all(|member| received(member).contains(r#""text":"hi""#)), "round {round}");
        most = most.max(steps.load(Ordering::Relaxed) - before);
        assert!(turns <= 8, "{turns} turns for one message");
    }
    assert!(most <= 3, "{most} steps while one message was sent to all");
    turn_until_it_waits(&mut server);
    assert_eq!(steps.load(Ordering::Relaxed), 100, "each has its step in the end");
}

#[test]
fn a_shutdown_does_queued_steps_before_it_waits() {
    let (mut server, steps) = secured(unlimited());
    let half_open: Vec<Pipe> = (0..3).map(|n| connect(&mut server, n)).collect();
    for pipe in &half_open {
        pipe.send(&[TLS_OPENING, TestLayer::client().output()].concat());
    }
    turn(&mut server);
    server.reactor.begin_closing(false);
    server.reactor.drain_all(BTreeMap::default());
    while server.reactor.drain_turn(1_000) == Some(0) {}
    assert_eq!(steps.load(Ordering::Relaxed), 3);
    let mut failed = server.reactor.counters.failed_handshakes().filter(|(_, count)| *count > 0);
    assert_eq!(failed.next(), Some((CloseReason::ServerClosing, 3)));
    assert_eq!(failed.next(), None, "each ends once");
}
