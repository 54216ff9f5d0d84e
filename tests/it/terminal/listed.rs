//! Every key that `/help keys` lists and every command that `/help` lists has the listed effect.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;

use super::harness::{Opening, Table, receive};
use crate::harness::{Tutorial, fresh_id};
use crate::program::Folder;

type Case = (&'static str, fn(&mut Table));

/// The keys as they are listed, several of one case together.
const KEYS: &[Case] = &[
    ("Enter", |table| assert_eq!(table.said("one line\r"), "one line")),
    ("Alt-Enter", |table| assert_eq!(table.said("one\x1b\rtwo\r"), "one\ntwo")),
    ("Ctrl-J", |table| assert_eq!(table.said("one\ntwo\r"), "one\ntwo")),
    ("Tab", |table| assert_eq!(table.said("b\thi\r"), "bob: hi")),
    ("Shift-Tab", |table| {
        let _bea = enter_beside(table, "bea");
        assert_eq!(table.said("b\t\x1b[Zhi\r"), "bob: hi", "past the first is the last");
    }),
    ("Up", |table| {
        say_all(table, &["one", "two"]);
        assert_eq!(table.said("\x1b[A\x1b[A\r"), "one");
    }),
    ("Down", |table| {
        say_all(table, &["one", "two"]);
        assert_eq!(table.said("\x1b[A\x1b[A\x1b[B\r"), "two");
    }),
    ("Ctrl-R", |table| {
        say_all(table, &["make tea", "pour tea", "drink"]);
        table.alice.keys_until("\x12tea", "(search) tea: pour tea");
        table.alice.keys_until("\x12", "(search) tea: make tea");
        table.alice.keys("\r");
        table.alice.see_input("make tea");
        assert_eq!(table.said("!\r"), "make tea!");
    }),
    ("Escape", |table| ends_a_search(table, "\x1b")),
    ("Ctrl-G", |table| ends_a_search(table, "\x07")),
    ("Alt-1 to Alt-9", |table| {
        enter(table, &["den", "pub"]);
        for (key, room) in [("\x1b1", "lobby"), ("\x1b3", "pub"), ("\x1b2", "den")] {
            table.alice.keys_until(key, &format!("alice in {room}"));
        }
        table.alice.keys_until("\x1b9", "you are in 3 rooms");
    }),
    ("Alt-Left", |table| walks_back(table, "\x1b[1;3D")),
    ("Alt-Up", |table| walks_back(table, "\x1b[1;3A")),
    ("Alt-Right", |table| walks_on(table, "\x1b[1;3C")),
    ("Alt-Down", |table| walks_on(table, "\x1b[1;3B")),
    ("Ctrl-Left", |table| assert_eq!(table.said("one two\x1b[1;5D|\r"), "one |two")),
    ("Alt-B", |table| assert_eq!(table.said("one two\x1bb|\r"), "one |two")),
    ("Ctrl-Right", |table| assert_eq!(table.said("one two\x1b[H\x1b[1;5C|\r"), "one| two")),
    ("Alt-F", |table| assert_eq!(table.said("one two\x1b[H\x1bf|\r"), "one| two")),
    ("Home", |table| {
        assert_eq!(table.said("one\ntwo\x1b[H|\r"), "one\n|two");
        assert_eq!(table.said("one\ntwo\x1b[1;5H|\r"), "|one\ntwo");
    }),
    ("End", |table| {
        assert_eq!(table.said("one\ntwo\x1b[1;5H\x1b[F|\r"), "one|\ntwo");
        assert_eq!(table.said("one\ntwo\x1b[1;5H\x1b[1;5F|\r"), "one\ntwo|");
    }),
    ("Ctrl-W", |table| assert_eq!(table.said("one two.three\x17|\r"), "one |")),
    ("Alt-Backspace", |table| assert_eq!(table.said("one two.three\x1b\x7f|\r"), "one two.|")),
    ("Alt-D", |table| assert_eq!(table.said("one two\x1b[H\x1bd|\r"), "| two")),
    ("Ctrl-U", |table| assert_eq!(table.said("one two\x1b[1;5D\x15|\r"), "|two")),
    ("Ctrl-K", |table| assert_eq!(table.said("one two\x1b[1;5D\x0b|\r"), "one |")),
    ("Ctrl-Y", |table| assert_eq!(table.said("one two\x17\x1b[H\x19|\r"), "two|one ")),
    ("Alt-Y", |table| assert_eq!(table.said("one\x15two\x15\x19\x1by|\r"), "one|")),
    ("Ctrl-_", |table| assert_eq!(table.said("one two\x1f|\r"), "one |")),
    ("Alt-/", |table| assert_eq!(table.said("one two\x1f\x1b/|\r"), "one two|")),
    ("Alt-E", |_| opens_the_editor("\x1be")),
    ("Ctrl-X Ctrl-E", |_| opens_the_editor("\x18\x05")),
    ("Ctrl-L", |table| {
        table.bob.say("to be cleared");
        table.alice.see("to be cleared");
        table.alice.keys("\x0c");
        table.alice.see_no_more("to be cleared");
        table.alice.see("alice in lobby");
    }),
    // Both need a client of their own: job control is a shell's, and the terminal must be as it was.
    ("Ctrl-Z", |table| {
        let script = r#"set -m; "$@"; echo "stopped with $?"; read line; fg >/dev/null"#;
        let mut zoe = Opening::join(table.server.address, "zoe").within_a_shell(script).open();
        zoe.keys_until("\x1a", "stopped with 148");
        zoe.assert_as_it_was();
        zoe.keys("\r");
        zoe.see("zoe in lobby");
        zoe.keys("\r\r\r");
        assert_eq!(zoe.exit_code(), 0);
    }),
    ("Ctrl-C", |table| {
        assert_eq!(table.said("draft\x03new\r"), "new");
        table.alice.keys("\x03\x03");
        assert_eq!(table.alice.exit_code(), 0);
    }),
    ("Ctrl-D", |table| leaves(table, "\x04")),
];

/// The commands as they are listed, with their aliases.
const COMMANDS: &[Case] = &[
    ("/me", |table| {
        table.alice.keys("/me waves\r");
        let event = receive(&mut table.bob, |event| event["type"] == "message");
        assert_eq!((&event["text"], &event["action"]), (&json!("waves"), &json!(true)));
        table.alice.see("alice * waves");
    }),
    ("/msg", |table| {
        table.alice.keys("/msg bob for you only\r");
        assert_eq!(direct_message(table), "for you only");
        table.alice.see("you -> bob > for you only");
    }),
    ("/reply", |table| answers(table, "/reply")),
    ("/r", |table| answers(table, "/r")),
    ("/nick", |table| {
        table.alice.keys("/nick alison\r");
        let renamed = receive(&mut table.bob, |event| event["type"] == "renamed");
        assert_eq!((&renamed["from"], &renamed["to"]), (&json!("alice"), &json!("alison")));
        table.alice.see("alison in lobby");
    }),
    ("/names", |table| table.alice.keys_until("/names\r", "* in lobby (2): alice, bob")),
    ("/who", |table| table.alice.keys_until("/who lobby\r", "* in lobby (2): alice, bob")),
    ("/whois", |table| {
        table.alice.keys_until("/whois bob\r", "* bob is here since 20");
        table.alice.see("active now, in lobby, event dialect");
        table.alice.see("over plaintext");
    }),
    ("/away", |table| {
        table.alice.keys_until("/away lunch\r", "* you are away (lunch); /back ends it");
        table.bob.send(&json!({"type": "direct", "to": "alice", "text": "there?", "id": fresh_id()}));
        let away = receive(&mut table.bob, |event| event["type"] == "away");
        assert_eq!((&away["name"], &away["text"]), (&json!("alice"), &json!("lunch")));
    }),
    ("/back", |table| {
        table.alice.keys_until("/away\r", "alice (away)");
        table.alice.keys_until("/back\r", "* you are back");
        table.alice.see_no_more("alice (away)");
    }),
    ("/ignore", |table| {
        table.alice.keys_until("/ignore\r", "you ignore nobody");
        table.alice.keys_until("/ignore bob\r", "what bob says is not shown any more");
        table.alice.keys_until("/ignore\r", "you ignore bob");
        table.bob.say("unheard");
        // Whatever is shown of Alice's own words now came behind that.
        table.bob.expect_message("bob", "unheard");
        assert_eq!(table.said("behind it\r"), "behind it");
        table.alice.see("alice > behind it");
        assert!(!table.alice.screen().contains("unheard"), "{}", table.alice.screen());
    }),
    ("/unignore", |table| {
        table.alice.keys_until("/ignore bob\r", "not shown any more");
        table.alice.keys_until("/unignore bob\r", "what bob says is shown again");
        table.bob.say("heard again");
        table.alice.see("bob > heard again");
    }),
    ("/rooms", |table| {
        enter(table, &["den"]);
        table.alice.keys_until("/rooms\r", "rooms: ");
        table.alice.see("lobby (2)");
        table.alice.see("den (1)");
    }),
    ("/join", |table| {
        enter(table, &["den"]);
        table.alice.keys_until("/join lobby\r", "alice in lobby");
        assert_eq!(table.said("back in it\r"), "back in it");
    }),
    ("/leave", |table| {
        enter(table, &["den"]);
        table.alice.keys_until("/leave\r", "you left den");
        table.alice.see("alice in lobby");
        enter(table, &["den"]);
        table.alice.keys_until("/leave lobby\r", "you left lobby");
        receive(&mut table.bob, |event| event["type"] == "left" && event["names"][0] == "alice");
    }),
    // What a server that keeps nothing answers.
    ("/history", |table| table.alice.keys_until("/history\r", "error: ")),
    ("/search", |table| table.alice.keys_until("/search tea\r", "error: ")),
    ("/older", |table| table.alice.keys_until("/older\r", "error: ")),
    ("/help", |table| {
        table.alice.keys_until("/help whois\r", "/whois NAME: tells since when");
        table.alice.keys_until("/help nonsense\r", "there is no command /nonsense");
    }),
    ("/more", |table| {
        table.bob.say(&(0..60).map(|number| format!("row {number}.")).collect::<Vec<_>>().join("\n"));
        table.alice.see("more rows: /more 1 shows them");
        table.alice.keys_until("/more\r", "row 59.");
        table.alice.keys_until("/more\r", "every message is shown whole");
    }),
    ("/query", |table| {
        table.alice.keys("/query bob a secret\r");
        assert_eq!(direct_message(table), "a secret");
    }),
    ("/w", |table| {
        table.alice.keys("/w bob a secret\r");
        assert_eq!(direct_message(table), "a secret");
        table.alice.keys_until("/w bob\r", "bob is here since");
    }),
    ("/j", |table| {
        table.alice.keys("/j den\r");
        table.alice.see("alice in den");
    }),
    ("/part", |table| {
        enter(table, &["den"]);
        table.alice.keys_until("/part\r", "you left den");
    }),
    ("/list", |table| table.alice.keys_until("/list\r", "lobby (2)")),
    ("/timestamps", |table| {
        table.bob.say("without");
        table.alice.see("\nbob > without");
        table.alice.keys_until("/timestamps on\r", "times are shown");
        table.bob.say("with");
        table.alice.see(" bob > with\n");
        table.alice.keys_until("/timestamps\r", "* times are shown");
        table.alice.keys_until("/timestamps off\r", "times are not shown");
        table.bob.say("without again");
        table.alice.see("\nbob > without again");
    }),
    ("/bell", |table| {
        for (word, direct_message) in
            [("off", "the bell is off"), ("mentions", "when you are mentioned"), ("all", "every message")]
        {
            table.alice.keys_until(&format!("/bell {word}\r"), direct_message);
        }
        table.bob.say("ding");
        table.alice.see("ding");
        assert_eq!(table.alice.count_written("\x07"), 1);
    }),
    ("/seal", |table| {
        enter(table, &["den"]);
        table.bob.send(&json!({"type": "join", "room": "den"}));
        table.alice.keys_until("/seal\r", "passphrase of den");
        table.alice.keys_until("correct horse\r", "den is sealed under key");
        table.alice.see("only the members can read this");
        let announced = table.bob.expect("message");
        assert!(announced["sealed"].is_string() && announced["text"] == "[sealed message]", "{announced}");
    }),
    ("/unseal", |table| {
        table.alice.keys_until("/unseal\r", "is not sealed here");
        enter(table, &["den"]);
        table.alice.keys_until("/seal\r", "passphrase of den");
        table.alice.keys_until("correct horse\r", "den is sealed under key");
        table.alice.keys_until("/unseal\r", "/unseal again does it");
        table.alice.keys_until("/unseal\r", "den is not sealed here any more");
    }),
    ("/clear", |table| {
        table.bob.say("to be cleared");
        table.alice.see("to be cleared");
        table.alice.keys("/clear\r");
        table.alice.see_no_more("to be cleared");
        table.alice.see("alice in lobby");
    }),
    ("/qr", |table| {
        // The client has dialled a loopback address, which leads a phone to itself.
        table.alice.keys_until("/qr\r", "leads every device to itself");
        table.alice.keys_until("/qr what\r", "usage: /qr [NUMBER]");
    }),
    ("/quit", |table| leaves(table, "/quit\r")),
    ("/exit", |table| leaves(table, "/exit\r")),
    ("/bye", |table| leaves(table, "/bye\r")),
    ("//x", |table| {
        assert_eq!(table.said("//x\r"), "/x");
        table.alice.keys_until("/x\r", "there is no /x");
    }),
];

/// Presses Enter behind each text, and waits until it was received.
#[track_caller]
fn say_all(table: &mut Table, texts: &[&str]) {
    for text in texts {
        assert_eq!(table.said(&format!("{text}\r")), *text);
        table.alice.see(&format!("alice > {text}"));
    }
}

/// Somebody else comes, and Alice sees that.
#[track_caller]
fn enter_beside(table: &mut Table, name: &str) -> Tutorial {
    let somebody = Tutorial::join(table.server.address, name);
    table.alice.see(&format!("with {name}, bob"));
    somebody
}

/// Alice enters rooms.
#[track_caller]
fn enter(table: &mut Table, rooms: &[&str]) {
    for room in rooms {
        table.alice.keys_until(&format!("/join {room}\r"), &format!("alice in {room}"));
    }
}

#[track_caller]
fn walks_back(table: &mut Table, key: &str) {
    enter(table, &["den", "pub"]);
    for room in ["den", "lobby", "pub"] {
        table.alice.keys_until(key, &format!("alice in {room}"));
    }
}

#[track_caller]
fn walks_on(table: &mut Table, key: &str) {
    enter(table, &["den", "pub"]);
    for room in ["lobby", "den", "pub"] {
        table.alice.keys_until(key, &format!("alice in {room}"));
    }
}

#[track_caller]
fn ends_a_search(table: &mut Table, key: &str) {
    say_all(table, &["make tea"]);
    table.alice.keys_until("draft\x12tea", "(search) tea: make tea");
    table.alice.keys(key);
    table.alice.see_input("draft");
    assert_eq!(table.said("!\r"), "draft!");
}

/// An editor that adds a line, and nothing else.
pub(super) fn editor(folder: &Folder) -> PathBuf {
    script(folder, "editor", r#"printf 'and this\n' >>"$1""#)
}

/// A script that can be run.
pub(super) fn script(folder: &Folder, name: &str, commands: &str) -> PathBuf {
    let path = folder.write(name, format!("#!/bin/sh\n{commands}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

#[track_caller]
fn opens_the_editor(key: &str) {
    let folder = Folder::new();
    let editor = editor(&folder);
    let mut table = Table::with(|opening| opening.variable("EDITOR", editor.to_str().expect("UTF-8")));
    table.alice.keys(&format!("one\n{key}"));
    table.alice.see("and this");
    assert_eq!(table.said("!\r"), "one\nand this!");
}

#[track_caller]
fn leaves(table: &mut Table, keys: &str) {
    table.alice.keys(keys);
    assert_eq!(table.alice.exit_code(), 0);
    receive(&mut table.bob, |event| event["type"] == "left" && event["names"][0] == "alice");
}

/// Returns the text that Bob alone is sent.
#[track_caller]
fn direct_message(table: &mut Table) -> String {
    let direct = receive(&mut table.bob, |event| event["type"] == "direct" && event["from"] == "alice");
    direct["text"].as_str().expect("a text").to_owned()
}

#[track_caller]
fn answers(table: &mut Table, command: &str) {
    table.alice.keys_until(&format!("{command} nobody\r"), "nobody has written to you only");
    // What was not sent is still there.
    table.alice.keys("\x15");
    table.bob.send(&json!({"type": "direct", "to": "alice", "text": "a question", "id": fresh_id()}));
    table.alice.see("bob -> you > a question");
    table.alice.keys(&format!("{command} an answer\r"));
    assert_eq!(direct_message(table), "an answer");
}

/// Returns the parts around the colon of each line that the client shows after these keys, up to
/// the line with `last` in it.
#[track_caller]
fn listed(keys: &str, last: &str) -> Vec<(String, String)> {
    let mut table = Table::with(|opening| opening.size(60, 200));
    table.alice.keys_until(keys, last);
    let screen = table.alice.screen();
    // The first line of several has a mark, the rest are set in.
    let lines = screen.lines().filter_map(|line| line.strip_prefix("* ").or_else(|| line.strip_prefix("  ")));
    let lines = lines.filter(|line| !line.starts_with("connected"));
    let parts = lines.filter_map(|line| line.split_once(": ").or_else(|| line.split_once(" sends ")));
    parts.map(|(head, what)| (head.trim_start().to_owned(), what.to_owned())).collect()
}

#[track_caller]
fn assert_covered(listed: &BTreeSet<String>, cases: &[Case]) {
    let tested: BTreeSet<String> = cases.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(tested.len(), cases.len(), "a case twice");
    assert_eq!(listed, &tested, "left: what /help lists; right: what has a case here");
}

#[test]
fn every_key_that_is_listed_has_a_case() {
    let mut keys = BTreeSet::new();
    for (head, what) in listed("/help keys\r", "Ctrl-D") {
        keys.extend(head.split(", ").map(str::to_owned));
        let others = what.split_once("so do ").map(|(_, others)| others);
        keys.extend(others.into_iter().flat_map(|others| others.split(", ")).map(str::to_owned));
    }
    assert_covered(&keys, KEYS);
}

#[test]
fn every_command_that_is_listed_has_a_case() {
    let mut commands = BTreeSet::new();
    let mut table = Table::with(|opening| opening.size(60, 100));
    table.alice.keys_until("/help all\r", "//x sends /x as text");
    for row in table.alice.screen().lines() {
        // The commands stand in a column of their own, what they do in the next one.
        let (names, _) = row.trim_start_matches(['*', ' ']).split_once("  ").unwrap_or((row, ""));
        commands.extend(names.split([' ', ',']).filter(|word| word.starts_with('/')).map(str::to_owned));
    }
    commands.retain(|word| word != "/x");
    assert_covered(&commands, COMMANDS);
}

#[track_caller]
fn run(cases: &[Case]) {
    for (name, case) in cases {
        // Printed only if it fails.
        println!("{name}");
        case(&mut Table::new());
    }
}

#[test]
fn the_keys_do_what_is_said_of_them() {
    run(KEYS);
}

#[test]
fn the_commands_do_what_is_said_of_them() {
    run(COMMANDS);
}
