//! Settings of the configuration file for the terminal, and the logs that it may enable.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::json;

use super::harness::Table;
use crate::harness::{EventClient, fresh_id};
use crate::program::Folder;

const FILE: &str = ".config/glassline/config.toml";
const STATE: &str = ".local/state/glassline";

fn table_with(settings: &str) -> Table {
    let home = Rc::new(Folder::new());
    home.write(FILE, settings);
    // Only the file chooses.
    Table::with(|opening| opening.home(&home).variable("GLASSLINE_TIMESTAMPS", ""))
}

#[test]
fn the_file_chooses_times_bell_and_colours() {
    let mut table = table_with("timestamps = false\nbell = \"all\"\ncolour = false\n");
    table.bob.say("as chosen");
    table.alice.see("\nbob > as chosen");
    assert_eq!(table.alice.count_written("\x07"), 1);
    assert_eq!(table.alice.count_written("\x1b[38;5;"), 0);
    let mut table = table_with("timestamps = true\nbell = \"off\"\n");
    table.bob.say("alice, as chosen");
    table.alice.see(" bob > alice, as chosen");
    assert!(!table.alice.screen().contains("\nbob > "), "with its time:\n{}", table.alice.screen());
    assert_eq!(table.alice.count_written("\x07"), 0);
    table.bob.say("in colour");
    table.alice.see(" bob > in colour");
    assert_ne!(table.alice.count_written("\x1b[38;5;"), 0, "a name that calls nobody");
}

#[test]
fn the_file_chooses_ignored_names_and_that_no_input_is_kept() {
    let mut table = table_with("ignore = [\"Carol\"]\ninput_history = false\n");
    let mut carol = EventClient::join(table.server.address, "carol");
    carol.say("unheard");
    carol.expect_message("carol", "unheard");
    table.bob.expect_message("carol", "unheard");
    table.bob.say("heard");
    table.alice.see("bob > heard");
    assert_eq!(table.alice.count_written("unheard"), 0);
    assert_eq!(table.said("typed\r"), "typed");
    table.alice.keys_until("\x1b[A", "> typed");
    assert!(!table.alice.home().path().join(STATE).join("typed-lines").exists(), "nothing is kept");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// The files of a folder and of the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_log_is_kept_for_each_room_and_for_nobody_else_to_read() {
    let mut table = table_with("log = true\n");
    table.bob.say("said in the lobby");
    table.alice.see("said in the lobby");
    table.bob.send(&json!({"type": "direct", "to": "alice", "text": "a secret", "id": fresh_id()}));
    table.alice.see("a secret");
    table.bob.send(&json!({"type": "join", "room": "den"}));
    table.bob.barrier();
    table.alice.keys_until("/join den\r", "alice in den");
    table.alice.keys_until("my own words\r", "alice > my own words");
    table.alice.keys("\r\r\r");
    assert_eq!(table.alice.exit_code(), 0);
    let home = Rc::clone(table.alice.home());
    let logs = home.path().join(STATE).join("logs");
    let mut kept: Vec<(String, String)> = Vec::new();
    for file in files(&logs) {
        let folder = file.parent().expect("a folder");
        assert_eq!((mode(&file), mode(folder), mode(&logs)), (0o600, 0o700, 0o700), "{}", file.display());
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        kept.push((name, fs::read_to_string(&file).expect("text")));
    }
    kept.sort();
    let [(den, den_log), (lobby, lobby_log)] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((den.as_str(), lobby.as_str()), ("den.log", "lobby.log"));
    assert!(lobby_log.starts_with("20") && lobby_log.contains(" bob > said in the lobby\n"), "{lobby_log}");
    assert!(den_log.contains(" alice > my own words\n"), "{den_log}");
    assert!(!lobby_log.contains("secret") && !den_log.contains("secret"));
}

#[test]
fn no_log_is_kept_unasked() {
    let mut table = Table::new();
    table.bob.say("said in the lobby");
    table.alice.see("said in the lobby");
    table.alice.keys("\x04");
    assert_eq!(table.alice.exit_code(), 0);
    assert!(files(&table.alice.home().path().join(STATE).join("logs")).is_empty());
}

#[test]
fn log_lines_hold_nothing_that_a_terminal_interprets() {
    let mut table = table_with("log = true\n");
    table.bob.say("\u{1b}]0;title\u{7}and\nmore\u{202e}");
    // `and` alone is on the screen from the start: in `commands`.
    table.alice.see("]0;title");
    table.alice.keys("\x04");
    assert_eq!(table.alice.exit_code(), 0);
    let file = files(&table.alice.home().path().join(STATE).join("logs")).pop().expect("a log");
    crate::harness::assert_clean_log(&fs::read_to_string(file).expect("text"));
}

#[test]
fn a_log_that_cannot_be_written_is_reported_once() {
    let home = Rc::new(Folder::new());
    home.write(FILE, "log = true\n");
    home.write(format!("{STATE}/logs"), "this is a file, not a folder");
    let mut table = Table::with(|opening| opening.home(&home));
    for text in ["one", "two", "three"] {
        table.bob.say(text);
        table.alice.see(&format!("bob > {text}"));
    }
    table.alice.see("cannot write the logs");
    let transcript = table.alice.transcript().join("\n");
    assert_eq!(transcript.matches("cannot write the logs").count(), 1, "{transcript}");
}
