//! What must be drawn, as pure state: new lines above, and the block below them.
//!
//! Moves the cursor only relatively and never asks where it is: the terminal wraps and scrolls the messages itself, and keeps them.

use super::layout::Block;

/// One step of drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// So many rows up.
    Up(u16),
    /// To the first column.
    LineStart,
    /// Clear from the cursor to the end of the screen.
    ClearBelow,
    /// Clear the screen and go to its top.
    ClearAll,
    /// To the first column of the next row, scrolling if there is none.
    NextLine,
    /// Text that is safe to show.
    Text(String),
    /// The same, less bright.
    Faint(String),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// Rows of the block above the one that the cursor is in.
    rows_above_cursor: usize,
    /// Lines to print above the block.
    new_lines: Vec<String>,
    clear_due: bool,
}

impl Screen {
    /// Adds a line to be printed; it must be safe to show.
    pub(crate) fn print(&mut self, line: String) {
        self.new_lines.push(line);
    }

    /// How many lines wait to be printed.
    pub(crate) fn waiting(&self) -> usize {
        self.new_lines.len()
    }

    /// Clears the screen with the next drawing.
    pub(crate) fn clear(&mut self) {
        self.clear_due = true;
    }

    /// Prints what waits and draws the block anew.
    pub(crate) fn draw(&mut self, block: &Block) -> Vec<Stroke> {
        let mut strokes = self.take_block_away();
        for row in &block.rows {
            strokes.push(Stroke::Text(row.clone()));
            strokes.push(Stroke::NextLine);
        }
        strokes.push(Stroke::Faint(block.status.clone()));
        // From the status line, the row below the last one of the input, back to the cursor's.
        strokes.push(Stroke::Up(u16::try_from(block.rows.len() - block.cursor_row).unwrap_or(u16::MAX)));
        strokes.push(Stroke::LineStart);
        strokes.push(Stroke::Text(block.before_cursor.clone()));
        self.rows_above_cursor = block.cursor_row;
        strokes
    }

    /// Prints what waits and leaves no block behind.
    pub(crate) fn leave(&mut self) -> Vec<Stroke> {
        let strokes = self.take_block_away();
        self.rows_above_cursor = 0;
        strokes
    }

    fn take_block_away(&mut self) -> Vec<Stroke> {
        let mut strokes = Vec::new();
        if std::mem::take(&mut self.clear_due) {
            strokes.push(Stroke::ClearAll);
        } else {
            if self.rows_above_cursor > 0 {
                strokes.push(Stroke::Up(u16::try_from(self.rows_above_cursor).unwrap_or(u16::MAX)));
            }
            strokes.push(Stroke::LineStart);
            strokes.push(Stroke::ClearBelow);
        }
        for line in self.new_lines.drain(..) {
            strokes.push(Stroke::Text(line));
            strokes.push(Stroke::NextLine);
        }
        strokes
    }
}
