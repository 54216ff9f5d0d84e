//! Browsers that ask for the page: requests, their deadlines and their bounds.

use std::net::SocketAddr;

use glassline_wire::layer::Layer;
use glassline_wire::link::LinkKind;

use super::layers::Layered;
use super::websocket::{Browser, PAGE, UPGRADE, at, message};
use super::*;
use crate::web::HEAD_BYTES_MAX;
use crate::{Links, Web};

#[test]
fn a_request_is_answered_in_any_slicing() {
    for step in [1, 7, usize::MAX] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let pipe = connect(&mut server, 1);
        for _ in 0..3 {
            for slice in PAGE.as_bytes().chunks(step) {
                pipe.send(slice);
                turn_until_it_waits(&mut server);
            }
            let answer = received(&pipe);
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("</html>\n"), "{answer}");
            assert!(!pipe.is_finished(), "the next request may follow");
        }
        pipe.end();
        turn_until_it_waits(&mut server);
        assert!(pipe.is_closed() && server.counts() == "http_done=1 parted=1", "{}", server.counts());
    }
}

#[test]
fn requests_that_do_not_wait_are_answered_in_order() {
    let missing = PAGE.replace("GET /", "GET /nothing");
    let requests = [PAGE, &missing, PAGE].concat();
    for step in [1, 50, usize::MAX] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let pipe = connect(&mut server, 1);
        for slice in requests.as_bytes().chunks(step) {
            pipe.send(slice);
            turn_until_it_waits(&mut server);
        }
        let answers = received(&pipe);
        let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!((statuses, pipe.is_finished()), (vec!["200", "404", "200"], false), "{step}");
    }
}

#[test]
fn a_peer_that_asks_and_takes_no_answers_is_ended() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let pipe = server.connect(SocketAddr::from(([192, 0, 2, 1], 1)), 100);
    pipe.send(PAGE.repeat(10_000).as_bytes());
    turn_until_it_waits(&mut server);
    assert!(server.held_bytes_max() < 96 * 1024, "{}", server.held_bytes_max());
    assert!(server.counts().contains("http_done=1") && pipe.unread_bytes() == 0, "{}", server.counts());
    let websocket = connect(&mut server, 1);
    websocket.send([PAGE, UPGRADE].concat().as_bytes());
    turn_until_it_waits(&mut server);
    let answer = received(&websocket);
    assert!(!answer.contains("HTTP/1.1 101 ") && websocket.is_finished(), "{answer}");
}

#[test]
fn one_byte_every_nine_seconds_is_cut_off() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let slow = connect(&mut server, 1);
    let mut answer = String::new();
    for (n, byte) in PAGE.bytes().take(4).enumerate() {
        slow.send(&[byte]);
        server.turn(at(n as u64 * 9_000)).expect("goes on");
        answer.push_str(&received(&slow));
    }
    assert!(slow.is_closed() && answer.is_empty(), "before it is HTTP, it is a connection without a name");
    let slow = connect(&mut server, 1);
    slow.send(b"GET / ");
    server.turn(at(40_000)).expect("goes on");
    for (byte, now_ms) in [(b"H", 49_000), (b"T", 49_999)] {
        slow.send(byte);
        server.turn(at(now_ms)).expect("goes on");
        assert!(!slow.is_finished());
    }
    server.turn(at(50_000)).expect("goes on");
    let answer = received(&slow);
    assert!(answer.starts_with("HTTP/1.1 408 ") && slow.is_finished(), "{answer}");
    assert!(server.counts().contains("http_refused=1"), "{}", server.counts());
}

#[test]
fn connections_are_kept_and_slow_readers_served() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let kept = connect(&mut server, 1);
    kept.send(PAGE.as_bytes());
    server.turn(at(9_000)).expect("goes on");
    assert!(received(&kept).starts_with("HTTP/1.1 200 "));
    server.turn(at(13_999)).expect("goes on");
    assert!(!kept.is_finished());
    server.turn(at(14_000)).expect("goes on");
    assert!(kept.is_finished() && server.counts().contains("http_done=1"), "{}", server.counts());

    let peer = SocketAddr::from(([192, 0, 2, 2], 1));
    let slow = server.connect(peer, 400);
    slow.send(PAGE.as_bytes());
    let (mut answer, mut now_ms) = (Vec::new(), 14_000);
    while !answer.ends_with(b"</html>\n") {
        now_ms += 1_000;
        server.turn(at(now_ms)).expect("goes on");
        let taken = slow.take(400);
        assert!(!taken.is_empty(), "{}", String::from_utf8_lossy(&answer));
        answer.extend(taken);
    }
    assert!(now_ms > 14_000 + 10_000, "slower than any deadline of a request");
}

