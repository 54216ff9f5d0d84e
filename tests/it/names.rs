//! Names that are none (T8), refused in both dialects; and what becomes of those that may stay.

use serde_json::json;

use crate::harness::{EventClient, Server, Tutorial, frame, words_in};

/// A name, the text of its refusal, and its code.
const BAD_NAMES: [(&str, &str, &str); 25] = [
    ("", "may not be empty", "bad_name"),
    ("   ", "may not be empty", "bad_name"),
    ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "33 characters", "too_long"),
    ("a\u{1b}[31m", "U+001B", "bad_name"),
    ("a\r\nb", "U+000D", "bad_name"),
    ("a\nb", "U+000A", "bad_name"),
    ("a\u{202e}b", "U+202E", "bad_name"),
    ("a\u{2066}b", "U+2066", "bad_name"),
    ("a\u{200d}b", "U+200D", "bad_name"),
    ("a\u{200b}b", "U+200B", "bad_name"),
    ("\u{9b}6n", "U+009B", "bad_name"),
    ("a\0b", "U+0000", "bad_name"),
    ("bob→you", "U+2192", "bad_name"),
    ("bob⟶you", "U+27F6", "bad_name"),
    ("bob->you", "U+003E", "bad_name"),
    ("bob > hi", "U+003E", "bad_name"),
    ("you", "may not be \"you\"", "bad_name"),
    ("aliceᐅyou", "end with a sign and \"you\"", "bad_name"),
    ("alice\u{16fe4}", "U+16FE4, which draws nothing", "bad_name"),
    ("\u{1d159}", "U+1D159", "bad_name"),
    ("⚹", "server's own name", "bad_name"),
    ("👩\u{200d}👧", "emoji that are joined into one", "bad_name"),
    ("glop_0123456789abcdefg", "form of an operator token", "bad_name"),
    ("*", "server's own name", "bad_name"),
    ("/help", "start with \"/\"", "bad_name"),
];

#[test]
fn a_tutorial_client_with_a_bad_name_gets_the_reason_and_close() {
    let server = Server::start();
    let mut bystander = Tutorial::join(server.address, "bystander");
    for (name, word, _) in BAD_NAMES {
        let mut peer = Tutorial::connect(server.address);
        peer.say(name);
        peer.expect_word(word);
        assert_eq!(peer.expect_closed(), []);
    }
    assert_eq!(bystander.barrier(), [], "nobody came");
}

#[test]
fn an_event_client_with_a_bad_name_gets_the_reason_and_close() {
    let server = Server::start();
    let mut bystander = Tutorial::join(server.address, "bystander");
    for (name, word, code) in BAD_NAMES {
        let mut peer = EventClient::connect(server.address);
        peer.send(&json!({"type": "hello", "name": name}));
        let error = peer.expect_error(code);
        assert!(error["text"].as_str().expect("a text").contains(word), "{error}");
        assert_eq!(peer.expect_closed(), Vec::<serde_json::Value>::new());
    }
    assert_eq!(bystander.barrier(), [], "nobody came");
}

