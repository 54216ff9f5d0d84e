//! Recall of typed lines, and completion.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;

use super::harness::{Opening, Table};
use crate::harness::{EventClient, Tutorial};
use crate::program::Folder;

const HISTORY: &str = ".local/state/glassline/typed-lines";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

fn history(home: &Folder) -> String {
    String::from_utf8_lossy(&fs::read(home.path().join(HISTORY)).expect("the history")).into_owned()
}

#[test]
fn typed_lines_survive_a_restart_except_direct_messages() {
    let mut table = Table::new();
    let home = Rc::clone(table.alice.home());
    assert_eq!(table.said("first\r"), "first");
    assert_eq!(table.said("second\nof two rows\r"), "second\nof two rows");
    table.alice.keys_until("/msg bob a secret\r", "you -> bob > a secret");
    table.alice.keys_until("/mgs bob another secret\r", "there is no /mgs");
    table.alice.keys_until("/join den\r", "alice in den");
    table.alice.keys("\x04");
    assert_eq!(table.alice.exit_code(), 0);
    let file = home.path().join(HISTORY);
    assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
    assert!(!history(&home).contains("secret"), "{}", history(&home));
    table.alice = Opening::join(table.server.address, "alice").home(&home).open();
    table.alice.keys("\x1b[A");
    table.alice.see_input("/join den");
    table.alice.keys("\x1b[A");
    table.alice.see_input("second");
    // Up in the rows of the line first.
    assert_eq!(table.said("\x1b[A\x1b[A\r"), "first");
    table.alice.keys_until("\x12rows", "(search) rows: second");
    table.alice.keys("\r");
    table.alice.see_input("second");
    assert_eq!(table.said("!\r"), "second\nof two rows!");
}

#[test]
fn two_at_once_keep_all_they_type() {
    let mut table = Table::new();
    let home = Rc::clone(table.alice.home());
    let mut carol = Opening::join(table.server.address, "carol").home(&home).open();
    for number in 0..5 {
        assert_eq!(table.said(&format!("of alice {number}\r")), format!("of alice {number}"));
        carol.keys_until(&format!("of carol {number}\r"), &format!("carol > of carol {number}"));
    }
    let kept = history(&home);
    for number in 0..5 {
        assert!(kept.contains(&format!("of alice {number}\n")) && kept.contains(&format!("of carol {number}\n")));
    }
}

#[test]
fn a_history_that_cannot_be_kept_is_reported_and_harms_nothing() {
    let home = Rc::new(Folder::new());
    home.write(".local/state", "this is a file, not a folder");
    let mut table = Table::with(|opening| opening.home(&home));
    table.alice.see("typed lines are not kept for the next session");
    assert_eq!(table.said("said all the same\r"), "said all the same");
}

#[test]
fn a_history_of_rubbish_is_read_as_far_as_it_is_one() {
    let home = Rc::new(Folder::new());
    let rubbish = [b"good\n\xff\xfe\n\x1b]0;title\x07\n".as_slice(), &vec![b'x'; 100_000], b"\nlast\ntorn"].concat();
    home.write(HISTORY, rubbish);
    let mut table = Table::with(|opening| opening.home(&home));
    for _ in 0..8 {
        table.alice.keys("\x1b[A");
    }
    table.alice.see_input("good");
    assert_eq!(table.said("\x15well\r"), "well");
    assert!(history(&home).ends_with("torn\nwell\n"), "what was torn is a line of its own");
}

#[test]
fn a_search_shows_what_it_finds_and_takes_or_leaves_it() {
    let mut table = Table::new();
    for text in ["make tea", "pour the tea", "漢字"] {
        table.said(&format!("{text}\r"));
    }
    table.alice.keys_until("draft\x12tea", "(search) tea: pour the tea");
    table.alice.keys_until("\x12", "(search) tea: make tea");
    table.alice.keys_until("\x12", "(search, nothing older) tea: make tea");
    table.alice.keys("\x03");
    table.alice.see_input("draft");
    table.alice.keys_until("\x12字", "(search) 字: 漢字");
    // A motion takes it and moves in it.
    assert_eq!(table.said("\x1b[D!\r"), "漢!字");
    // Messages that come meanwhile do not disturb it.
    table.alice.keys_until("\x12make", "(search) make: make tea");
    table.bob.say("in between");
    table.alice.see("bob > in between");
    table.alice.see("(search) make: make tea");
    table.alice.keys("\r");
    table.alice.see_input("make tea");
}

#[test]
fn tab_completes_names_commands_rooms_and_arguments() {
    let mut table = Table::new();
    let _anna = Tutorial::join(table.server.address, "Anna");
    table.alice.see("with Anna, bob");
    table.alice.keys_until("/join den\r", "alice in den");
    table.alice.keys_until("/join lobby\r", "alice in lobby");
    for (keys, expected) in [
        ("b\thi\r", "bob: hi"),
        ("a\t\r", "Anna: "),
        ("ask b\tplease\r", "ask bob please"),
        ("@b\t\r", "@bob "),
        ("漢 b\t\r", "漢 bob "),
        // In the middle, with the space that is there.
        ("ask b now\x1b[1;5D\x1b[D\t\r", "ask bob now"),
    ] {
        assert_eq!(table.said(keys).trim_end(), expected.trim_end(), "{keys:?}");
    }
    for (keys, input) in [
        ("/whoi\t", "/whois"),
        ("/whois b\t", "/whois bob"),
        ("/msg an\t", "/msg Anna"),
        ("/join d\t", "/join den"),
        ("/timestamps of\t", "/timestamps off"),
        ("/bell m\t", "/bell mentions"),
        ("/help key\t", "/help keys"),
    ] {
        table.alice.keys(keys);
        table.alice.see_input(input);
        table.alice.keys("\x15");
        table.alice.see_input("");
    }
    table.alice.keys_until("xyz\t", "nothing completes this");
}

#[test]
fn tab_offers_who_spoke_last_first_and_escape_takes_it_back() {
    let mut table = Table::new();
    let mut bea = EventClient::join(table.server.address, "bea");
    table.alice.see("with bea, bob");
    table.bob.say("I spoke last");
    table.alice.see("bob > I spoke last");
    table.alice.keys_until("b\t", "[bob] bea");
    table.alice.see_input("bob:");
    table.alice.keys_until("\t", "bob [bea]");
    table.alice.see_input("bea:");
    table.alice.keys("\x1b");
    table.alice.see_input("b");
    bea.say("now I did");
    table.alice.see("bea > now I did");
    assert_eq!(table.said("\thi\r"), "bea: hi");
    // A step that is taken back in one.
    table.alice.keys("b\t\t\x1f");
    table.alice.see_input("b");
}
