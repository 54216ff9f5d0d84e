//! Undo and redo of edits.

use std::collections::VecDeque;

/// Steps that can be taken back.
const STEPS_MAX: usize = 200;
/// Bytes that they may take in all; a text is at most a sixteenth of that.
const BYTES_MAX: usize = 1024 * 1024;

/// Changes of one kind in a row are one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EditKind {
    /// Characters of one word.
    Typing,
    /// Graphemes one by one.
    Removing,
    /// Lines sent before.
    Recalling,
    /// Text that a completion or a search offers.
    Offering,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TextState {
    pub(crate) text: String,
    pub(crate) cursor: usize,
}

#[derive(Debug, Default)]
pub(crate) struct UndoLog {
    past: VecDeque<TextState>,
    future: Vec<TextState>,
    group: Option<EditKind>,
}

impl UndoLog {
    /// Records the state before a change.
    pub(crate) fn record(&mut self, text: &str, cursor: usize, group: Option<EditKind>) {
        self.future.clear();
        let goes_on = group.is_some() && self.group == group;
        self.group = group;
        if goes_on {
            return;
        }
        self.past.push_back(TextState { text: text.to_owned(), cursor });
        while self.past.len() > STEPS_MAX || self.past.iter().map(|step| step.text.len()).sum::<usize>() > BYTES_MAX {
            self.past.pop_front();
        }
    }

    /// The next change is a step of its own.
    pub(crate) fn interrupt(&mut self) {
        self.group = None;
    }

    /// Returns the state before the last step; `now` is the present one.
    pub(crate) fn undo(&mut self, now: TextState) -> Option<TextState> {
        self.group = None;
        let before = self.past.pop_back()?;
        self.future.push(now);
        Some(before)
    }

    pub(crate) fn redo(&mut self, now: TextState) -> Option<TextState> {
        self.group = None;
        let after = self.future.pop()?;
        self.past.push_back(now);
        Some(after)
    }

    /// Discards all steps, for a new line.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> TextState {
        TextState { text: text.to_owned(), cursor: text.len() }
    }

    #[test]
    fn steps_are_taken_back_and_again_until_something_else_changes() {
        let mut log = UndoLog::default();
        assert_eq!(log.undo(snapshot("")), None);
        log.record("", 0, None);
        log.record("a", 1, None);
        assert_eq!(log.undo(snapshot("ab")), Some(snapshot("a")));
        assert_eq!(log.undo(snapshot("a")), Some(snapshot("")));
        assert_eq!(log.redo(snapshot("")), Some(snapshot("a")));
        log.record("a", 1, None);
        assert_eq!(log.redo(snapshot("ax")), None);
        assert_eq!(log.undo(snapshot("ax")), Some(snapshot("a")));
    }

    #[test]
    fn changes_of_one_kind_are_one_step() {
        let mut log = UndoLog::default();
        for text in ["", "a", "ab"] {
            log.record(text, text.len(), Some(EditKind::Typing));
        }
        log.record("abc", 3, Some(EditKind::Removing));
        assert_eq!(log.undo(snapshot("ab")), Some(snapshot("abc")));
        assert_eq!(log.undo(snapshot("abc")), Some(snapshot("")));
    }

    #[test]
    fn the_log_is_bounded_in_steps_and_bytes() {
        let mut log = UndoLog::default();
        for _ in 0..1_000 {
            log.record("", 0, None);
        }
        assert_eq!(log.past.len(), STEPS_MAX);
        for _ in 0..1_000 {
            log.record(&"x".repeat(BYTES_MAX / 16), 0, None);
        }
        assert_eq!(log.past.len(), 16);
    }
}
