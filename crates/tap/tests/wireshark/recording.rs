//! A seeded session with edits, drops, large frames and each kind of end.

use std::path::PathBuf;

use glassline_tap::{Addresses, Direction, End, Recorder, Side};
use glassline_testkit::frame::frame;
use glassline_testkit::{Folder, Rng, seed_or};

use crate::tools::{fields, frames, has_tshark, tshark};

const AT_US: u64 = 1_764_429_300_000_000;
/// Experts of Wireshark that a recording must not have.
const FAULTS: &str = "_ws.malformed || tcp.analysis.retransmission || tcp.analysis.out_of_order || \
                      tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.window_full || \
                      tcp.analysis.duplicate_ack || tcp.analysis.zero_window || tcp.analysis.reused_ports || \
                      ip.checksum.status == 0 || tcp.checksum.status == 0";
const CHECKSUMS: [&str; 4] = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];

fn addresses(is_ipv6: bool, port: u16) -> Addresses {
    let host = if is_ipv6 { "[::1]" } else { "127.0.0.1" };
    let address = |port: u16| format!("{host}:{port}").parse().expect("an address");
    Addresses { client: address(port), listen: address(1235), local: address(port + 10_000), server: address(1234) }
}

/// One connection with many texts in random pieces; the server answers with one large event.
fn talk(recorder: &mut Recorder, number: u64, rng: &mut Rng) {
    // Two connections use the same ports, one after the other.
    let port = 40_000 + number as u16 % 5;
    recorder.opened(number, &addresses(number.is_multiple_of(2), port), AT_US).expect("written");
    let hello = frame(format!("{{\"type\":\"hello\",\"name\":\"user{number}\"}}"));
    let mut sent = [b"GLASSLINE2".to_vec(), hello].concat();
    for text in 0..rng.between(1, 30) {
        let words = "ü".repeat(rng.magnitude(3_000) as usize);
        sent.extend(frame(format!("{{\"type\":\"send\",\"room\":\"lobby\",\"text\":\"{text} {words}\"}}")));
    }
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rng.between(1, rest.len().min(9_000) as u64) as usize);
        recorder.relayed(number, Direction::ToServer, chunk, AT_US + number).expect("written");
        rest = after;
    }
    let large = frame(format!("{{\"type\":\"message\",\"from\":\"bob\",\"text\":\"{}\"}}", "y".repeat(102_000)));
    recorder.relayed(number, Direction::ToClient, &large, AT_US + number).expect("written");
    let end = rng.pick(&[End::Finished, End::Reset]);
    for direction in [Direction::ToClient, Direction::ToServer] {
        let arrival = Side::of_arrival(direction);
        let left = if arrival == Side::Client { Side::Server } else { Side::Client };
        for side in [arrival, left] {
            recorder.ended(number, side, direction, end, AT_US + number).expect("written");
        }
    }
}

fn recorded() -> (Folder, PathBuf) {
    let mut rng = Rng::new(seed_or(12));
    let folder = Folder::new();
    let path = folder.join("session.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    for number in 1..=10 {
        talk(&mut recorder, number, &mut rng);
    }
    // A tutorial client whose second text is edited and whose third one is dropped.
    recorder.opened(11, &addresses(false, 45_000), AT_US).expect("written");
    recorder.relayed(11, Direction::ToServer, &[frame("alice"), frame("one")].concat(), AT_US).expect("written");
    let mut data = |side, bytes: &[u8], comment| {
        recorder.data(11, side, Direction::ToServer, bytes, AT_US, comment).expect("written");
    };
    data(Side::Client, &frame("two"), None);
    data(Side::Server, &frame("2"), Some("rule shorter: edited text"));
    data(Side::Client, &frame("three"), Some("rule quiet: dropped"));
    recorder.relayed(11, Direction::ToClient, &[frame("bob"), frame("hi alice")].concat(), AT_US).expect("written");
    recorder.relayed(11, Direction::ToServer, b"/exit", AT_US).expect("written");
    recorder.finish().expect("written");
    (folder, path)
}

