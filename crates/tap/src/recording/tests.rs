use std::fs;

use etherparse::{NetSlice, SlicedPacket, TcpSlice, TransportSlice};
use glassline_testkit::Folder;

use super::*;

const AT_US: u64 = 1_764_429_300_123_456;

/// A packet as it is in the file.
#[derive(Debug, PartialEq, Eq)]
struct Recorded {
    interface: u32,
    source: SocketAddr,
    flags: String,
    sequence: u32,
    acknowledgement: u32,
    payload: Vec<u8>,
    comment: Option<String>,
    bound: u32,
}

fn addresses() -> Addresses {
    let address = |text: &str| text.parse().expect("an address");
    Addresses {
        client: address("127.0.0.1:40000"),
        listen: address("127.0.0.1:1235"),
        local: address("[::1]:40001"),
        server: address("[::1]:1234"),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Blocks of a file as (type, content); the lengths before and after each are equal.
fn blocks(file: &[u8]) -> Vec<(u32, &[u8])> {
    let mut blocks = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let length = u32_at(rest, 4) as usize;
        assert_eq!(length, u32_at(rest, length - 4) as usize);
        blocks.push((u32_at(rest, 0), &rest[8..length - 4]));
        rest = &rest[length..];
    }
    blocks
}

/// Options of a block as (code, value).
fn options(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut options = Vec::new();
    while bytes.len() >= 4 {
        let field = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let (code, length) = (field(0), usize::from(field(2)));
        options.push((code, bytes[4..4 + length].to_vec()));
        bytes = &bytes[4 + length.next_multiple_of(4)..];
    }
    options
}

fn flags(tcp: &TcpSlice<'_>) -> String {
    let flags = [('S', tcp.syn()), ('F', tcp.fin()), ('R', tcp.rst()), ('P', tcp.psh()), ('A', tcp.ack())];
    flags.iter().filter(|flag| flag.1).map(|flag| flag.0).collect()
}

fn packet(content: &[u8]) -> Recorded {
    let length = u32_at(content, 12) as usize;
    let options = options(&content[20 + length.next_multiple_of(4)..]);
    let option = |code: u16| options.iter().find(|option| option.0 == code).map(|option| option.1.clone());
    let sliced = SlicedPacket::from_ip(&content[20..20 + length]).expect("a packet");
    let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { panic!("no TCP") };
    let source: SocketAddr = match sliced.net.expect("IP") {
        NetSlice::Ipv4(ip) => {
            let header = ip.header().to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum());
            let checksum = tcp.calc_checksum_ipv4(ip.header().source(), ip.header().destination());
            assert_eq!(checksum, Ok(tcp.checksum()));
            (header.source, tcp.source_port()).into()
        }
        NetSlice::Ipv6(ip) => {
            let checksum = tcp.calc_checksum_ipv6(ip.header().source(), ip.header().destination());
            assert_eq!(checksum, Ok(tcp.checksum()));
            (ip.header().source(), tcp.source_port()).into()
        }
        NetSlice::Arp(_) => panic!("no IP"),
    };
    Recorded {
        interface: u32_at(content, 0),
        source,
        flags: flags(&tcp),
        sequence: tcp.sequence_number(),
        acknowledgement: tcp.acknowledgment_number(),
        payload: tcp.payload().to_vec(),
        comment: option(1).map(|text| String::from_utf8(text).expect("UTF-8")),
        bound: u32_at(&option(2).expect("epb_flags"), 0),
    }
}

fn packets(file: &[u8]) -> Vec<Recorded> {
    blocks(file).iter().filter(|block| block.0 == 6).map(|block| packet(block.1)).collect()
}

/// Records into a file, and returns its bytes.
fn recorded(record: impl FnOnce(&mut Recorder)) -> Vec<u8> {
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    recorder.opened(1, &addresses(), AT_US).expect("written");
    record(&mut recorder);
    let packets = recorder.finish().expect("written");
    let bytes = fs::read(&path).expect("the file");
    assert_eq!(blocks(&bytes).len() as u64, packets + 3);
    bytes
}

fn on(packets: &[Recorded], interface: u32) -> Vec<&Recorded> {
    packets.iter().filter(|packet| packet.interface == interface).collect()
}

