//! Sealed rooms from program to program: what members, others and the server see (S7).

use std::iter;
use std::net::SocketAddr;
use std::rc::Rc;

use glassline_secure::Identity;
use glassline_server::Config;
use serde_json::{Value, json};

use crate::harness::{EventClient, Server, Tutorial};
use crate::program::{Folder, PROGRAM, Process, command};

/// A client of `--json` in the room "den".
struct Member {
    program: Process,
    home: Rc<Folder>,
}

impl Member {
    /// In a home of its own, with this passphrase or none.
    #[track_caller]
    fn join(address: SocketAddr, name: &str, passphrase: Option<&str>) -> Self {
        Self::join_from(&Rc::new(Folder::new()), address, name, passphrase)
    }

    #[track_caller]
    fn join_from(home: &Rc<Folder>, address: SocketAddr, name: &str, passphrase: Option<&str>) -> Self {
        let mut glassline = command(PROGRAM, home);
        glassline.args(["join", "--json", "--name", name, &address.to_string()]);
        if let Some(passphrase) = passphrase {
            home.write("passphrase", format!("{passphrase}\n"));
            glassline.args(["--seal", &format!("den={}", home.join("passphrase").display())]);
        }
        let mut member = Self { program: Process::start(glassline), home: Rc::clone(home) };
        member.expect("welcome");
        member.ask(&json!({"type": "join", "room": "den"}));
        // The lobby's announcement of the arrival may precede it (T11).
        while member.expect("joined")["room"] != "den" {}
        member
    }

    #[track_caller]
    fn ask(&mut self, request: &Value) {
        self.program.say(&request.to_string());
    }

    #[track_caller]
    fn say(&mut self, text: &str) {
        self.ask(&json!({"type": "send", "room": "den", "text": text}));
    }

