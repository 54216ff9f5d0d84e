use super::*;
use proptest::prelude::*;

/// The text with a bar where the cursor is.
fn picture(editor: &Editor) -> String {
    let (before, after) = editor.text.split_at(editor.cursor);
    format!("{before}|{after}")
}

fn editor(text: &str) -> Editor {
    let mut editor = Editor::default();
    let (before, after) = text.split_once('|').expect("a bar for the cursor");
    assert!(editor.insert(before) && editor.insert(after));
    editor.cursor = before.len();
    editor
}

#[test]
fn the_cursor_moves_and_removes_by_graphemes() {
    let mut line = editor("漢字👩‍👧e\u{301}|");
    line.go(Motion::Left);
    assert_eq!(picture(&line), "漢字👩‍👧|e\u{301}");
    line.remove(Motion::Left);
    assert_eq!(picture(&line), "漢字|e\u{301}");
    line.remove(Motion::Right);
    line.remove(Motion::Right);
    line.go(Motion::Left);
    assert_eq!(picture(&line), "漢|字");
    let mut accent = editor("a\n|\u{301}");
    accent.remove(Motion::Left);
    assert_eq!(picture(&accent), "a\u{301}|", "what is joined is not stood in");
}

#[test]
fn words_lines_and_the_cut() {
    let mut line = editor("one two  thr|ee");
    line.cut(Motion::WordLeft);
    assert_eq!(picture(&line), "one two  |ee");
    line.go(Motion::WordLeft);
    assert_eq!(picture(&line), "one |two  ee");
    line.go(Motion::WordRight);
    assert_eq!(picture(&line), "one two|  ee");
    assert!(line.paste_cut());
    assert_eq!(picture(&line), "one twothr|  ee");
    line.cut(Motion::End);
    line.go(Motion::Home);
    assert!(line.paste_cut());
    assert_eq!(picture(&line), "  ee|one twothr");
    line.cut(Motion::Home);
    assert_eq!(picture(&line), "|one twothr");
    line.cut(Motion::Home);
    assert!(line.paste_cut(), "cutting nothing keeps what was cut");
    assert_eq!(picture(&line), "  ee|one twothr");
}

#[test]
fn the_history_keeps_the_draft() {
    let mut line = Editor::default();
    line.up();
    assert_eq!(picture(&line), "|");
    for sent in ["first", "second", "second"] {
        assert!(line.insert(sent));
        line.accept();
    }
    assert!(line.insert("draft"));
    line.up();
    assert_eq!(picture(&line), "second|");
    line.up();
    line.up();
    assert_eq!(picture(&line), "first|");
    line.down();
    line.down();
    assert_eq!(picture(&line), "draft|");
    line.down();
    assert_eq!(picture(&line), "draft|");
}

#[test]
fn up_and_down_walk_through_a_text_of_several_lines_first() {
    let mut line = editor("ab\n漢字x\nc|");
    line.up();
    assert_eq!(picture(&line), "ab\n漢|字x\nc");
    line.go(Motion::End);
    line.up();
    assert_eq!(picture(&line), "ab|\n漢字x\nc");
    line.down();
    assert_eq!(picture(&line), "ab\n漢字|x\nc");
    line.go(Motion::Home);
    assert_eq!(picture(&line), "ab\n|漢字x\nc");
}

#[test]
fn a_paste_keeps_newlines_and_drops_controls_and_is_bounded() {
    let mut line = Editor::default();
    assert!(line.insert("a\r\nb\rc\u{1b}[201~\u{7}\u{9b}\td"));
    assert_eq!(line.text(), "a\nb\nc[201~\td");
    assert!(!line.insert(&"x".repeat(TEXT_BYTES_MAX)));
    assert_eq!(line.text(), "a\nb\nc[201~\td");
}

#[test]
fn words_stop_at_punctuation_and_spaces_do_not_for_control_w() {
    let mut line = editor("see example.com/漢字 now|");
    for expected in ["see example.com/漢字 |now", "see example.com/漢|字 now", "see example.com/|漢字 now"] {
        line.go(Motion::WordLeft);
        assert_eq!(picture(&line), expected);
    }
    line.cut(Motion::WordLeft);
    assert_eq!(picture(&line), "see example.|漢字 now");
    line.cut(Motion::SpaceLeft);
    assert_eq!(picture(&line), "see |漢字 now");
    line.cut(Motion::WordRight);
    assert_eq!(picture(&line), "see |字 now");
    let mut lines = editor("one\ntwo|\nthree");
    lines.go(Motion::TextStart);
    assert_eq!(picture(&lines), "|one\ntwo\nthree");
    lines.go(Motion::TextEnd);
    assert_eq!(picture(&lines), "one\ntwo\nthree|");
}

