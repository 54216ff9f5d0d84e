use std::fs;

use glassline_testkit::{Folder, Rng, for_each_seed, frame};

use super::*;
use crate::frame::{Dialect, FrameKind, RawReason};
use crate::meaning::Reader;
use crate::recording::{Addresses, Recorder};

const AT_US: u64 = 1_764_429_300_123_456;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name)).expect("a capture")
}

fn read(bytes: &[u8]) -> Capture {
    Capture::read(bytes).expect("a capture")
}

/// Words of a connection, as "speaker: text" with the number of the packet.
fn words(connection: &CapturedConnection) -> Vec<(String, u64)> {
    let mut reader = Reader::default();
    let frames = connection.frames.iter().map(|captured| {
        let meaning = reader.read(&captured.frame);
        let text = meaning.text.unwrap_or(meaning.kind);
        (format!("{}: {}", meaning.speaker.unwrap_or_default(), text), captured.packet)
    });
    frames.collect()
}

fn addresses(number: u64) -> Addresses {
    let address = |text: String| text.parse().expect("an address");
    Addresses {
        client: address(format!("127.0.0.1:{}", 40_000 + number % 10)),
        listen: address("127.0.0.1:1235".into()),
        local: address(format!("[::1]:{}", 50_000 + number % 10)),
        server: address("[::1]:1234".into()),
    }
}

/// Records into a file, and returns its bytes.
fn recorded(record: impl FnOnce(&mut Recorder)) -> Vec<u8> {
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    record(&mut recorder);
    recorder.finish().expect("written");
    fs::read(&path).expect("the file")
}

/// A recording of one connection with the name `alice` and these texts, each in a packet.
fn recorded_texts(texts: &[&str]) -> Vec<u8> {
    recorded(|recorder| {
        recorder.opened(1, &addresses(1), AT_US).expect("written");
        for text in ["alice"].iter().chain(texts) {
            recorder.relayed(1, Direction::ToServer, &frame::frame(text), AT_US).expect("written");
        }
    })
}

/// Packets of a little-endian pcapng file, as (interface, bytes).
fn packets_of(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let u32_at = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let (mut packets, mut at) = (Vec::new(), 0);
    while at < file.len() {
        if u32_at(at) == 6 {
            packets.push((u32_at(at + 8), file[at + 28..at + 28 + u32_at(at + 20) as usize].to_vec()));
        }
        at += u32_at(at + 4) as usize;
    }
    packets
}

