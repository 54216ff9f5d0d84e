//! Headers that are none (T1, T2, T7): refused with a word that names the reason; nobody else notices.

use crate::harness::{EventClient, Pair, Server, Tutorial, Wire, frame};

/// A header, the word it gets as a connection's first bytes, the word it gets from a member, and the reason in the log.
const BAD_HEADERS: [(&[u8], &str, &str, &str); 9] = [
    (b"9999999999", "promises 9999999999 bytes, the limit here is", "promises 9999999999 bytes", "header_too_long"),
    (b"-5        ", "first bytes are no header", "byte 0 is 0x2d", "header_not_decimal"),
    (b"+5        ", "first bytes are no header", "byte 0 is 0x2b", "header_not_decimal"),
    (b"1_0       ", "byte 1 is 0x5f", "byte 1 is 0x5f", "header_not_decimal"),
    (b"          ", "the header is empty", "the header is empty", "header_empty"),
    ("٥        ".as_bytes(), "first bytes are no header", "byte 0 is 0xd9", "header_not_decimal"),
    ("1٥       ".as_bytes(), "byte 1 is 0xd9", "byte 1 is 0xd9", "header_not_decimal"),
    (&[0; 10], "first bytes are no header", "byte 0 is 0x00", "header_not_decimal"),
    (b"5\0\0\0\0\0\0\0\0\0", "byte 1 is 0x00", "byte 1 is 0x00", "header_not_decimal"),
];

#[test]
fn a_bad_first_header_is_refused_with_its_reason() {
    let server = Server::start();
    let mut bystander = Tutorial::join(server.address, "bystander");
    for (header, word, _, _) in BAD_HEADERS {
        let mut peer = Tutorial::connect(server.address);
        peer.send_bytes(header);
        peer.expect_word(word);
        assert_eq!(peer.expect_closed(), []);
        assert_eq!(bystander.barrier(), [], "{header:?} is nobody else's business");
    }
}

#[test]
fn a_members_bad_header_is_refused_with_its_reason() {
    let server = Server::start();
    let mut bystander = Tutorial::join(server.address, "bystander");
    for (header, _, word, reason) in BAD_HEADERS {
        let mut peer = Tutorial::join(server.address, "mallory");
        peer.say("before");
        peer.send_bytes(header);
        peer.send_bytes_unless_closed("5         after");
        bystander.expect_message("mallory", "before");
        let output = peer.expect_word(word);
        assert!(output.contains("connect again"), "what to do next is missing: {output}");
        peer.expect_closed();
        bystander.expect_word("mallory left");
        assert!(server.log().contains(&format!("reason=\"{reason}\"")), "{}", server.log());
    }
    assert!(bystander.barrier().iter().all(Pair::is_presence), "nothing behind a bad header is relayed");
}

#[test]
fn an_event_members_bad_header_is_refused_with_its_reason() {
    let server = Server::start();
    let mut bystander = EventClient::join(server.address, "bystander");
    for (header, _, word, _) in BAD_HEADERS {
        let mut peer = EventClient::join(server.address, "mallory");
        peer.send_bytes(header);
        let error = peer.expect_error(if header == b"9999999999" { "too_long" } else { "not_an_event" });
        assert!(error["text"].as_str().expect("a text").contains(word), "{error}");
        peer.expect_closed();
    }
    assert!(bystander.barrier().iter().all(|event| event["type"] == "joined" || event["type"] == "left"));
}

#[test]
fn a_text_of_the_limit_is_relayed_and_one_byte_more_is_refused() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Tutorial::join(server.address, "alice");
    let longest = "x".repeat(16 * 1024);
    alice.say(&longest);
    bob.expect_message("alice", &longest);
    alice.send_bytes("16385     ");
    alice.expect_word("promises 16385 bytes, the limit here is 16384");
    alice.expect_closed();
}

#[test]
fn characters_counted_as_bytes_are_recognised() {
    let server = Server::start();
    let mut alice = Tutorial::join(server.address, "alice");
    alice.send_bytes(["7         häßlich".as_bytes(), &frame("next")].concat());
    alice.expect_word("your header counts characters (7), the body is 9 bytes");
    alice.expect_closed();
}

#[test]
fn other_protocols_get_an_answer_they_can_read() {
    let server = Server::start();
    let answers: [(&[u8], &[u8]); 3] = [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 421 Misdirected Request\r\n"),
        (b"\x16\x03\x01\x02\x00", &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 70]),
        (b"GLASSNOISE", b"this server does not speak Noise"),
    ];
    for (opening, start) in answers {
        let mut peer = Wire::connect(server.address);
        peer.send(opening);
        let answer = peer.rest();
        assert!(answer.starts_with(start), "{:?}", String::from_utf8_lossy(&answer));
    }
}

#[cfg(target_os = "linux")]
mod memory {
    use crate::harness::{ServerProcess, Tutorial, frame};

    #[test]
    fn what_a_header_promises_moves_no_memory() {
        let server = ServerProcess::serve(&[]);
        let mut bystander = Tutorial::join(server.address, "bystander");
        let before_kib = server.memory_kib();
        for n in 0..300 {
            let mut peer = Tutorial::join(server.address, &format!("greedy{n}"));
            peer.send_bytes("9999999999");
            peer.expect_closed();
        }
        // Each of these may promise so much, and sends one byte of it.
        let mut promising = Vec::new();
        for n in 0..300 {
            let mut peer = Tutorial::join(server.address, &format!("slow{n}"));
            peer.send_bytes(&frame("x".repeat(16 * 1024))[..11]);
            promising.push(peer);
        }
        bystander.barrier();
        let grown_kib = server.memory_kib().saturating_sub(before_kib);
        assert!(grown_kib < 2_500, "300 promises of 16 KiB, and the server grew by {grown_kib} KiB");
    }
}
