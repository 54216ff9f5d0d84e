//! The live view of `glassline tap`.

use std::net::SocketAddr;

use glassline_tap::Side;
use glassline_tap::capture::Capture;

use super::harness::{Opening, Terminal};
use crate::harness::{EventClient, Server, Tutorial, Wire, frame};

/// A tap in a terminal, before a server.
struct TapSession {
    tap: Terminal,
    address: SocketAddr,
    // Goes last, so that nobody sees it stop.
    _server: Server,
}

impl TapSession {
    #[track_caller]
    fn new() -> Self {
        Self::with(|opening| opening)
    }

    #[track_caller]
    fn with(how: impl FnOnce(Opening) -> Opening) -> Self {
        let server = Server::start();
        let mut tap = how(Opening::tap(server.address)).start();
        tap.see("glassline join ");
        let screen = tap.screen();
        let address = screen.lines().find_map(|row| row.split_once("glassline join ")).expect("the address").1;
        Self { address: address.trim().parse().expect("an address"), tap, _server: server }
    }
}

/// The row of the screen that contains this.
#[track_caller]
fn row(terminal: &Terminal, part: &str) -> String {
    let screen = terminal.screen();
    let found = screen.lines().find(|row| row.contains(part)).map(str::trim_end);
    found.unwrap_or_else(|| panic!("no {part:?} in\n{screen}")).to_owned()
}

#[test]
fn the_view_shows_texts_and_bytes_of_frames() {
    let mut session = TapSession::new();
    session.tap.see("Use it on your own systems only.");
    let mut alice = EventClient::join(session.address, "alice");
    let mut bob = Tutorial::join(session.address, "bob");
    bob.barrier();
    session.tap.see("connections: 2 open");
    alice.say("what is read on the way");
    bob.expect_message("alice", "what is read on the way");
    session.tap.see("1>3");
    let row = row(&session.tap, "1>3");
    assert!(row.contains("event") && row.contains("alice") && row.contains("lobby"), "{row}");
    assert!(row.ends_with("what is read on the way"), "{row}");
    // The frame as bytes and fields.
    session.tap.keys_until(":1>3\r", "> ");
    session.tap.keys_until("\r", "text: what is read on the way");
    session.tap.see("d 0");
    session.tap.see("22 77 68 61 74");
    session.tap.keys_until("\x1b", "connections: 2 open");
    // How a connection ended.
    session.tap.keys("G");
    bob.finish();
    session.tap.see("client ended its side (FIN)");
    session.tap.see("connections: 1 open");
    session.tap.keys("q");
    assert_eq!(session.tap.exit_code(), 0);
}

#[test]
fn a_text_edited_by_hand_arrives_changed() {
    let mut session = TapSession::new();
    let mut alice = EventClient::join(session.address, "alice");
    let mut bob = EventClient::join(session.address, "bob");
    session.tap.see("connections: 2 open");
    session.tap.keys_until("h", "hold frames that match");
    session.tap.keys_until("name:alice dir:> kind:send\r", "HOLDING name:alice dir:> kind:send");
    alice.send(&serde_json::json!({"type": "pong"}));
    alice.say("meet at noon");
    session.tap.see("HELD 1>4 alice: meet at noon");
    session.tap.see("the server gives up in ");
    session.tap.keys_until("e", "text: meet at noon");
    session.tap.keys("\x17midnight, \"they\" said\r");
    bob.expect_message("alice", "meet at midnight, \"they\" said");
    session.tap.see("by-hand");
    // Dropped, and forwarded unchanged.
    for (text, key) in [("never", "d"), ("as it is", "p")] {
        alice.say(text);
        session.tap.see(&format!("alice: {text}"));
        session.tap.keys(key);
    }
    bob.expect_message("alice", "as it is");
    // The whole payload; then nothing is held any more.
    alice.say("a payload");
    session.tap.see("alice: a payload");
    session.tap.keys_until("E", "payload: {");
    let forged = r#"{"type":"send","room":"lobby","text":"forged","id":"00000000000000000000000000000abc"}"#;
    session.tap.keys(&format!("\x15{forged}\r"));
    bob.expect_message("alice", "forged");
    session.tap.keys_until("h", "no frame is held any more");
    alice.say("free again");
    bob.expect_message("alice", "free again");
}

#[test]
fn hostile_bytes_never_reach_the_terminal() {
    let mut session = TapSession::new();
    let mut bob = Tutorial::join(session.address, "bob");
    let mut alice = EventClient::join(session.address, "alice");
    let hostile =
        ["\u{1b}]52;c;aGk=\u{7}", "\u{1b}[6n", "\u{9b}6n", "\u{1b}]0;title\u{7}", "\u{202e}olleh", "\u{1b}[2J"];
    for text in hostile {
        alice.say(&format!("{text}harmless"));
        bob.say(format!("{text}harmless"));
    }
    let mut raw = Wire::connect(session.address);
    raw.send(frame("\u{1b}]0;name\u{7}"));
    raw.send(b"\x1b]0;raw\x07\x1b[6n\x9b no frame \x1b[2J");
    drop(raw);
    alice.say("the end");
    session.tap.see("the end");
    // Every one of them is opened, and typed back from a held frame.
    session.tap.keys("\x1b[H");
    for _ in 0..40 {
        session.tap.keys("\r\r\x1b[B");
    }
    session.tap.keys("hharmless\r");
    session.tap.see("HOLDING harmless");
    alice.say("\u{1b}]0;held\u{7}harmless");
    session.tap.see("HELD");
    session.tap.keys_until("e", "text: ");
    session.tap.keys("!");
    session.tap.keys_until("\r", "forwarded as edited");
    let written = session.tap.written();
    for sequence in ["\u{1b}]", "\u{1b}[6n", "\u{9b}", "\u{202e}", "\u{7}", "\u{1b}[2Jharmless"] {
        assert!(!written.contains(sequence), "{sequence:?} reached the terminal");
    }
}

