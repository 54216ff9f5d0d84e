//! Selection among the shown observations, and the part of them that is on the screen.

use std::ops::Range;

use super::entries::Entries;

/// The selected observation. It stays selected while others come, until it goes.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Number of the observation; `None` selects the newest, whatever comes.
    selected: Option<u64>,
    /// Number of the first observation on the screen.
    top: u64,
    /// Observations on the screen.
    rows: usize,
}

impl Cursor {
    /// Returns the places of the observations on a screen of so many rows.
    pub(super) fn window(&mut self, entries: &Entries, rows: usize) -> Range<usize> {
        self.rows = rows;
        let place = self.place(entries);
        let last_top = entries.len().saturating_sub(rows);
        let lowest = (place + 1).saturating_sub(rows);
        let stays = entries.place(self.top).clamp(lowest, place.max(lowest)).min(last_top);
        let top = if self.follows() { last_top } else { stays };
        self.top = entries.number(top).unwrap_or_default();
        top..(top + rows).min(entries.len())
    }

    /// Returns the place of the selected observation.
    pub(super) fn place(&self, entries: &Entries) -> usize {
        let last = entries.len().saturating_sub(1);
        self.selected.map_or(last, |number| entries.place(number).min(last))
    }

    /// Returns whether the newest is selected.
    pub(super) fn follows(&self) -> bool {
        self.selected.is_none()
    }

    /// Selects the observation in this place; in the last place, the newest.
    pub(super) fn select(&mut self, entries: &Entries, place: usize) {
        self.selected = if place + 1 >= entries.len() { None } else { entries.number(place) };
    }

    /// Selects the observation in this place also if it is the last, and stays there.
    pub(super) fn stay(&mut self, entries: &Entries, place: usize) {
        self.selected = entries.number(place);
    }

    /// Moves by so many observations.
    pub(super) fn step(&mut self, entries: &Entries, reports: isize) {
        let place = self.place(entries).saturating_add_signed(reports);
        self.select(entries, place);
    }

    /// Moves by pages.
    pub(super) fn step_pages(&mut self, entries: &Entries, pages: isize) {
        let rows = isize::try_from(self.rows.saturating_sub(1).max(1)).unwrap_or(1);
        self.step(entries, pages * rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::generator::Generator;

    fn entries(count: usize) -> Entries {
        let mut generator = Generator::new(2);
        let mut entries = Entries::default();
        (0..count).for_each(|_| entries.push(generator.frame()));
        entries
    }

    #[test]
    fn the_newest_is_followed_until_another_is_selected() {
        let mut entries = entries(10);
        let mut cursor = Cursor::default();
        assert_eq!(cursor.window(&entries, 4), 6..10);
        cursor.step(&entries, -1);
        entries.push(Generator::new(1).frame());
        assert_eq!((cursor.window(&entries, 4), cursor.place(&entries)), (6..10, 8));
        cursor.step(&entries, -4);
        assert_eq!((cursor.window(&entries, 4), cursor.place(&entries)), (4..8, 4));
        cursor.step_pages(&entries, 1);
        assert_eq!((cursor.window(&entries, 4), cursor.place(&entries)), (4..8, 7));
        cursor.step(&entries, 100);
        assert!(cursor.follows());
        entries.push(Generator::new(1).frame());
        assert_eq!(cursor.window(&entries, 4), 8..12);
    }

    #[test]
    fn nothing_and_no_room_are_shown_as_such() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.window(&entries(0), 4), 0..0);
        let entries = entries(3);
        for place in 0..3 {
            cursor.select(&entries, place);
            assert!(cursor.window(&entries, 0).is_empty());
        }
        assert_eq!(cursor.window(&entries, 9), 0..3);
    }
}
