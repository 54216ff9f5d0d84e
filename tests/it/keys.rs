//! `glassline keys`: the known keys, and the user's decisions about them.

use std::fs;

use crate::program::{Ended, Folder, PROGRAM, command, run};

/// Digits of three fingerprints.
const KNOWN: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const REFUSED: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const UNSEEN: &str = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
/// Words of the first two: the first and the last one of the list.
const KNOWN_WORDS: &str = "abandon-abandon-abandon-abandon-abandon-abandon-abandon-abandon";
const REFUSED_WORDS: &str = "zoo-zoo-zoo-zoo-zoo-zoo-zoo-zoo";

#[track_caller]
fn keys(home: &Folder, arguments: &[&str]) -> Ended {
    let mut keys = command(PROGRAM, home);
    keys.arg("keys").args(arguments);
    run(keys)
}

/// A home in which one server and one member are known, and another key of the server was refused.
fn home() -> Folder {
    let home = Folder::new();
    let at = "2026-11-01T10:00:00.000Z";
    let servers = format!("# x\n{KNOWN} first-use {at} tls far:1234\n{REFUSED} refused {at} tls far:1234\n");
    home.write(".local/state/glassline/keys/known_servers", servers);
    home.write(".local/state/glassline/keys/members/far%3a1234", format!("{KNOWN} first-use {at} bob b\n"));
    home
}

#[test]
fn keys_are_listed_in_the_form_that_is_accepted() {
    let home = home();
    let listed = keys(&home, &["list"]);
    let expected = [
        "far:1234 (tls): trusted on first use, since 2026-11-01 10:00:00 UTC".to_owned(),
        format!("  {KNOWN_WORDS} ({KNOWN})"),
        "far:1234 (tls): refused, since 2026-11-01 10:00:00 UTC".to_owned(),
        format!("  {REFUSED_WORDS} ({REFUSED})"),
        "bob b at far:1234: trusted on first use, since 2026-11-01 10:00:00 UTC".to_owned(),
        format!("  {KNOWN_WORDS} ({KNOWN})"),
    ];
    assert_eq!(listed.stdout, expected, "{listed:?}");
    let displayed = listed.stdout[1].trim();
    let verified = keys(&home, &["verify", "far", displayed]);
    assert_eq!((verified.code, verified.stdout.len()), (Some(0), 2), "{verified:?}");
    assert!(keys(&home, &["list"]).stdout[0].starts_with("far:1234 (tls): verified by you, since 2026-11-01"));
    let none = keys(&Folder::new(), &["list"]);
    assert!(none.code == Some(0) && none.stdout[0].starts_with("no key was seen so far"), "{none:?}");
}

#[test]
fn another_key_is_no_match_and_is_trusted_by_its_words() {
    let home = home();
    let different = keys(&home, &["verify", "far", REFUSED_WORDS]);
    assert_eq!(different.code, Some(1), "{different:?}");
    assert!(different.stderr.contains("different: ") && different.stderr.contains(KNOWN_WORDS), "{different:?}");
    for fact in ["only that of tls is known here", "somebody answers in its place"] {
        assert!(different.stderr.contains(fact), "{fact}: {different:?}");
    }
    let mistyped = keys(&home, &["verify", "far", &KNOWN_WORDS.replacen("abandon", "zoo", 1)]);
    assert_eq!(mistyped.code, Some(1), "{mistyped:?}");
    for fact in ["word 1 is `zoo`, and `abandon` of the known key of far:1234", "over tls", "a typing mistake"] {
        assert!(mistyped.stderr.contains(fact), "{fact}: {mistyped:?}");
    }
    assert!(keys(&home, &["list"]).stdout[0].contains("trusted on first use"), "neither is verified");
    let unseen = keys(&home, &["trust", "far", &KNOWN_WORDS.replacen("abandon", "zoo", 1)]);
    assert!(unseen.code == Some(1) && unseen.stderr.contains("write the 64 digits as well"), "{unseen:?}");
    let trusted = keys(&home, &["trust", "far:1234", REFUSED_WORDS]);
    assert!(trusted.code == Some(0) && trusted.stdout[0].starts_with("far:1234 (tls): accepted by you"), "{trusted:?}");
    assert_eq!(trusted.stdout.len(), 2, "it was known: {trusted:?}");
    let by_digits = keys(&home, &["trust", "[::1]:7", UNSEEN, "--link", "noise"]);
    assert!(by_digits.stdout[0].starts_with("[::1]:7 (noise): accepted by you"), "{by_digits:?}");
    assert!(by_digits.stdout[2].starts_with("no key of [::1]:7 was known before"), "{by_digits:?}");
    let misspelt = keys(&home, &["verify", "far", "abandn"]);
    assert!(misspelt.code == Some(1) && misspelt.stderr.contains("`abandn` is not a word"), "{misspelt:?}");
}

#[test]
fn a_member_has_a_key_of_its_own() {
    let home = home();
    let words = KNOWN_WORDS.replace('-', " ");
    let verified = keys(&home, &["verify", "far", "--member", "bob b", &words]);
    assert!(verified.code == Some(0) && verified.stdout[0].contains("bob b at far:1234"), "{verified:?}");
    assert_eq!(keys(&home, &["forget", "far", "--member", "bob b"]).code, Some(0));
    let again = keys(&home, &["forget", "far", "--member", "bob b"]);
    assert!(again.code == Some(1) && again.stderr.contains("no key of bob b at far:1234 is known"), "{again:?}");
    assert_eq!(keys(&home, &["forget", "far"]).code, Some(0));
    assert!(keys(&home, &["list"]).stdout[0].starts_with("no key was seen"));
}

#[test]
fn a_forgotten_server_leaves_the_keys_of_its_members() {
    let home = home();
    let forgotten = keys(&home, &["forget", "far"]);
    assert!(forgotten.stdout[1].contains("`glassline keys forget far:1234 --member NAME`"), "{forgotten:?}");
    assert!(keys(&home, &["list"]).stdout[0].starts_with("bob b at far:1234"));
}

#[test]
fn a_damaged_file_is_reported_and_left() {
    let home = home();
    let file = home.write(".local/state/glassline/keys/known_servers", "garbage\n");
    let damaged = keys(&home, &["forget", "far"]);
    assert!(damaged.code == Some(1) && damaged.stderr.contains("known_servers, line 1: "), "{damaged:?}");
    assert_eq!(fs::read_to_string(file).expect("a file"), "garbage\n");
    let mut homeless = command(PROGRAM, &home);
    homeless.args(["keys", "show"]).env_remove("HOME");
    let homeless = run(homeless);
    assert!(homeless.code == Some(1) && homeless.stderr.contains("set HOME"), "{homeless:?}");
}
