//! Escape sequences, C1 and direction overrides (T8, T12): never reach a peer or a log in a form
//! that a terminal interprets.

use serde_json::{Value, json};

use crate::harness::{EventClient, Pair, Server, Tutorial, Wire, frame, fresh_id};

/// Texts of a hostile peer for a terminal to read.
const HOSTILE: [&str; 9] = [
    "\u{1b}]52;c;aGk=\u{7}",
    "\u{1b}[6n",
    "\u{9b}6n",
    "\u{1b}]0;a title that never ends",
    "\u{90}q\u{9c}",
    "back\u{8}\u{8}\u{8}\u{8}space",
    "over\rwritten",
    "nul\0 del\u{7f} bell\u{7}",
    "the\u{85}next line",
];

/// Control characters that a text may not hold: all but newline and tab.
fn is_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Returns whether the server's own text may not hold this character: a control character, or one
/// that turns the direction of a line.
fn is_unsafe(c: char) -> bool {
    is_control(c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn expect_without(text: &str, unwanted: impl Fn(char) -> bool) {
    assert!(!text.contains(unwanted), "a terminal would obey this: {text:?}");
}

#[test]
fn control_characters_in_texts_are_replaced_for_everybody() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut eve = EventClient::join(server.address, "eve");
    let mut mallory = Tutorial::join(server.address, "mallory");
    let mut mallet = EventClient::join(server.address, "mallet");
    for hostile in HOSTILE {
        let safe = hostile.replace(is_control, "\u{fffd}");
        mallory.say(hostile);
        old.expect_message("mallory", &safe);
        eve.expect_message("mallory", &safe);
        mallet.expect_message("mallory", &safe);
        mallory.say(format!("/me {hostile}"));
        old.expect_message("mallory", &format!("* {safe}"));
        assert_eq!(eve.expect_message("mallory", &safe)["action"], true);
        mallet.expect_message("mallory", &safe);
        mallory.say(format!("/msg old {hostile}"));
        old.expect_message("mallory→you", &safe);
        mallory.say(format!("/msg eve {hostile}"));
        assert_eq!(eve.expect("direct")["text"], safe.as_str());
        mallet.say(hostile);
        old.expect_message("mallet", &safe);
        eve.expect_message("mallet", &safe);
        mallet.expect_message("mallet", &safe);
        mallory.expect_message("mallet", &safe);
        mallet.send(&json!({"type": "direct", "to": "old", "text": hostile, "id": fresh_id()}));
        old.expect_message("mallet→you", &safe);
        assert_eq!(mallet.expect("direct")["text"], safe.as_str());
    }
    mallory.say("a\nb\tc");
    old.expect_message("mallory", "a\nb\tc");
    assert_eq!(eve.expect_message("mallory", "a\nb\tc")["from"], "mallory");
}

/// The byte 0x9b is the C1 sequence introducer to a terminal that does not decode UTF-8.
#[test]
fn bytes_that_are_not_utf_8_are_never_relayed() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut mallory = Tutorial::join(server.address, "mallory");
    mallory.say(b"\x9b6n");
    mallory.expect_word("not UTF-8 and was not sent");
    mallory.say(b"/me \x9b6n");
    mallory.expect_word("not UTF-8 and was not sent");
    assert!(old.barrier().iter().all(Pair::is_presence));
}

#[test]
fn notices_never_echo_what_a_terminal_interprets() {
    let server = Server::start();
    let mut bystander = Tutorial::join(server.address, "bystander");
    let mut mallory = Tutorial::join(server.address, "mallory");
    for hostile in HOSTILE.into_iter().chain(["a\u{202e}b", "\u{2066}x\u{2069}"]) {
        let word = hostile.replace(' ', "");
        for line in
            ["/", "/nick ", "/join ", "/whois ", "/msg ", "/names ", "/help "].map(|start| format!("{start}{word}"))
        {
            mallory.say(line);
        }
        mallory.say(format!("/msg {word} hi"));
        for pair in mallory.barrier() {
            expect_without(&pair.text, |c| is_unsafe(c) && c != '\n');
        }
        let mut refused = Tutorial::connect(server.address);
        refused.say(word.as_bytes());
        for pair in refused.expect_closed() {
            expect_without(&pair.text, is_unsafe);
        }
        let mut confused = Tutorial::join(server.address, "confused");
        confused.send_bytes([b"1".as_slice(), word.as_bytes(), b"          "].concat());
        for pair in confused.expect_closed() {
            expect_without(&pair.text, is_unsafe);
        }
    }
    for pair in bystander.barrier() {
        expect_without(&pair.text, is_unsafe);
    }
}