    /// The next event of this type; others before it are passed over.
    #[track_caller]
    fn expect(&self, kind: &str) -> Value {
        loop {
            let event: Value = serde_json::from_str(&self.program.line()).expect("a line is JSON");
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// The next message of somebody else.
    #[track_caller]
    fn receives(&self, from: &str) -> String {
        loop {
            let message = self.expect("message");
            if message["from"] == from {
                return message["text"].as_str().expect("a text").to_owned();
            }
        }
    }

    /// The next messages from before the member came.
    #[track_caller]
    fn receives_earlier(&self) -> Vec<String> {
        loop {
            let history = self.expect("history");
            let messages = history["messages"].as_array().expect("messages");
            if !messages.is_empty() {
                return messages.iter().map(|message| message["text"].as_str().expect("a text").to_owned()).collect();
            }
        }
    }
}

/// Announcement of a new key, which its first sender makes.
const ANNOUNCED: &str = "I have sealed this room with a new key";
const PASSPHRASE: Option<&str> = Some("correct horse");

/// Alice, who has sealed the room and said this in it.
#[track_caller]
fn alice_in_sealed_room(address: SocketAddr, text: &str) -> Member {
    let mut alice = Member::join(address, "alice", PASSPHRASE);
    alice.say(text);
    assert_eq!(alice.receives("alice"), ANNOUNCED);
    assert_eq!(alice.receives("alice"), text);
    alice
}

/// A client without keys in the room, and the `joined` that it was sent.
#[track_caller]
fn eve_in_the_room(address: SocketAddr) -> (EventClient, Value) {
    let mut eve = EventClient::join(address, "eve");
    eve.send(&json!({"type": "join", "room": "den"}));
    // The lobby's announcement of the arrival may precede it (T11).
    let mut announced = iter::repeat_with(|| eve.expect("joined"));
    let joined = announced.find(|joined| joined["room"] == "den").expect("the answer");
    (eve, joined)
}

#[test]
fn members_with_the_passphrase_read_and_nobody_else() {
    let server = Server::start();
    let mut alice = Member::join(server.address, "alice", PASSPHRASE);
    let (mut outsider, _) = eve_in_the_room(server.address);
    let mut bob = Member::join(server.address, "bob", PASSPHRASE);
    let keyless = Member::join(server.address, "carol", None);

    alice.say("the secret");
    assert_eq!(bob.receives("alice"), ANNOUNCED);
    assert_eq!(bob.receives("alice"), "the secret");
    bob.say("understood");
    assert_eq!(alice.receives("bob"), "understood");

    for _ in 0..3 {
        let message = outsider.expect("message");
        assert_eq!(message["text"], "[sealed message]", "{message}");
        assert!(message["sealed"].is_string(), "{message}");
    }
    let shown = keyless.receives("alice");
    assert!(shown.starts_with("[sealed: key ") && shown.contains("/seal"), "{shown}");
    assert_eq!(server.log().matches("secret").count(), 0, "{}", server.log());
}

#[test]
fn a_wrong_passphrase_is_told_and_nothing_is_sent() {
    let server = Server::start();
    let mut alice = alice_in_sealed_room(server.address, "the secret");
    let mut mallory = Member::join(server.address, "mallory", Some("wrong"));
    let report = mallory.expect("notice")["text"].to_string();
    assert!(report.contains("gives another key"), "{report}");
    alice.say("more");
    let shown = mallory.receives("alice");
    assert!(shown.starts_with("[sealed: ") && !shown.contains("more"), "{shown}");
    mallory.say("hello");
    let refused = mallory.expect("error");
    assert_eq!(refused["code"], "room_sealed", "{refused}");
}

#[test]
fn a_sealed_room_stays_sealed_after_a_restart() {
    let folder = Folder::new();
    let server = Server::keeping(folder.path(), Config::default());
    let alice = alice_in_sealed_room(server.address, "before");
    let home = Rc::clone(&alice.home);
    drop(alice);

    // Without the passphrase nothing is sent there, sealed or not.
    let mut keyless = Member::join_from(&home, server.address, "alice", None);
    keyless.say("readable");
    let refused = keyless.expect("error");
    assert!(refused["text"].as_str().expect("a text").contains("/seal"), "{refused}");
    drop(keyless);

    // With it, the same key goes on, and what is stored is read.
    let again = Member::join_from(&home, server.address, "alice", PASSPHRASE);
    assert_eq!(again.receives_earlier(), [ANNOUNCED, "before"]);
}

#[test]
fn a_host_knows_what_was_sealed_at_its_own_address() {
    let server = Server::start();
    let address = server.address;
    let mut alice = Member::join(address, "alice", Some("correct horse"));
    alice.say("sealed");
    alice.expect("message");
    let home = Rc::clone(&alice.home);
    drop(alice);
    drop(server);

    let mut host = command(PROGRAM, &home);
    // The server of the settings is another one.
    host.env("GLASSLINE_SERVER", "elsewhere.example:1").args(["--listen", &address.to_string(), "--history", "none"]);
    let mut host = Process::start(host);
    host.say("/join den");
    host.close_stdin();
    let ended = host.ended();
    assert!(ended.stderr.contains("den is sealed here"), "{ended:?}");
}

#[test]
fn a_readable_message_in_a_sealed_room_is_refused() {
    let server = Server::start();
    let _alice = alice_in_sealed_room(server.address, "sealed");
    let (mut eve, _) = eve_in_the_room(server.address);
    eve.send(&json!({"type": "send", "room": "den", "text": "hi", "id": crate::harness::fresh_id()}));
    eve.expect_error("room_sealed");
}

#[test]
fn a_tutorial_member_is_told_that_it_cannot_read() {
    let server = Server::start();
    let _alice = alice_in_sealed_room(server.address, "sealed");
    let mut old = Tutorial::join(server.address, "old");
    old.say("/join den");
    old.expect_word("neither read nor send");
    old.say("hi");
    old.expect_word("not relayed to anybody");
}

#[test]
fn who_enters_a_sealed_room_is_told_and_sends_no_text() {
    let server = Server::start();
    let _alice = alice_in_sealed_room(server.address, "sealed");
    let (_eve, joined) = eve_in_the_room(server.address);
    assert_eq!(joined["sealed"].as_str().map(str::len), Some(388), "{joined}");

    let mut carol = Member::join(server.address, "carol", None);
    carol.say("readable");
    let refused = carol.expect("error");
    let text = refused["text"].as_str().expect("a text");
    assert!(text.contains("/seal with its passphrase"), "held back by the client, not the server: {refused}");
}

#[test]
fn who_comes_after_the_seal_joins_its_key() {
    let server = Server::start();
    let alice = alice_in_sealed_room(server.address, "before");
    let mut bob = Member::join(server.address, "bob", PASSPHRASE);
    bob.say("mine");
    assert_eq!(alice.receives("bob"), "mine", "no second key was announced");
}

#[test]
fn a_bound_room_stays_sealed_after_the_refusal_of_its_key() {
    let server = Server::start();
    let mut tom = Member::join(server.address, "tom", None);
    tom.say("readable");
    tom.expect("message");
    let mut alice = Member::join(server.address, "alice", PASSPHRASE);
    let notice = alice.expect("notice");
    assert!(notice["text"].as_str().expect("a text").contains("nobody has sealed den"), "{notice}");
    alice.say("one");
    assert_eq!(alice.expect("error")["code"], "not_sealed");
    alice.say("two");
    assert_eq!(alice.expect("error")["code"], "not_sealed");
    tom.say("still readable");
    assert_eq!(alice.receives("tom"), "[not sealed: everybody on the way may have read or made this] still readable");
}

/// The field of a message under a key with this number, made up by somebody without any passphrase.
fn made_up(number: u64, id: &str) -> String {
    let field = |bytes: &[u8]| [&u32::try_from(bytes.len()).expect("short").to_be_bytes(), bytes].concat();
    let signer = Identity::from_seed(&[0xee; 32]);
    let (version, salt, previous, key_id, mac) = ([1], [7; 16], [9; 32], [8; 32], [6; 32]);
    let body = [&version, &*field(b"den"), &number.to_be_bytes(), &salt, &previous, &key_id, &signer.public()].concat();
    let signature = signer.sign(&[b"glassline/sealed/1/record", &*field(&body), &mac].concat());
    let record = [body.as_slice(), &mac, &signature].concat();
    let id = u128::from_str_radix(id, 16).expect("an id").to_be_bytes();
    let (run, counter, seen, rest) = ([5; 16], 1_u64.to_be_bytes(), [0; 40], [4; 24 + 16 + 150]);
    base64(&[&version, &*field(&record), &id, &run, &counter, &seen, &rest].concat())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |part: &[u8]| {
        let value = part.iter().chain(&[0; 2]).take(3).fold(0_usize, |value, &byte| value << 8 | usize::from(byte));
        (0..=part.len()).map(|at| char::from(DIGITS[value >> (18 - 6 * at) & 63])).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn a_made_up_key_stops_nobody() {
    let server = Server::start();
    let mut alice = alice_in_sealed_room(server.address, "one");
    let home = Rc::clone(&alice.home);
    let (mut eve, _) = eve_in_the_room(server.address);
    let mut forge = |number| {
        let id = crate::harness::fresh_id();
        eve.send(&json!({"type": "send", "room": "den", "text": "", "id": id, "sealed": made_up(number, &id)}));
    };
    forge(1 << 32);
    let shown = alice.receives("eve");
    assert!(shown.contains("made up"), "{shown}");
    alice.say("two");
    assert_eq!(alice.receives("alice"), "two");
    forge(2);

    // Somebody new, to whom the made-up one is the newest, reads once a member speaks.
    let mut bob = Member::join(server.address, "bob", PASSPHRASE);
    let notice = bob.expect("notice")["text"].to_string();
    assert!(notice.contains("gives another key") && notice.contains("anybody may have made it up"), "{notice}");
    alice.say("three");
    while bob.receives("alice") != "three" {}
    bob.say("mine");
    assert_eq!(alice.receives("bob"), "mine");

    // Somebody who comes back goes on under the known key.
    forge(3);
    assert!(alice.receives("eve").starts_with("[sealed: "));
    drop(alice);
    let mut alice = Member::join_from(&home, server.address, "alice", PASSPHRASE);
    alice.say("four");
    while bob.receives("alice") != "four" {}
}
