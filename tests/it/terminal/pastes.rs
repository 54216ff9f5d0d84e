//! A paste never sends and never leaves; a long one needs a confirmation.

use std::fmt::Write as _;

use super::harness::{Table, receive};

fn paste(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

fn lines(count: usize) -> String {
    (1..=count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "line {number}");
        text
    })
}

#[test]
fn a_short_paste_goes_into_the_draft_and_sends_nothing() {
    let mut table = Table::new();
    table.alice.keys(&paste("\r\r\r\r"));
    table.alice.keys_until(&paste("one\r\ntwo\rthree"), "three");
    let said = table.said(" end\r");
    assert!(said.ends_with("one\ntwo\nthree end"), "one message with its lines: {said:?}");
    table.alice.keys("/msg bob ");
    table.alice.keys(&paste("x\n\n\n\n"));
    table.alice.keys("y\r");
    let direct = receive(&mut table.bob, |event| event["type"] == "direct");
    assert_eq!(direct["text"], "x\n\n\n\ny");
    // What is only blank is never sent, and only Enter leaves.
    for _ in 0..3 {
        table.alice.keys(&paste("\n \n\n"));
        table.alice.keys("\r");
    }
    assert_eq!(table.said("still here\r"), "still here");
}

#[test]
fn a_long_paste_is_asked_about_and_sent_as_one_message() {
    let mut table = Table::new();
    table.alice.keys_until(&paste(&lines(12)), "paste of 12 lines: s sends it as one message");
    // What is no answer changes nothing, and a letter alone is none.
    table.alice.keys("x\r\r\r\r\x7f");
    assert_eq!(table.said("s\r"), lines(12).trim_end());
    table.alice.see("alice > line 1");
    table.alice.see_input("");
}

#[test]
fn a_long_paste_is_sent_line_by_line_without_the_blank_ones() {
    let mut table = Table::new();
    let text = lines(12).replace("line 7\n", "\n\n \n/quit\n");
    table.alice.keys_until(&paste(&text), "l line by line");
    table.alice.keys("l\r");
    for number in 1..=12 {
        let expected = if number == 7 { "/quit".to_owned() } else { format!("line {number}") };
        assert_eq!(table.received(), expected, "a line of a paste is text");
    }
    table.alice.see("alice > line 12");
}

#[test]
fn a_long_paste_is_edited_or_dropped() {
    let mut table = Table::new();
    table.alice.keys_until("before: ", "> before: ");
    table.alice.keys_until(&paste(lines(12).trim_end()), "e puts it into the line to edit");
    table.alice.keys_until("e\r", "line 12");
    assert_eq!(table.said("!\r"), format!("before: {}!", lines(12).trim_end()));
    for key in ["\x1b", "\x03"] {
        table.alice.keys_until("draft", "> draft");
        table.alice.keys_until(&paste(&lines(12)), "paste of 12 lines");
        table.alice.keys_until(key, "the paste is dropped");
        assert_eq!(table.said("!\r"), "draft!");
    }
}

#[test]
fn a_paste_of_10000_lines_is_asked_about_and_can_be_stopped() {
    let mut table = Table::new();
    table.alice.keys_until(&paste(&lines(10_000)), "paste of 10000 lines: it has");
    table.alice.keys("s\r\x7f");
    table.alice.keys_until("l\r", "pasted lines still to send to lobby, Ctrl-C stops");
    assert_eq!(table.received(), "line 1");
    table.alice.keys("\x03");
    table.alice.see_passing("pasted lines were not sent");
    // What was on its way goes on it.
    table.alice.see_no_more("unsent");
    table.alice.keys_until("enough\r", "alice > enough");
    let rest = std::iter::from_fn(|| Some(table.received()));
    let lines = rest.take_while(|text| text != "enough").filter(|text| text.starts_with("line ")).count();
    assert!((1..9_999).contains(&lines), "{lines} more lines were sent");
}

#[test]
fn ten_thousand_lines_arrive_in_order() {
    let mut table = Table::new();
    table.alice.keys_until(&paste(&lines(10_000)), "l sends it line by line");
    table.alice.keys("l\r");
    for number in 1..=10_000 {
        assert_eq!(table.received(), format!("line {number}"));
    }
    table.alice.see("alice > line 10000");
    table.alice.see_no_more("still to send");
}

#[test]
fn an_endless_paste_and_a_broken_sequence_leave_keys_working() {
    let mut table = Table::new();
    table.alice.keys("\x1b[200~half a paste");
    table.alice.see("half a paste");
    table.alice.see("the end of the paste never came");
    // What came at once with it would be its rest; a key by itself is a key, and what follows is typed.
    table.alice.keys_until(",", "half a paste,");
    assert_eq!(table.said(" \x1b]11;rgb:0000/0000/0000\x07whole\r"), "half a paste, whole");
    table.alice.keys("\r\r\r");
    assert_eq!(table.alice.exit_code(), 0);
}

#[test]
fn a_paste_holds_nothing_that_a_terminal_interprets() {
    let mut table = Table::new();
    assert_eq!(table.said(&format!("{}\r", paste("a\x1b[31mb\x07c\x00d\u{9b}6ne"))), "a[31mbcd6ne");
}

#[test]
fn invalid_text_is_reported() {
    let mut table = Table::new();
    table.alice.bytes(b"caf\xe9");
    table.alice.see("what is not UTF-8");
    table.alice.keys_until("\x15ok", "> ok");
    assert!(!table.alice.screen().contains("UTF-8"), "it is shown until the next key");
    table.alice.bytes(b"\x15\x1b[200~caf\xe9 noir\x1b[201~");
    table.alice.see("not all of the paste was UTF-8");
    assert_eq!(table.said("\r"), "caf\u{fffd} noir");
}
