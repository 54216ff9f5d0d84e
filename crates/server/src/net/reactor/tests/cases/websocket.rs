//! WebSockets of browsers, whose frames are written and read by hand.

use std::net::SocketAddr;

use glassline_wire::layer::{Layer, LayerState};

use super::layers::Layered;
use super::*;

/// Request for a WebSocket.
pub(super) const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
pub(super) const PAGE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

const FINAL: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

pub(super) fn at(monotonic_ms: u64) -> Now {
    Now { monotonic_ms, ..NOW }
}

/// Frame of a client, written by hand from the RFC.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        short @ ..=125 => out.push(0x80 | short as u8),
        long => out.extend([&[0xfe], &(long as u16).to_be_bytes()[..]].concat()),
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

pub(super) fn message(payload: &[u8]) -> Vec<u8> {
    masked(FINAL | BINARY, payload)
}

/// A browser's end: what arrives is taken apart as it comes, and must be whole frames in the end.
pub(super) struct Browser {
    pub(super) pipe: Pipe,
    head: String,
    bytes: Vec<u8>,
    /// Payload of all messages.
    pub(super) text: String,
    /// Opcode and payload of each control frame, with the length of `text` before it.
    control: Vec<(u8, Vec<u8>, usize)>,
}

impl Browser {
    pub(super) fn over(pipe: Pipe) -> Self {
        Self { pipe, head: String::new(), bytes: Vec::new(), text: String::new(), control: Vec::new() }
    }

    /// Opens a WebSocket; the server side buffers so many bytes of output.
    pub(super) fn connect(server: &mut TestServer, number: u8, send_buffer_bytes: usize) -> Self {
        let peer = SocketAddr::from(([192, 0, 2, number], 1));
        let mut browser = Self::over(server.connect(peer, send_buffer_bytes));
        browser.send(server, UPGRADE.as_bytes(), usize::MAX);
        assert!(browser.head.starts_with("HTTP/1.1 101 "), "{}", browser.head);
        browser
    }