#[test]
fn a_name_that_is_not_utf_8_is_refused() {
    let server = Server::start();
    let mut peer = Tutorial::connect(server.address);
    peer.say([0xff, 0xfe]);
    peer.expect_word("not UTF-8");
    peer.expect_closed();
    let mut peer = EventClient::connect(server.address);
    peer.send_payload([b"{\"type\":\"hello\",\"name\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat());
    peer.expect_error("not_utf8");
}

#[test]
fn a_name_longer_than_any_may_be_is_refused_by_its_header() {
    let server = Server::start();
    let mut peer = Tutorial::connect(server.address);
    peer.send_bytes("65        ");
    peer.expect_word("promises 65 bytes, the limit here is 64");
    peer.expect_closed();
}

#[test]
fn a_name_that_looks_like_one_in_use_is_refused() {
    let server = Server::start();
    let _admin = Tutorial::join(server.address, "admin");
    for look_alike in ["аdmin", "АDМIN", "АDМІN", "ADМIN", "аԁМІN"] {
        let mut peer = Tutorial::connect(server.address);
        peer.say(look_alike);
        peer.expect_word("looks like one that is in use");
        peer.expect_closed();
        let mut peer = EventClient::connect(server.address);
        peer.send(&json!({"type": "hello", "name": look_alike}));
        peer.expect_error("name_taken");
        peer.expect_closed();
    }
    let mut bob = Tutorial::join(server.address, "bob");
    bob.say("/nick аdmin");
    bob.expect_word("looks like one that is in use");
    let mut eve = EventClient::join(server.address, "eve");
    eve.send(&json!({"type": "rename", "name": "аdmin"}));
    eve.expect_error("name_taken");
}

#[test]
fn a_look_alike_of_one_script_gets_a_number() {
    let server = Server::start();
    let _erna = Tutorial::join(server.address, "Erna");
    let mut ema = Tutorial::connect(server.address);
    ema.say("Ema");
    ema.expect_word("Ema looks like Erna, who is here; you are Ema-2; /nick changes it");
    let mut third = EventClient::connect(server.address);
    third.send(&json!({"type": "hello", "name": "ema"}));
    assert_eq!(third.expect("welcome")["name"], "ema-3");
    assert_eq!(third.expect("notice")["text"], "ema looks like Erna, who is here; you are ema-3; /nick changes it");
    ema.say("/nick Ema");
    ema.expect_word("looks like one that is in use");
    ema.say("/nick Emma");
    ema.expect_word("Ema-2 is now Emma");
}

#[test]
fn names_are_written_as_their_scripts_and_telephones_do() {
    let server = Server::start();
    for name in ["علی\u{200c}رضا", "ශ\u{dca}\u{200d}රී", "❤\u{fe0f}", "കൃഷ്ണന\u{d4d}\u{200d}"]
    {
        let (_, welcome) = EventClient::greet(server.address, &json!({"type": "hello", "name": name}));
        assert_eq!(welcome["name"], name);
    }
}

#[test]
fn a_taken_name_gets_a_number_whoever_has_it() {
    let server = Server::start();
    let _alice = Tutorial::join(server.address, "alice");
    let mut second = Tutorial::connect(server.address);
    second.say("Alice");
    second.expect_word("Alice is taken; you are Alice-2; /nick changes it");
    let mut third = EventClient::connect(server.address);
    third.send(&json!({"type": "hello", "name": "ALICE"}));
    assert_eq!(third.expect("welcome")["name"], "ALICE-3");
    assert_eq!(third.expect("notice")["text"], "ALICE is taken; you are ALICE-3; /nick changes it");
}

#[test]
fn inner_spaces_become_underscores_with_a_notice() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Tutorial::connect(server.address);
    alice.say(" alice  of\u{a0}wonderland ");
    alice.expect_word("you are alice_of_wonderland");
    alice.say("hi");
    bob.expect_message("alice_of_wonderland", "hi");
}

#[test]
fn names_of_the_longest_kind_are_welcome() {
    let server = Server::start();
    for name in ["ä".repeat(32), "𝟘".repeat(16), "x".repeat(32)] {
        let mut peer = Tutorial::connect(server.address);
        peer.say(&name);
        peer.expect_word("/help lists commands");
    }
}

#[test]
fn a_goodbye_in_any_form_is_one_departure() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let goodbyes: [&[u8]; 4] = [b"/exit", &frame("/exit"), &frame("/quit"), b""];
    for (n, goodbye) in goodbyes.into_iter().enumerate() {
        let name = format!("guest{n}");
        let mut visitor = Tutorial::join(server.address, &name);
        visitor.send_bytes(goodbye);
        drop(visitor);
        bob.expect_word(&format!("{name} left"));
    }
    let output = bob.barrier();
    assert_eq!(words_in(&output), Vec::<&str>::new(), "each was announced once");
}