fn received(packets: &[Recorded], interface: u32) -> Vec<u8> {
    on(packets, interface).into_iter().flat_map(|packet| packet.payload.clone()).collect()
}

#[test]
fn a_file_has_one_section_and_two_named_interfaces() {
    let file = recorded(|_| ());
    let blocks = blocks(&file);
    assert_eq!(blocks[0].0, 0x0a0d_0d0a);
    let names: Vec<_> = blocks[1..3].iter().map(|block| (block.0, options(&block.1[8..])[0].clone())).collect();
    assert_eq!(names, [(1, (2, b"client side".to_vec())), (1, (2, b"server side".to_vec()))]);
    assert_eq!(u32_at(blocks[1].1, 0), 101, "the link type is RAW");
    let at_us = (u64::from(u32_at(blocks[3].1, 4)) << 32) | u64::from(u32_at(blocks[3].1, 8));
    assert_eq!(at_us, AT_US);
}

#[test]
fn both_sides_are_whole_tcp_connections() {
    let file = recorded(|recorder| {
        recorder.relayed(1, Direction::ToServer, b"5         alice", AT_US).expect("written");
        recorder.relayed(1, Direction::ToClient, b"hi", AT_US).expect("written");
        for side in Side::BOTH {
            recorder.ended(1, side, Direction::ToServer, End::Finished, AT_US).expect("written");
            recorder.ended(1, side, Direction::ToClient, End::Finished, AT_US).expect("written");
        }
        assert!(recorder.connections.is_empty(), "what is over is forgotten");
        recorder.relayed(1, Direction::ToServer, b"late", AT_US).expect("ignored");
    });
    let packets = packets(&file);
    let first = first_sequence(1);
    for (interface, source) in [(0, addresses().client), (1, addresses().local)] {
        let side = on(&packets, interface);
        let seen: Vec<_> = side
            .iter()
            .map(|packet| {
                let acknowledgement = packet.acknowledgement.wrapping_sub(first);
                (packet.source == source, &packet.flags[..], packet.sequence.wrapping_sub(first), acknowledgement)
            })
            .collect();
        let syn = (true, "S", 0, 0_u32.wrapping_sub(first));
        let opened = [syn, (false, "SA", 0, 1), (true, "A", 1, 1)];
        assert_eq!(seen[..3], opened);
        assert_eq!(seen[3..5], [(true, "PA", 1, 1), (false, "PA", 1, 16)]);
        let ended = [(true, "FA", 16, 3), (false, "A", 3, 17), (false, "FA", 3, 17), (true, "A", 17, 4)];
        assert_eq!(seen[5..], ended);
        let inbound_from_client = if interface == 0 { 1 } else { 2 };
        assert!(side.iter().all(|packet| (packet.bound == inbound_from_client) == (packet.source == source)));
    }
}

#[test]
fn edited_and_dropped_data_differ_between_the_sides() {
    let file = recorded(|recorder| {
        let mut data = |side, bytes: &[u8], comment| {
            recorder.data(1, side, Direction::ToServer, bytes, AT_US, comment).expect("written");
        };
        data(Side::Client, b"one", None);
        data(Side::Server, b"ONE", Some("rule loud: edited text"));
        data(Side::Client, b"two", Some("rule drop: dropped"));
    });
    let packets = packets(&file);
    let data = |interface: u32| -> Vec<(String, Option<String>)> {
        let data = on(&packets, interface).into_iter().filter(|packet| packet.flags == "PA");
        data.map(|packet| (String::from_utf8_lossy(&packet.payload).into_owned(), packet.comment.clone())).collect()
    };
    assert_eq!(data(0), [("one".into(), None), ("two".into(), Some("rule drop: dropped".into()))]);
    assert_eq!(data(1), [("ONE".into(), Some("rule loud: edited text".into()))]);
}