    /// Opens a WebSocket and comes in.
    pub(super) fn enter(server: &mut TestServer, number: u8, name: &str) -> Self {
        let mut browser = Self::connect(server, number, 50_000);
        let hello = opened(&format!(r#"{{"type":"hello","name":"{name}"}}"#));
        browser.send(server, &message(&hello), usize::MAX);
        assert!(browser.text.contains(r#""type":"welcome""#), "{}", browser.text);
        browser
    }

    /// Sends bytes in slices, and takes what comes in slices of the same length.
    pub(super) fn send(&mut self, server: &mut TestServer, bytes: &[u8], step: usize) {
        for slice in bytes.chunks(step) {
            self.pipe.send(slice);
            turn_until_it_waits(server);
        }
        self.exchange(server, step);
    }

    fn exchange(&mut self, server: &mut TestServer, step: usize) {
        loop {
            turn_until_it_waits(server);
            let taken = self.pipe.take(step);
            if taken.is_empty() {
                return;
            }
            self.bytes.extend(taken);
            self.take_apart();
        }
    }

    fn take_apart(&mut self) {
        if self.head.is_empty() {
            let Some(end) = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return };
            self.head = String::from_utf8(self.bytes.drain(..end + 4).collect()).expect("text");
        }
        while let [first, second, rest @ ..] = &self.bytes[..] {
            assert!(first & FINAL != 0 && second & 0x80 == 0, "the server sends whole, unmasked frames");
            let (header_bytes, payload_bytes) = match (second, rest) {
                (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
                (126, _) => return,
                (short, _) => (2, usize::from(*short)),
            };
            assert!(*second < 127, "no write is that long");
            if self.bytes.len() < header_bytes + payload_bytes {
                return;
            }
            let opcode = first & 0x0f;
            let payload = self.bytes.drain(..header_bytes + payload_bytes).skip(header_bytes).collect();
            if opcode == BINARY {
                self.text.push_str(&String::from_utf8(payload).expect("text"));
            } else {
                self.control.push((opcode, payload, self.text.len()));
            }
        }
    }

    /// Code of the close frame that has come, and the reason in it.
    fn closed(&self) -> Option<(u16, String)> {
        let (opcode, payload, _) = self.control.last()?;
        assert_eq!((*opcode, self.bytes.len()), (CLOSE, 0), "nothing follows a close frame");
        let (code, reason) = payload.split_first_chunk()?;
        Some((u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).expect("text")))
    }
}

#[test]
fn a_conversation_over_a_websocket_is_the_same() {
    for (step, send_buffer_bytes) in [(1, 1 << 20), (3, 5), (100, 40), (usize::MAX, 1 << 20)] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let witness = enter(&mut server, 1, r#"{"type":"hello","name":"witness"}"#);
        let mut bob = Browser::connect(&mut server, 2, send_buffer_bytes);
        let mut said = opened(r#"{"type":"hello","name":"bob"}"#);
        (0..30).for_each(|n| said.extend(send("hi", n)));
        said.extend(frame(r#"{"type":"whois","name":"bob"}"#));
        said.extend(frame(r#"{"type":"bye"}"#));
        // Messages of a size that no frame of the protocol has, the first in fragments.
        let (first, rest) = said.split_at(41);
        let mut sent = masked(BINARY, &first[..7]);
        sent.extend(masked(FINAL | PING, b"between"));
        sent.extend(masked(CONTINUATION, b""));
        sent.extend(masked(FINAL | CONTINUATION, &first[7..]));
        rest.chunks(57).for_each(|chunk| sent.extend(message(chunk)));
        bob.send(&mut server, &sent, step);
        assert!(bob.text.contains(r#""type":"welcome""#) && bob.text.ends_with(r#""text":"goodbye"}"#), "{}", bob.text);
        assert_eq!(bob.text.matches(r#""text":"hi""#).count(), 30, "{}", bob.text);
        assert!(bob.text.contains(r#""link":"plaintext""#), "{}", bob.text);
        assert_eq!(bob.control[0], (PONG, b"between".to_vec(), 0));
        assert_eq!(bob.closed(), Some((1_000, String::new())));
        assert!(bob.pipe.is_finished() && !bob.pipe.is_closed());
        bob.send(&mut server, &masked(FINAL | CLOSE, &1_000_u16.to_be_bytes()), step);
        assert!(bob.pipe.is_closed() && server.counts().contains("bye=1"), "{}", server.counts());
        assert_eq!(received(&witness).matches(r#""text":"hi""#).count(), 30);
    }
}

#[test]
fn a_websocket_lies_on_top_of_another_layer() {
    for (step, send_buffer_bytes) in [(1, 1 << 20), (100, 40), (usize::MAX, 1 << 20)] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let mut below = Layered::connect(&mut server, send_buffer_bytes);
        below.exchange(&mut server, step);
        let mut said = UPGRADE.as_bytes().to_vec();
        said.extend(message(&opened(r#"{"type":"hello","name":"bob"}"#)));
        (0..40).for_each(|n| said.extend(message(&send(&"x".repeat(4_000), n))));
        said.extend(masked(FINAL | PING, b"last"));
        said.extend(message(&frame(r#"{"type":"bye"}"#)));
        while !said.is_empty() {
            let taken = below.layer.send(&[&said]);
            said.drain(..taken);
            below.exchange(&mut server, step);
        }
        let mut bob = Browser::over(below.pipe.clone());
        bob.bytes = below.take_received();
        bob.take_apart();
        assert_eq!(bob.text.matches(r#""type":"message""#).count(), 40);
        assert_eq!(bob.control[0].1, b"last");
        assert_eq!(bob.closed(), Some((1_000, String::new())));
        assert_eq!(below.layer.state(), LayerState::PeerClosed, "the end of the layer below follows");
    }
}

#[test]
fn pongs_stand_between_messages_however_they_are_written() {
    for step in [1_001, 1_002, 1_007, 4_096, 30_000] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let witness = enter(&mut server, 1, r#"{"type":"hello","name":"witness"}"#);
        let mut bob = Browser::enter(&mut server, 2, "bob");
        // Bob reads nothing while the socket has room for a part of a message.
        let filled: Vec<u8> = "x".repeat(16_000).into_bytes();
        let text = String::from_utf8(filled).expect("text");
        (0..12).for_each(|n| witness.send(&send(&text, n)));
        turn_until_it_waits(&mut server);
        received(&witness);
        bob.pipe.send(&masked(FINAL | PING, b"1"));
        bob.pipe.send(&masked(FINAL | PING, b"2"));
        turn_until_it_waits(&mut server);
        assert!(server.held_bytes_max() < 128 * 1024, "{}", server.held_bytes_max());
        bob.exchange(&mut server, step);
        assert_eq!(bob.text.matches(&text).count(), 12);
        let pongs: Vec<&[u8]> = bob.control.iter().map(|(_, payload, _)| &payload[..]).collect();
        assert_eq!(pongs.last(), Some(&&b"2"[..]), "the newest ping is answered");
        assert!(bob.bytes.is_empty(), "everything is whole frames");
    }
}

#[test]
fn each_ping_is_answered_where_there_is_room() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let mut bob = Browser::connect(&mut server, 1, 1 << 20);
    let pings: Vec<u8> = (0..10_u8).flat_map(|n| masked(FINAL | PING, &[n; 125])).collect();
    bob.send(&mut server, &pings, usize::MAX);
    let payloads: Vec<u8> = bob.control.iter().map(|(opcode, payload, _)| opcode + payload[0]).collect();
    assert_eq!(payloads, (PONG..PONG + 10).collect::<Vec<u8>>());
    bob.send(&mut server, &masked(FINAL | PONG, b"unasked"), 1);
    assert!(!bob.pipe.is_finished(), "an unasked pong is ignored");
    // A storm that nobody reads the answers of.
    let peer = SocketAddr::from(([192, 0, 2, 2], 1));
    let mut eve = Browser::over(server.connect(peer, 400));
    eve.send(&mut server, UPGRADE.as_bytes(), usize::MAX);
    for _ in 0..100 {
        eve.pipe.send(&pings);
        turn_until_it_waits(&mut server);
    }
    eve.send(&mut server, &masked(FINAL | PING, b"last"), usize::MAX);
    assert!(eve.control.len() < 40, "{} pongs", eve.control.len());
    assert_eq!(eve.control.last().map(|(_, payload, _)| payload.clone()), Some(b"last".to_vec()));
}

#[test]
fn who_closes_first_is_answered_with_the_same_code() {
    for (payload, answered) in
        [(&b"\x03\xe8"[..], Some(1_000)), (b"\x03\xe9going", Some(1_001)), (b"\x0f\xa0", Some(4_000)), (b"", None)]
    {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let mut bob = Browser::enter(&mut server, 1, "bob");
        bob.send(&mut server, &[masked(FINAL | CLOSE, payload), b"dropped".to_vec()].concat(), 1);
        assert_eq!(bob.closed().map(|(code, _)| code), answered);
        assert_eq!(bob.control.last().map(|(opcode, _, _)| *opcode), Some(CLOSE));
        assert!(bob.pipe.is_closed() && server.counts().contains("closed=1"), "{}", server.counts());
    }
}

#[test]
fn an_end_without_a_close_frame_is_a_cut() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let bob = Browser::enter(&mut server, 1, "bob");
    bob.pipe.end();
    turn_until_it_waits(&mut server);
    assert!(bob.pipe.is_closed() && server.counts().contains("truncated=1"), "{}", server.counts());
}

#[test]
fn what_breaks_the_rules_is_closed_with_its_code() {
    let unmasked = vec![FINAL | BINARY, 1, b'x'];
    let mut endless = masked(BINARY, b"");
    (0..180_000).for_each(|_| endless.extend(masked(CONTINUATION, b"")));
    let long_ping = [&[FINAL | PING, 0xfe, 0, 126][..], &MASK, &[0; 126]].concat();
    for (bytes, code) in [
        (masked(FINAL | TEXT, b"GLASSLINE2"), 1_003),
        (masked(TEXT, b"GLASS"), 1_003),
        (unmasked, 1_002),
        (masked(0x40 | FINAL | BINARY, b"x"), 1_002),
        (masked(FINAL | 3, b"x"), 1_002),
        (masked(FINAL | CONTINUATION, b"x"), 1_002),
        (long_ping, 1_002),
        (masked(PING, b"x"), 1_002),
        (masked(FINAL | CLOSE, b"\x03"), 1_002),
        (masked(FINAL | CLOSE, b"\x03\xee"), 1_002),
        (masked(FINAL | CLOSE, b"\x03\xe8\xff"), 1_007),
        (endless, 1_009),
        ([&[FINAL | BINARY, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1][..], &MASK].concat(), 1_009),
    ] {
        for is_member in [false, true] {
            let mut server = TestServer::open(unlimited(), None, NOW);
            let witness = enter(&mut server, 1, r#"{"type":"hello","name":"witness"}"#);
            let mut bob = if is_member {
                Browser::enter(&mut server, 2, "bob")
            } else {
                Browser::connect(&mut server, 2, 1 << 20)
            };
            bob.send(&mut server, &bytes, usize::MAX);
            let (closed_with, reason) = bob.closed().expect("a close frame");
            assert_eq!(closed_with, code, "{reason}");
            assert!(!reason.is_empty() && bob.pipe.is_finished() && !bob.pipe.is_closed(), "{reason}");
            assert!(server.counts().contains("link_broken=1"), "{}", server.counts());
            bob.pipe.send(b"more, which is dropped");
            bob.pipe.end();
            turn_until_it_waits(&mut server);
            assert!(bob.pipe.is_closed());
            witness.send(&frame(r#"{"type":"ping"}"#));
            turn_until_it_waits(&mut server);
            assert!(received(&witness).contains("pong"));
        }
    }
}

#[test]
fn a_websocket_carries_the_event_dialect_only() {
    for inner in [&frame("tom")[..], b"\x16\x03\x01", b"GLASSNOISE", PAGE.as_bytes(), b"rubbish"] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let mut bob = Browser::connect(&mut server, 1, 1 << 20);
        bob.send(&mut server, &message(inner), usize::MAX);
        assert!(bob.text.contains(r#""code":"not_an_event""#) && bob.text.contains("GLASSLINE2"), "{}", bob.text);
        assert_eq!(bob.closed(), Some((1_000, String::new())));
        assert!(server.counts().contains("unknown_opening=1"), "{}", server.counts());
    }
}

#[test]
fn a_shutdown_says_goodbye_and_closes() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let mut bob = Browser::enter(&mut server, 1, "bob");
    server.reactor.begin_closing(false);
    let goodbyes = server.reactor.say_goodbye("goodbye all");
    while server.reactor.goodbye_turn(1_000) == Some(0) {}
    server.reactor.drain_all(goodbyes);
    while server.reactor.drain_turn(1_000) == Some(0) {}
    bob.bytes.extend(bob.pipe.take(usize::MAX));
    bob.take_apart();
    assert!(bob.text.contains("goodbye all") && bob.closed() == Some((1_000, String::new())), "{}", bob.text);
}

#[test]
fn a_websocket_without_a_name_ends_as_other_connections_do() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let silent = connect(&mut server, 1);
    server.turn(at(9_000)).expect("goes on");
    silent.send(UPGRADE.as_bytes());
    server.turn(at(9_000)).expect("goes on");
    server.turn(at(18_999)).expect("goes on");
    assert!(!silent.is_closed());
    server.turn(at(19_000)).expect("goes on");
    assert!(silent.is_closed() && server.counts().contains("no_name_in_time=1"), "{}", server.counts());
}

#[test]
fn bytes_around_messages_are_limited_as_messages_are() {
    const SECOND_BYTES: usize = 16 * 1024;
    let ping = masked(FINAL | PING, &[0; 125]);
    let pings = ping.repeat(100 * 1024 / ping.len());
    let part_of_frame = &frame(" ".repeat(256))[..8];
    let padded = part_of_frame.iter().flat_map(|&byte| [&ping.repeat(100)[..], &message(&[byte])].concat());
    let padded: Vec<u8> = padded.collect();
    for (flood, is_named) in [(&pings, true), (&pings, false), (&padded, true)] {
        let mut server = TestServer::open(Config { replay: 0, ..Config::default() }, None, NOW);
        let mut alice = Browser::enter(&mut server, 1, "alice");
        let peer =
            if is_named { Browser::enter(&mut server, 2, "bob") } else { Browser::connect(&mut server, 2, 50_000) };
        peer.pipe.send(flood);
        turn_until_it_waits(&mut server);
        let unread_bytes = peer.pipe.unread_bytes();
        assert!(unread_bytes >= flood.len() - 4 * SECOND_BYTES, "{unread_bytes} of {}", flood.len());
        alice.send(&mut server, &message(&frame(r#"{"type":"ping","ref":"prompt"}"#)), usize::MAX);
        assert!(alice.text.contains("prompt"), "{}", alice.text);
        for _ in 0..4 {
            server.turn(at(2_500)).expect("goes on");
        }
        let read_bytes = unread_bytes - peer.pipe.unread_bytes();
        assert!((1..=3 * SECOND_BYTES).contains(&read_bytes), "{is_named}: {read_bytes} of {unread_bytes}");
    }
}
