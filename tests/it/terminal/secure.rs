//! Secure links at a terminal: who can read, and a key that changes.

use super::harness::Opening;
use crate::harness::{Passage, Proxy};
use crate::trust::{certificate, server};

#[test]
fn the_status_line_says_who_can_read() {
    let server = server(&certificate(), 1);
    for (link, words) in [
        ("tls", "TLS: the server can read this"),
        ("noise", "Noise: the server can read this"),
        ("plain", "plaintext: anyone on the way can read this"),
    ] {
        let opening = Opening::join(server.address, "alice").size(24, 120).argument("--link").argument(link);
        let mut alice = opening.open();
        alice.see(words);
        alice.keys("/quit\r");
        assert_eq!(alice.exit_code(), 0);
    }
}

#[test]
fn a_key_log_stays_in_the_status_line_at_any_width() {
    let server = server(&certificate(), 1);
    let opening = Opening::join(server.address, "alice").size(24, 120).argument("--link=tls");
    let mut alice = opening.argument("--key-log=secrets").open();
    alice.see("TLS: the server and whoever has the key log can read this · secrets logged");
    alice.resize(24, 40);
    alice.see("alice in lobby · TLS · secrets logged");
    alice.keys_until("a draft", "> a draft");
    alice.see("secrets logged");
}

#[test]
fn a_changed_key_gives_the_terminal_back_with_the_facts() {
    let (old, new) = (certificate(), certificate());
    let (before, after) = (server(&old, 1), server(&new, 1));
    let proxy = Proxy::to(before.address);
    let mut alice = Opening::join(proxy.address, "alice").size(24, 100).argument("--link=tls").open();
    let written: String = alice.transcript().concat().split_whitespace().collect();
    assert!(written.contains(&old.fingerprint().hex()), "{written}");
    proxy.set(Passage::Closed);
    alice.keys_until("nobody heard this\r", "1 unsent");
    proxy.lead_to(after.address);
    proxy.set(Passage::Open);
    proxy.cut();
    assert_eq!(alice.exit_code(), 4);
    let written = alice.written();
    for fact in [
        old.fingerprint().to_string(),
        new.fingerprint().to_string(),
        format!("glassline keys trust {} {}", proxy.address, new.fingerprint().hex()),
        "not acknowledged: nobody heard this".to_owned(),
    ] {
        assert!(written.contains(&fact), "{fact}: {written}");
    }
    assert!(!after.log().contains("alice"), "{}", after.log());
}
