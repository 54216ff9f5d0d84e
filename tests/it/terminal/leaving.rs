//! Ways to leave, and that the terminal is as it was.

use super::harness::{Opening, Table, Terminal};
use crate::harness::{Server, Tutorial};

#[test]
fn three_empty_enters_leave_and_the_terminal_is_as_it_was() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice");
    assert!(alice.is_changed() && alice.emulator.screen().bracketed_paste());
    bob.expect_word("alice joined");
    alice.keys("\r\rx\x7f\r\r");
    alice.keys("still here\r");
    assert_eq!(bob.said().text, "still here", "a key between the Enters starts the count anew");
    alice.keys("\r\r\r");
    assert_eq!(alice.exit_code(), 0);
    bob.expect_word("alice left");
    let last = alice.transcript().join("\n");
    assert!(!last.contains("plaintext"), "nothing of the block stays behind:\n{last}");
}

#[test]
fn control_c_empties_the_line_then_asks_then_leaves() {
    let mut table = Table::new();
    table.alice.keys_until("draft", "> draft");
    table.alice.keys("\x03");
    table.alice.see_no_more("draft");
    table.alice.keys_until("\x03", "Ctrl-C again leaves");
    table.alice.keys("\x03");
    assert_eq!(table.alice.exit_code(), 0);
}

#[test]
fn control_d_leaves_only_an_empty_line() {
    let mut table = Table::new();
    assert_eq!(table.said("ab\x1b[D\x04\x04\r"), "a");
    table.alice.keys("\x04");
    assert_eq!(table.alice.exit_code(), 0);
}

#[test]
fn a_signal_leaves_as_a_person_does() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    for signal in ["TERM", "HUP", "INT"] {
        let mut alice = Terminal::join(server.address, "alice");
        bob.expect_word("alice joined");
        alice.keys_until("a draft", "> a draft");
        alice.signal(signal);
        assert_eq!(alice.exit_code(), 0, "SIG{signal}");
        bob.expect_word("alice left");
    }
}

#[test]
fn a_window_that_is_closed_leaves() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice");
    bob.expect_word("alice joined");
    alice.hang_up();
    bob.expect_word("alice left");
    // Whichever comes first, the signal or the end of the input.
    let code = alice.code_without_a_terminal();
    assert!(code == 0 || code == 1, "{code}");
}

/// Job control is the shell's: it reports that the client has stopped, shows the state of the
/// terminal, and continues it.
const JOB_CONTROL: &str =
    r#"set -m; "$@"; echo "stopped with $?"; stty -a; read line; fg >/dev/null; echo "ended with $?""#;

#[test]
fn control_z_stops_and_fg_goes_on() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Opening::join(server.address, "alice").size(24, 80).within_a_shell(JOB_CONTROL).open();
    bob.expect_word("alice joined");
    alice.keys_until("a draft", "> a draft");
    alice.keys("\x1a");
    alice.see("stopped with 148");
    // Whole words of `stty`: the shell has the line discipline back.
    alice.wait_for("the modes", |screen| screen.contains(" icanon") && screen.contains(" echo "));
    assert!(!alice.emulator.screen().bracketed_paste());
    bob.say("said meanwhile");
    // Those behind it in the queue have received it by then.
    bob.barrier();
    alice.keys("\r");
    alice.see("bob > said meanwhile");
    alice.see("> a draft");
    assert!(alice.is_changed() && alice.emulator.screen().bracketed_paste());
    // Keys come one by one and unechoed again.
    alice.keys("\x1b[D\x1b[D\x1b[D\x1b[D\x1b[Dlong \r");
    assert_eq!(bob.said().text, "a long draft");
    alice.keys("\r\r\r");
    alice.see("ended with 0");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn resuming_after_an_unasked_stop_takes_the_terminal_again() {
    let mut table = Table::with(|opening| {
        opening.within_a_shell(
            r#"set -m; "$@"; echo "stopped with $?"; stty sane; printf '\033[?2004l\033[?1004l'; echo mended; read line; fg >/dev/null"#,
        )
    });
    table.alice.keys_until("a draft", "> a draft");
    table.alice.stop_whoever_has_it();
    table.alice.see("mended");
    assert!(!table.alice.emulator.screen().bracketed_paste());
    table.alice.keys("\r");
    table.alice.wait_for("the terminal taken again", |screen| screen.ends_with("anyone on the way can read this"));
    table.alice.see_input("a draft");
    assert_eq!(table.said("\x1b[D\x1b[D\x1b[D\x1b[D\x1b[Dlong \r"), "a long draft");
    assert!(table.alice.is_changed() && table.alice.emulator.screen().bracketed_paste());
    table.alice.keys("\r\r\r");
    assert_eq!(table.alice.exit_code(), 0);
}

#[test]
fn a_signal_while_it_is_stopped_leaves_once_it_goes_on() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let script = r#"set -m; "$@"; echo "stopped with $?"; kill -TERM %1; fg >/dev/null; echo "ended with $?""#;
    let mut alice = Opening::join(server.address, "alice").within_a_shell(script).open();
    bob.expect_word("alice joined");
    alice.keys("\x1a");
    alice.see("ended with 0");
    assert_eq!(alice.exit_code(), 0);
    bob.expect_word("alice left");
}
