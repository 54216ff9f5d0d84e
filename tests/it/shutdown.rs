//! The end of a server: goodbye to everyone, what waits is written, and it is over within five seconds.

use std::time::{Duration, Instant};

use crate::harness::{EventClient, PATIENCE, PROMPT, Server, Tutorial, Wire};

#[test]
fn everybody_gets_a_goodbye_and_is_closed_in_order() {
    let server = Server::start();
    let mut old = Tutorial::join(server.address, "old");
    let mut eve = EventClient::join(server.address, "eve");
    let mut newcomer = Wire::connect(server.address);
    // Nothing is left to be sent but the goodbye.
    old.barrier();
    eve.say("last words");
    eve.expect_message("eve", "last words");
    let asked = Instant::now();
    server.stop();
    assert!(asked.elapsed() < Duration::from_secs(5) + PROMPT, "it took {:?}", asked.elapsed());
    old.expect_message("eve", "last words");
    old.expect_word("the server is closing down; goodbye");
    old.expect_closed();
    eve.expect("bye");
    eve.expect_closed();
    assert!(newcomer.ends_within(PATIENCE));
}

#[test]
fn one_that_does_not_read_does_not_hold_up_the_end() {
    let server = Server::start();
    let _stalled = Tutorial::join_over(Wire::connect_narrow(server.address), "stalled");
    let mut talker = Tutorial::join(server.address, "talker");
    for _ in 0..400 {
        talker.say("x".repeat(16 * 1024));
    }
    talker.barrier();
    let asked = Instant::now();
    server.stop();
    assert!(asked.elapsed() < Duration::from_secs(5) + PROMPT, "it took {:?}", asked.elapsed());
    talker.expect_word("the server is closing down; goodbye");
    talker.expect_closed();
}
