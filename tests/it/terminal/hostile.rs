//! Hostile input of peers, servers and odd terminals: nothing is interpreted, nothing is lost,
//! nothing panics.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use super::harness::{Opening, Table};
use crate::harness::{Server, Tutorial, accepted, frame};

#[test]
fn nothing_a_peer_says_moves_the_terminal() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Opening::join(server.address, "alice").open();
    for hostile in ["\u{1b}]52;c;aGk=\u{7}", "\u{1b}[6n", "\u{9b}6n", "\u{1b}]0;title", "\u{202e}olleh", "\u{1b}[2J"] {
        bob.say(format!("{hostile}harmless"));
    }
    bob.say(format!("z{}", "\u{301}".repeat(500)));
    bob.say("the end");
    alice.see("the end");
    let written = alice.written();
    assert!(!written.contains(&"\u{301}".repeat(20)), "a tower of marks stands over other lines");
    for sequence in ["\u{1b}]", "\u{1b}[6n", "\u{1b}[2J", "\u{9b}", "\u{202e}", "\u{7}"] {
        assert!(!written.contains(sequence), "{sequence:?} reached the terminal");
    }
    assert_eq!(written.matches("harmless").count(), 6);
}

#[test]
fn the_longest_message_without_a_space_is_shown_in_two_parts() {
    let mut table = Table::new();
    // Each piece is another one, so that a missing one is missed.
    let long: String =
        (0..).flat_map(|number| format!("{number:04}").into_bytes()).take(16 * 1024).map(char::from).collect();
    table.alice.keys_until("a draft", "> a draft");
    table.bob.say(&long);
    table.bob.say("behind it");
    table.alice.see("behind it");
    table.alice.see_input("a draft");
    let rows = table.alice.transcript().len();
    assert!(rows < 60, "{rows} rows");
    table.alice.keys("\x15/more\r");
    table.alice.see("4095");
    table.alice.keys_until("\x19", "> a draft");
    let shown: String = table.alice.transcript().iter().map(|row| row.replace("bob > ", "")).collect();
    let rows = shown.replace([' ', '\n'], "").replace("…136morerows:/more1showsthem", "").replace("behindit", "");
    assert!(rows.contains(&long), "{rows}");
    assert_eq!(table.said("\r"), "a draft");
}

#[test]
fn one_message_takes_few_rows_here_and_in_the_history() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    for mode in [&["--dialect", "event"][..], &["--dialect", "tutorial"], &["--linear"]] {
        let opening = mode
            .iter()
            .fold(Opening::join(server.address, "alice").size(24, 80), |opening, argument| opening.argument(argument));
        let mut alice = opening.start();
        bob.expect_word("alice joined");
        let rows: Vec<String> = (0..500).map(|number| format!("r{number}.")).collect();
        bob.say(rows.join("\n"));
        bob.say("behind it");
        alice.see("behind it");
        let shown = alice.transcript().join("\n");
        assert!(shown.contains("r38.") && !shown.contains("r39.") && shown.contains("461 more rows"), "{shown}");
        alice.keys("/more\r");
        alice.see("262 more rows");
        alice.keys("/more\r/more\r");
        alice.see("r499.");
        let transcript = alice.transcript().join("\n");
        for row in &rows {
            assert_eq!(transcript.matches(row).count(), 1, "{row} in {mode:?}");
        }
        alice.keys("/quit\r");
        assert_eq!(alice.exit_code(), 0);
        bob.expect_word("alice left");
    }
}

#[test]
fn a_flood_is_shown_whole_and_keys_work_in_it() {
    let mut table = Table::new();
    for number in 0..3_000 {
        table.bob.say(&format!("flood {number}."));
        if number == 1_500 {
            table.alice.keys("typed in the flood\r");
        }
    }
    assert_eq!(table.received(), "typed in the flood");
    table.alice.see("flood 2999.");
    let transcript = table.alice.transcript().join("\n");
    for number in 0..3_000 {
        assert_eq!(transcript.matches(&format!(" flood {number}.")).count(), 1, "flood {number}");
    }
}

#[test]
fn a_terminal_of_one_cell_and_one_of_twenty_columns_are_enough() {
    for (rows, columns) in [(1, 1), (2, 2), (3, 20), (1, 200)] {
        let mut table = Table::new();
        table.alice.resize(rows, columns);
        table.alice.keys("in a small window\r");
        assert_eq!(table.received(), "in a small window", "{rows}x{columns}");
        table.bob.say("漢字 answer.");
        table.alice.see_passing("answer.");
        // Large again, all of it is as it was.
        table.alice.resize(24, 100);
        table.alice.see("alice in lobby · with bob · online");
        table.bob.say("still here?");
        table.alice.see("bob > still here?");
        assert_eq!(table.said("yes\r"), "yes");
    }
}