/// A classic pcap file of the packets, with a header before each of them.
fn pcap(link: u32, header: &[u8], packets: &[Vec<u8>], is_big_endian: bool) -> Vec<u8> {
    let number = |value: u32| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let version = if is_big_endian { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
    let mut file = [number(0xa1b2_c3d4), version, number(0), number(0), number(262_144), number(link)].concat();
    for packet in packets {
        let length = (header.len() + packet.len()) as u32;
        file.extend([number(1_764_429_300), number(123_456), number(length), number(length)].concat());
        file.extend([header, packet].concat());
    }
    file
}

#[test]
fn captures_of_other_tools_are_read() {
    let names = [
        ("tcpdump-ethernet-ipv4.pcap", 0),
        ("tcpdump-ethernet-ipv6-ns.pcap", 0),
        ("tcpdump-sll2-ipv4.pcap", 0),
        ("tcpdump-sll-ipv6.pcap", 0),
        ("dumpcap-ethernet-ipv4.pcapng", 0),
    ];
    for (name, rejected) in names {
        let capture = read(&fixture(name));
        assert_eq!((capture.packets(), capture.end(), capture.rejected().len()), (26, CaptureEnd::Whole, rejected));
        assert!(capture.unknown_links().is_empty());
        let connections: Vec<_> = capture.connections(Side::Server).collect();
        let [tutorial, event] = connections[..] else { panic!("{name}: {connections:?}") };
        let said = |words: &str, packet: u64| (words.to_owned(), packet);
        let expected = [said("alice: name", 6), said("alice: hello", 8), said("alice: bye", 8), said("bob: name", 10)];
        assert_eq!(words(tutorial)[..4], expected, "{name}");
        assert_eq!(words(tutorial)[4..], [said("bob: hi alice", 10)]);
        assert_eq!(tutorial.ends, [Some(End::Reset); 2]);
        assert_eq!((tutorial.server.port(), tutorial.number, event.number), (1_234, 1, 2));
        let expected =
            [said(": opening", 18), said("carol: hello", 18), said(&format!("carol: {}", "x".repeat(3_000)), 20)];
        assert_eq!(words(event)[..3], expected, "{name}");
        assert_eq!(words(event)[3..], [said("dave: hi", 22)]);
        let year_us = 31_557_600_000_000;
        assert!((50..80).contains(&(event.frames[0].frame.at_us / year_us)), "{}", event.frames[0].frame.at_us);
    }
}

#[test]
fn a_connection_with_cut_packets_is_refused() {
    let capture = read(&fixture("tcpdump-snaplen.pcap"));
    let reasons: Vec<_> = capture.rejected().iter().map(|rejected| (rejected.number, rejected.reason)).collect();
    // Of 96 bytes, 30 are of the stream: the server's pair has 31.
    let gap = |direction, offset| Rejection::Gap { direction, offset };
    assert_eq!(reasons, [(1, gap(Direction::ToClient, 30)), (2, gap(Direction::ToServer, 30))]);
    let text = reasons[0].1.to_string();
    assert!(text.starts_with("bytes to the client from 30 on were not captured"), "{text}");
}

#[test]
fn what_was_recorded_is_read_back_on_both_sides() {
    for_each_seed(0..30, |mut rng: Rng| {
        let mut sent = Vec::new();
        let file = recorded(|recorder| {
            for number in 1..=12 {
                recorder.opened(number, &addresses(number), AT_US).expect("written");
                let texts: Vec<Vec<u8>> =
                    (0..rng.between(1, 9)).map(|_| vec![b'x'; rng.magnitude(16_000) as usize]).collect();
                let bytes: Vec<u8> = [b"alice".to_vec()].iter().chain(&texts).flat_map(frame::frame).collect();
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (chunk, after) = rest.split_at(rng.between(1, rest.len() as u64) as usize);
                    recorder.relayed(number, Direction::ToServer, chunk, AT_US + number).expect("written");
                    rest = after;
                }
                let end = rng.pick(&[End::Finished, End::Reset]);
                for (side, direction) in Side::BOTH.into_iter().flat_map(|side| Direction::BOTH.map(|to| (side, to))) {
                    recorder.ended(number, side, direction, end, AT_US).expect("written");
                }
                sent.push((texts, end));
            }
        });
        let capture = read(&file);
        assert!(capture.rejected().is_empty() && capture.end() == CaptureEnd::Whole);
        for side in Side::BOTH {
            let connections: Vec<_> = capture.connections(side).collect();
            assert_eq!(connections.len(), sent.len());
            for (connection, (texts, end)) in connections.iter().zip(&sent) {
                let payloads: Vec<_> = connection.frames[1..].iter().map(|frame| frame.frame.payload()).collect();
                assert_eq!(payloads, texts.iter().map(|text| &text[..]).collect::<Vec<_>>());
                assert_eq!(connection.ends, [Some(*end); 2]);
                assert!(connection.frames.iter().all(|frame| frame.frame.at_us == AT_US + connection.number));
                assert_eq!(connection.frames[0].frame.connection, connection.number);
            }
        }
    });
}

#[test]
fn the_sides_of_a_recording_differ_where_the_tap_edited() {
    let file = recorded(|recorder| {
        recorder.opened(1, &addresses(1), AT_US).expect("written");
        recorder.relayed(1, Direction::ToServer, &frame::frame("alice"), AT_US).expect("written");
        recorder.data(1, Side::Client, Direction::ToServer, &frame::frame("yes"), AT_US, None).expect("written");
        recorder.data(1, Side::Server, Direction::ToServer, &frame::frame("no"), AT_US, Some("edit")).expect("written");
        recorder
            .data(1, Side::Client, Direction::ToServer, &frame::frame("lost"), AT_US, Some("drop"))
            .expect("written");
    });
    let capture = read(&file);
    let side = |side| capture.connections(side).map(words).collect::<Vec<_>>().concat();
    let said = |words: &str, packet: u64| (words.to_owned(), packet);
    assert_eq!(side(Side::Client), [said("alice: name", 7), said("alice: yes", 9), said("alice: lost", 11)]);
    assert_eq!(side(Side::Server), [said("alice: name", 8), said("alice: no", 10)]);
}