#[test]
fn tshark_finds_no_fault_in_a_recording() {
    if !has_tshark() {
        return;
    }
    let (_folder, path) = recorded();
    let faults = tshark(&path, &[&CHECKSUMS[..], &["-Y", FAULTS]].concat());
    assert_eq!(faults, "");
    let names = ["frame.interface_name", "tcp.checksum.status", "tcp.stream", "tcp.flags.str"];
    let packets = fields(&path, &names, &CHECKSUMS);
    assert!(packets.len() > 400, "{}", packets.len());
    assert!(packets.iter().all(|packet| packet[1] == "1"), "each checksum is good");
    let on = |side: Side| packets.iter().filter(|packet| packet[0] == side.interface_name()).count();
    assert_eq!(on(Side::Client) + on(Side::Server), packets.len());
    assert_eq!(on(Side::Client), on(Side::Server) + 1, "one packet was dropped");
    // A connection of the tap is two of TCP, also where ports are used again.
    let streams = packets.iter().map(|packet| packet[2].parse::<u32>().expect("a number")).max();
    assert_eq!(streams, Some(2 * 11 - 1));
    // The first pass learns what comes later.
    let opening = ["-2", "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0"];
    let conversations = fields(&path, &["tcp.completeness"], &opening);
    // 1 SYN, 2 SYN/ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
    assert!(conversations[..20].iter().all(|one| one[0] == "31" || one[0] == "47"), "{conversations:?}");
}