#[test]
fn large_data_is_cut_into_segments_and_acknowledged() {
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let file = recorded(|recorder| {
        recorder.data(1, Side::Server, Direction::ToClient, &large, AT_US, Some("rule x")).expect("written");
    });
    let packets = packets(&file);
    assert!(received(&packets, 1) == large);
    let data: Vec<_> = on(&packets, 1).into_iter().filter(|packet| packet.flags == "PA").collect();
    assert_eq!(data[0].payload.len(), SEGMENT_BYTES_MAX);
    assert_eq!(data.iter().filter(|packet| packet.comment.is_some()).count(), 1);
    let acknowledged = on(&packets, 1).into_iter().filter(|packet| packet.flags == "A").count();
    assert_eq!(acknowledged, 1 + large.len() / SEGMENT_BYTES_MAX / 16);
}

#[test]
fn relayed_data_of_any_size_is_on_both_sides() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let file = recorded(|recorder| {
        let mut rest = &bytes[..];
        // Odd lengths, on both sides of the size from which payloads are stored once.
        for length in (1..).map(|number| number * 97 % 70_001) {
            let (chunk, after) = rest.split_at(length.min(rest.len()));
            recorder.relayed(1, Direction::ToServer, chunk, AT_US).expect("written");
            if after.is_empty() {
                break;
            }
            rest = after;
        }
    });
    let packets = packets(&file);
    assert!(received(&packets, 0) == bytes && received(&packets, 1) == bytes);
}

#[test]
fn sequence_numbers_wrap_around() {
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    let Addresses { client, listen, .. } = addresses();
    let mut conversation = Conversation::new(Side::Client, client, listen, u32::MAX - 3);
    conversation.open(&mut recorder.output, AT_US);
    let passed = Passed { direction: Direction::ToServer, at_us: AT_US, comment: None };
    for bytes in [b"abcdef", b"ghijkl"] {
        conversation.data(&mut recorder.output, passed, &Chunk::new(bytes));
    }
    conversation.end(&mut recorder.output, Passed { direction: Direction::ToClient, ..passed }, End::Finished);
    recorder.finish().expect("written");
    let packets = packets(&fs::read(&path).expect("the file"));
    let sequences: Vec<_> = packets[3..].iter().map(|packet| (packet.sequence, packet.acknowledgement)).collect();
    assert_eq!(sequences, [(u32::MAX - 2, u32::MAX - 2), (3, u32::MAX - 2), (u32::MAX - 2, 9), (9, u32::MAX - 1)]);
}

#[test]
fn a_reset_ends_a_side_at_once() {
    let file = recorded(|recorder| {
        recorder.ended(1, Side::Client, Direction::ToServer, End::Reset, AT_US).expect("written");
        recorder.data(1, Side::Client, Direction::ToClient, b"lost", AT_US, None).expect("ignored");
        recorder.data(1, Side::Server, Direction::ToClient, b"sent", AT_US, None).expect("written");
        recorder.ended(1, Side::Server, Direction::ToServer, End::Reset, AT_US).expect("written");
        assert!(recorder.connections.is_empty());
    });
    let packets = packets(&file);
    let last: Vec<_> = [0, 1].iter().map(|side| on(&packets, *side).pop().map(|last| last.flags.clone())).collect();
    assert_eq!(last, [Some("RA".into()), Some("RA".into())]);
    assert!(!on(&packets, 0).iter().any(|packet| packet.payload == b"lost"));
    assert!(on(&packets, 1).iter().any(|packet| packet.payload == b"sent"));
}

#[test]
fn a_reset_follows_a_half_close() {
    let file = recorded(|recorder| {
        let mut end = |end| recorder.ended(1, Side::Client, Direction::ToServer, end, AT_US).expect("written");
        end(End::Finished);
        end(End::Finished);
        end(End::Reset);
        end(End::Reset);
        recorder.data(1, Side::Client, Direction::ToClient, b"lost", AT_US, None).expect("ignored");
    });
    let packets = packets(&file);
    let first = first_sequence(1);
    let ends: Vec<_> = on(&packets, 0)[3..]
        .iter()
        .map(|packet| (packet.source, &packet.flags[..], packet.sequence.wrapping_sub(first)))
        .collect();
    let Addresses { client, listen, .. } = addresses();
    assert_eq!(ends, [(client, "FA", 1), (listen, "A", 1), (client, "RA", 2)]);
}