#[test]
fn errors_never_echo_what_a_terminal_interprets() {
    let server = Server::start();
    let mut mallet = EventClient::join(server.address, "mallet");
    for hostile in HOSTILE.into_iter().chain(["a\u{202e}b", "\u{2066}x\u{2069}"]) {
        for request in [
            json!({"type": hostile}),
            json!({"type": "join", "room": hostile}),
            json!({"type": "leave", "room": hostile}),
            json!({"type": "rename", "name": hostile}),
            json!({"type": "members", "room": hostile}),
            json!({"type": "direct", "to": hostile, "text": "x", "id": fresh_id()}),
            json!({"type": "send", "room": hostile, "text": "x", "id": fresh_id()}),
            json!({"type": "send", "room": "lobby", "text": "x", "id": hostile}),
            json!({"type": "send", "room": "lobby", "text": "x", "id": fresh_id(), "action": hostile}),
            json!({"type": "history", "room": "lobby", "before": hostile}),
        ] {
            mallet.send(&request);
            let error = mallet.expect("error");
            expect_without(error["text"].as_str().expect("a text"), is_unsafe);
        }
        mallet.send_payload(hostile);
        expect_without(mallet.expect_error("not_an_event")["text"].as_str().expect("a text"), is_unsafe);
        let mut newcomer = EventClient::connect(server.address);
        newcomer.send(&json!({"type": "hello", "name": "x", "since": {"lobby": hostile}}));
        expect_without(newcomer.expect_error("bad_field")["text"].as_str().expect("a text"), is_unsafe);
        newcomer.send(&json!({"type": "hello", "name": hostile}));
        expect_without(newcomer.expect_error("bad_name")["text"].as_str().expect("a text"), is_unsafe);
    }
}

/// An event's bytes are text to whoever prints them: JSON must escape what it holds.
#[test]
fn events_hold_no_control_byte() {
    let server = Server::start();
    let mut wire = EventClient::join(server.address, "eve").into_wire();
    wire.send(frame(json!({"type": "ping", "ref": "\u{1b}[6n\u{7}\n"}).to_string()));
    loop {
        let payload = wire.payload().expect("an event");
        assert!(!payload.iter().any(|&byte| byte < 0x20 || byte == 0x7f), "{:?}", String::from_utf8_lossy(&payload));
        let event: Value = serde_json::from_slice(&payload).expect("JSON");
        if event["type"] == "pong" {
            break;
        }
    }
}

/// Does everything that a server logs something about, with as much of what is hostile as each takes.
fn provoke_the_log(address: std::net::SocketAddr) {
    let mut bystander = Tutorial::join(address, "bystander");
    for hostile in HOSTILE.into_iter().chain(["a\u{202e}b", "\u{2066}x\u{2069}", "\u{200f}\u{200e}", "שלום"]) {
        let mut peer = Tutorial::connect(address);
        peer.say(hostile);
        let _ = peer.enters_as("again");
        let mut peer = EventClient::connect(address);
        peer.send(&json!({"type": "hello", "name": hostile, "rooms": [hostile]}));
        peer.send(&json!({"type": "bye"}));
        peer.expect_closed();
        for start in ["", "1", "GLASS", "GET /"] {
            let mut peer = Wire::connect(address);
            peer.send([start.as_bytes(), hostile.as_bytes(), b"\r\n\r\n          "].concat());
            peer.finish();
            peer.rest();
        }
        let mut peer = Tutorial::join(address, "mallory");
        peer.say(format!("/{hostile}"));
        peer.say(format!("/nick {hostile}"));
        peer.barrier();
        peer.send_bytes([b" 1".as_slice(), hostile.as_bytes(), b"          "].concat());
        peer.expect_closed();
    }
    bystander.barrier();
}

#[test]
fn the_log_of_a_server_holds_nothing_a_terminal_interprets() {
    // The harness looks through the log of every server; this one has something to find.
    let server = Server::start();
    provoke_the_log(server.address);
    assert!(server.log().matches("refused").count() > 20, "{}", server.log());
}

#[cfg(unix)]
#[test]
fn the_programs_log_is_safe_for_a_terminal_in_either_format() {
    for format in ["human", "json"] {
        let process = crate::harness::ServerProcess::serve(&["--log-format", format]);
        provoke_the_log(process.address);
        let log = process.stop().stderr;
        crate::harness::assert_clean_log(&log);
        assert!(log.matches("refused").count() > 20, "{log}");
        if format == "json" {
            for line in log.lines() {
                let entry: Value = serde_json::from_str(line).expect("a line is one JSON object");
                expect_without(&entry.to_string(), is_unsafe);
            }
        }
    }
}
