//! `--metrics` and `/healthz`: the counts are those of what was done, and bad requests delay
//! nobody.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use glassline_server::Limits;
use serde_json::json;

use crate::harness::{EventClient, PATIENCE, PROMPT, Server, ServerProcess, Tutorial, Wire, frame, fresh_id};
use crate::program::Folder;

/// Sends a request and returns the status, the head and the body of what comes until the close.
#[track_caller]
fn asked(address: SocketAddr, request: impl AsRef<[u8]>) -> (String, String, String) {
    let mut stream = TcpStream::connect(address).expect("it accepts");
    stream.set_read_timeout(Some(3 * PATIENCE)).expect("a deadline");
    stream.write_all(request.as_ref()).expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and a close in order");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).expect("a status");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
    (status.to_string(), head.to_string(), body.to_string())
}

#[track_caller]
fn get(address: SocketAddr, page: &str) -> (String, String, String) {
    asked(address, format!("GET {page} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

/// Each sample's value by its name and labels. What the format wants is held by `tests/peers/checks_metrics.py`.
#[track_caller]
fn numbers(address: SocketAddr) -> BTreeMap<String, String> {
    let (status, head, text) = get(address, "/metrics");
    assert_eq!(status, "200", "{head}");
    assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let parted = samples.map(|line| line.rsplit_once(' ').expect("a name and a value"));
    parted.map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[track_caller]
fn expect_numbers(address: SocketAddr, expected: &[(&str, u64)]) {
    let numbers = numbers(address);
    for &(name, value) in expected {
        assert_eq!(numbers.get(name), Some(&value.to_string()), "{name} in {numbers:?}");
    }
}

#[test]
fn metrics_count_messages_refusals_and_members() {
    let mut process = ServerProcess::serve(&["--metrics", "127.0.0.1:0"]);
    let metrics = process.expect_metrics();
    expect_numbers(metrics, &[("glassline_members", 0), ("glassline_messages_total", 0), ("glassline_rooms", 1)]);
    let mut eve = EventClient::join(process.address, "eve");
    let mut ann = Tutorial::join(process.address, "ann");
    let mut tom = Tutorial::join(process.address, "tom");
    for text in ["one", "two", "three"] {
        eve.say(text);
        ann.expect_message("eve", text);
        tom.expect_message("eve", text);
    }
    // With a ref the sender's copy is its own.
    let id = fresh_id();
    for _ in 0..2 {
        eve.send(&json!({"type": "send", "room": "lobby", "text": "four", "id": id, "ref": "r"}));
    }
    ann.expect_message("eve", "four");
    for text in ["five", "six"] {
        tom.say(text);
        ann.expect_message("tom", text);
    }
    // Only members of a room are sent its messages, and a direct message is no message of a room.
    eve.send(&json!({"type": "join", "room": "den"}));
    eve.send(&json!({"type": "send", "room": "den", "text": "to myself", "id": fresh_id()}));
    tom.say("/msg ann psst");
    // Refusals: of requests, of names, of an unknown opening.
    eve.send(&json!({"type": "send", "room": "attic", "text": "hi", "id": fresh_id()}));
    tom.say("/msg nobody hi");
    tom.say("/whois nobody");
    let mut bad = Tutorial::connect(process.address);
    bad.say("*");
    bad.expect_closed();
    let mut bad = EventClient::connect(process.address);
    bad.send(&json!({"type": "hello", "name": "*"}));
    bad.expect_closed();
    let mut newcomer = Wire::connect(process.address);
    newcomer.send("POST / HTTP/1.1\r\n\r\n");
    newcomer.rest();
    while eve.event()["text"] != "to myself" {}
    eve.barrier();
    tom.barrier();
    ann.barrier();
    ann.say("/exit");
    ann.expect_closed();
    expect_numbers(
        metrics,
        &[
            ("glassline_loop_answers", 1),
            ("glassline_members", 2),
            ("glassline_rooms", 2),
            ("glassline_joins_total", 3),
            ("glassline_messages_total", 7),
            // Four of eve's to three, two of tom's to two, one in the den to eve.
            ("glassline_deliveries_total", 17),
            ("glassline_gaps_total", 0),
            ("glassline_refusals_total{reason=\"name_refused\"}", 1),
            ("glassline_refusals_total{reason=\"hello_refused\"}", 1),
            ("glassline_refusals_total{reason=\"http_refused\"}", 1),
            ("glassline_refusals_total{reason=\"no_name_in_time\"}", 0),
            ("glassline_refused_requests_total{code=\"unknown_room\"}", 1),
            ("glassline_refused_requests_total{code=\"unknown_name\"}", 2),
            ("glassline_refused_requests_total{code=\"rate\"}", 0),
            ("glassline_endings_total{reason=\"framed_goodbye\"}", 1),
            ("glassline_endings_total{reason=\"reset\"}", 0),
        ],
    );
    let ended = process.stop();
    assert!(ended.stderr.contains(&format!("metrics on http://{metrics}/metrics")), "{ended:?}");
    assert!(!ended.stderr.contains("open to other machines"), "{ended:?}");
}

#[test]
fn a_history_publishes_metrics_and_a_replay_is_no_delivery() {
    let home = Folder::new();
    let file = home.path().join("history.db");
    let mut process = ServerProcess::serve(&[
        "--metrics",
        "127.0.0.1:0",
        "--history",
        file.to_str().expect("UTF-8"),
        "--replay",
        "50",
    ]);
    let metrics = process.expect_metrics();
    let mut eve = EventClient::join(process.address, "eve");
    let id = fresh_id();
    for _ in 0..2 {
        eve.send(&json!({"type": "send", "room": "lobby", "text": "kept once", "id": id}));
        eve.expect_message("eve", "kept once");
    }
    for n in 0..20 {
        eve.say(&n.to_string());
        eve.expect_message("eve", &n.to_string());
    }
    let mut late = EventClient::join(process.address, "late");
    late.expect("history");
    late.barrier();
    let expected = [
        ("glassline_messages_total", 21),
        ("glassline_deliveries_total", 21),
        ("glassline_journal_stored_total", 21),
        ("glassline_journal_not_stored_total", 0),
        ("glassline_journal_queue_records", 0),
        ("glassline_journal_queue_questions", 0),
    ];
    expect_numbers(metrics, &expected);
    let numbers = numbers(metrics);
    // One at a time, so each was a commit of its own, and so may have been the one that came again.
    let commits: u64 = numbers["glassline_commit_seconds_count"].parse().expect("a number");
    assert!((21..=22).contains(&commits), "{numbers:?}");
    assert_eq!(numbers["glassline_commit_seconds_bucket{le=\"+Inf\"}"], commits.to_string());
    let took_s: f64 = numbers["glassline_commit_seconds_sum"].parse().expect("a number");
    assert!(took_s > 0.0, "{numbers:?}");
    process.stop();
    let mut process = ServerProcess::serve(&["--metrics", "127.0.0.1:0", "--history", "none"]);
    let numbers = self::numbers(process.expect_metrics());
    assert!(!numbers.keys().any(|name| name.contains("journal") || name.contains("commit")), "{numbers:?}");
    process.stop();
}

#[test]
fn bytes_are_counted_to_the_last_one() {
    let server = Server::start();
    let metrics = server.metrics();
    let mut peer = Wire::connect(server.address);
    let said = [frame("alice"), frame("/names"), frame("häßlich")].concat();
    peer.send(&said);
    peer.send("/exit");
    let received = peer.rest();
    let expected = [
        ("glassline_received_bytes_total", said.len() as u64 + 5),
        ("glassline_sent_bytes_total", received.len() as u64),
        ("glassline_connections", 1),
    ];
    expect_numbers(metrics, &expected);
    drop(peer);
    let gone = Instant::now() + PATIENCE;
    while numbers(metrics)["glassline_connections"] != "0" {
        assert!(Instant::now() < gone, "a connection that is gone is still counted");
    }
}

#[test]
fn what_a_slow_reader_missed_is_reported_in_numbers_too() {
    let server = Server::with_limits(Limits { log_bytes_max: 256 * 1024, ..Limits::default() });
    let metrics = server.metrics();
    let mut stalled = EventClient::join_over(Wire::connect_narrow(server.address), "stalled");
    let mut talker = Tutorial::join(server.address, "talker");
    let mut reader = Tutorial::join(server.address, "reader");
    let (messages, text) = (700, "x".repeat(15 * 1024));
    for _ in 0..messages {
        talker.say(&text);
        reader.expect_message("talker", &text);
    }
    let events = stalled.barrier();
    let of_kind = |kind| events.iter().filter(move |event| event["type"] == kind);
    let missed: u64 = of_kind("gap").map(|gap| gap["to"].as_u64().unwrap() - gap["from"].as_u64().unwrap() + 1).sum();
    let received = of_kind("message").count() as u64;
    assert!(missed > 0 && received + missed == messages, "received {received}, missed {missed}");
    expect_numbers(
        metrics,
        &[
            ("glassline_messages_total", messages),
            ("glassline_deliveries_total", messages + received),
            ("glassline_gaps_total", of_kind("gap").count() as u64),
            ("glassline_missed_messages_total", missed),
        ],
    );
}

#[test]
fn a_server_that_runs_is_healthy_and_idle_is_healthy_too() {
    let mut process = ServerProcess::serve(&["--metrics", "127.0.0.1:0"]);
    let metrics = process.expect_metrics();
    for _ in 0..3 {
        let asked = Instant::now();
        let (status, _, body) = get(metrics, "/healthz");
        assert_eq!((status.as_str(), body.as_str()), ("200", "ok\n"));
        assert!(asked.elapsed() < PROMPT, "it took {:?}", asked.elapsed());
    }
    // While it sends a goodbye to one that does not read, it accepts no more clients.
    let _stalled = Tutorial::join_over(Wire::connect_narrow(process.address), "stalled");
    let mut talker = Tutorial::join(process.address, "talker");
    for _ in 0..400 {
        talker.say("x".repeat(16 * 1024));
    }
    talker.barrier();
    process.signal("TERM");
    talker.expect_word("closing down; goodbye");
    let (status, _, body) = get(metrics, "/healthz");
    assert_eq!((status.as_str(), body.as_str()), ("503", "closing down\n"));
    let ended = process.wait(PATIENCE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn bad_requests_get_an_answer_or_an_end_and_disturb_nobody() {
    let mut process = ServerProcess::serve(&["--metrics", "127.0.0.1:0"]);
    let metrics = process.expect_metrics();
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    for (request, expected) in [
        (&b"GET /nowhere HTTP/1.1\r\n\r\n"[..], "404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405"),
        (b"\x16\x03\x01\x02\x00\x01\xff\xff\r\n\r\n", "400"),
        (b"GLASSLINE2\n\n", "400"),
        (long.as_bytes(), "431"),
    ] {
        let (status, _, body) = asked(metrics, request);
        assert_eq!(status, expected, "{:?}: {body:?}", String::from_utf8_lossy(&request[..20.min(request.len())]));
        assert!(body.contains("/metrics or /healthz"), "{body:?}");
    }
    let stuck: Vec<TcpStream> = (0..8).map(|_| half_a_request(metrics)).collect();
    let mut alice = Tutorial::join(process.address, "alice");
    let mut bob = Tutorial::join(process.address, "bob");
    for n in 0..50 {
        let said = Instant::now();
        alice.say(n.to_string());
        bob.expect_message("alice", &n.to_string());
        assert!(said.elapsed() < PROMPT, "a message took {:?}", said.elapsed());
    }
    expect_numbers(metrics, &[("glassline_members", 2), ("glassline_messages_total", 50)]);
    drop(stuck);
    process.stop();
}

/// A connection that stops in the middle of its request.
fn half_a_request(metrics: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(metrics).expect("it accepts");
    stream.write_all(b"GET /metrics HT").expect("it takes the start of a request");
    stream
}

fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket");
    matches!(stream.peek(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn silent_connections_keep_nobody_from_an_answer() {
    let server = Server::start();
    let metrics = server.metrics();
    // As many as are served at once, but one: whoever comes then waits for none of them to end.
    let silent: Vec<TcpStream> = (0..63).map(|_| half_a_request(metrics)).collect();
    let (status, _, _) = get(metrics, "/healthz");
    let open = silent.iter().filter(|stream| is_open(stream)).count();
    assert_eq!((status.as_str(), open), ("200", 63), "answered while all were silent");
    drop(silent);
    // Of more, the oldest make room, and the youngest are still silent when the answer comes.
    let silent: Vec<TcpStream> = (0..400).map(|_| half_a_request(metrics)).collect();
    let (status, _, _) = get(metrics, "/healthz");
    let open: Vec<usize> = (0..400).filter(|&n| is_open(&silent[n])).collect();
    assert!(status == "200" && open.ends_with(&[398, 399]), "{open:?}");
}

#[test]
fn reachable_addresses_and_those_in_use_are_reported() {
    let mut process = ServerProcess::serve(&["--metrics", "0.0.0.0:0"]);
    let metrics = process.expect_metrics();
    let ended = process.stop();
    assert!(
        ended
            .stderr
            .contains(&format!("{metrics} is open to other machines: everyone who can reach it can read how many")),
        "{ended:?}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = ServerProcess::ended(&["serve", "--listen", "127.0.0.1:0", "--metrics", &address]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains(&address) && ended.stderr.contains("choose another port with --metrics"),
        "{ended:?}"
    );
    let ended = ServerProcess::ended(&["serve", "--metrics", "127.0.0.1"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("127.0.0.1:9464"), "{ended:?}");
}
