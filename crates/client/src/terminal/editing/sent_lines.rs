//! The sent lines, for Up and Down; the draft is kept.

use std::collections::VecDeque;

/// Lines that are kept.
pub(crate) const LINES_MAX: usize = 1_000;
/// Bytes that they may take in all.
pub(crate) const BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct SentLines {
    lines: VecDeque<String>,
    bytes: usize,
    place: Option<Place>,
}

/// Position in the walk, and the text before it began.
#[derive(Debug)]
struct Place {
    at: usize,
    draft: String,
}

impl SentLines {
    /// Adds a line that was sent, unless it is the same as the one before, and ends the walk.
    pub(crate) fn add(&mut self, line: String) {
        self.place = None;
        if line.is_empty() || self.lines.back() == Some(&line) {
            return;
        }
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES_MAX || self.bytes > BYTES_MAX {
            self.bytes -= self.lines.pop_front().map_or(0, |oldest| oldest.len());
        }
    }

    /// The line before; `shown` is the present input.
    pub(crate) fn older(&mut self, shown: &str) -> Option<&str> {
        let at = self.place.as_ref().map_or(self.lines.len(), |place| place.at).checked_sub(1)?;
        match &mut self.place {
            Some(place) => place.at = at,
            None => self.place = Some(Place { at, draft: shown.to_owned() }),
        }
        self.lines.get(at).map(String::as_str)
    }

    /// The line after, or the draft after the last one.
    pub(crate) fn newer(&mut self) -> Option<String> {
        let Place { at, draft } = self.place.take()?;
        match self.lines.get(at + 1) {
            Some(line) => {
                self.place = Some(Place { at: at + 1, draft });
                Some(line.clone())
            }
            None => Some(draft),
        }
    }

    /// Ends the walk where it is.
    pub(crate) fn stay(&mut self) {
        self.place = None;
    }

    /// All lines, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().rev().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draft_waits_behind_the_newest_line() {
        let mut sent_lines = SentLines::default();
        assert_eq!(sent_lines.older("draft"), None);
        assert_eq!(sent_lines.newer(), None);
        for line in ["first", "", "second", "second"] {
            sent_lines.add(line.to_owned());
        }
        assert_eq!(sent_lines.older("draft"), Some("second"));
        assert_eq!(sent_lines.older("second"), Some("first"));
        assert_eq!(sent_lines.older("first, changed"), None);
        assert_eq!(sent_lines.newer().as_deref(), Some("second"));
        assert_eq!(sent_lines.newer().as_deref(), Some("draft"));
        assert_eq!(sent_lines.newer(), None);
        assert_eq!(sent_lines.newest_first().collect::<Vec<_>>(), ["second", "first"]);
    }

    #[test]
    fn old_lines_are_dropped() {
        let mut sent_lines = SentLines::default();
        for number in 0..2_000 {
            sent_lines.add(number.to_string());
        }
        assert_eq!((sent_lines.lines.len(), sent_lines.newest_first().last()), (LINES_MAX, Some("1000")));
        for number in 0..1_000 {
            sent_lines.add(format!("{number}{}", "x".repeat(10_000)));
        }
        assert!(sent_lines.bytes <= BYTES_MAX && sent_lines.lines.len() > 100, "{}", sent_lines.lines.len());
        assert_eq!(sent_lines.bytes, sent_lines.lines.iter().map(String::len).sum::<usize>());
    }
}