#[test]
fn every_link_type_and_byte_order_gives_the_same() {
    let file = recorded_texts(&["one", "two"]);
    let on = |interface: u32| packets_of(&file).into_iter().filter(move |packet| packet.0 == interface);
    for (interface, ether_type, family) in [(0, [8, 0], 2_u32), (1, [0x86, 0xdd], 30)] {
        let packets: Vec<Vec<u8>> = on(interface).map(|packet| packet.1).collect();
        let ethernet = [&[0; 12][..], &ether_type].concat();
        let vlan = [&[0; 12][..], &[0x81, 0, 0, 5], &ether_type].concat();
        let sll = [&[0; 14][..], &ether_type].concat();
        let sll2 = [&ether_type[..], &[0; 18]].concat();
        let links: [(u32, &[u8]); 9] = [
            (0, &family.to_le_bytes()),
            (0, &family.to_be_bytes()),
            (108, &family.to_be_bytes()),
            (1, &ethernet),
            (1, &vlan),
            (12, &[]),
            (101, &[]),
            (113, &sll),
            (276, &sll2),
        ];
        for (link, header) in links {
            for is_big_endian in [false, true] {
                let capture = read(&pcap(link, header, &packets, is_big_endian));
                let texts: Vec<_> = capture.connections(Side::Client).flat_map(words).map(|word| word.0).collect();
                assert_eq!(texts, ["alice: name", "alice: one", "alice: two"], "link type {link}");
                assert_eq!(capture.connections[0].frames[0].frame.at_us, AT_US);
            }
        }
    }
    let packets: Vec<Vec<u8>> = on(0).map(|packet| packet.1).collect();
    let capture = read(&pcap(147, &[], &packets, false));
    assert_eq!(capture.unknown_links(), &BTreeMap::from([(147, packets.len() as u64)]));
}