#[test]
fn a_dropped_frame_is_a_comment_of_an_empty_packet() {
    let file = recorded(|recorder| {
        let mut data = |bytes: &[u8], comment| {
            recorder.data(1, Side::Server, Direction::ToServer, bytes, AT_US, comment).expect("written");
        };
        data(b"", Some("drop-1: dropped"));
        data(b"next", None);
    });
    let packets = packets(&file);
    let [noted, next] = &packets[packets.len() - 2..] else { panic!("{packets:?}") };
    assert_eq!((noted.payload.len(), noted.comment.as_deref()), (0, Some("drop-1: dropped")));
    assert_eq!((next.payload.as_slice(), next.sequence), (&b"next"[..], noted.sequence));
}

#[test]
fn comments_are_cut_at_a_character() {
    let comment = "ü".repeat(2_000);
    let file = recorded(|recorder| {
        recorder.data(1, Side::Client, Direction::ToServer, b"x", AT_US, Some(&comment)).expect("written");
    });
    let packets = packets(&file);
    assert_eq!(packets.last().and_then(|packet| packet.comment.clone()), Some("ü".repeat(512)));
}

#[test]
fn what_is_buffered_is_written_after_a_second() {
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    assert_eq!(recorder.due_us(), None);
    recorder.opened(1, &addresses(), AT_US + 10).expect("buffered");
    assert_eq!(recorder.due_us(), Some(AT_US + 1_000_000));
    recorder.flush_due(AT_US + 999_999).expect("nothing to do");
    assert_eq!(packets(&fs::read(&path).expect("the file")).len(), 0);
    recorder.flush_due(AT_US + 1_000_000).expect("handed over");
    assert_eq!(recorder.due_us(), Some(AT_US + 2_000_000), "the writer is to be looked after");
    while let Some(due_us) = recorder.due_us() {
        recorder.flush_due(due_us).expect("written");
        std::thread::yield_now();
    }
    assert_eq!(packets(&fs::read(&path).expect("the file")).len(), 6);
    recorder.relayed(1, Direction::ToServer, b"x", AT_US + 1_200_000).expect("buffered");
    drop(recorder);
    assert_eq!(packets(&fs::read(&path).expect("the file")).len(), 8, "a dropped recorder writes what it has");
}

/// A recorder whose file takes no byte after the section header.
#[cfg(target_os = "linux")]
fn on_full_disk() -> Recorder {
    let full = fs::File::options().write(true).open("/dev/full").expect("a device that is always full");
    let mut recorder = Recorder::create(Path::new("/dev/null"), AT_US).expect("a device that takes everything");
    recorder.path = PathBuf::from("/full/line.pcapng");
    recorder.output.write_to(full);
    recorder
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_once() {
    let mut recorder = on_full_disk();
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    let mut now_us = AT_US;
    let error = loop {
        now_us = recorder.due_us().expect("it is not written yet").max(now_us);
        if let Err(error) = recorder.flush_due(now_us) {
            break error;
        }
        std::thread::yield_now();
    };
    let text = error.to_string();
    assert!(text.starts_with("the recording /full/line.pcapng stopped (No space left on device"), "{text}");
    recorder.relayed(1, Direction::ToServer, &vec![0; 1_000_000], AT_US + 9_000_000).expect("ignored");
    assert_eq!((recorder.due_us(), recorder.output.buffered_bytes()), (None, 0));
    recorder.finish().expect("the error was returned already");

    let mut recorder = on_full_disk();
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    assert!(matches!(recorder.finish(), Err(RecordingError::Stopped { .. })));
    let mut recorder = on_full_disk();
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    let large = vec![0; 4_000_000];
    assert!(recorder.relayed(1, Direction::ToServer, &large, AT_US).is_err(), "both buffers were full");
    assert!(matches!(Recorder::create(Path::new("/dev/full"), AT_US), Err(RecordingError::Create { .. })));
}

#[cfg(unix)]
#[test]
fn a_flush_does_not_wait_for_a_slow_disk() {
    use std::io::Read;
    let (mut reader, pipe) = std::io::pipe().expect("a pipe");
    let mut recorder = Recorder::create(Path::new("/dev/null"), AT_US).expect("a device that takes everything");
    recorder.output.write_to(std::os::fd::OwnedFd::from(pipe).into());
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    // More than a pipe holds: its writer waits for the reader.
    recorder.relayed(1, Direction::ToServer, &vec![0; 600_000], AT_US).expect("handed over");
    recorder.relayed(1, Direction::ToServer, b"late", AT_US).expect("buffered");
    recorder.flush_due(AT_US + 1_000_000).expect("nothing to do yet");
    assert!(recorder.output.is_writing() && recorder.output.buffered_bytes() > 0);
    let read = std::thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).map(|_| all)
    });
    recorder.finish().expect("written");
    let all = read.join().expect("the reader ends").expect("bytes");
    assert!(all.windows(4).any(|bytes| bytes == b"late"));
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_reads_ends_the_recording() {
    let (_reader, pipe) = std::io::pipe().expect("a pipe");
    let mut recorder = Recorder::create(Path::new("/dev/null"), AT_US).expect("a device that takes everything");
    recorder.output.write_to(std::os::fd::OwnedFd::from(pipe).into());
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    let error = recorder.relayed(1, Direction::ToServer, &vec![0; 2_000_000], AT_US).expect_err("nobody reads");
    assert!(error.to_string().contains("nothing could be written for 5 s"), "{error}");
    recorder.finish().expect("the error was returned already");
}

