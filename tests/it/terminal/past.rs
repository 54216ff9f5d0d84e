//! Messages of the past and missed messages: context, pages, searches, and each message once.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use glassline_server::Config;
use serde_json::{Value, json};

use super::harness::{Opening, Terminal, receive};
use crate::harness::{EventClient, Passage, Proxy, Server, accepted, frame};
use crate::program::Folder;

/// A server with a history, and Bob, who has sent so many messages.
struct Scene {
    bob: EventClient,
    server: Server,
    folder: Folder,
}

#[track_caller]
fn scene(texts: &[&str]) -> Scene {
    let folder = Folder::new();
    let server = Server::keeping(folder.path(), Config::default());
    let mut bob = EventClient::join(server.address, "bob");
    for text in texts {
        bob.say(text);
        bob.expect_message("bob", text);
    }
    Scene { bob, server, folder }
}

/// The rows that hold this, in their order.
fn rows_with(terminal: &mut Terminal, part: &str) -> Vec<String> {
    terminal.transcript().into_iter().filter(|row| row.contains(part)).collect()
}

#[test]
fn who_comes_finds_what_was_said_and_is_not_called_by_it() {
    let Scene { mut bob, server, folder: _folder } = scene(&["tea at four?", "alice: bring cups", "at five"]);
    let mut alice = Opening::join(server.address, "alice").size(24, 100).open();
    alice.see("at five\n── now ──\n>");
    let earlier = rows_with(&mut alice, "bob > ");
    assert_eq!(earlier.len(), 3, "{earlier:?}");
    for (row, text) in earlier.iter().zip(["tea at four?", "alice: bring cups", "at five"]) {
        let (time, said) = row.split_once(' ').expect("a time in front, whatever the settings");
        assert!(time.len() == 5 && time.contains(':') && said == format!("bob > {text}"), "{row}");
    }
    assert_eq!((alice.count_written("\x07"), alice.count_written("for you")), (0, 0));
    bob.say("now, alice");
    alice.see("── now ──\nbob > now, alice");
    assert_eq!(alice.count_written("\x07"), 1);
    // Another room: its own past, no unread mark.
    bob.send(&json!({"type": "join", "room": "den"}));
    bob.send(&json!({"type": "send", "room": "den", "text": "in the den", "id": crate::harness::fresh_id()}));
    receive(&mut bob, |event| event["text"] == "in the den");
    alice.keys_until("/join den\r", "── den ──\n── earlier in den ──");
    alice.see("bob > in the den\n── now ──");
    assert_eq!(alice.count_written("+1"), 0);
}

#[test]
fn stored_messages_leave_room_for_the_clients_notices() {
    let texts: Vec<String> = (1..=30).map(|number| format!("number {number}.")).collect();
    let Scene { server, folder: _folder, .. } = scene(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let mut alice = Opening::join(server.address, "alice").size(24, 100).open();
    alice.see("number 30.\n── now ──");
    assert!(alice.screen().contains("* connected to "), "{}", alice.screen());
    assert_eq!(rows_with(&mut alice, "bob > ").len(), 12);
    alice.see("── earlier in lobby; /older shows more ──");
    alice.keys_until("/older\r", "── now ──\n> \nalice");
    alice.see_passing("── earlier in lobby: 1 to 18 ──");
    for text in texts {
        assert_eq!(rows_with(&mut alice, &format!("> {text}")).len(), 1, "{text}");
    }
}

#[test]
fn the_past_is_paged_searched_and_looked_at_around_a_number() {
    let texts: Vec<String> =
        (1..=60).map(|number| format!("{} {number}.", if number == 7 { "Tea" } else { "no" })).collect();
    let Scene { bob, server, folder: _folder } = scene(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let mut alice = Opening::join(server.address, "alice").size(50, 100).open();
    alice.see("no 60.\n── now ──");
    alice.keys_until("/clear\r", "\n");
    alice.keys_until("/history 2\r", "── earlier in lobby: 59 to 60 ──");
    alice.see("bob > no 60.\n── now; /older shows more ──");
    alice.keys_until("/older\r", "── earlier in lobby: 57 to 58 ──");
    alice.see("bob > no 58.\n── now; /older shows more ──");
    alice.keys_until("/search tea\r", "── 1 found in lobby: tea ──\n#7 20");
    alice.see("bob > Tea 7.\n── /history around 7 shows what stands around it ──");
    alice.keys_until("/search coffee\r", "* nothing in lobby holds coffee");
    alice.keys_until("/history around 7\r", "#7 ");
    alice.see("bob > Tea 7.\n");
    alice.see("bob > no 8.\n");
    alice.see("shows what follows");
    alice.keys_until("/history around 99\r", "there is no message 99 in lobby: the newest one is 60");
    alice.keys_until("/history 1000\r", "usage: /history [N|around NUMBER]");
    drop(bob);
}

#[test]
fn what_was_missed_comes_once_and_rings_once() {
    let Scene { mut bob, server, folder: _folder } = scene(&["before"]);
    let proxy = Proxy::to(server.address);
    let mut alice = Opening::join(proxy.address, "alice").size(24, 100).open();
    alice.see("before\n── now ──");
    alice.keys("mine\r");
    alice.see("alice > mine");
    for round in 0..3 {
        proxy.set(Passage::Closed);
        proxy.cut();
        alice.see("link lost");
        // Her departure is announced before she comes again.
        receive(&mut bob, |event| event["type"] == "left" && event["names"][0] == "alice");
        for number in 0..3 {
            bob.say(&format!("alice, missed {round}.{number}."));
        }
        bob.barrier();
        proxy.set(Passage::Open);
        alice.see(&format!("missed {round}.2."));
        alice.see("· online");
    }
    let shown = rows_with(&mut alice, "missed ");
    let expected: Vec<String> =
        (0..9).map(|number| format!("bob > alice, missed {}.{}.", number / 3, number % 3)).collect();
    assert_eq!(shown, expected);
    assert_eq!(alice.count_written("\x07"), 3, "one call for each time");
    let transcript = alice.transcript().join("\n");
    assert_eq!(transcript.matches("alice > mine").count(), 1, "{transcript}");
    assert_eq!(transcript.matches("earlier in lobby").count(), 1, "what one has seen is not shown again: {transcript}");
}

/// A server that sends this to each client that comes, and closes; the `since` of each for the
/// lobby must be as given.
fn scripted(script: Vec<(Option<u64>, Vec<Value>)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for ((since, events), client) in script.into_iter().zip(listener.incoming()) {
            let mut client = accepted(client.expect("a client"));
            let hello = hello(&mut client);
            if hello["since"]["lobby"].as_u64() != since {
                let wrong = json!({"type": "notice", "text": format!("WRONG: {hello}")});
                client.write_all(&frame(wrong.to_string())).expect("the client reads");
                continue;
            }
            for event in events {
                client.write_all(&frame(event.to_string())).expect("the client reads");
            }
            // The client's requests are read, so that nothing sent is lost in a reset.
            client.shutdown(Shutdown::Write).expect("the client reads");
            while let Ok(1..) = client.read(&mut [0; 1024]) {}
        }
    });
    address
}

