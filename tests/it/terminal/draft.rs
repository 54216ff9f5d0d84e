//! Typed text: undisturbed by what arrives, and edited by what a reader takes for characters and
//! words.

use super::harness::{Opening, Table, Terminal};
use crate::harness::{Server, Tutorial};

#[test]
fn what_is_typed_is_not_disturbed_by_what_arrives() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Opening::join(server.address, "alice").size(14, 50).open();
    let draft = "half a 漢字 sentence";
    alice.keys_until(draft, draft);
    for number in 0..60 {
        bob.say(format!("{number}: 長い行 🦀 that wraps round the end of a line of fifty columns, for sure"));
        if number % 10 == 0 {
            // Also while it is being typed.
            alice.keys("!");
        }
    }
    alice.see("59:");
    let draft = format!("{draft}!!!!!!");
    alice.wait_for("the draft again", |screen| screen.contains(&draft));
    alice.keys(", whole now\r");
    assert_eq!(bob.said().text, format!("{draft}, whole now"));
    let transcript = alice.transcript().join("\n");
    for number in 0..60 {
        let start = format!("bob > {number}: ");
        assert_eq!(transcript.matches(&start).count(), 1, "message {number} in\n{transcript}");
    }
}

#[test]
fn the_cursor_stays_where_it_is_while_messages_arrive() {
    let mut table = Table::new();
    table.alice.keys_until("one three\x1b[1;5D", "> one three");
    table.bob.say("in between");
    table.alice.see("in between");
    assert_eq!(table.said("two \r"), "one two three");
}

#[test]
fn the_cursor_stands_on_whole_characters_however_wide() {
    let mut table = Table::new();
    for (keys, expected) in [
        // Behind a wide character, and over it.
        ("漢字\x1b[Dx\r", "漢x字"),
        ("漢字\x1b[D\x1b[D\x1b[3~\r", "字"),
        // A family is one step, and one Backspace.
        ("a👩‍👩‍👧b\x1b[D\x1b[Dx\r", "ax👩‍👩‍👧b"),
        ("a👩‍👩‍👧b\x1b[D\x7f\r", "ab"),
        // So is a letter with its accents, and a flag.
        ("ae\u{301}b\x1b[D\x7f\r", "ab"),
        ("a🇩🇪🇫🇷b\x1b[D\x7f\r", "a🇩🇪b"),
        // Words of scripts without spaces.
        ("漢字とカタカナ\x1b[1;5D|\r", "漢字と|カタカナ"),
    ] {
        assert_eq!(table.said(keys), expected, "{keys:?}");
    }
}

#[test]
fn the_cursor_is_shown_behind_the_columns_that_stand_before_it() {
    let mut table = Table::new();
    table.alice.keys_until("漢字ab", "> 漢字ab");
    let column = |alice: &Terminal| alice.emulator.screen().cursor_position().1;
    assert_eq!(column(&table.alice), 2 + 4 + 2);
    table.alice.keys("\x1b[D\x1b[D\x1b[Dx");
    table.alice.see("> 漢x字ab");
    assert_eq!(column(&table.alice), 2 + 2 + 1);
}

#[test]
fn words_end_where_a_shell_ends_them() {
    let mut table = Table::new();
    for (keys, expected) in [
        ("see example.com now\x1b[1;5D\x1b[1;5D|\r", "see example.|com now"),
        ("see example.com\x1b\x7f|\r", "see example.|"),
        ("see example.com\x17|\r", "see |"),
        ("it's --odd, very\x1b[H\x1b[1;5C|\r", "it|'s --odd, very"),
        ("one, two\x1b[H\x1bd|\r", "|, two"),
    ] {
        assert_eq!(table.said(keys), expected, "{keys:?}");
    }
}

#[test]
fn what_is_cut_comes_back_and_so_does_what_was_cut_before() {
    let mut table = Table::new();
    for (keys, expected) in [
        // Cuts in a row are one.
        ("one two three\x17\x17\x01\x19|\r", "two three|one "),
        ("one two\x15ab\x19\r", "abone two"),
        // The second cut is put back, then the first in its place.
        ("one\x15two\x15[\x19\x1by]\r", "[one]"),
        ("one two\x01\x0b\x19 \x19\r", "one two one two"),
    ] {
        assert_eq!(table.said(keys), expected, "{keys:?}");
    }
}

#[test]
fn each_step_is_taken_back_and_taken_again() {
    let mut table = Table::new();
    for (keys, expected) in [
        ("one two\x1f\r", "one "),
        ("one two\x1f\x1f\x1b/\r", "one "),
        ("one two\x17\x17\x1f\r", "one "),
        // Also a line that was emptied.
        ("one\x03\x1f\r", "one"),
        ("\x1b[200~pasted at once\x1b[201~ x\x1f\x1f\x1b/\r", "pasted at once "),
    ] {
        assert_eq!(table.said(keys), expected, "{keys:?}");
    }
}

#[test]
fn a_line_that_is_longer_than_the_screen_scrolls_in_its_rows() {
    let mut table = Table::with(|opening| opening.size(8, 40));
    let long = "0123456789".repeat(40);
    table.alice.keys(&long);
    table.alice.see("456789\n");
    table.bob.say("still room for this");
    table.alice.see("still room for this");
    table.alice.keys("\x1b[H");
    table.alice.see("> 0123456789");
    assert_eq!(table.said("\x1b[F\r"), long);
}