#[test]
fn thirty_pages_from_one_address_are_served_at_once() {
    let mut server = TestServer::open(Config { replay: 0, ..Config::default() }, None, NOW);
    let peer = SocketAddr::from(([192, 0, 2, 1], 1));
    // Six connections of each browser.
    let pages: Vec<Pipe> = (0..180)
        .map(|_| {
            let page = server.connect(peer, 1 << 20);
            page.send(PAGE.as_bytes());
            page
        })
        .collect();
    turn_until_it_waits(&mut server);
    assert!(pages.iter().all(|page| received(page).starts_with("HTTP/1.1 200 ")), "{}", server.counts());
    let sockets: Vec<Browser> = (0..30)
        .map(|n| {
            let mut browser = Browser::over(server.connect(peer, 1 << 20));
            browser.send(&mut server, UPGRADE.as_bytes(), usize::MAX);
            let hello = opened(&format!(r#"{{"type":"hello","name":"pupil{n}"}}"#));
            browser.send(&mut server, &message(&hello), usize::MAX);
            browser
        })
        .collect();
    assert!(sockets.iter().all(|socket| socket.text.contains(r#""type":"welcome""#)), "{}", server.counts());
    assert!(!server.counts().contains("connection_pauses"), "{}", server.counts());
}

#[test]
fn connections_that_were_served_are_closed_first() {
    let limits = Limits {
        unregistered_max: 6,
        unregistered_per_address_max: 4,
        members_per_address_max: 2,
        ..Limits::default()
    };
    let mut server = TestServer::open(Config { limits, ..unlimited() }, None, NOW);
    let members: Vec<Pipe> =
        (0..2).map(|n| enter(&mut server, 1, &format!(r#"{{"type":"hello","name":"m{n}"}}"#))).collect();
    let request = |server: &mut TestServer, number: u8, bytes: &str| {
        let pipe = connect(server, number);
        pipe.send(bytes.as_bytes());
        turn_until_it_waits(server);
        pipe
    };
    let incomplete = request(&mut server, 2, "GET / HTTP/1.1\r\nHost: ");
    let answered: Vec<Pipe> = (0..4).map(|_| request(&mut server, 2, PAGE)).collect();
    let closed: Vec<bool> = answered.iter().map(Pipe::is_closed).collect();
    assert_eq!(closed, [true, false, false, false], "the oldest that asks for nothing");
    assert!(!incomplete.is_closed());
    let others: Vec<Pipe> = (3..7).map(|number| request(&mut server, number, PAGE)).collect();
    let closed: Vec<bool> = answered.iter().map(Pipe::is_closed).collect();
    assert_eq!(closed, [true, true, true, false], "of the address with the most");
    assert!(others.iter().all(|pipe| !pipe.is_closed() && received(pipe).starts_with("HTTP/1.1 200 ")));
    assert!(members.iter().all(|member| !member.is_closed()));
    let snapshot = server.reactor.snapshot();
    assert_eq!((snapshot.http, snapshot.unregistered), (6, 0));
    assert!(server.counts().contains("http_done=3"), "{}", server.counts());
    // Half a request is worth no more than half a name: the older one goes first.
    received(&answered[3]);
    let silent: Vec<Pipe> = (0..2).map(|_| connect(&mut server, 2)).collect();
    turn_until_it_waits(&mut server);
    assert!(answered[3].is_closed() && incomplete.is_closed() && !silent[0].is_closed(), "{}", server.counts());
    assert!(server.counts().contains("crowded_out=1"), "{}", server.counts());
}

#[test]
fn connections_that_are_sent_an_answer_are_closed_last() {
    let limits = Limits { unregistered_per_address_max: 3, ..Limits::default() };
    let mut server = TestServer::open(Config { limits, ..unlimited() }, None, NOW);
    let plain = server.connect(SocketAddr::from(([192, 0, 2, 9], 1)), 100);
    plain.send(PAGE.as_bytes());
    // Here the layer has taken the answer, and the socket has not.
    let mut layered = Layered::connect(&mut server, 100);
    layered.exchange(&mut server, usize::MAX);
    layered.layer.send(&[PAGE.as_bytes()]);
    layered.pipe.send(layered.layer.output());
    turn_until_it_waits(&mut server);
    let silent: Vec<Pipe> = (0..3).map(|_| connect(&mut server, 9)).collect();
    assert!(!plain.is_closed() && !layered.pipe.is_closed(), "{}", server.counts());
    assert_eq!(silent.iter().map(Pipe::is_closed).collect::<Vec<_>>(), [true, true, false]);
    layered.exchange(&mut server, usize::MAX);
    let answer = String::from_utf8(layered.take_received()).expect("text");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("</html>\n"), "{answer}");
}

#[test]
fn a_websocket_too_many_of_its_address_is_refused_in_http() {
    let limits = Limits { members_per_address_max: 2, ..Limits::default() };
    let mut server = TestServer::open(Config { limits, ..unlimited() }, None, NOW);
    let page = connect(&mut server, 1);
    page.send(PAGE.as_bytes());
    turn_until_it_waits(&mut server);
    let members = [Browser::enter(&mut server, 1, "bob"), Browser::enter(&mut server, 1, "eve")];
    received(&page);
    page.send(UPGRADE.as_bytes());
    turn_until_it_waits(&mut server);
    let answer = received(&page);
    assert!(answer.starts_with("HTTP/1.1 503 ") && page.is_finished(), "{answer}");
    assert!(server.counts().contains("too_many_from_address=1"), "{}", server.counts());
    drop(members);
}

#[test]
fn contents_are_refused_and_not_read_as_frames() {
    let long_line = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(1 << 20));
    let many_lines = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(65));
    let smuggled = format!(
        "POST /ws HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 42\r\n\r\n{}",
        String::from_utf8(opened(r#"{"type":"hello","name":"mallory"}"#)).expect("text")
    );
    let foreign = UPGRADE.replace("Connection:", "Origin: http://evil.example\r\nConnection:");
    let rebound = UPGRADE.replace("Host: localhost", "Host: rebound.example");
    for (request, status) in [
        (long_line, "431"),
        (many_lines, "431"),
        (smuggled, "405"),
        (foreign, "403"),
        (rebound, "421"),
        (PAGE.replace("Host", "Content-Length: 1048576\r\nHost") + &"x".repeat(1 << 20), "413"),
        ("GET /\u{0} HTTP/1.1\r\n\r\n".to_string(), "400"),
        ("GET / HTTP/2.0\r\n\r\n".to_string(), "400"),
    ] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let pipe = connect(&mut server, 1);
        pipe.send(request.as_bytes());
        turn_until_it_waits(&mut server);
        let answer = received(&pipe);
        assert_eq!(answer["HTTP/1.1 ".len()..][..3], *status, "{answer}");
        assert!(answer.contains("Content-Security-Policy: ") && answer.matches("HTTP/1.1 ").count() == 1, "{answer}");
        assert!(pipe.is_finished() && !pipe.is_closed() && pipe.unread_bytes() == 0);
        assert!(server.held_bytes_max() <= HEAD_BYTES_MAX, "{}", server.held_bytes_max());
        assert!(server.counts().contains("http_refused=1"), "{}", server.counts());
    }
}

#[test]
fn silent_sockets_are_bounded_and_members_unmoved() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let witness = enter(&mut server, 1, r#"{"type":"hello","name":"witness"}"#);
    let silent: Vec<Pipe> = (0..10_000_u32)
        .map(|n| {
            let peer = SocketAddr::from((Ipv4Addr::from(0x0a00_0000 + n % 500), 1));
            let pipe = server.connect(peer, 1 << 20);
            if n % 2 == 0 {
                pipe.send(UPGRADE.as_bytes());
            }
            if n % 200 == 0 {
                turn_until_it_waits(&mut server);
            }
            pipe
        })
        .collect();
    turn_until_it_waits(&mut server);
    let open = silent.iter().filter(|pipe| !pipe.is_closed()).count();
    assert_eq!(open, Limits::default().unregistered_max);
    witness.send(&send("hi", 1));
    turn(&mut server);
    assert!(received(&witness).contains(r#""text":"hi""#), "in the next turn");
}

#[test]
fn without_a_page_browsers_are_told_how_to_join() {
    let plain = TestServer::open(Config { web: None, ..unlimited() }, None, NOW);
    let links = Links { required: Some(LinkKind::Noise), ..Links::default() };
    let of_noise = TestServer::open(Config { links, ..unlimited() }, None, NOW);
    for mut server in [plain, of_noise] {
        let pipe = connect(&mut server, 1);
        pipe.send(UPGRADE.as_bytes());
        turn_until_it_waits(&mut server);
        let answer = received(&pipe);
        assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("glassline join"), "{answer}");
        assert!(pipe.is_finished() && server.counts().contains("http_not_spoken=1"), "{}", server.counts());
    }
    let mut pure = TestServer::open(Config { pure: true, web: Some(Web::default()), ..unlimited() }, None, NOW);
    let pipe = connect(&mut pure, 1);
    pipe.send(PAGE.as_bytes());
    turn_until_it_waits(&mut pure);
    assert!(pipe.is_finished() && received(&pipe).is_empty(), "a pure server says nothing");
}