/// Reads the opening of a client of the event dialect, and returns its `hello`.
fn hello(client: &mut TcpStream) -> Value {
    let mut opening = [0; 20];
    client.read_exact(&mut opening).expect("an opening and a header");
    let length = String::from_utf8_lossy(&opening[10..]).trim().parse().expect("a length");
    let mut hello = vec![0; length];
    client.read_exact(&mut hello).expect("a hello");
    serde_json::from_slice(&hello).expect("JSON")
}

fn welcome(seq: u64) -> Value {
    json!({
        "type": "welcome", "name": "alice", "token": "1".repeat(32), "server": "script/1",
        "limits": {"name_chars": 32, "name_bytes": 64, "text_bytes": 16384, "event_bytes": 102_400},
        "rooms": [{"room": "lobby", "seq": seq, "count": 2}],
    })
}

fn message(seq: u64) -> Value {
    json!({"type": "message", "room": "lobby", "seq": seq, "from": "bob", "text": format!("number {seq}.")})
}

#[test]
fn a_link_that_breaks_in_the_replay_goes_on_where_it_broke() {
    let address = scripted(vec![
        (None, vec![welcome(0), message(1)]),
        (Some(1), vec![welcome(9), message(2), message(3)]),
        (Some(3), vec![welcome(9)]),
        (Some(3), vec![welcome(9), json!({"type": "gap", "room": "lobby", "from": 4, "to": 7}), message(8)]),
        (Some(8), vec![welcome(9), message(8), message(9)]),
        // Another server, or one that has lost everything.
        (Some(9), vec![welcome(2), message(3)]),
    ]);
    let mut alice = Opening::join(address, "alice").size(60, 100).start();
    alice.see("counts the messages of lobby anew");
    alice.wait_for("the last message", |screen| screen.matches("number 3.").count() == 2);
    let screen = alice.screen();
    assert!(!screen.contains("WRONG"), "{screen}");
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    for row in screen.lines().filter_map(|row| row.strip_prefix("bob > number ")) {
        *times.entry(row.trim_end_matches('.').parse().expect("a number")).or_default() += 1;
    }
    assert_eq!(times, BTreeMap::from([(1, 1), (2, 1), (3, 2), (8, 1), (9, 1)]), "{screen}");
    alice.see("* you missed 4 messages; /history around 4 shows what is still stored there");
    assert_eq!(screen.matches("anew").count(), 1);
}

#[test]
fn line_mode_gets_the_past_in_lines_and_the_log_does_not() {
    let Scene { mut bob, server, folder: _folder } = scene(&["tea?", "two\nlines"]);
    let state = ".local/state/glassline";
    let mut alice = Opening::join(server.address, "alice")
        .size(30, 100)
        .argument("--linear")
        .variable("GLASSLINE_LOG", "on")
        .start();
    alice.see("* now");
    let rows: Vec<String> = alice.transcript().iter().map(|row| row.trim_end().to_owned()).collect();
    let begin = rows.iter().position(|row| row == "* earlier in lobby").expect("a beginning");
    assert!(rows[begin + 1].starts_with("20") && rows[begin + 1].ends_with(" bob > tea?"), "{rows:?}");
    assert!(rows[begin + 2].ends_with(" bob > two"), "{rows:?}");
    assert_eq!(rows[begin + 3..begin + 5], ["  lines", "* now"]);
    bob.say("live");
    alice.see("\nbob > live");
    alice.keys("/search tea\n");
    alice.see("* 1 found in lobby: tea\n#1 20");
    alice.see("* /history around 1 shows what stands around it");
    alice.keys("/quit\n");
    assert_eq!(alice.exit_code(), 0);
    let logs = alice.home().path().join(state).join("logs");
    let server_logs = fs::read_dir(logs).expect("logs").next().expect("a server").expect("a folder").path();
    let lobby = fs::read_to_string(server_logs.join("lobby.log")).expect("a log");
    assert!(lobby.contains("bob > live") && !lobby.contains("tea?"), "{lobby}");
}
