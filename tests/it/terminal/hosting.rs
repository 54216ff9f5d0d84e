//! A host at a terminal: the command that it shows for others, and that every end has a goodbye.

use std::net::SocketAddr;

use super::harness::{Opening, Terminal};
use crate::harness::EventClient;

const OPEN_ON: &str = "your line is open on ";

fn address(host: &Terminal) -> SocketAddr {
    let screen = host.screen();
    let line = screen.lines().find_map(|row| row.split_once(OPEN_ON)).expect("the address is shown").1;
    line.split(',').next().and_then(|address| address.parse().ok()).expect("an address")
}

#[test]
fn a_host_shows_what_others_type() {
    let mut host = Opening::host("host").open();
    let address = address(&host);
    host.see(&format!("glassline join {address}"));
    let mut member = EventClient::join(address, "member");
    member.say("hello");
    member.expect_message("member", "hello");
    host.see("member > hello");
    host.keys("\r\r\r");
    host.keys("\r\r\r");
    member.expect("bye");
    assert_eq!(host.exit_code(), 0);
}

/// The kernel hangs up on the programs in the foreground, and an interactive shell passes the
/// hangup on.
#[test]
fn a_hosts_closed_window_says_goodbye() {
    for _ in 0..6 {
        let mut host = Opening::host("host").open();
        let mut member = EventClient::join(address(&host), "member");
        host.see("member");
        host.hang_up();
        host.signal("HUP");
        host.signal("HUP");
        member.expect("bye");
        member.expect_closed();
    }
}

#[test]
fn a_quit_signal_leaves_and_a_user_signal_does_nothing() {
    let mut host = Opening::host("host").open();
    let mut member = EventClient::join(address(&host), "member");
    host.signal("USR1");
    host.signal("USR2");
    host.keys("still here\r");
    member.expect_message("host", "still here");
    host.signal("QUIT");
    member.expect("bye");
    assert_eq!(host.exit_code(), 0);
}
