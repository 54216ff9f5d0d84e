//! The program as a shell meets it: what `serve` prints, how it ends, and its exit codes.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use crate::harness::{EventClient, PATIENCE, PROMPT, ServerProcess, Tutorial, Wire};
use crate::program::{Folder, PROGRAM, Process, command};

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_right() {
    let misused: [(&[&str], &str); 9] = [
        (&["--name", "zed", "join"], "glassline join --name zed"),
        (&["join", "localhost", "1234"], "glassline join localhost:1234"),
        (&["join", "http://localhost:80/"], "glassline join localhost:80"),
        (&["serve", "--nonsense"], "--nonsense"),
        (&["dance"], "dance"),
        (&["serve", "--listen", "nowhere"], "127.0.0.1:1234"),
        (&["serve", "--flood", "0"], "a number of messages a second"),
        (&["serve", "--log-format", "xml"], "human"),
        (&["join", "--dialect", "latin"], "tutorial"),
    ];
    for (arguments, advice) in misused {
        let ended = ServerProcess::ended(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(advice), "{arguments:?}: {ended:?}");
        assert!(ended.stdout.is_empty(), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn help_and_version_are_no_failure() {
    for arguments in [["--help"], ["--version"]] {
        let ended = ServerProcess::ended(&arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{ended:?}");
    }
}

#[test]
fn an_address_in_use_ends_with_1_and_a_next_step() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = ServerProcess::ended(&["serve", "--listen", &address]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&format!("`glassline join {address}`")), "{ended:?}");
    assert!(ended.stdout.is_empty(), "{ended:?}");
    let ended = ServerProcess::ended(&["serve", "--listen", "192.0.2.1:0"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("this machine has no such address"), "{ended:?}");
}

#[test]
fn own_overlapping_addresses_are_not_blamed_on_other_programs() {
    let twice = ServerProcess::ended(&["serve", "--listen", "127.0.0.1:45454", "--listen", "0.0.0.0:45454"]);
    assert_eq!(twice.code, Some(1), "{twice:?}");
    assert!(twice.stderr.contains("leave one of them out"), "{twice:?}");
}

#[test]
fn both_families_share_a_port() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port();
    for order in [["[::]", "0.0.0.0"], ["0.0.0.0", "[::]"], ["[::]", "127.0.0.1"]] {
        let [first, second] = order.map(|ip| format!("{ip}:{free}"));
        let mut process = ServerProcess::serve(&["--history", "none", "--listen", &first, "--listen", &second]);
        assert_eq!([process.expect_listening().to_string(), process.expect_listening().to_string()], [first, second]);
        Tutorial::join(SocketAddr::from(([127, 0, 0, 1], free)), "four");
        Tutorial::join(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], free)), "six");
        process.stop();
    }
}

#[test]
fn serve_prints_where_it_listens_and_nothing_else_on_stdout() {
    let mut process = ServerProcess::serve(&["--listen", "127.0.0.1:0"]);
    let second = process.expect_listening();
    assert_ne!(process.address, second);
    let mut alice = Tutorial::join(process.address, "alice");
    let mut bob = Tutorial::join(second, "bob");
    alice.say("one line, two doors");
    bob.expect_message("alice", "one line, two doors");
    let ended = process.stop();
    assert!(ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn a_first_signal_says_goodbye_and_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let process = ServerProcess::serve(&[]);
        let mut old = Tutorial::join(process.address, "old");
        let mut eve = EventClient::join(process.address, "eve");
        eve.say("last words");
        eve.expect_message("eve", "last words");
        let asked = Instant::now();
        process.signal(signal);
        old.expect_message("eve", "last words");
        old.expect_word("closing down; goodbye");
        old.expect_closed();
        eve.expect("bye");
        eve.expect_closed();
        let ended = process.wait(PATIENCE);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(asked.elapsed() < Duration::from_secs(5) + PROMPT, "SIG{signal} took {:?}", asked.elapsed());
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let process = ServerProcess::serve(&[]);
    // With somebody who does not read, the first signal alone would take four seconds.
    let _stalled = Tutorial::join_over(Wire::connect_narrow(process.address), "stalled");
    let mut talker = Tutorial::join(process.address, "talker");
    for _ in 0..400 {
        talker.say("x".repeat(16 * 1024));
    }
    talker.barrier();
    process.signal("TERM");
    talker.expect_word("closing down; goodbye");
    let asked = Instant::now();
    process.signal("TERM");
    let ended = process.wait(PATIENCE);
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(asked.elapsed() < Duration::from_secs(3), "it took {:?}", asked.elapsed());
}

/// As where the terminal is gone, or a full disk holds the log.
#[cfg(target_os = "linux")]
#[test]
fn stderr_that_takes_nothing_is_no_panic() {
    let home = Folder::new();
    let mut shell = command("sh", &home);
    shell.args(["-c", "exec \"$0\" serve --listen 0.0.0.0:0 --history none 2>/dev/full", PROGRAM]);
    let server = Process::start(shell);
    let line = server.line();
    let port = line.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("where it listens");
    Tutorial::join(SocketAddr::from(([127, 0, 0, 1], port)), "old");
    server.signal("TERM");
    assert_eq!(server.ended().code, Some(0));
}

#[test]
fn the_flags_reach_the_server() {
    let process = ServerProcess::serve(&["--pure", "--flood", "off"]);
    let mut peer = Wire::connect(process.address);
    peer.send("GLASSLINE2");
    assert_eq!(peer.rest(), b"", "a pure server supports no events and sends nothing");
    process.stop();
}
