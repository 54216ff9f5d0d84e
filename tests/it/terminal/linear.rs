//! Lines for people, at a terminal: what arrives, what is typed, and what becomes of the terminal.

use super::harness::{Opening, Terminal};
use crate::harness::{Server, Tutorial};

fn linear(server: &Server) -> Terminal {
    let mut alice = Opening::join(server.address, "alice").size(24, 60).argument("--linear").start();
    alice.see("connected to");
    alice
}

#[test]
fn what_arrives_waits_for_the_line_that_is_typed() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = linear(&server);
    bob.expect_word("alice joined");
    alice.keys_until("half a sent", "half a sent");
    bob.say("interrupting");
    alice.keys_until("ence", "half a sentence");
    bob.say("alice, this rings at once");
    alice.see_passing("\x07");
    assert!(!alice.screen().contains("interrupting"), "{}", alice.screen());
    alice.keys("\r");
    alice.see("half a sentence\nbob > interrupting\nbob > alice, this rings at once");
    assert_eq!(bob.said().text, "half a sentence");
    // An empty line holds nothing.
    alice.keys_until("ab", "ab");
    bob.say("erased");
    alice.keys("\x7f\x7f");
    alice.see("\nbob > erased");
    assert!(!alice.written().contains('\x1b'), "nothing is drawn: {:?}", alice.written());
    alice.keys("/quit\r");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn much_that_arrives_is_shown_and_the_typed_line_again() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = linear(&server);
    bob.expect_word("alice joined");
    alice.keys_until("a draft", "a draft");
    for number in 0..300 {
        bob.say(format!("{number} {}", "x".repeat(100)));
    }
    alice.see_passing("bob > 100\r");
    alice.wait_for("the line again", |screen| screen.ends_with("a draft"));
    alice.keys("\r");
    assert_eq!(bob.said().text, "a draft");
    alice.see_passing("bob > 299\r");
    for number in 0..300 {
        assert_eq!(alice.count_written(&format!("bob > {number}\r")), 1, "{number}");
    }
    alice.keys("\x04");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn no_row_begins_with_what_somebody_placed_there() {
    let server = Server::start();
    let mut eve = Tutorial::join(server.address, "eve");
    let mut alice = linear(&server);
    eve.expect_word("alice joined");
    for filler in [" ", "\u{2800}", "\u{3164}", "①", "\u{a0}", "x"] {
        for columns in 10..80 {
            eve.say(format!("hello{}bob > mine", filler.repeat(columns)));
        }
    }
    eve.say("* the end");
    alice.see("* the end");
    let rows = alice.transcript();
    assert!(!rows.iter().any(|row| row.starts_with("bob >")), "{rows:?}");
    assert!(
        rows.iter()
            .all(|row| row.starts_with("eve > ") || row.starts_with("  ") || row.starts_with("* ") || row.is_empty()),
        "{rows:?}"
    );
}

#[test]
fn the_terminal_is_as_it_was_after_an_end_a_signal_and_a_stop() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    for signal in [None, Some("TERM"), Some("INT"), Some("HUP")] {
        let mut alice = linear(&server);
        bob.expect_word("alice joined");
        assert!(alice.is_changed());
        alice.keys_until("a draft", "a draft");
        match signal {
            Some(signal) => alice.signal(signal),
            None => alice.keys("\x03"),
        }
        assert_eq!(alice.exit_code(), 0, "{signal:?}");
        bob.expect_word("alice left");
    }
    let script = r#"set -m; "$@"; echo "stopped with $?"; stty -a; read line; fg >/dev/null; echo "ended with $?""#;
    let mut alice =
        Opening::join(server.address, "alice").size(40, 80).argument("--linear").within_a_shell(script).start();
    alice.see("connected to");
    alice.keys_until("a draft", "a draft");
    alice.keys("\x1a");
    alice.see("stopped with");
    alice.wait_for("the modes", |screen| screen.contains(" icanon") && screen.contains(" echo "));
    alice.keys("\r");
    alice.wait_for("the line again", |screen| screen.ends_with("a draft"));
    alice.keys(" goes on\r");
    assert_eq!(bob.said().text, "a draft goes on");
    alice.keys("/quit\r");
    alice.see("ended with 0");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn invalid_text_is_reported_once_a_line() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = linear(&server);
    bob.expect_word("alice joined");
    alice.bytes(b"caf\xe9\xe9s\r");
    alice.see("is not UTF-8");
    assert_eq!(bob.said().text, "cafs");
    alice.keys_until("x\r", "x");
    assert_eq!(bob.said().text, "x");
    assert_eq!(alice.count_written("not UTF-8"), 1);
}

#[test]
fn a_terminal_that_somebody_else_echoes_on_is_left_alone() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let opening = Opening::join(server.address, "alice").size(24, 60).argument("--linear");
    let mut alice = opening.within_a_shell(r#"stty -echo; "$@"; stty echo"#).start();
    alice.see("connected to");
    bob.expect_word("alice joined");
    alice.keys("typed unseen\n");
    assert_eq!(bob.said().text, "typed unseen");
    bob.say("an answer");
    alice.see("bob > an answer");
    assert!(!alice.written().contains("unseen"), "{}", alice.screen());
    alice.keys("\x04");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn an_unfinished_line_is_reported_at_the_end() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = linear(&server);
    bob.expect_word("alice joined");
    alice.keys_until("half a sent", "half a sent");
    bob.say("said meanwhile");
    bob.barrier();
    alice.signal("TERM");
    assert_eq!(alice.exit_code(), 0);
    alice.see_passing("not sent: half a sent");
    assert!(alice.written().contains("bob > said meanwhile"), "{}", alice.screen());
}
