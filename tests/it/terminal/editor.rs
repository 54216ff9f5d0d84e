//! `$EDITOR` has the terminal for a while, and the conversation goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::harness::Table;
use super::listed::{editor, script};
use crate::program::Folder;

fn table_with(editor: &str) -> Table {
    Table::with(|opening| opening.variable("EDITOR", editor))
}

/// An editor that reports its start, waits for a line of the keyboard, and does this.
fn waiting_editor(folder: &Folder, does: &str) -> PathBuf {
    script(folder, "editor", &format!("echo the editor runs; read answer; {does}"))
}

#[test]
fn the_editor_gets_the_draft_and_what_it_leaves_is_the_draft() {
    let folder = Folder::new();
    let mut table = table_with(editor(&folder).to_str().expect("UTF-8"));
    table.alice.keys("漢字\nlast row\x1be");
    table.alice.see("and this");
    assert_eq!(table.said("!\r"), "漢字\nlast rowand this!");
    let state = table.alice.home().path().join(".local/state/glassline");
    let left: Vec<_> = fs::read_dir(state).expect("the folder").map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(left, ["typed-lines"], "no draft is left behind");
}

#[test]
fn what_is_said_meanwhile_is_shown_afterwards() {
    let folder = Folder::new();
    let editor = waiting_editor(&folder, r#"stat -c %a "$1" >"$0.mode"; printf '%s' "$answer" >"$1""#);
    let mut table = table_with(editor.to_str().expect("UTF-8"));
    table.alice.keys_until("a draft", "> a draft");
    table.alice.keys_until("\x18\x05", "the editor runs");
    // The terminal is the editor's, as it was.
    table.alice.assert_as_it_was();
    for number in 0..30 {
        table.bob.say(&format!("meanwhile {number}."));
    }
    table.bob.barrier();
    table.alice.keys("typed in the editor\n");
    table.alice.see("meanwhile 29.");
    table.alice.see_input("typed in the editor");
    let transcript = table.alice.transcript().join("\n");
    for number in 0..30 {
        assert_eq!(transcript.matches(&format!("meanwhile {number}.")).count(), 1, "{transcript}");
    }
    let runs = table.alice.written().find("the editor runs").expect("it ran");
    assert!(table.alice.written().find("meanwhile 0.") > Some(runs));
    assert!(table.alice.is_changed() && table.alice.emulator.screen().bracketed_paste());
    assert_eq!(table.said(", sent\r"), "typed in the editor, sent");
    let mode = fs::read_to_string(folder.path().join("editor.mode")).expect("the mode");
    assert_eq!(mode.trim(), "600", "the draft is nobody else's");
}

#[test]
fn an_editor_that_fails_leaves_the_draft_as_it_was() {
    let folder = Folder::new();
    let editor = script(&folder, "editor", r#"echo "to be thrown away" >"$1"; exit 3"#);
    let mut table = table_with(editor.to_str().expect("UTF-8"));
    table.alice.keys_until("a draft\x1be", "the line is as it was, for the editor failed");
    assert_eq!(table.said("!\r"), "a draft!");
}

#[test]
fn a_missing_editor_is_reported_with_what_to_do() {
    let mut table = table_with("/nowhere/editor --wait");
    table.alice.keys_until("a draft\x1be", "cannot run /nowhere/editor");
    table.alice.see("set EDITOR");
    assert!(table.alice.is_changed(), "the terminal is the client's again");
    assert_eq!(table.said("!\r"), "a draft!");
    let mut table = Table::new();
    table.alice.keys_until("a draft\x1be", "no editor is chosen; set EDITOR, as in EDITOR=nano");
    assert_eq!(table.said("!\r"), "a draft!");
}

#[test]
fn what_the_editor_leaves_may_be_too_long_or_no_text() {
    for (leaves, output) in [
        (r#"head -c 70000 /dev/zero | tr '\0' x >"$1""#, "more than 65536 bytes"),
        (r#"printf '\377\376' >"$1""#, "the editor failed"),
        (r#"rm "$1""#, "the editor failed"),
    ] {
        let folder = Folder::new();
        let editor = script(&folder, "editor", leaves);
        let mut table = table_with(editor.to_str().expect("UTF-8"));
        table.alice.keys_until("a draft\x1be", output);
        assert_eq!(table.said("!\r"), "a draft!", "{leaves}");
    }
}

#[test]
fn text_of_the_editor_holds_nothing_a_terminal_interprets() {
    let folder = Folder::new();
    let editor = script(&folder, "editor", r#"printf 'a\033]0;title\007b\r\nc' >"$1""#);
    let mut table = table_with(editor.to_str().expect("UTF-8"));
    table.alice.keys_until("draft\x1be", "titleb");
    assert_eq!(table.said("\r"), "a]0;titleb\nc");
}

#[test]
fn a_signal_while_the_editor_runs_leaves() {
    let folder = Folder::new();
    let editor = waiting_editor(&folder, ":");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o700)).expect("executable");
    let mut table = table_with(editor.to_str().expect("UTF-8"));
    table.alice.keys_until("a draft\x1be", "the editor runs");
    table.alice.signal("TERM");
    assert_eq!(table.alice.exit_code(), 0);
}