#[test]
fn a_killed_tap_leaves_a_file_that_can_be_read() {
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    let hello = b"5         alice5         hello";
    for second in 1..=10 {
        recorder.relayed(1, Direction::ToServer, hello, AT_US + second * 1_000_000).expect("written");
    }
    while let Some(due_us) = recorder.due_us() {
        recorder.flush_due(due_us).expect("written");
        std::thread::yield_now();
    }
    recorder.relayed(1, Direction::ToServer, hello, AT_US + 1).expect("buffered");
    // Nothing of it runs any more, as if it were killed.
    std::mem::forget(recorder);
    let capture = crate::capture::Capture::open(&path).expect("a capture");
    assert_eq!((capture.end(), capture.rejected().len()), (crate::capture::CaptureEnd::Whole, 0));
    let frames: Vec<usize> = capture.connections(Side::Server).map(|connection| connection.frames.len()).collect();
    assert_eq!(frames, [20]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_recording() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    Recorder::create(&path, AT_US).expect("a file");
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_recording_is_overwritten_only_on_request() {
    let folder = Folder::new();
    let path = folder.write("line.pcapng", "somebody's recording");
    let error = Recorder::create(&path, AT_US).expect_err("the file exists");
    assert!(matches!(error, RecordingError::Exists { .. }) && error.to_string().contains("--overwrite"), "{error}");
    Recorder::overwrite(&path, AT_US).expect("a file").finish().expect("complete");
    assert_eq!(crate::capture::Capture::open(&path).expect("a capture").end(), crate::capture::CaptureEnd::Whole);
}

#[cfg(unix)]
#[test]
fn a_removed_file_ends_the_recording_with_its_reason() {
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    fs::remove_file(&path).expect("removed");
    let error = loop {
        let due_us = recorder.due_us().expect("the writer has not said it");
        if let Err(error) = recorder.flush_due(due_us) {
            break error;
        }
        std::thread::yield_now();
    };
    assert!(matches!(error, RecordingError::Removed { .. }), "{error}");
    recorder.finish().expect("the error was returned already");
    // With its folder, while nothing passes.
    let inner = folder.join("inner");
    fs::create_dir(&inner).expect("a folder");
    let recorder = Recorder::create(&inner.join("line.pcapng"), AT_US).expect("a file");
    fs::remove_dir_all(&inner).expect("removed");
    assert!(matches!(recorder.finish(), Err(RecordingError::Removed { .. })));
}

#[cfg(unix)]
#[test]
fn a_running_recording_is_not_overwritten() {
    let folder = Folder::new();
    let path = folder.join("line.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    recorder.opened(1, &addresses(), AT_US).expect("buffered");
    for begin in [Recorder::create, Recorder::overwrite] {
        let error = begin(&path, AT_US).expect_err("it runs");
        assert!(matches!(error, RecordingError::InUse { .. }), "{error}");
    }
    recorder.finish().expect("complete");
    assert_eq!(packets(&fs::read(&path).expect("the file")).len(), 6);
    Recorder::overwrite(&path, AT_US).expect("nobody records to it any more");
}