#[test]
fn tshark_sees_a_reset_after_a_half_close() {
    if !has_tshark() {
        return;
    }
    let folder = Folder::new();
    let path = folder.join("reset.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    recorder.opened(1, &addresses(true, 45_000), AT_US).expect("written");
    for end in [End::Finished, End::Reset] {
        recorder.relayed(1, Direction::ToClient, &frame("bob"), AT_US).expect("written");
        for side in Side::BOTH {
            recorder.ended(1, side, Direction::ToServer, end, AT_US).expect("written");
        }
    }
    recorder.finish().expect("written");
    assert_eq!(tshark(&path, &[&CHECKSUMS[..], &["-Y", FAULTS]].concat()), "");
    let ends =
        fields(&path, &["tcp.flags.fin", "tcp.flags.reset"], &["-Y", "tcp.flags.fin == 1 || tcp.flags.reset == 1"]);
    let (fin, reset) = (["1", "0"], ["0", "1"]);
    assert_eq!(ends, [fin, fin, reset, reset]);
}

#[test]
fn tshark_shows_frames_comments_and_both_sides() {
    if !has_tshark() {
        return;
    }
    let (_folder, path) = recorded();
    let comments = fields(&path, &["frame.interface_name", "frame.comment"], &["-Y", "frame.comment"]);
    assert_eq!(comments, [["server side", "rule shorter: edited text"], ["client side", "rule quiet: dropped"]]);
    let side = |side: Side| {
        let filter =
            format!("glassline.dialect == \"tutorial\" && frame.interface_name == \"{}\"", side.interface_name());
        let said = frames(&path, &filter).into_iter().map(|(_, frame)| {
            let field = |name: &str| frame[format!("glassline.{name}")].as_str().unwrap_or_default().to_owned();
            [
                field("number"),
                field("header"),
                field("type"),
                field("name"),
                field("from"),
                field("text"),
                field("exit"),
            ]
            .join("|")
        });
        said.collect::<Vec<_>>()
    };
    let (name, one) = ("1|5         |name|alice|||", "2|3         |text||alice|one|");
    let (bob, hi) = ("1|3         |name|bob|||", "2|8         |text||bob|hi alice|");
    let (two, three) = ("3|3         |text||alice|two|", "4|5         |text||alice|three|");
    assert_eq!(side(Side::Client), [name, one, two, three, bob, hi, "5||||alice||/exit"]);
    assert_eq!(side(Side::Server), [name, one, "3|1         |text||alice|2|", bob, hi, "4||||alice||/exit"]);

    let large = frames(&path, "glassline.length > 100000");
    assert_eq!(large.len(), 20, "one on each side of ten connections");
    assert!(large.iter().all(|(_, frame)| frame["glassline.text"].as_str() == Some(&"y".repeat(102_000))));
    assert_eq!(
        frames(&path, "glassline.opening == \"GLASSLINE2\"")
            .iter()
            .filter(|f| f.1["glassline.opening"].is_string())
            .count(),
        20
    );
    assert_eq!(tshark(&path, &["-Y", "glassline.not_a_frame || glassline.not_json || glassline.raw"]), "");
}

#[test]
fn the_dissector_gives_the_same_in_two_passes() {
    if !has_tshark() {
        return;
    }
    let (_folder, path) = recorded();
    let names = ["frame.number", "glassline.number", "glassline.type", "glassline.from", "glassline.text"];
    let once = fields(&path, &names, &["-Y", "glassline"]);
    assert_eq!(fields(&path, &names, &["-2", "-Y", "glassline"]), once);
    // The client's side is at port 1235, which is no server's: it is recognised by its first bytes.
    let ports = fields(&path, &names, &["-o", "glassline.ports:1,1200-1300", "-Y", "glassline"]);
    assert_eq!(ports, once);
}

#[test]
fn hostile_bytes_reach_no_terminal() {
    if !has_tshark() {
        return;
    }
    let folder = Folder::new();
    let path = folder.join("hostile.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    let hostile = b"a\x1b]52;c;aGk=\x07b\xff\xfe\x00c\xc2\x9b31m\r\n\xe2\x80\xaed";
    let escaped = b"{\"type\":\"send\",\"text\":\"a\\u001b]52;c;aGk=\\u0007\\u0000b\\u009b31m\\r\\n\\u202ec\\ud800\"}";
    let texts: [(&[u8], &[u8]); 2] = [(b"", hostile), (b"GLASSLINE2", escaped)];
    for (number, (opening, text)) in (1..).zip(texts) {
        recorder.opened(number, &addresses(false, 40_000 + number as u16), AT_US).expect("written");
        let sent = [opening.to_vec(), frame(text), frame(text)].concat();
        let comment = "rule \u{1b}]52;c;aGk=\u{7}: edited";
        recorder.data(number, Side::Server, Direction::ToServer, &sent, AT_US, Some(comment)).expect("written");
    }
    recorder.finish().expect("written");
    for arguments in
        [&["-Y", "glassline"][..], &["-V"], &["-T", "fields", "-e", "glassline.text", "-e", "glassline.name"]]
    {
        let output = tshark(&path, arguments);
        assert!(output.contains("]52;c;aGk="), "{arguments:?}");
        let is_hostile = |line: &&str| line.chars().any(|c| c.is_control() && c != '\t' || c == '\u{202e}');
        assert_eq!(output.split('\n').find(is_hostile), None, "{arguments:?}");
    }
}

#[test]
fn a_websocket_is_dissected_on_both_sides_and_in_two_passes() {
    if !has_tshark() {
        return;
    }
    let folder = Folder::new();
    let path = folder.join("websocket.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    recorder.opened(1, &addresses(false, 40_000), AT_US).expect("written");
    let request = b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let masked = |content: &[u8]| {
        let payload = content.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [0x82, 0x80 | content.len() as u8, 1, 2, 3, 4].into_iter().chain(payload).collect::<Vec<u8>>()
    };
    let hello = frame(r#"{"type":"hello","name":"bob"}"#);
    let send = frame(r#"{"type":"send","room":"lobby","text":"noon"}"#);
    let welcome = frame(r#"{"type":"welcome","name":"bob"}"#);
    let answer = [&[0x82, welcome.len() as u8][..], &welcome].concat();
    for (direction, bytes) in [
        (Direction::ToServer, request.to_vec()),
        (Direction::ToClient, response.to_vec()),
        (Direction::ToServer, [masked(b"GLASSLINE2"), masked(&hello[..7]), masked(&hello[7..])].concat()),
        (Direction::ToClient, answer),
        // A frame over two messages in two packets.
        (Direction::ToServer, masked(&send[..20])),
        (Direction::ToServer, masked(&send[20..])),
    ] {
        recorder.relayed(1, direction, &bytes, AT_US).expect("written");
    }
    recorder.finish().expect("written");
    let names = ["frame.interface_id", "glassline.direction", "glassline.number", "glassline.type", "glassline.text"];
    let once = fields(&path, &names, &["-Y", "glassline"]);
    let side = |interface: &str| {
        [
            [interface, "to_server;to_server", "1;2", "hello", ""].map(str::to_owned).to_vec(),
            [interface, "to_client", "1", "welcome", ""].map(str::to_owned).to_vec(),
            [interface, "to_server", "3", "send", "noon"].map(str::to_owned).to_vec(),
        ]
    };
    for interface in ["0", "1"] {
        let found: Vec<_> = once.iter().filter(|row| row[0] == interface).cloned().collect();
        assert_eq!(found, side(interface));
    }
    assert_eq!(fields(&path, &names, &["-2", "-Y", "glassline"]), once);
    assert_eq!(tshark(&path, &["-Y", "_ws.malformed || glassline.not_a_frame || glassline.not_json"]), "");
}
