//! The session ends while the editor has the terminal.

use std::fs;

use super::harness::Table;
use super::listed::script;
use crate::program::Folder;

/// A screen editor: another screen, no cursor, raw modes, and it waits for ever.
const SCREEN_EDITOR: &str = r"stty raw -echo; printf '\033[?47h\033[?25lthe editor runs'; ";

#[track_caller]
fn ends_with_the_session(editor: &str, kept: &str) {
    let folder = Folder::new();
    let editor = script(&folder, "editor", &format!("{editor}{SCREEN_EDITOR}while :; do sleep 0.05; done"));
    let mut table = Table::with(|opening| opening.variable("EDITOR", editor.to_str().expect("UTF-8")));
    table.alice.keys_until("a draft\x1be", "the editor runs");
    table.alice.signal("TERM");
    // The cursor, the modes and all the rest are as they were.
    assert_eq!(table.alice.exit_code(), 0);
    assert!(!table.alice.emulator.screen().alternate_screen(), "the other screen is left");
    table.alice.see("the text, as it was saved last, is in");
    let state = table.alice.home().path().join(".local/state/glassline");
    let drafts: Vec<String> = fs::read_dir(state)
        .expect("the folder")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("draft-")))
        .map(|path| fs::read_to_string(path).expect("a draft"))
        .collect();
    assert_eq!(drafts, [kept]);
}

#[test]
fn an_editor_that_heeds_a_signal_saves_and_another_is_killed() {
    ends_with_the_session(r#"trap 'echo saved >"$1"; exit 143' TERM; "#, "saved\n");
    ends_with_the_session("trap '' TERM; ", "a draft");
}