#[test]
fn cuts_in_a_row_come_back_together_and_older_ones_in_place() {
    let mut line = editor("one two three |four");
    line.cut(Motion::SpaceLeft);
    line.cut(Motion::SpaceLeft);
    line.cut(Motion::End);
    assert_eq!(picture(&line), "one |");
    line.go(Motion::Home);
    line.cut(Motion::WordRight);
    assert_eq!(picture(&line), "| ");
    assert!(line.paste_cut());
    assert!(line.rotate_cut());
    assert_eq!(picture(&line), "two three four| ");
    assert!(line.rotate_cut());
    assert_eq!(picture(&line), "one| ");
    line.go(Motion::Left);
    assert!(line.rotate_cut());
    assert_eq!(picture(&line), "on|e ", "only what was put back just now is replaced");
}

#[test]
fn undo_takes_back_word_by_word_and_redo_brings_back() {
    let mut line = Editor::default();
    for c in "one two".chars() {
        assert!(line.insert(&c.to_string()));
    }
    assert!(line.insert(" pasted whole"));
    let mut seen = Vec::new();
    for _ in 0..4 {
        line.undo();
        seen.push(picture(&line));
    }
    assert_eq!(seen, ["one two|", "one |", "|", "|"]);
    line.redo();
    line.redo();
    line.redo();
    line.redo();
    assert_eq!(picture(&line), "one two pasted whole|");
    line.remove(Motion::Left);
    line.remove(Motion::Left);
    line.undo();
    assert_eq!(picture(&line), "one two pasted whole|");
    line.cut(Motion::Home);
    line.clear();
    line.undo();
    assert_eq!(picture(&line), "one two pasted whole|", "an empty line is emptied without a step");
    line.accept();
    line.undo();
    assert_eq!(picture(&line), "|", "what was sent is no longer being edited");
}

#[test]
fn moving_ends_a_step() {
    let mut line = editor("|");
    for key in "ab<c".chars() {
        match key {
            '<' => line.go(Motion::Left),
            c => assert!(line.insert(&c.to_string())),
        }
    }
    line.undo();
    assert_eq!(picture(&line), "a|b");
}

#[test]
fn a_text_is_taken_set_and_offered() {
    let mut line = editor("dra|ft");
    assert_eq!(line.take(), "draft");
    assert!(line.set_text("from\r\nan editor\u{7}"));
    assert_eq!(picture(&line), "from\nan editor|");
    assert!(!line.set_text(&"x".repeat(TEXT_BYTES_MAX + 1)));
    line.undo();
    line.undo();
    assert_eq!(picture(&line), "dra|ft");
    assert!(line.offer("draft one", 5) && line.offer("draft two", 5));
    assert_eq!(picture(&line), "draft| two");
    line.undo();
    assert_eq!(picture(&line), "dra|ft");
}

#[test]
fn a_recalled_line_is_one_step_and_lines_of_before_are_found() {
    let mut line = Editor::default();
    line.add_sent("first".into());
    line.add_sent("second".into());
    assert!(line.insert("draft"));
    line.up();
    line.up();
    assert_eq!(picture(&line), "first|");
    line.undo();
    assert_eq!(picture(&line), "draft|");
    assert_eq!(line.sent().collect::<Vec<_>>(), ["second", "first"]);
}

proptest! {
    #[test]
    fn no_sequence_of_edits_breaks_the_text(
        steps in proptest::collection::vec((0_usize..16, "[a .漢\n\u{301}👩\u{200d}🇩]{0,3}"), 0..60)
    ) {
        let motions = [
            Motion::Left, Motion::Right, Motion::WordLeft, Motion::WordRight, Motion::SpaceLeft, Motion::Home, Motion::End,
            Motion::TextStart, Motion::TextEnd,
        ];
        let mut line = Editor::default();
        for (at, (step, text)) in steps.into_iter().enumerate() {
            let motion = motions[(text.len() + at) % motions.len()];
            match step {
                0..=3 => prop_assert!(line.insert(&text)),
                4 | 5 => line.go(motion),
                6 => line.remove(motion),
                7 => line.cut(motion),
                8 => line.up(),
                9 => line.down(),
                10 => prop_assert!(line.paste_cut()),
                11 => prop_assert!(line.rotate_cut()),
                12 => line.undo(),
                13 => line.redo(),
                14 => prop_assert!(line.offer(&text, text.len() / 2)),
                _ => line.accept(),
            }
            prop_assert!(line.is_boundary(line.cursor) || line.text.is_empty(), "{:?} at {}", line.text, line.cursor);
        }
        // What was undone last stands at the end of what can be redone.
        (0..100).for_each(|_| line.redo());
        let last = line.text.clone();
        (0..100).for_each(|_| line.undo());
        (0..100).for_each(|_| line.redo());
        prop_assert_eq!(&line.text, &last);
    }
}