#[test]
fn a_terminal_that_is_small_from_the_start_is_enough() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    for (rows, columns) in [(1, 1), (2, 5), (24, 20)] {
        let mut alice = Opening::join(server.address, "alice").size(rows, columns).start();
        bob.expect_word("alice joined");
        alice.keys("hello\r");
        assert_eq!(bob.said().text, "hello", "{rows}x{columns}");
        alice.keys("\r\r\r");
        assert_eq!(alice.exit_code(), 0);
        bob.expect_word("alice left");
    }
}

#[test]
fn a_storm_of_resizes_loses_no_message_and_no_draft() {
    let mut table = Table::new();
    table.alice.keys_until("a draft of two\nrows", "  rows");
    let sizes = [(24, 80), (1, 1), (5, 20), (50, 200), (2, 40), (24, 3), (10, 100)];
    for number in 0..210 {
        table.bob.say(&format!("size{number}."));
        let (rows, columns) = sizes[number % sizes.len()];
        table.alice.resize(rows, columns);
    }
    table.alice.see_passing("size209.");
    for number in 0..210 {
        assert!(table.alice.count_written(&format!("size{number}.")) > 0, "size {number} was never written");
    }
    table.alice.resize(24, 100);
    table.alice.see("alice in lobby · with bob · online");
    table.bob.say("calm.");
    table.alice.see("bob > calm.\n> a draft of two\n  rows\nalice in lobby");
    assert_eq!(table.said("\r"), "a draft of two\nrows");
}

#[test]
fn a_resized_window_keeps_its_messages_in_the_scrollback() {
    let mut table = Table::new();
    table.alice.keys_until("a draft", "> a draft");
    for number in 0..60 {
        table.alice.resize([10, 30, 6, 24][number % 4], 100);
        table.bob.say(&format!("height {number}."));
        table.alice.see(&format!("height {number}."));
        table.alice.see("> a draft");
    }
    let transcript = table.alice.transcript().join("\n");
    for number in 0..60 {
        assert!(transcript.contains(&format!("bob > height {number}.")), "height {number} in\n{transcript}");
    }
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    for term in ["dumb", ""] {
        let mut alice = Opening::join(server.address, "alice").variable("TERM", term).start();
        bob.expect_word("alice joined");
        alice.keys("hello\n");
        assert_eq!(bob.said().text, "hello");
        bob.say("hello yourself");
        alice.see("bob > hello yourself");
        alice.keys("\x04");
        assert_eq!(alice.exit_code(), 0);
        assert!(!alice.written().contains('\x1b'), "{:?}", alice.written());
        bob.expect_word("alice left");
    }
}

#[test]
fn without_an_input_or_an_output_it_ends_in_order() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    for script in [
        r#""$@" <&-; echo "ended with $?""#,
        r#""$@" </dev/null >&-; echo "ended with $?""#,
        r#""$@" </dev/null 2>&-; echo "ended with $?""#,
        r#""$@" <&- >&- 2>&-; echo "ended with $?""#,
        r#"echo said | "$@" >/dev/null; echo "ended with $?""#,
    ] {
        let mut alice = Opening::join(server.address, "alice").within_a_shell(script).start();
        alice.see("ended with 0");
        assert_eq!(alice.exit_code(), 0);
        bob.expect_word("alice left");
    }
    assert_eq!(bob.said().text, "said");
}

#[test]
fn an_output_that_is_full_is_reported() {
    let server = Server::start();
    let script = r#""$@" --json </dev/null >/dev/full; echo "ended with $?""#;
    let mut alice = Opening::join(server.address, "alice").within_a_shell(script).start();
    alice.see("ended with 1");
    assert!(alice.screen().contains("No space left"), "{}", alice.screen());
}

#[test]
fn a_reader_that_goes_away_is_a_way_to_leave() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    // The terminal stands at both ends, a pipe at its output.
    let script = r#"{ "$@"; echo "ended with $?" >&2; } | head -n 1"#;
    let mut alice = Opening::join(server.address, "alice").within_a_shell(script).start();
    bob.expect_word("alice joined");
    bob.say("one");
    alice.see("bob > one");
    bob.say("two");
    bob.say("three");
    alice.see("ended with 0");
    assert_eq!(alice.exit_code(), 0);
}

