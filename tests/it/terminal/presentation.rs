//! Presentation of events: mentions, the bell, times, colours.

use super::harness::{Opening, Table, Terminal};
use crate::harness::Server;

const BELL: &str = "\x07";

/// Returns whether the first cell of this word on the screen is bold, and whether it is inverse.
#[track_caller]
fn look(terminal: &Terminal, word: &str) -> (bool, bool) {
    let screen = terminal.emulator.screen();
    let (rows, columns) = screen.size();
    for row in 0..rows.get() {
        let text = screen.contents_between(row, 0, row, columns.get());
        if let Some(at) = text.find(word) {
            let column = u16::try_from(text[..at].chars().count()).expect("a column");
            let cell = screen.cell(row, column).expect("a cell");
            return (cell.bold(), cell.inverse());
        }
    }
    panic!("{word} is not on the screen:\n{}", terminal.screen())
}

#[test]
fn a_mention_stands_out_and_rings_once() {
    let mut table = Table::new();
    table.bob.say("malice is no mention");
    table.alice.see("malice is no mention");
    assert_eq!((look(&table.alice, "bob"), table.alice.count_written(BELL)), ((false, false), 0));
    table.alice.keys("/clear\r");
    table.alice.see_no_more("malice");
    table.bob.say("well, Alice, look");
    table.alice.see("well, Alice, look");
    assert_eq!(look(&table.alice, "bob >"), (true, true), "whoever calls stands out");
    assert_eq!(look(&table.alice, "Alice, look"), (true, false));
    assert_eq!(look(&table.alice, "well"), (false, false));
    assert_eq!(table.alice.count_written(BELL), 1);
    // One's own words mention nobody.
    table.alice.keys_until("alice was here\r", "alice > alice was here");
    assert_eq!(table.alice.count_written(BELL), 1);
}

#[test]
fn the_bell_rings_for_what_it_is_set_to() {
    for (bell, rings) in [("off", [0, 0, 0]), ("mentions", [0, 1, 1]), ("all", [1, 1, 1])] {
        let mut table = Table::with(|opening| opening.argument("--bell").argument(bell));
        for (text, rings) in ["nothing special", "alice!", "/direct"].into_iter().zip(rings) {
            let before = table.alice.count_written(BELL);
            if text == "/direct" {
                let direct = serde_json::json!({"type": "direct", "to": "alice", "text": text, "id": crate::harness::fresh_id()});
                table.bob.send(&direct);
            } else {
                table.bob.say(text);
            }
            table.alice.see(text);
            assert_eq!(table.alice.count_written(BELL) - before, rings, "{text} with the bell at {bell}");
        }
    }
}

#[test]
fn the_bell_rings_neither_for_presence_nor_for_own_messages() {
    let mut table = Table::with(|opening| opening.argument("--bell").argument("all"));
    drop(crate::harness::Tutorial::join(table.server.address, "carol"));
    table.alice.see("carol came and went");
    table.alice.keys_until("my own words\r", "alice > my own words");
    assert_eq!(table.alice.count_written(BELL), 0);
}

/// Hours and minutes as the clock of a zone shows them now.
fn now(zone: &str) -> String {
    jiff::Timestamp::now().in_tz(zone).expect("a zone").strftime("%H:%M").to_string()
}

#[test]
fn each_message_has_its_time_where_the_reader_lives() {
    for zone in ["UTC", "Asia/Kolkata", "America/St_Johns"] {
        let server = Server::start();
        let mut bob = crate::harness::EventClient::join(server.address, "bob");
        let wished = |opening: Opening| opening.variable("GLASSLINE_TIMESTAMPS", "").variable("TZ", zone);
        let mut alice = wished(Opening::join(server.address, "alice")).open();
        let before = now(zone);
        bob.say("what time is it?");
        alice.see("what time is it?");
        let (screen, after) = (alice.screen(), now(zone));
        let output = |time: &str| screen.contains(&format!("\n{time} bob > what time is it?"));
        assert!(output(&before) || output(&after), "{before} or {after} in\n{screen}");
    }
}

#[test]
fn without_colour_nothing_is_coloured_and_mentions_stand_out() {
    for (variable, value) in [("NO_COLOR", "1"), ("GLASSLINE_COLOUR", "off")] {
        let mut table = Table::with(|opening| opening.variable(variable, value));
        table.bob.say("look, alice");
        table.alice.see("look, alice");
        assert_eq!(look(&table.alice, "bob >"), (true, true));
        table.alice.keys_until("/nonsense\r", "there is no /nonsense");
        let written = table.alice.written();
        for sequence in written.split("\x1b[").skip(1) {
            let (parameters, end) =
                sequence.split_at(sequence.find(|c: char| c.is_ascii_alphabetic()).expect("an end"));
            let is_colour = |number: &str| matches!(number.parse(), Ok(30..=49_u32 | 90..=107));
            assert!(!(end.starts_with('m') && parameters.split(';').any(is_colour)), "{parameters}m in {written:?}");
        }
    }
    let mut table = Table::new();
    table.bob.say("in colour");
    table.alice.see("in colour");
    assert!(table.alice.written().contains("\x1b[38;5;"), "and with colours there are some");
}

#[test]
fn names_have_one_colour_each() {
    let mut table = Table::new();
    let mut zoe = crate::harness::EventClient::join(table.server.address, "zoe");
    table.bob.say("first words");
    zoe.say("second words");
    table.bob.say("third words");
    table.alice.see("third words");
    let written = table.alice.written();
    let colour = |text: &str| {
        let (before, _) = written.split_once(text).expect("written");
        let (_, name) = before.rsplit_once("\x1b[38;5;").expect("a colour");
        name.split_once('m').expect("the colour's end").0.to_owned()
    };
    assert_eq!(colour("first words"), colour("third words"));
    assert_ne!(colour("first words"), colour("second words"));
}

#[test]
fn what_came_while_the_window_was_not_looked_at_is_marked() {
    let mut table = Table::new();
    table.alice.keys("\x1b[O");
    // Nothing shows that the window was left, so Bob asks until it has been noticed.
    let asked = (0..1_000).find(|number| {
        let question = format!("alice, are you there? {number}.");
        table.bob.say(&question);
        table.alice.see(&question);
        table.alice.screen().contains("── new since ")
    });
    assert!(asked.is_some(), "{}", table.alice.screen());
    table.alice.see("1 for you");
    table.bob.say("hello?");
    table.alice.see("bob > hello?");
    // Coming back to the window is a sign of life.
    table.alice.keys("\x1b[I");
    table.bob.say("no?");
    table.alice.see("bob > no?");
    table.alice.see_no_more("for you");
    assert_eq!(table.alice.transcript().join("\n").matches("── new since ").count(), 1);
}
