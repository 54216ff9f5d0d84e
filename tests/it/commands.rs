//! Commands (T10): wrong arguments show the usage, and nothing that starts with a slash is relayed by mistake.

use crate::harness::{Pair, Server, Tutorial, words_in};

/// A command with wrong arguments, and the usage it is answered with.
const MISUSED: [(&str, &str); 16] = [
    ("/help me", "usage: /help: "),
    ("/me", "usage: /me TEXT: "),
    ("/me  ", "usage: /me TEXT: "),
    ("/msg", "usage: /msg NAME TEXT: "),
    ("/msg bob", "usage: /msg NAME TEXT: "),
    ("/msg bob  ", "usage: /msg NAME TEXT: "),
    ("/reply", "usage: /reply TEXT: "),
    ("/r", "usage: /reply TEXT: "),
    ("/nick", "usage: /nick NAME: "),
    ("/names all", "usage: /names: "),
    ("/whois", "usage: /whois NAME: "),
    ("/rooms all", "usage: /rooms: "),
    ("/back now", "usage: /back: "),
    ("/join", "usage: /join ROOM: "),
    ("/leave now", "usage: /leave: "),
    ("/quit now", "usage: /quit: "),
];

#[test]
fn wrong_arguments_are_answered_with_the_usage() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Tutorial::join(server.address, "alice");
    for (line, usage) in MISUSED {
        alice.say(line);
        let pairs = alice.barrier();
        let words = words_in(&pairs);
        assert!(matches!(words[..], [word] if word.starts_with(usage)), "{line}: {words:?}");
    }
    assert!(bob.barrier().iter().all(Pair::is_presence), "nobody else is notified");
}

#[test]
fn what_cannot_be_done_is_answered_with_what_to_do_instead() {
    let server = Server::start();
    let mut alice = Tutorial::join(server.address, "alice");
    let _bob = Tutorial::join(server.address, "bob");
    let refused = [
        ("/dance", "there is no command /dance; /help lists them, //dance says it"),
        ("/HELP", "there is no command /HELP"),
        ("/", "there is no command /"),
        ("/msg nobody hi", "nobody here has that name"),
        ("/whois nobody", "nobody here has that name"),
        ("/reply hi", "has written to you; /msg NAME TEXT starts"),
        ("/nick bob", "bob is taken"),
        ("/nick a\u{202e}b", "U+202E"),
        ("/join a\u{1b}b", "U+001B"),
        ("/leave", "you are there already"),
    ];
    for (line, word) in refused {
        alice.say(line);
        alice.expect_word(word);
    }
}

#[test]
fn every_command_does_what_the_help_says() {
    let server = Server::start();
    let mut alice = Tutorial::join(server.address, "alice");
    let mut bob = Tutorial::join(server.address, "bob");
    alice.say("/help");
    let help = alice.expect_word("/help: lists the commands");
    for (_, usage) in MISUSED {
        let usage = usage.trim_start_matches("usage: ");
        assert!(help.lines().any(|line| line.starts_with(usage)), "{usage:?} is not in the help");
    }
    assert!(help.lines().any(|line| line.starts_with("/away [TEXT]: ")), "{help}");
    alice.say("/me waves");
    bob.expect_message("alice", "* waves");
    alice.say("/msg Bob psst");
    bob.expect_message("alice→you", "psst");
    bob.say("/r what?");
    alice.expect_message("bob→you", "what?");
    alice.say("/names");
    alice.expect_word("2 here: alice, bob");
    alice.say("/whois bob");
    alice.expect_word("tutorial dialect, in lobby");
    alice.say("/nick carol");
    bob.expect_word("alice is now carol");
    alice.say("/join den");
    alice.expect_word("you are in den; nobody else is here");
    alice.say("/rooms");
    alice.expect_word("rooms: lobby (1), den (1)");
    alice.say("/leave");
    alice.expect_word("you are in lobby; here: bob");
    alice.say("//names is a command");
    bob.expect_message("carol", "/names is a command");
    alice.say("/quit");
    alice.expect_closed();
    bob.expect_word("carol left");
}

#[test]
fn a_hidden_command_is_not_relayed() {
    let server = Server::start();
    let mut alice = Tutorial::join(server.address, "alice");
    let mut bob = Tutorial::join(server.address, "bob");
    for line in [
        "\u{feff}/msg carl the secret",
        " /msg carl the secret",
        "\u{a0}/REPLY the secret",
        "\u{200b}/mgs carl the secret",
        "／msg carl the secret",
        "\u{2215}msg carl the secret",
        "/\u{2060}msg carl the secret",
    ] {
        alice.say(line);
        let word = alice.expect_word(if line.starts_with('/') { "no command" } else { "this was not sent: it is /" });
        assert!(!word.contains("secret"), "{word}");
    }
    for text in ["❤\u{fe0f} hi", "\u{200f}مرحبا", "ノート", " /tmp is full", "\u{feff}hi"] {
        alice.say(text);
        bob.expect_message("alice", text);
    }
    alice.say("//msg is said");
    bob.expect_message("alice", "/msg is said");
}