/// A server that does this with each client that comes; how many have come is the second argument.
fn serve(script: impl Fn(TcpStream, usize) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    // Ends with the tests.
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            script(accepted(client.expect("a client")), number);
        }
    });
    address
}

/// Reads what a client opens the event dialect with, and its `hello`.
fn read_hello(client: &mut TcpStream) {
    let mut opening = [0; 20];
    client.read_exact(&mut opening).expect("an opening and a header");
    assert_eq!(&opening[..10], b"GLASSLINE2");
    let length = String::from_utf8_lossy(&opening[10..]).trim().parse().expect("a length");
    client.read_exact(&mut vec![0; length]).expect("a hello");
}

/// Waits for a client's goodbye, and answers it.
fn say_goodbye(client: &mut TcpStream) {
    let (mut received, mut buffer) = (Vec::new(), [0; 1024]);
    while !String::from_utf8_lossy(&received).contains(r#""type":"bye""#) {
        match client.read(&mut buffer) {
            Ok(bytes @ 1..) => received.extend_from_slice(&buffer[..bytes]),
            // It went without one.
            _ => return,
        }
    }
    let _ = client.write_all(&event(&json!({"type": "bye", "ref": "glassline-bye"})));
}

fn event(event: &Value) -> Vec<u8> {
    frame(event.to_string())
}

/// A `welcome` as servers send it.
fn welcome() -> Vec<u8> {
    event(&json!({
        "type": "welcome", "name": "alice", "token": "0".repeat(32), "server": "rubbish/1",
        "limits": {"name_chars": 32, "name_bytes": 64, "text_bytes": 16384, "event_bytes": 102_400},
        "rooms": [{"room": "lobby", "seq": 0, "count": 2}],
    }))
}

#[test]
fn a_server_of_another_kind_is_reported() {
    for rubbish in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n", &[0; 64], &[0xff; 4096]] {
        let address = serve(move |mut client, _| {
            // The client may have closed already.
            let _ = client.write_all(rubbish);
        });
        let mut alice = Opening::join(address, "alice").start();
        assert_eq!(alice.exit_code(), 4, "{rubbish:?}: {}", alice.screen());
        assert!(alice.screen().contains("is no chat server"), "{}", alice.screen());
        let mut alice = Opening::join(address, "alice").argument("--dialect").argument("event").start();
        assert_eq!(alice.exit_code(), 4, "{rubbish:?}: {}", alice.screen());
        assert!(alice.screen().contains("does not answer in the event dialect"), "{}", alice.screen());
    }
}

#[test]
fn an_address_without_a_server_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let mut alice = Opening::join(address, "alice").start();
    assert_eq!(alice.exit_code(), 3);
    assert!(alice.screen().contains("nothing listens there"), "{}", alice.screen());
}

