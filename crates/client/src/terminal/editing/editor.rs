//! The input line as pure state: a text, a cursor between two graphemes, what was cut, what was
//! undone, and what was sent before.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::kill_ring::KillRing;
use super::sent_lines::SentLines;
use super::undo::{EditKind, TextState, UndoLog};
use super::words;
use crate::terminal::keymap::Motion;

/// Longest text that can be typed or pasted: four messages of the longest kind, so that one can be
/// cut down to fit.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Editor {
    text: String,
    /// Byte offset, always between two graphemes.
    cursor: usize,
    cuts: KillRing,
    /// Range of the text that was put back just now.
    put_back: Option<(usize, usize)>,
    undo: UndoLog,
    sent_lines: SentLines,
}

impl Editor {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Puts text at the cursor, without what no key types; false if it would be too long, and then
    /// nothing is inserted.
    pub(crate) fn insert(&mut self, inserted: &str) -> bool {
        let clean = cleaned(inserted);
        if self.text.len() + clean.len() > TEXT_BYTES_MAX {
            return false;
        }
        if clean.is_empty() {
            return true;
        }
        let follows_space = self.text[..self.cursor].ends_with(char::is_whitespace);
        if follows_space && !clean.starts_with(char::is_whitespace) {
            // A word begins.
            self.undo.interrupt();
        }
        let typed = clean.graphemes(true).nth(1).is_none();
        self.change(typed.then_some(EditKind::Typing));
        self.put(&clean);
        true
    }

    pub(crate) fn go(&mut self, motion: Motion) {
        self.interrupt();
        self.cursor = self.target(motion);
    }

    /// Removes the text between the cursor and the end of the motion.
    pub(crate) fn remove(&mut self, motion: Motion) {
        let (from, to) = self.span(motion);
        if from < to {
            self.change(matches!(motion, Motion::Left | Motion::Right).then_some(EditKind::Removing));
            self.take_out(from, to);
        }
    }

    /// Removes it and keeps it for [`Editor::paste_cut`], together with what was cut just before.
    pub(crate) fn cut(&mut self, motion: Motion) {
        let (from, to) = self.span(motion);
        if from == to {
            return;
        }
        self.put_back = None;
        self.undo.record(&self.text, self.cursor, None);
        if from < self.cursor {
            self.cuts.cut_before(&self.text[from..to]);
        } else {
            self.cuts.cut_after(&self.text[from..to]);
        }
        self.take_out(from, to);
    }

    /// Puts back what was cut last; false if it would be too long.
    pub(crate) fn paste_cut(&mut self) -> bool {
        let Some(cut) = self.cuts.newest().map(str::to_owned) else { return true };
        if self.text.len() + cut.len() > TEXT_BYTES_MAX {
            return false;
        }
        self.change(None);
        let from = self.cursor;
        self.put(&cut);
        self.put_back = Some((from, from + cut.len()));
        true
    }

    /// Replaces what was put back just now by what was cut before it; false if it would be too
    /// long.
    pub(crate) fn rotate_cut(&mut self) -> bool {
        let Some((from, to)) = self.put_back else { return true };
        let Some(cut) = self.cuts.older().map(str::to_owned) else { return true };
        if self.text.len() - (to - from) + cut.len() > TEXT_BYTES_MAX {
            return false;
        }
        self.change(None);
        self.text.replace_range(from..to, "");
        self.cursor = from;
        self.put(&cut);
        self.put_back = Some((from, from + cut.len()));
        true
    }

    pub(crate) fn undo(&mut self) {
        let before = self.undo.undo(self.snapshot());
        self.restore(before);
    }

    pub(crate) fn redo(&mut self) {
        let after = self.undo.redo(self.snapshot());
        self.restore(after);
    }

    pub(crate) fn clear(&mut self) {
        self.replace("", 0, None);
        self.sent_lines.stay();
    }

    pub(crate) fn take(&mut self) -> String {
        let taken = self.text.clone();
        self.clear();
        taken
    }

    /// Replaces the text, the cursor at its end; false if it is too long, and then nothing is
    /// changed.
    pub(crate) fn set_text(&mut self, text: &str) -> bool {
        let clean = cleaned(text);
        let fits = clean.len() <= TEXT_BYTES_MAX;
        if fits {
            self.replace(&clean, clean.len(), None);
            self.sent_lines.stay();
        }
        fits
    }

    /// Shows what a completion or a search offers; one offer after the other is one step for
    /// [`Editor::undo`].
    pub(crate) fn offer(&mut self, text: &str, cursor: usize) -> bool {
        let fits = text.len() <= TEXT_BYTES_MAX;
        if fits {
            self.replace(text, cursor, Some(EditKind::Offering));
        }
        fits
    }

