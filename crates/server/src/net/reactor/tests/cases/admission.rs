//! Reconnecting, many connections at once, and connections that never send a name.

use std::net::SocketAddr;

use super::*;

const CLASSROOM: [u8; 4] = [192, 0, 2, 1];
const STEP_MS: u64 = 10;

fn at(monotonic_ms: u64) -> Now {
    Now { monotonic_ms, ..NOW }
}

fn connect_from(server: &mut TestServer, address: [u8; 4]) -> Pipe {
    server.connect(SocketAddr::from((address, 4_000)), 1 << 20)
}

fn turn_at(server: &mut TestServer, now_ms: u64) {
    for _ in 0..1_000 {
        server.turn(at(now_ms)).expect("goes on");
        if server.wait_ms() != Some(0) {
            return;
        }
    }
    panic!("it never waits");
}

fn hello(name: &str) -> Vec<u8> {
    opened(&format!(r#"{{"type":"hello","name":"{name}"}}"#))
}

fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

/// Reconnects for each burst, from one address, with up to so many connections at once.
struct Flooder {
    connections: Vec<Pipe>,
    said_bye: Vec<Pipe>,
    connections_max: usize,
    sent: u32,
}

impl Flooder {
    fn new(connections_max: usize) -> Self {
        Self { connections: Vec::new(), said_bye: Vec::new(), connections_max, sent: 0 }
    }

    fn step(&mut self, server: &mut TestServer) {
        // The next connection comes while the last one is still being closed.
        self.said_bye.drain(..).for_each(|pipe| pipe.end());
        self.said_bye = self.connections.extract_if(.., |pipe| received(pipe).contains("\"bye\"")).collect();
        while self.connections.len() < self.connections_max {
            let pipe = connect_from(server, CLASSROOM);
            if pipe.is_closed() {
                return;
            }
            pipe.send(&hello("mallory"));
            for _ in 0..19 {
                pipe.send(&send("spam", 1_000_000 + self.sent));
                self.sent += 1;
            }
            pipe.send(&frame(r#"{"type":"bye"}"#));
            self.connections.push(pipe);
        }
    }
}

/// Thirty members of one address send for ten seconds. Returns the delivery delays of their
/// messages in milliseconds, and the flooder's messages that were accepted meanwhile.
fn talk(mut flooder: Option<Flooder>) -> (Vec<u64>, usize) {
    let mut server = TestServer::open(Config { replay: 0, ..Config::default() }, None, NOW);
    let witness = connect_from(&mut server, [192, 0, 2, 99]);
    witness.send(&hello("witness"));
    let members: Vec<Pipe> = (0..30).map(|_| connect_from(&mut server, CLASSROOM)).collect();
    for (n, member) in members.iter().enumerate() {
        member.send(&hello(&format!("pupil{n}")));
    }
    turn_at(&mut server, 0);
    let (mut delays_ms, mut waiting, mut spam) = (Vec::new(), Vec::new(), 0);
    for now_ms in (STEP_MS..=10_000).step_by(10) {
        if let Some(flooder) = &mut flooder {
            flooder.step(&mut server);
        }
        for (n, member) in members.iter().enumerate() {
            member.take(usize::MAX);
            if now_ms % 300 == (n as u64 * STEP_MS) {
                let id = (now_ms * 100) as u32 + n as u32;
                member.send(&send("question", id));
                waiting.push((format!("{id:032x}"), now_ms));
            }
        }
        turn_at(&mut server, now_ms);
        let output = received(&witness);
        spam += count(&output, r#""text":"spam""#);
        waiting.retain(|(id, sent_ms)| {
            let is_delivered = output.contains(id);
            if is_delivered {
                delays_ms.push(now_ms - sent_ms);
            }
            !is_delivered
        });
    }
    assert!(waiting.is_empty(), "{} messages were never delivered", waiting.len());
    (delays_ms, spam)
}

#[test]
fn requests_before_hello_are_limited_too() {
    let mut server = TestServer::open(Config { replay: 0, ..Config::default() }, None, NOW);
    let pipe = connect_from(&mut server, CLASSROOM);
    pipe.send(&opened(r#"{"type":"ping"}"#));
    for _ in 0..29 {
        pipe.send(&frame(r#"{"type":"ping"}"#));
    }
    pipe.send(&frame(r#"{"type":"hello","name":"alice"}"#));
    turn_at(&mut server, 0);
    assert_eq!(count(&received(&pipe), "out_of_order"), 21, "the burst, and one that makes a debt");
    turn_at(&mut server, 1_000);
    let output = received(&pipe);
    assert!(count(&output, "out_of_order") == 5 && !output.contains("welcome"), "then five a second: {output}");
    turn_at(&mut server, 2_000);
    assert!(received(&pipe).contains("welcome"));
}

#[test]
fn a_reconnecting_flooder_gets_one_rate_and_delays_nobody() {
    let (undisturbed_ms, none) = talk(None);
    assert!(undisturbed_ms.len() > 900 && none == 0);
    // Sixteen at once are allowed sixteen rates; each burst comes from a connection that may be the
    // first of its address.
    for (connections, spam_max) in [(1, 20 + 5 * 10 + 2), (16, 16 * (21 + 5 * 10) * 5 / 4)] {
        let (disturbed_ms, spam) = talk(Some(Flooder::new(connections)));
        assert_eq!(disturbed_ms, undisturbed_ms, "{connections} connections at once");
        assert!((20..=spam_max).contains(&spam), "{spam} messages over {connections} connections at once");
    }
}

#[test]
fn a_takeover_brings_no_new_burst() {
    let mut server = TestServer::open(Config { replay: 0, ..Config::default() }, None, NOW);
    let witness = connect_from(&mut server, [192, 0, 2, 99]);
    witness.send(&hello("witness"));
    let first = connect_from(&mut server, CLASSROOM);
    // It connects before the first one has sent anything, so its own credit is whole.
    let second = connect_from(&mut server, CLASSROOM);
    first.send(&hello("mallory"));
    turn_at(&mut server, 0);
    let welcome = received(&first);
    let (_, token) = welcome.split_once(r#""token":""#).expect("a token");
    let claim = format!(r#"{{"type":"hello","name":"mallory","token":"{}"}}"#, &token[..32]);
    (0..20).for_each(|n| first.send(&send("spam", n)));
    turn_at(&mut server, 0);
    second.send(&opened(&claim));
    (100..130).for_each(|n| second.send(&send("spam", n)));
    turn_at(&mut server, 1);
    turn_at(&mut server, 1_500);
    assert!(server.counts().contains("taken_over=1"), "{}", server.counts());
    let spam = count(&received(&witness), r#""text":"spam""#);
    assert!((20..=20 + 8).contains(&spam), "{spam} messages in one and a half seconds");
}

#[test]
fn a_class_that_reconnects_is_not_delayed() {
    let mut server = TestServer::open(Config::default(), None, NOW);
    for _ in 0..2 {
        let class = arrive(&mut server, CLASSROOM, 60);
        turn_at(&mut server, 0);
        assert!(class.iter().all(|pipe| received(pipe).contains("/help lists commands")), "{}", server.counts());
        class.iter().for_each(Pipe::reset);
        turn_at(&mut server, 0);
    }
    assert!(!server.counts().contains("connection_pauses"), "{}", server.counts());
}

#[test]
fn too_many_new_connections_are_delayed_and_not_refused() {
    let mut server = TestServer::open(Config::default(), None, NOW);
    for _ in 0..384 {
        connect_from(&mut server, CLASSROOM).reset();
        turn_at(&mut server, 0);
    }
    let delayed: Vec<Pipe> = (0..60).map(|_| connect_from(&mut server, CLASSROOM)).collect();
    for pipe in &delayed {
        pipe.send(b"3         bob");
    }
    let elsewhere = connect_from(&mut server, [192, 0, 2, 2]);
    elsewhere.send(b"5         alice");
    turn_at(&mut server, 0);
    assert!(server.counts().contains("joined=1"), "only alice is in: {}", server.counts());
    assert!(received(&elsewhere).contains("nobody else is here"), "alice is not delayed");
    turn_at(&mut server, 1_000);
    assert!(server.counts().contains("joined=33"), "thirty-two a second: {}", server.counts());
    // One at a time, so that the loop wakes for each by itself.
    for now_ms in 1_001..=2_000 {
        turn_at(&mut server, now_ms);
    }
    assert!(
        server.counts().contains("joined=61") && delayed.iter().all(|pipe| !pipe.is_finished()),
        "{}",
        server.counts()
    );
}

#[test]
fn more_connections_than_fit_cost_no_turn_of_those_that_wait() {
    let mut server = TestServer::open(Config::default(), None, NOW);
    for _ in 0..384 {
        connect_from(&mut server, CLASSROOM).reset();
        turn_at(&mut server, 0);
    }
    let prompt = connect_from(&mut server, CLASSROOM);
    let delayed: Vec<Pipe> = (0..16).map(|_| connect_from(&mut server, CLASSROOM)).collect();
    for pipe in delayed.iter().chain([&prompt]) {
        pipe.send(b"3         bob");
    }
    let mut flood = Vec::new();
    for now_ms in (STEP_MS..=2_000).step_by(10) {
        flood.extend((0..10).map(|_| connect_from(&mut server, CLASSROOM)));
        turn_at(&mut server, now_ms);
    }
    assert!(flood.iter().any(Pipe::is_closed));
    assert!(delayed.iter().chain([&prompt]).all(|pipe| received(pipe).contains("/help lists")), "{}", server.counts());
}

#[test]
fn a_delayed_connection_has_all_its_time_for_a_name() {
    let mut server = TestServer::open(Config::default(), None, NOW);
    for _ in 0..384 {
        connect_from(&mut server, CLASSROOM).reset();
        turn_at(&mut server, 0);
    }
    let delayed: Vec<Pipe> = (0..64).map(|_| connect_from(&mut server, CLASSROOM)).collect();
    let last = &delayed[63];
    for now_ms in (100..=11_900).step_by(100) {
        turn_at(&mut server, now_ms);
    }
    assert!(delayed[0].is_closed() && !last.is_closed(), "{}", server.counts());
    last.send(b"3         bob");
    turn_at(&mut server, 11_950);
    assert!(server.counts().contains("joined=1"), "{}", server.counts());
}

/// Bytes that a hostile peer may stop at.
const UNFINISHED: [&[u8]; 10] = [
    b"",
    b"5",
    b"5     ",
    b"5         ali",
    b"GLASS",
    b"GLASSLINE2",
    b"GLASSLINE212",
    b"GLASSLINE241        {\"type\":\"hello\",\"name\":\"al",
    b"\x16\x03\x01\x02\x00\x01",
    b"GET / HTTP/1.1\r\nHost: x\r\n",
];

const UNREGISTERED_MAX: usize = 128;

fn crowded_config() -> Config {
    Config { limits: Limits { unregistered_max: UNREGISTERED_MAX, ..Limits::default() }, ..Config::default() }
}

#[test]
fn unfinished_hellos_do_not_keep_newcomers_out() {
    for from_many_addresses in [false, true] {
        for unfinished in UNFINISHED {
            let mut server = TestServer::open(crowded_config(), None, NOW);
            let crowd = |server: &mut TestServer, n: usize| {
                let address = if from_many_addresses { [10, 0, (n / 8) as u8, 1] } else { [127, 0, 0, 1] };
                let pipe = connect_from(server, address);
                pipe.send(unfinished);
                pipe
            };
            let mut kept: Vec<Pipe> = (0..140).map(|n| crowd(&mut server, n)).collect();
            turn_at(&mut server, 0);
            // The first one's hello is in the socket, and nothing was reported of it when all the
            // others come.
            let at_once = connect_from(&mut server, [127, 0, 0, 1]);
            at_once.send(&hello("quick"));
            kept.extend((0..140).map(|n| crowd(&mut server, n)));
            turn_at(&mut server, 1);
            // The second one needs some time for its hello, in which half as many come.
            let later = connect_from(&mut server, [127, 0, 0, 1]);
            turn_at(&mut server, 2);
            kept.extend((0..64).map(|n| crowd(&mut server, n)));
            turn_at(&mut server, 300);
            later.send(&hello("slow"));
            turn_at(&mut server, 301);
            let shown = unfinished.escape_ascii();
            for (pipe, name) in [(&at_once, "quick"), (&later, "slow")] {
                assert!(
                    received(pipe).contains(r#""type":"welcome""#),
                    "{name} among \"{shown}\": {}",
                    server.counts()
                );
            }
            assert!(server.reactor.admission.unregistered().len() <= UNREGISTERED_MAX);
        }
    }
}

#[test]
fn a_crowd_that_waits_for_the_server_keeps_nobody_out() {
    let limits = Limits { unregistered_max: 8, ..Limits::default() };
    let mut server = TestServer::open(Config { limits, ..Config::default() }, None, NOW);
    let holder = connect_from(&mut server, CLASSROOM);
    holder.send(&hello("mallory"));
    turn_at(&mut server, 0);
    let welcome = received(&holder);
    let (_, token) = welcome.split_once(r#""token":""#).expect("a token");
    let claim = opened(&format!(r#"{{"type":"hello","name":"mallory","token":"{}"}}"#, &token[..32]));
    let newcomer = connect_from(&mut server, [192, 0, 2, 2]);
    let crowd: Vec<Pipe> = (0..20)
        .map(|_| {
            let pipe = connect_from(&mut server, CLASSROOM);
            pipe.send(&claim);
            turn_at(&mut server, 1);
            pipe
        })
        .collect();
    assert!(crowd.iter().any(Pipe::is_closed) && !newcomer.is_closed(), "{}", server.counts());
    newcomer.send(&hello("alice"));
    turn_at(&mut server, 2);
    assert!(received(&newcomer).contains(r#""type":"welcome""#), "{}", server.counts());
}

#[test]
fn a_crowd_is_closed_before_a_newcomer_from_elsewhere() {
    let mut server = TestServer::open(crowded_config(), None, NOW);
    let newcomer = connect_from(&mut server, CLASSROOM);
    turn_at(&mut server, 0);
    // Five times as many as may be unregistered, from fifty addresses: each of them is younger.
    let crowd: Vec<Pipe> = (0..5 * UNREGISTERED_MAX)
        .map(|n| {
            let pipe = connect_from(&mut server, [10, 0, (n % 50) as u8, 1]);
            pipe.send(b"GLASSLINE2");
            pipe
        })
        .collect();
    turn_at(&mut server, 5_000);
    assert!(crowd.iter().any(Pipe::is_closed) && !newcomer.is_closed(), "{}", server.counts());
    newcomer.send(&hello("slow"));
    turn_at(&mut server, 9_000);
    assert!(received(&newcomer).contains(r#""type":"welcome""#), "{}", server.counts());
}
