//! A line that the user types: a filter, a search, or the new text of a held frame.

/// Bytes that a line takes at most: a frame's text is shorter (L).
const INPUT_BYTES_MAX: usize = 110_000;

/// Text with a cursor at a boundary of characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct InputLine {
    text: String,
    cursor: usize,
}

/// A change of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    Insert(String),
    Backspace,
    Delete,
    Left,
    Right,
    Home,
    End,
    /// Deletes the word before the cursor.
    DeleteWord,
    /// Deletes everything before the cursor.
    DeleteToStart,
}

impl InputLine {
    /// A line with this text, and the cursor behind it.
    pub(super) fn new(text: String) -> Self {
        Self { cursor: text.len(), text }
    }

    /// Returns the text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Changes it.
    pub(super) fn edit(&mut self, edit: &Edit) {
        let before = self.text[..self.cursor].char_indices().next_back().map_or(0, |(at, _)| at);
        let after = self.text[self.cursor..].chars().next().map_or(self.cursor, |next| self.cursor + next.len_utf8());
        match edit {
            Edit::Insert(text) if self.text.len() + text.len() <= INPUT_BYTES_MAX => {
                self.text.insert_str(self.cursor, text);
                self.cursor += text.len();
            }
            Edit::Insert(_) => {}
            Edit::Backspace => self.delete_from(before),
            Edit::Delete => self.text.replace_range(self.cursor..after, ""),
            Edit::Left => self.cursor = before,
            Edit::Right => self.cursor = after,
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::DeleteWord => {
                let kept = self.text[..self.cursor].trim_end();
                self.delete_from(kept.rfind(' ').map_or(0, |space| space + 1));
            }
            Edit::DeleteToStart => self.delete_from(0),
        }
    }

    fn delete_from(&mut self, start: usize) {
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    /// Returns the text before and behind the cursor as it is shown: a newline as `↵`, and nothing
    /// that a terminal obeys.
    pub(super) fn shown(&self) -> (String, String) {
        let shown = |text: &str| crate::tap::columns::safe(&text.replace('\n', "↵")).into_owned();
        (shown(&self.text[..self.cursor]), shown(&self.text[self.cursor..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_at_its_cursor() {
        let mut line = InputLine::new("héllo wörld".into());
        let edits = [Edit::DeleteWord, Edit::Left, Edit::Backspace, Edit::Insert("ô!".into()), Edit::Delete];
        for edit in &edits {
            line.edit(edit);
        }
        assert_eq!(line.text(), "héllô!");
        for edit in [Edit::Home, Edit::Right, Edit::Right, Edit::DeleteToStart, Edit::Left] {
            line.edit(&edit);
        }
        assert_eq!((line.text(), line.shown()), ("llô!", (String::new(), "llô!".into())));
        line.edit(&Edit::Insert("x".repeat(INPUT_BYTES_MAX)));
        assert_eq!(line.text(), "llô!", "a line is bounded");
    }

    #[test]
    fn a_held_text_cannot_move_the_terminals_cursor() {
        let line = InputLine::new("a\nb\u{1b}[2J".into());
        assert_eq!(line.shown().0, "a↵b\u{fffd}[2J");
    }
}