#[test]
fn shuffled_and_repeated_packets_give_the_same_frames() {
    let texts: Vec<String> = (0..40).map(|number| "x".repeat(number * 7 % 50 + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let file = recorded_texts(&texts);
    let packets: Vec<Vec<u8>> = packets_of(&file).into_iter().filter(|packet| packet.0 == 0).map(|p| p.1).collect();
    let in_order = read(&pcap(101, &[], &packets, false));
    for_each_seed(0..50, |mut rng: Rng| {
        let mut shuffled: Vec<_> = packets.clone();
        // The handshake stays in front: a connection begins with it.
        shuffled.extend(packets[3..].iter().filter(|_| rng.once_in(3)).cloned());
        for index in (4..shuffled.len()).rev() {
            shuffled.swap(index, 3 + rng.index(index - 2));
        }
        let capture = read(&pcap(101, &[], &shuffled, false));
        let frames = |capture: &Capture| -> Vec<Frame> {
            capture.connections[0].frames.iter().map(|frame| frame.frame.clone()).collect()
        };
        assert_eq!(frames(&capture), frames(&in_order));
    });
}

#[test]
fn a_lost_packet_refuses_its_connection_only() {
    let file = recorded(|recorder| {
        for number in [1, 2] {
            recorder.opened(number, &addresses(number), AT_US).expect("written");
            for text in ["alice", "one", "two"] {
                recorder.relayed(number, Direction::ToServer, &frame::frame(text), AT_US).expect("written");
            }
        }
    });
    let mut packets: Vec<Vec<u8>> = packets_of(&file).into_iter().filter(|packet| packet.0 == 0).map(|p| p.1).collect();
    packets.remove(4);
    let capture = read(&pcap(101, &[], &packets, false));
    assert_eq!(capture.connections(Side::Client).map(|connection| connection.number).collect::<Vec<_>>(), [2]);
    let gap = Rejection::Gap { direction: Direction::ToServer, offset: 15 };
    assert_eq!(capture.rejected().iter().map(|rejected| rejected.reason).collect::<Vec<_>>(), [gap]);
    packets.drain(..3);
    let capture = read(&pcap(101, &[], &packets, false));
    assert_eq!(capture.rejected()[0].reason, Rejection::NoBeginning);
    let capture = read(&pcap(101, &[], &packets_of(&file)[..1].iter().map(|p| p.1.clone()).collect::<Vec<_>>(), false));
    assert_eq!(capture.rejected()[0].reason, Rejection::NotOpened);
}

#[test]
fn a_port_that_is_used_again_is_another_connection() {
    let file = recorded(|recorder| {
        for number in [1, 11, 21] {
            recorder.opened(number, &addresses(number), AT_US).expect("written");
            let name = format!("user{number}");
            recorder.relayed(number, Direction::ToServer, &frame::frame(name), AT_US).expect("written");
            if number == 1 {
                recorder.ended(number, Side::Client, Direction::ToServer, End::Reset, AT_US).expect("written");
            }
        }
    });
    let capture = read(&file);
    let words: Vec<_> = capture.connections(Side::Client).map(|connection| words(connection)[0].0.clone()).collect();
    assert_eq!(words, ["user1: name", "user11: name", "user21: name"]);
}

#[test]
fn of_a_truncated_file_the_whole_packets_are_used() {
    let file = recorded_texts(&["one", "two"]);
    // Blocks have lengths that are multiples of four, so every seventh length is at any place in
    // one.
    for length in (0..file.len()).step_by(7) {
        let Ok(capture) = Capture::read(&file[..length]) else {
            assert!(length < 60, "{length}: the section is known");
            continue;
        };
        let whole = packets_of(&file[..length - length_of_rest(&file, length)]);
        match capture.end() {
            CaptureEnd::Whole => assert_eq!(length_of_rest(&file, length), 0),
            CaptureEnd::Truncated { packets } => assert_eq!(packets, whole.len() as u64),
            CaptureEnd::Damaged { .. } => panic!("{length}"),
        }
        assert_eq!(capture.packets(), whole.len() as u64);
        let words: Vec<_> = capture.connections(Side::Client).flat_map(words).collect();
        let data = whole.iter().filter(|packet| packet.0 == 0).count().saturating_sub(3);
        assert_eq!(words.len(), data);
    }
}

/// Bytes behind the last whole block among the first `length` bytes of a file.
fn length_of_rest(file: &[u8], length: usize) -> usize {
    let mut at = 0;
    while at + 8 <= length {
        let block = u32::from_le_bytes(file[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        if at + block > length {
            break;
        }
        at += block;
    }
    length - at
}

#[test]
fn a_damaged_file_is_read_up_to_the_damage() {
    let file = recorded_texts(&["one", "two"]);
    let last = file.len() - length_of_rest(&file, file.len() - 1) - 1;
    let damages: [(usize, &[u8]); 3] = [(4, &[13, 0, 0, 0]), (20, &[0, 0, 1, 0]), (20, &[0xff; 4])];
    for (at, damage) in damages {
        let mut broken = file.clone();
        broken[last + at..last + at + damage.len()].copy_from_slice(damage);
        broken.extend(&file[last..]);
        let capture = read(&broken);
        assert_eq!(capture.end(), CaptureEnd::Damaged { packets: read(&file).packets() - 1 }, "{at}");
        let words: Vec<_> = capture.connections(Side::Client).flat_map(words).map(|word| word.0).collect();
        assert_eq!(words, ["alice: name", "alice: one", "alice: two"]);
    }
    for nothing in [&b""[..], b"hello, this is no capture at all; it only is long enough to be one"] {
        assert!(matches!(Capture::read(nothing), Err(CaptureError::NotACapture)));
    }
}

#[test]
fn memory_is_bounded() {
    let file = recorded(|recorder| {
        for number in 1..=9 {
            recorder.opened(number, &addresses(number), AT_US).expect("written");
            let bytes = frame::frame("x".repeat(if number == 2 { 10_000 } else { 1_000 }));
            recorder.relayed(number, Direction::ToServer, &bytes, AT_US).expect("written");
        }
    });
    let capture = Capture::read_within(18_000, &file[..]).expect("a capture");
    assert!(capture.rejected().iter().any(|rejected| matches!(rejected.reason, Rejection::TooLarge { .. })));
    let held: usize = capture.connections.iter().flat_map(|c| &c.frames).map(|frame| frame.frame.bytes.len()).sum();
    assert!(held < 18_000 && capture.omitted() > 0, "{held}");
    assert!(read(&file).rejected().is_empty());
}

#[test]
fn bytes_that_are_no_chat_are_opaque() {
    let file = recorded(|recorder| {
        recorder.opened(1, &addresses(1), AT_US).expect("written");
        recorder.relayed(1, Direction::ToServer, b"SSH-2.0-x\r\n", AT_US).expect("written");
    });
    let capture = read(&file);
    let frames: Vec<_> = capture.connections(Side::Client).flat_map(|connection| &connection.frames).collect();
    assert_eq!((frames[0].frame.kind, frames[0].frame.dialect), (FrameKind::Raw(RawReason::Opaque), Dialect::Unknown));
}

#[test]
fn any_damage_gives_whole_streams_or_a_reason() {
    let names = ["tcpdump-sll2-ipv4.pcap", "tcpdump-ethernet-ipv6-ns.pcap", "dumpcap-ethernet-ipv4.pcapng"];
    let files = names.map(fixture).into_iter().chain([recorded_texts(&["one", "two"])]).collect::<Vec<_>>();
    for_each_seed(0..200, |mut rng: Rng| {
        let mut file = files[rng.index(files.len())].clone();
        for _ in 0..rng.between(1, 8) {
            let at = rng.index(file.len());
            match rng.below(4) {
                0 => file[at] = rng.pick(&[0, 1, 0x7f, 0x80, 0xff]),
                1 => file[at] ^= 1 << rng.below(8),
                2 => drop(file.remove(at)),
                _ => file.insert(at, rng.next_u64() as u8),
            }
        }
        let Ok(capture) = Capture::read(&file[..]) else { return };
        for connection in Side::BOTH.into_iter().flat_map(|side| capture.connections(side)) {
            for direction in Direction::BOTH {
                let mut passed = 0;
                for frame in connection.frames.iter().map(|captured| &captured.frame) {
                    if frame.direction == direction {
                        assert_eq!(frame.offset, passed);
                        passed += frame.bytes.len() as u64;
                    }
                }
            }
        }
    });
}
