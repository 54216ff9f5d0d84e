//! Texts that were cut, the newest first; cuts in a row are one.

use std::collections::VecDeque;

/// Cuts that are kept; each is at most as long as a text.
const CUTS_MAX: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct KillRing {
    cuts: VecDeque<String>,
    /// Nothing else happened since the last cut.
    joins: bool,
    /// Which cut was put back last.
    shown: usize,
}

impl KillRing {
    /// Keeps text killed before the cursor.
    pub(crate) fn cut_before(&mut self, text: &str) {
        self.entry().insert_str(0, text);
    }

    /// Keeps text killed after the cursor.
    pub(crate) fn cut_after(&mut self, text: &str) {
        self.entry().push_str(text);
    }

    /// Records an action that is no cut.
    pub(crate) fn interrupt(&mut self) {
        self.joins = false;
    }

    pub(crate) fn newest(&mut self) -> Option<&str> {
        self.shown = 0;
        self.cuts.front().map(String::as_str)
    }

    /// The cut before the one that was given last; before the oldest, the newest.
    pub(crate) fn older(&mut self) -> Option<&str> {
        self.shown = if self.shown + 1 < self.cuts.len() { self.shown + 1 } else { 0 };
        self.cuts.get(self.shown).map(String::as_str)
    }

    fn entry(&mut self) -> &mut String {
        if !std::mem::replace(&mut self.joins, true) || self.cuts.is_empty() {
            self.cuts.truncate(CUTS_MAX - 1);
            self.cuts.push_front(String::new());
        }
        &mut self.cuts[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_in_a_row_are_one_on_either_side() {
        let mut ring = KillRing::default();
        assert_eq!(ring.newest(), None);
        ring.cut_before("two ");
        ring.cut_before("one ");
        ring.cut_after("three");
        assert_eq!(ring.newest(), Some("one two three"));
        ring.interrupt();
        ring.cut_after("four");
        assert_eq!(ring.newest(), Some("four"));
        assert_eq!(ring.older(), Some("one two three"));
        assert_eq!(ring.older(), Some("four"));
    }

    #[test]
    fn old_cuts_are_dropped() {
        let mut ring = KillRing::default();
        for number in 0..100 {
            ring.interrupt();
            ring.cut_after(&number.to_string());
        }
        assert_eq!(ring.cuts.len(), CUTS_MAX);
        assert_eq!(ring.newest(), Some("99"));
    }
}
