//! The input line as pure state: a text, a cursor between two graphemes, what was cut, and what was sent before.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation;

/// Longest text that can be typed or pasted: four messages of the longest kind, so that one can be cut down to fit.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Sent lines that Up finds again.
const HISTORY_MAX: usize = 500;

/// A way to move, or to cut up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    /// One grapheme to the left.
    Left,
    /// One grapheme to the right.
    Right,
    /// To the start of this or the previous word.
    WordLeft,
    /// To the end of this or the next word.
    WordRight,
    /// To what follows the space before this or the previous word.
    SpaceLeft,
    /// To the start of the line.
    Home,
    /// To the end of the line.
    End,
    /// To the start of the whole text.
    TextStart,
    /// To its end.
    TextEnd,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    text: String,
    /// Byte offset.
    cursor: usize,
    cut: String,
    history: VecDeque<String>,
    /// Which line of the history stands in the text, and what stood there before.
    recalled: Option<(usize, String)>,
}

impl Editor {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Byte offset of the cursor in the text.
    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Puts text at the cursor, without what no key types; false if it would be too long, and then nothing is inserted.
    pub(crate) fn insert(&mut self, inserted: &str) -> bool {
        let unix = inserted.replace("\r\n", "\n").replace('\r', "\n");
        let clean: String = unix.chars().filter(|&c| !c.is_control() || c == '\n' || c == '\t').collect();
        if self.text.len() + clean.len() > TEXT_BYTES_MAX {
            return false;
        }
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
        true
    }

    /// Moves the cursor.
    pub(crate) fn go(&mut self, motion: Motion) {
        self.cursor = self.target(motion);
    }

    /// Removes what lies between the cursor and where the motion leads.
    pub(crate) fn remove(&mut self, motion: Motion) {
        let target = self.target(motion);
        let (from, to) = (self.cursor.min(target), self.cursor.max(target));
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    /// Removes it and keeps it for [`Editor::paste_cut`].
    pub(crate) fn cut(&mut self, motion: Motion) {
        let target = self.target(motion);
        let (from, to) = (self.cursor.min(target), self.cursor.max(target));
        if from < to {
            self.text[from..to].clone_into(&mut self.cut);
            self.remove(motion);
        }
    }

    /// Puts back what was cut last.
    pub(crate) fn paste_cut(&mut self) -> bool {
        let cut = self.cut.clone();
        self.insert(&cut)
    }

    /// Empties the line.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
        self.recalled = None;
    }

    /// Empties the line and remembers it: it was sent.
    pub(crate) fn accept(&mut self) {
        if !self.text.is_empty() && self.history.back() != Some(&self.text) {
            if self.history.len() == HISTORY_MAX {
                self.history.pop_front();
            }
            self.history.push_back(self.text.clone());
        }
        self.clear();
    }

    /// One line up in the text; from its first line, back in the history.
    pub(crate) fn up(&mut self) {
        let line_start = self.line_start(self.cursor);
        if line_start > 0 {
            let column = self.column();
            self.cursor = self.at_column(self.line_start(line_start - 1), column);
            return;
        }
        match self.recalled.as_ref().map(|&(at, _)| at) {
            Some(0) => {}
            Some(at) => self.recall(at - 1),
            None if self.history.is_empty() => {}
            None => {
                self.recalled = Some((self.history.len(), self.text.clone()));
                self.recall(self.history.len() - 1);
            }
        }
    }

    /// One line down in the text; from its last line, forward in the history and to the draft.
    pub(crate) fn down(&mut self) {
        let line_end = self.line_end(self.cursor);
        if line_end < self.text.len() {
            let column = self.column();
            self.cursor = self.at_column(line_end + 1, column);
            return;
        }
        let Some((at, draft)) = self.recalled.take() else { return };
        if at + 1 < self.history.len() {
            self.recalled = Some((at, draft));
            self.recall(at + 1);
        } else {
            self.cursor = draft.len();
            self.text = draft;
        }
    }

    fn recall(&mut self, at: usize) {
        if let (Some(line), Some((recalled, _))) = (self.history.get(at), &mut self.recalled) {
            *recalled = at;
            self.text.clone_from(line);
            self.cursor = self.text.len();
        }
    }

    fn target(&self, motion: Motion) -> usize {
        match motion {
            Motion::Left => self.boundaries().take_while(|&at| at < self.cursor).last().unwrap_or(0),
            Motion::Right => self.boundaries().find(|&at| at > self.cursor).unwrap_or(self.text.len()),
            Motion::TextStart => 0,
            Motion::TextEnd => self.text.len(),
            Motion::WordLeft | Motion::SpaceLeft => {
                let before = self.text[..self.cursor].trim_end();
                before.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8())
            }
            Motion::WordRight => {
                let after = &self.text[self.cursor..];
                let word = after.len() - after.trim_start().len();
                self.cursor + after[word..].find(char::is_whitespace).map_or(after.len(), |end| word + end)
            }
            Motion::Home => self.line_start(self.cursor),
            Motion::End => self.line_end(self.cursor),
        }
    }

    fn boundaries(&self) -> impl Iterator<Item = usize> {
        self.text.grapheme_indices(true).map(|(at, _)| at)
    }

    fn line_start(&self, from: usize) -> usize {
        self.text[..from].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |at| from + at)
    }

    /// Graphemes between the start of the line and the cursor.
    fn column(&self) -> usize {
        self.text[self.line_start(self.cursor)..self.cursor].graphemes(true).count()
    }

    fn at_column(&self, line_start: usize, column: usize) -> usize {
        let line = &self.text[line_start..self.line_end(line_start)];
        line_start + line.grapheme_indices(true).nth(column).map_or(line.len(), |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
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
    fn a_paste_keeps_its_newlines_and_loses_its_controls_and_too_long_is_refused() {
        let mut line = Editor::default();
        assert!(line.insert("a\r\nb\rc\u{1b}[201~\u{7}\u{9b}\td"));
        assert_eq!(line.text(), "a\nb\nc[201~\td");
        assert!(!line.insert(&"x".repeat(TEXT_BYTES_MAX)));
        assert_eq!(line.text(), "a\nb\nc[201~\td");
    }

    proptest! {
        #[test]
        fn no_sequence_of_edits_breaks_the_text(
            steps in proptest::collection::vec((0_usize..10, "[a 漢\n\u{301}👩\u{200d}]{0,3}"), 0..60)
        ) {
            let motions = [
                Motion::Left, Motion::Right, Motion::WordLeft, Motion::WordRight, Motion::Home, Motion::End,
            ];
            let mut line = Editor::default();
            for (step, text) in steps {
                let motion = motions[text.len() % motions.len()];
                match step {
                    0..=2 => prop_assert!(line.insert(&text)),
                    3 | 4 => line.go(motion),
                    5 => line.remove(motion),
                    6 => line.cut(motion),
                    7 => line.up(),
                    8 => line.down(),
                    _ => line.accept(),
                }
                prop_assert!(line.text.is_char_boundary(line.cursor));
            }
        }
    }
}
