//! The live view of `glassline tap`.

use std::net::SocketAddr;

use glassline_tap::Side;
use glassline_tap::capture::Capture;

use super::harness::{Opening, Terminal};
use crate::harness::{EventClient, Server, Tutorial, Wire, frame};

/// A tap in a terminal, before a server.
struct Tapped {
    tap: Terminal,
    address: SocketAddr,
    // Goes last, so that nobody sees it stop.
    _server: Server,
}

impl Tapped {
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
fn somebodys_words_are_read_in_the_tap() {
    let mut tapped = Tapped::new();
    tapped.tap.see("Use it on your own systems only.");
    let mut alice = EventClient::join(tapped.address, "alice");
    let mut bob = Tutorial::join(tapped.address, "bob");
    bob.barrier();
    tapped.tap.see("connections: 2 open");
    alice.say("what is read on the way");
    bob.expect_message("alice", "what is read on the way");
    tapped.tap.see("1>3");
    let row = row(&tapped.tap, "1>3");
    assert!(row.contains("event") && row.contains("alice") && row.contains("lobby"), "{row}");
    assert!(row.ends_with("what is read on the way"), "{row}");
    // The frame as bytes and fields.
    tapped.tap.keys_until(":1>3\r", "> ");
    tapped.tap.keys_until("\r", "text: what is read on the way");
    tapped.tap.see("d 0");
    tapped.tap.see("22 77 68 61 74");
    tapped.tap.keys_until("\x1b", "connections: 2 open");
    // How a connection ended.
    tapped.tap.keys("G");
    bob.finish();
    tapped.tap.see("client ended its side (FIN)");
    tapped.tap.see("connections: 1 open");
    tapped.tap.keys("q");
    assert_eq!(tapped.tap.exit_code(), 0);
}

#[test]
fn a_text_edited_by_hand_arrives_changed() {
    let mut tapped = Tapped::new();
    let mut alice = EventClient::join(tapped.address, "alice");
    let mut bob = EventClient::join(tapped.address, "bob");
    tapped.tap.see("connections: 2 open");
    tapped.tap.keys_until("h", "hold frames that match");
    tapped.tap.keys_until("\x15name:alice dir:> kind:send\r", "HOLDING name:alice dir:> kind:send");
    alice.send(&serde_json::json!({"type": "pong"}));
    alice.say("meet at noon");
    tapped.tap.see("HELD 1>4 alice: meet at noon");
    tapped.tap.see("the server gives up in ");
    tapped.tap.keys_until("e", "text: meet at noon");
    tapped.tap.keys("\x17midnight, \"they\" said\r");
    bob.expect_message("alice", "meet at midnight, \"they\" said");
    tapped.tap.see("by-hand");
    // Dropped, and forwarded unchanged.
    for (text, key) in [("never", "d"), ("as it is", "p")] {
        alice.say(text);
        tapped.tap.see(&format!("alice: {text}"));
        tapped.tap.keys(key);
    }
    bob.expect_message("alice", "as it is");
    // The whole payload; then nothing is held any more.
    alice.say("a payload");
    tapped.tap.see("alice: a payload");
    tapped.tap.keys_until("E", "payload: {");
    let forged = r#"{"type":"send","room":"lobby","text":"forged","id":"00000000000000000000000000000abc"}"#;
    tapped.tap.keys(&format!("\x15{forged}\r"));
    bob.expect_message("alice", "forged");
    tapped.tap.keys_until("h", "no frame is held any more");
    alice.say("free again");
    bob.expect_message("alice", "free again");
}

#[test]
fn hostile_bytes_never_reach_the_terminal() {
    let mut tapped = Tapped::new();
    let mut bob = Tutorial::join(tapped.address, "bob");
    let mut alice = EventClient::join(tapped.address, "alice");
    let hostile =
        ["\u{1b}]52;c;aGk=\u{7}", "\u{1b}[6n", "\u{9b}6n", "\u{1b}]0;title\u{7}", "\u{202e}olleh", "\u{1b}[2J"];
    for text in hostile {
        alice.say(&format!("{text}harmless"));
        bob.say(format!("{text}harmless"));
    }
    let mut raw = Wire::connect(tapped.address);
    raw.send(frame("\u{1b}]0;name\u{7}"));
    raw.send(b"\x1b]0;raw\x07\x1b[6n\x9b no frame \x1b[2J");
    drop(raw);
    alice.say("the end");
    tapped.tap.see("the end");
    // Every one of them is opened, and typed back from a held frame.
    tapped.tap.keys("\x1b[H");
    for _ in 0..40 {
        tapped.tap.keys("\r\r\x1b[B");
    }
    tapped.tap.keys("hharmless\r");
    tapped.tap.see("HOLDING harmless");
    alice.say("\u{1b}]0;held\u{7}harmless");
    tapped.tap.see("HELD");
    tapped.tap.keys_until("e", "text: ");
    tapped.tap.keys_until("\r", "forwarded as edited");
    let written = tapped.tap.written();
    for sequence in ["\u{1b}]", "\u{1b}[6n", "\u{9b}", "\u{202e}", "\u{7}", "\u{1b}[2Jharmless"] {
        assert!(!written.contains(sequence), "{sequence:?} reached the terminal");
    }
}

#[test]
fn the_view_is_filtered_searched_and_paused() {
    let mut tapped = Tapped::new();
    let mut alice = EventClient::join(tapped.address, "alice");
    let mut bob = EventClient::join(tapped.address, "bob");
    for (is_alice, text) in [(true, "red"), (false, "green"), (true, "blue")] {
        if is_alice { &mut alice } else { &mut bob }.say(text);
        see_thrice(text, &mut tapped.tap);
    }
    tapped.tap.keys("fname:bob dir:>\r");
    tapped.tap.see_no_more("red");
    tapped.tap.see("green");
    tapped.tap.keys_until("f\x15nme:bob\r", "is no term");
    tapped.tap.see("(Esc leaves)");
    tapped.tap.keys("\x1b");
    tapped.tap.see("? help");
    tapped.tap.keys_until("\x1b", "red");
    tapped.tap.keys("/red\r");
    tapped.tap.wait_for("the search's place", |screen| {
        screen.lines().any(|row| row.starts_with("> ") && row.contains("red"))
    });
    tapped.tap.keys_until("/nothing\r", "nothing older matches nothing");
    tapped.tap.keys_until(" ", "PAUSED");
    alice.say("unseen");
    tapped.tap.wait_for("the count", |screen| screen.contains("PAUSED") && !screen.contains("PAUSED, 0 passed"));
    tapped.tap.keys_until(" ", "frames passed during the pause");
    assert!(!tapped.tap.screen().contains("unseen"));
    tapped.tap.keys_until("?", "Keys");
    tapped.tap.keys_until("?", "connections: 2 open");
}

/// Waits for a request and both events that carry this text.
#[track_caller]
fn see_thrice(text: &str, tap: &mut Terminal) {
    let shown = |screen: &str| screen.lines().filter(|row| row.trim_end().ends_with(&format!(" {text}"))).count() == 3;
    tap.wait_for(text, shown);
}

#[test]
fn small_and_changing_terminals_show_what_they_can() {
    let mut tapped = Tapped::with(|opening| opening.size(24, 80));
    let mut alice = EventClient::join(tapped.address, "alice");
    alice.say("seen anywhere");
    tapped.tap.see("seen anywhere");
    for (rows, columns) in [(10, 40), (5, 30), (1, 10), (3, 1), (60, 200), (24, 80)] {
        tapped.tap.resize(rows, columns);
        tapped.tap.keys("??\r\r");
    }
    tapped.tap.see("seen anywhere");
    tapped.tap.keys("q");
    assert_eq!(tapped.tap.exit_code(), 0);
}

#[test]
fn a_signal_ends_the_view_and_completes_the_recording() {
    for signal in ["INT", "TERM"] {
        let mut tapped = Tapped::with(|opening| opening.argument("--record").argument("lesson.pcapng"));
        let mut alice = EventClient::join(tapped.address, "alice");
        alice.say("kept");
        tapped.tap.see("kept");
        tapped.tap.see("recording lesson.pcapng");
        tapped.tap.signal(signal);
        assert_eq!(tapped.tap.exit_code(), 0, "{signal}");
        let capture = Capture::open(&tapped.tap.home().join("lesson.pcapng")).expect("a capture");
        assert!(capture.refused().is_empty(), "{:?}", capture.refused());
        assert_eq!(capture.connections(Side::Server).count(), 1);
    }
}

#[test]
fn a_terminal_that_goes_ends_the_tap_in_order() {
    let mut tapped = Tapped::with(|opening| opening.argument("--record").argument("lesson.pcapng"));
    let mut alice = EventClient::join(tapped.address, "alice");
    alice.say("kept");
    tapped.tap.see("kept");
    tapped.tap.hang_up();
    alice.expect_closed();
    tapped.tap.code_without_a_terminal();
    let capture = Capture::open(&tapped.tap.home().join("lesson.pcapng")).expect("a capture");
    assert_eq!((capture.connections(Side::Server).count(), capture.refused()), (1, &[][..]));
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
