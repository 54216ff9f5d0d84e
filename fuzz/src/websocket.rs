//! Frames of a WebSocket: any bytes, in any slicing, give the same payload or the same violation;
//! a server answers with whole frames, however little its socket takes, and others are unmoved.
#![no_main]

use std::net::SocketAddr;

use glassline_hub::Now;
use glassline_server::{Config, TestServer};
use glassline_wire::frame::frame;
use glassline_wire::opening::EVENT_OPENING;
use glassline_wire::timestamp::Timestamp;
use glassline_wire::websocket::{CONTROL_BYTES_MAX, Decoder, FrameHeader, Item, Sender, Violation};
use libfuzzer_sys::fuzz_target;

const MESSAGE_BYTES_MAX: u64 = 1_000;
const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 0 } };

/// Payload, control frames in between, and the violation at the end.
fn read<'a>(sender: Sender, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Option<Violation>) {
    let (mut decoder, mut out) = (Decoder::new(sender, MESSAGE_BYTES_MAX), Vec::new());
    for mut piece in pieces {
        loop {
            match decoder.next(&mut piece) {
                Ok(None) => break,
                Ok(Some(Item::Payload(payload))) => payload.append_to(&mut out),
                Ok(Some(item)) => {
                    if let Item::Ping(payload) | Item::Pong(payload) = &item {
                        assert!(payload.len() <= CONTROL_BYTES_MAX);
                    }
                    out.extend(format!("{item:?}").into_bytes());
                }
                Err(violation) => return (out, Some(violation)),
            }
        }
        assert!(piece.is_empty());
    }
    (out, None)
}

/// Sends bytes to a server over a socket that takes little, and checks what comes.
fn talk(bytes: &[u8], step: usize) {
    let mut server = TestServer::open(Config::default(), None, NOW);
    let witness = server.connect(SocketAddr::from(([127, 0, 0, 1], 1)), 1 << 20);
    witness.send(&[&EVENT_OPENING[..], &frame(br#"{"type":"hello","name":"witness"}"#)].concat());
    let browser = server.connect(SocketAddr::from(([127, 0, 0, 1], 2)), 1 + step);
    let mut sent = Vec::new();
    for piece in [UPGRADE].into_iter().chain(bytes.chunks(1 + step)) {
        browser.send(piece);
        loop {
            server.turn(NOW).expect("goes on");
            let taken = browser.take(usize::MAX);
            sent.extend_from_slice(&taken);
            if taken.is_empty() && server.wait_ms() != Some(0) {
                break;
            }
        }
    }
    let end = sent.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    assert!(sent.starts_with(b"HTTP/1.1 101 "));
    let mut frames = &sent[end + 4..];
    while !frames.is_empty() {
        let (header, header_bytes) = FrameHeader::decode(frames, Sender::Server).expect("a frame").expect("a header");
        assert!(header.is_final);
        frames = &frames[header_bytes + usize::try_from(header.payload_bytes).expect("short")..];
    }
    assert!(!server.counts().contains("session_failed"), "{}", server.counts());
    witness.send(&frame(br#"{"type":"ping"}"#));
    server.turn(NOW).expect("goes on");
    assert!(witness.take(usize::MAX).windows(4).any(|window| window == b"pong"));
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&step, stream)) = bytes.split_first() else { return };
    for sender in [Sender::Client, Sender::Server] {
        let whole = read(sender, std::iter::once(stream));
        assert_eq!(whole, read(sender, stream.chunks(1 + usize::from(step))));
    }
    talk(stream, usize::from(step));
});