#[test]
fn the_view_is_filtered_searched_and_paused() {
    let mut session = TapSession::new();
    let mut alice = EventClient::join(session.address, "alice");
    let mut bob = EventClient::join(session.address, "bob");
    for (is_alice, text) in [(true, "red"), (false, "green"), (true, "blue")] {
        if is_alice { &mut alice } else { &mut bob }.say(text);
        see_thrice(text, &mut session.tap);
    }
    session.tap.keys("fname:bob dir:>\r");
    session.tap.see_no_more("red");
    session.tap.see("green");
    session.tap.keys_until("f\x15nme:bob\r", "is no term");
    session.tap.see("(Esc leaves)");
    session.tap.keys("\x1b");
    session.tap.see("? help");
    session.tap.keys_until("\x1b", "red");
    session.tap.keys("/red\r");
    session.tap.wait_for("the search's place", |screen| {
        screen.lines().any(|row| row.starts_with("> ") && row.contains("red"))
    });
    session.tap.keys_until("/nothing\r", "nothing older matches nothing");
    session.tap.keys_until(" ", "PAUSED");
    alice.say("unseen");
    session.tap.wait_for("the count", |screen| screen.contains("PAUSED") && !screen.contains("PAUSED, 0 passed"));
    assert!(!session.tap.screen().contains("unseen"));
    session.tap.keys_until(" ", "frames passed during the pause");
    session.tap.keys("G");
    session.tap.see("unseen");
    session.tap.keys_until("?", "Keys");
    session.tap.keys_until("?", "connections: 2 open");
}

/// Waits for a request and both events that carry this text.
#[track_caller]
fn see_thrice(text: &str, tap: &mut Terminal) {
    let shown = |screen: &str| screen.lines().filter(|row| row.trim_end().ends_with(&format!(" {text}"))).count() == 3;
    tap.wait_for(text, shown);
}

#[test]
fn small_and_changing_terminals_show_what_they_can() {
    let mut session = TapSession::with(|opening| opening.size(24, 80));
    let mut alice = EventClient::join(session.address, "alice");
    alice.say("seen anywhere");
    session.tap.see("seen anywhere");
    for (rows, columns) in [(10, 40), (5, 30), (1, 10), (3, 1), (60, 200), (24, 80)] {
        session.tap.resize(rows, columns);
        session.tap.keys("??\r\r");
    }
    session.tap.see("seen anywhere");
    session.tap.keys("q");
    assert_eq!(session.tap.exit_code(), 0);
}

#[test]
fn a_signal_ends_the_view_and_completes_the_recording() {
    for signal in ["INT", "TERM"] {
        let mut session = TapSession::with(|opening| opening.argument("--record").argument("lesson.pcapng"));
        let mut alice = EventClient::join(session.address, "alice");
        alice.say("kept");
        session.tap.see("kept");
        session.tap.see("recording lesson.pcapng");
        session.tap.signal(signal);
        assert_eq!(session.tap.exit_code(), 0, "{signal}");
        let capture = Capture::open(&session.tap.home().join("lesson.pcapng")).expect("a capture");
        assert!(capture.rejected().is_empty(), "{:?}", capture.rejected());
        assert_eq!(capture.connections(Side::Server).count(), 1);
    }
}

#[test]
fn a_removed_recording_is_shown_and_told_at_the_end() {
    let mut session = TapSession::with(|opening| opening.argument("--record").argument("lesson.pcapng"));
    let mut alice = EventClient::join(session.address, "alice");
    session.tap.see("connections: 1 open");
    std::fs::remove_file(session.tap.home().join("lesson.pcapng")).expect("removed");
    alice.say("before");
    session.tap.see("the recording lesson.pcapng stopped, since its file");
    alice.say("after");
    session.tap.see("after");
    session.tap.keys("q");
    assert_eq!(session.tap.exit_code(), 0);
    session.tap.see("since its file was removed");
    session.tap.see("the recording stopped before the end");
}

#[test]
fn a_terminal_that_goes_ends_the_tap_in_order() {
    let mut session = TapSession::with(|opening| opening.argument("--record").argument("lesson.pcapng"));
    let mut alice = EventClient::join(session.address, "alice");
    alice.say("kept");
    session.tap.see("kept");
    session.tap.hang_up();
    alice.expect_closed();
    session.tap.code_without_a_terminal();
    let capture = Capture::open(&session.tap.home().join("lesson.pcapng")).expect("a capture");
    assert_eq!((capture.connections(Side::Server).count(), capture.rejected()), (1, &[][..]));
}

#[test]
fn beyond_this_machine_the_user_types_a_confirmation() {
    let server = Server::start();
    for (typed, answer, code) in [("yes", "not confirmed, so nothing was started", 1), ("\x04", "not confirmed", 1)] {
        let mut tap = Opening::tap(server.address).argument("--beyond-loopback").start();
        tap.see("type: these systems are mine");
        tap.keys(&format!("{typed}\r"));
        tap.see(answer);
        assert_eq!(tap.exit_code(), code);
    }
    let mut tap = Opening::tap(server.address).argument("--beyond-loopback").start();
    tap.see("type: these systems are mine");
    tap.keys("these systems are mine\r");
    tap.see("Waiting for a connection.");
    tap.keys("q");
    assert_eq!(tap.exit_code(), 0);
}