    /// Empties the line and adds it to the sent lines.
    pub(crate) fn accept(&mut self) {
        self.interrupt();
        self.sent_lines.add(std::mem::take(&mut self.text));
        self.cursor = 0;
        self.undo.clear();
    }

    /// Empties the line and discards it.
    pub(crate) fn discard(&mut self) {
        self.interrupt();
        self.sent_lines.stay();
        self.text.clear();
        self.cursor = 0;
        self.undo.clear();
    }

    /// Adds a line that was sent in an earlier session.
    pub(crate) fn add_sent(&mut self, line: String) {
        self.sent_lines.add(line);
    }

    /// The lines that were sent, the newest first.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &str> {
        self.sent_lines.newest_first()
    }

    /// One line up in the text; from its first line, back in what was sent.
    pub(crate) fn up(&mut self) {
        let line_start = self.line_start(self.cursor);
        if line_start > 0 {
            let column = self.column();
            self.interrupt();
            self.cursor = self.at_column(self.line_start(line_start - 1), column);
        } else if let Some(line) = self.sent_lines.older(&self.text).map(str::to_owned) {
            self.replace(&line, line.len(), Some(EditKind::Recalling));
        }
    }

    /// One line down in the text; from its last line, forward through sent lines to the draft.
    pub(crate) fn down(&mut self) {
        let line_end = self.line_end(self.cursor);
        if line_end < self.text.len() {
            let column = self.column();
            self.interrupt();
            self.cursor = self.at_column(line_end + 1, column);
        } else if let Some(line) = self.sent_lines.newer() {
            self.replace(&line, line.len(), Some(EditKind::Recalling));
        }
    }

    /// To be called before the text changes, except by a cut.
    fn change(&mut self, group: Option<EditKind>) {
        self.cuts.interrupt();
        self.put_back = None;
        self.undo.record(&self.text, self.cursor, group);
    }

    /// To be called when something happens that is no change.
    fn interrupt(&mut self) {
        self.cuts.interrupt();
        self.put_back = None;
        self.undo.interrupt();
    }

    fn put(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor = self.boundary_from(self.cursor + text.len());
    }

    fn take_out(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = self.boundary_from(from);
    }

    fn replace(&mut self, text: &str, cursor: usize, group: Option<EditKind>) {
        if self.text != text {
            self.change(group);
            text.clone_into(&mut self.text);
        }
        self.cursor = self.boundary_from(cursor.min(self.text.len()));
    }

    fn snapshot(&self) -> TextState {
        TextState { text: self.text.clone(), cursor: self.cursor }
    }

    fn restore(&mut self, snapshot: Option<TextState>) {
        self.interrupt();
        if let Some(TextState { text, cursor }) = snapshot {
            (self.text, self.cursor) = (text, cursor);
            self.sent_lines.stay();
        }
    }

    fn span(&self, motion: Motion) -> (usize, usize) {
        let target = self.target(motion);
        (self.cursor.min(target), self.cursor.max(target))
    }

    fn target(&self, motion: Motion) -> usize {
        match motion {
            Motion::Left => self.boundary_before(self.cursor),
            Motion::Right => self.boundary_from((self.cursor + 1).min(self.text.len())),
            Motion::WordLeft => self.boundary_to(words::start_before(&self.text, self.cursor)),
            Motion::WordRight => self.boundary_from(words::end_after(&self.text, self.cursor)),
            Motion::SpaceLeft => {
                let before = self.text[..self.cursor].trim_end();
                let space = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
                self.boundary_to(space.map_or(0, |(at, c)| at + c.len_utf8()))
            }
            Motion::Home => self.line_start(self.cursor),
            Motion::End => self.line_end(self.cursor),
            Motion::TextStart => 0,
            Motion::TextEnd => self.text.len(),
        }
    }

    fn boundary_before(&self, at: usize) -> usize {
        GraphemeCursor::new(at, self.text.len(), true).prev_boundary(&self.text, 0).ok().flatten().unwrap_or(0)
    }

    /// The first boundary at or after this.
    fn boundary_from(&self, at: usize) -> usize {
        (at..self.text.len()).find(|&at| self.is_boundary(at)).unwrap_or(self.text.len())
    }

    /// The last boundary at or before this.
    fn boundary_to(&self, at: usize) -> usize {
        (0..=at).rev().find(|&at| self.is_boundary(at)).unwrap_or(0)
    }

    fn is_boundary(&self, at: usize) -> bool {
        self.text.is_char_boundary(at)
            && GraphemeCursor::new(at, self.text.len(), true).is_boundary(&self.text, 0).unwrap_or(false)
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

/// Returns the characters of a text that keys can type, its newlines as Unix has them.
pub(crate) fn cleaned(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    unix.chars().filter(|&c| !c.is_control() || c == '\n' || c == '\t').collect()
}

#[cfg(test)]
mod tests;
