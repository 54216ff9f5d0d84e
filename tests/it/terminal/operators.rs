//! An operator at a terminal: what it does, and that the token is neither shown nor kept.

use std::fs;
use std::rc::Rc;

use glassline_server::{Config, OperatorToken};

use super::harness::Opening;
use crate::harness::{EventClient, Server};

const TOKEN: &str = "correct-horse-battery";

#[test]
fn a_terminal_operator_kicks_and_leaves_no_token_behind() {
    let operator_token = Some(OperatorToken::parse(TOKEN).expect("a token"));
    let server = Server::with(Config { operator_token, ..Config::default() });
    let mut alice = Opening::join(server.address, "alice").size(24, 100).open();
    let mut bob = Opening::join(server.address, "bob").size(24, 100).open();
    let mut eve = EventClient::join(server.address, "eve");
    let home = Rc::clone(alice.home());
    alice.keys_until("/ban eve\r", "only operators may do this");
    alice.keys("/op correct-horse");
    alice.see_input("/op •••••••••••••");
    alice.keys_until("-battery\r", "you are an operator for as long as this connection lasts");
    alice.see("alice became an operator");
    alice.keys_until("/mute bob 10m\r", "it concerns 1 who is here: bob");
    bob.see("alice muted you until");
    bob.keys_until("but why\r", "you may still write to an operator (alice) directly");
    alice.keys_until("/roster\r", "bob (muted) 127.0.0.1, event dialect");
    alice.keys_until("/ban eve 2h enough\r", "alice banned eve until");
    assert!(eve.expect_closed().iter().any(|event| event["code"] == "banned"));
    alice.keys_until("/kick bob go home\r", "alice kicked bob: go home");
    assert_eq!(bob.exit_code(), 4, "whoever is thrown out does not come back by itself");
    assert!(bob.written().contains("threw you out: alice closed your connection: go home"), "{}", bob.written());
    // Neither one line up nor in a search nor on the disk.
    alice.keys("\x12/op");
    alice.wait_for("nothing to be found", |screen| screen.contains("(search") && !screen.contains("•"));
    alice.keys("\x1b");
    alice.see_input("");
    alice.keys_until("/help operators\r", "lets nobody but operators speak");
    alice.keys("/op correct-horse");
    alice.see_input("/op •••••••••••••");
    alice.keys("\x15\x04");
    assert_eq!(alice.exit_code(), 0);
    assert!(!alice.written().contains("horse"), "the token was on the screen");
    let kept = fs::read_to_string(home.path().join(".local/state/glassline/typed-lines")).expect("typed lines");
    assert!(kept.contains("/kick bob go home") && !kept.contains("horse") && !kept.contains("/op"), "{kept}");
    assert!(!server.log().contains("horse"));
}
