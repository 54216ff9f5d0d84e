//! Connections that send nothing, or almost nothing (D2, L): closed at the limit, and nobody waits
//! for them.

use std::time::{Duration, Instant};

use glassline_server::Limits;

use crate::harness::{
    EventClient, PATIENCE, PROMPT, Server, ServerProcess, Tutorial, Wire, descriptors_per_wire, frame,
};

/// The loop may be busy closing others that are silent, never waiting for them.
#[track_caller]
fn expect_prompt_round_trip(talker: &mut Tutorial, listener: &mut EventClient, text: &str) {
    let said = Instant::now();
    talker.say(text);
    listener.expect_message("talker", text);
    assert!(said.elapsed() < PROMPT, "{text} took {:?}", said.elapsed());
}

/// The server's own ten seconds, as an unregistered connection meets them.
#[test]
fn a_silent_or_trickling_connection_is_cut_after_10_s() {
    let server = Server::start();
    let mut talker = Tutorial::join(server.address, "talker");
    let mut listener = EventClient::join(server.address, "listener");
    let connected = Instant::now();
    let mut silent = Wire::connect(server.address);
    let mut dripping = Wire::connect(server.address);
    dripping.send("5");
    expect_prompt_round_trip(&mut talker, &mut listener, "early");
    let nine_seconds = Duration::from_secs(9).saturating_sub(connected.elapsed());
    assert!(!dripping.ends_within(nine_seconds), "cut before ten seconds");
    dripping.send(" ");
    expect_prompt_round_trip(&mut talker, &mut listener, "late");
    assert!(dripping.ends_within(PATIENCE), "a byte must not buy time");
    assert!(silent.ends_within(PATIENCE));
    assert!(connected.elapsed() >= Duration::from_millis(9_900), "cut after {:?}", connected.elapsed());
    expect_prompt_round_trip(&mut talker, &mut listener, "after");
    assert_eq!(server.log().matches("no_name_in_time").count(), 2);
}

/// A machine that pauses a process wakes it from its wait without an event.
#[test]
fn being_paused_over_and_over_buys_a_silent_connection_no_time() {
    let process = ServerProcess::serve(&[]);
    let mut silent = Wire::connect(process.address);
    let connected = Instant::now();
    while !silent.ends_within(Duration::from_millis(100)) {
        process.signal("STOP");
        process.signal("CONT");
        assert!(connected.elapsed() < PATIENCE, "it is still open");
    }
    assert!(connected.elapsed() >= Duration::from_millis(9_900), "cut after {:?}", connected.elapsed());
    process.stop();
}

#[test]
fn one_byte_at_a_time_is_cut_at_the_limit_wherever_it_stands() {
    let limit = Duration::from_secs(1);
    let server = Server::with_limits(Limits { greeting_timeout_ms: 1_000, ..Limits::default() });
    let mut talker = Tutorial::join(server.address, "talker");
    let hello = [b"GLASSLINE2".as_slice(), &frame(r#"{"type":"hello","name":"slow"}"#)].concat();
    for conversation in [frame("a name that takes its time"), hello] {
        let started = Instant::now();
        let mut dripping = Wire::connect(server.address);
        // Waiting for its end is the drip's clock.
        let sent = conversation.iter().take_while(|&&byte| {
            let open = !dripping.ends_within(Duration::from_millis(50));
            open && dripping.try_send([byte]).is_ok()
        });
        assert!(sent.count() < conversation.len(), "it was let in");
        let open_for = started.elapsed();
        assert!(open_for + Duration::from_millis(10) >= limit && open_for < limit + PROMPT, "cut after {open_for:?}");
    }
    assert!(talker.barrier().is_empty(), "nobody came");
}

#[test]
fn a_connection_with_a_name_in_time_is_not_closed() {
    let server = Server::with_limits(Limits { greeting_timeout_ms: 1_000, ..Limits::default() });
    let alice = Tutorial::join(server.address, "alice").into_wire();
    let mut witness = Wire::connect(server.address);
    assert!(witness.ends_within(PATIENCE));
    assert!(alice.is_open());
}

/// Returns the number of further connections that fit, both ends being in this process.
fn connections_that_fit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let descriptors = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1_024_usize);
    // The server keeps those without a name to their bound, and the tests beside this one need some as well.
    (descriptors.saturating_sub(2_200) / descriptors_per_wire()).clamp(100, 10_000)
}

#[test]
fn of_a_crowd_of_silent_connections_the_oldest_make_room() {
    let crowd = connections_that_fit();
    let unregistered_max = 1_024.min(crowd / 4);
    let server = Server::with_limits(Limits { unregistered_max, greeting_timeout_ms: 60_000, ..Limits::default() });
    let mut talker = Tutorial::join(server.address, "talker");
    let mut listener = EventClient::join(server.address, "listener");
    let mut silent = Vec::new();
    for n in 0..crowd {
        silent.push(Wire::connect(server.address));
        if n % 250 == 0 {
            expect_prompt_round_trip(&mut talker, &mut listener, &format!("{n} are silent"));
        }
    }
    // It stood behind them all, and one more had to go for it.
    let _last = Tutorial::join(server.address, "last");
    let closed = crowd + 1 - unregistered_max;
    for (n, wire) in silent.iter_mut().enumerate() {
        if n < closed {
            assert!(wire.ends_within(PATIENCE), "number {n} of {closed} is still there");
        } else {
            assert!(wire.is_open(), "number {n} was closed, {closed} had to go");
        }
    }
    expect_prompt_round_trip(&mut talker, &mut listener, "the named are still here");
    assert_eq!(server.log().matches("crowded_out").count(), closed);
}

#[test]
fn silence_makes_no_dialect_wait_for_another() {
    let server = Server::start();
    let half_open: Vec<Wire> = ["GLASS", "GLASSLINE", "5", "         ", "GE"]
        .iter()
        .map(|start| {
            let mut wire = Wire::connect(server.address);
            wire.send(start);
            wire
        })
        .collect();
    let mut alice = Tutorial::join(server.address, "alice");
    let mut eve = EventClient::join(server.address, "eve");
    alice.say("hi");
    eve.expect_message("alice", "hi");
    assert!(half_open.iter().all(Wire::is_open));
}