#[test]
fn a_server_that_breaks_off_or_sends_garbage_is_retried() {
    let half = frame(r#"{"type":"notice","text":"half a frame"}"#);
    let breaks: [Vec<u8>; 6] = [
        half[..half.len() / 2].to_vec(),
        half[..5].to_vec(),
        b"9999999999".to_vec(),
        b"not a hdr!".to_vec(),
        [0xff; 1024].to_vec(),
        Vec::new(),
    ];
    for broken in breaks {
        let shown = format!("{:?}", String::from_utf8_lossy(&broken[..broken.len().min(20)]));
        let address = serve(move |mut client, number| {
            read_hello(&mut client);
            client.write_all(&welcome()).expect("the client reads");
            if number == 0 {
                client.write_all(&broken).expect("the client reads");
                return;
            }
            client.write_all(&event(&json!({"type": "notice", "text": "well again"}))).expect("the client reads");
            say_goodbye(&mut client);
        });
        let mut alice = Opening::join(address, "alice").size(24, 100).start();
        alice.keys("a draft");
        alice.see_passing("is lost (");
        alice.see("well again");
        alice.see("> a draft");
        alice.keys("\x03\x03\x03");
        assert_eq!(alice.exit_code(), 0, "{shown}");
    }
}

#[test]
fn events_that_make_no_sense_change_nothing() {
    let address = serve(move |mut client, _| {
        read_hello(&mut client);
        client.write_all(&welcome()).expect("the client reads");
        let long = "x".repeat(200_000);
        for senseless in [
            r#"{"type":"dance"}"#,
            "not json",
            "",
            "[]",
            "{}",
            r#"{"type":"message"}"#,
            r#"{"type":"message","room":5,"from":[],"text":{}}"#,
            r#"{"type":"joined","room":"lobby","names":["alice","alice","bob"],"count":0}"#,
            r#"{"type":"joined","room":"lobby","names":[],"count":18446744073709551615}"#,
            r#"{"type":"left","room":"lobby","names":["nobody"],"count":9007199254740993}"#,
            r#"{"type":"members","room":"lobby","names":[],"count":18446744073709551615}"#,
            r#"{"type":"gap","room":"lobby","from":9,"to":1}"#,
            r#"{"type":"gap","room":"lobby","from":0,"to":18446744073709551615}"#,
            r#"{"type":"renamed","from":"alice","to":""}"#,
            r#"{"type":"renamed","from":"","to":"alice"}"#,
            r#"{"type":"whois","name":"","since":"9999-12-31T23:59:59.999Z","idle_s":18446744073709551615,"dialect":"","link":"","rooms":[]}"#,
            r#"{"type":"message","room":"nowhere","from":"alice","text":"","seq":18446744073709551615}"#,
            &format!(r#"{{"type":"message","room":"{long}","from":"{long}","text":"{long}"}}"#),
            &format!(r#"{{"type":"message","room":"lobby","from":"{long}","text":"{long}"}}"#),
        ] {
            client.write_all(&frame(senseless)).expect("the client reads");
        }
        client.write_all(&event(&json!({"type": "notice", "text": "behind all that"}))).expect("the client reads");
        say_goodbye(&mut client);
    });
    let mut alice = Opening::join(address, "alice").size(24, 100).start();
    alice.see_passing("behind all that");
    alice.keys("\x03\x03\x03");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn names_and_texts_of_escapes_and_overrides_stay_in_their_lines() {
    let hostile = "\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}31m\u{202e}evil\u{2066}\u{200f}\r\n\u{8}\u{0}";
    let tower = "a name without an end ".repeat(50);
    let address = serve(move |mut client, _| {
        read_hello(&mut client);
        client.write_all(&welcome()).expect("the client reads");
        for (from, text) in
            [(hostile, hostile), (&tower, &tower), (&tower.repeat(40), "tall"), ("", ""), ("\n\n\n", "\n\n\n")]
        {
            for event_of in [
                json!({"type": "message", "room": "lobby", "from": from, "text": text}),
                json!({"type": "message", "room": "lobby", "from": from, "text": text, "action": true}),
                json!({"type": "direct", "from": from, "to": "alice", "text": text}),
                json!({"type": "joined", "room": "lobby", "names": [from], "count": 1}),
                json!({"type": "renamed", "from": "x", "to": from}),
                json!({"type": "away", "name": from, "text": text}),
                json!({"type": "rooms", "rooms": [{"room": from, "count": 1}], "count": 1}),
                json!({"type": "notice", "text": text}),
                json!({"type": "error", "code": "busy", "text": text}),
            ] {
                client.write_all(&event(&event_of)).expect("the client reads");
            }
        }
        client.write_all(&event(&json!({"type": "notice", "text": "behind all that"}))).expect("the client reads");
        say_goodbye(&mut client);
    });
    let mut alice = Opening::join(address, "alice").size(24, 100).start();
    alice.see_passing("behind all that");
    let written = alice.written();
    for sequence in ["\u{1b}]", "\u{1b}[2J", "\u{9b}", "\u{202e}", "\u{2066}", "\u{8}", "\u{0}"] {
        assert!(!written.contains(sequence), "{sequence:?} reached the terminal");
    }
    // A name and a text have no line of their own in which they could look like somebody else's.
    assert!(!alice.transcript().iter().any(|line| line.starts_with("evil")), "{:?}", alice.transcript());
    alice.keys("\x03\x03\x03");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn a_departure_of_the_link_before_is_no_leaving() {
    let address = serve(move |mut client, _| {
        read_hello(&mut client);
        client.write_all(&welcome()).expect("the client reads");
        // What a server announces of the connection that was lost, when this one is there already (T11).
        for kind in ["left", "joined"] {
            let announced = json!({"type": kind, "room": "lobby", "names": ["alice"], "count": 1});
            client.write_all(&event(&announced)).expect("the client reads");
        }
        client.write_all(&event(&json!({"type": "notice", "text": "behind that"}))).expect("the client reads");
        say_goodbye(&mut client);
    });
    let mut alice = Opening::join(address, "alice").size(24, 100).start();
    alice.see("behind that");
    assert!(!alice.screen().contains("you left"), "{}", alice.screen());
}
