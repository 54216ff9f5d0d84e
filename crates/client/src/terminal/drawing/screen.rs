//! Pending draw ops as pure state: new lines, and the block below them.
//!
//! Moves the cursor only relatively and never asks where it is: the terminal scrolls the messages
//! itself, and keeps them.

use std::collections::VecDeque;

use super::layout::Block;
use crate::format::StyledLine;
use crate::rows::columns::{self, Edge};
use crate::rows::shortening::Shortening;
use crate::rows::wrap::{ScreenRow, WrappedRow};

/// Lines that wait while nothing can be drawn, because the terminal is another program's.
const LINES_MAX: usize = 20_000;
/// Bytes of text in them.
const BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DrawOp {
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
    Row(ScreenRow),
    /// The same as it stands.
    Text(String),
    Bell,
    /// `true` if text that reaches the edge continues in the next row.
    Wrap(bool),
}

/// Something that waits to be printed.
#[derive(Debug)]
enum PendingItem {
    Line(StyledLine),
    /// Rows that stand as they are.
    Rows(Vec<WrappedRow>),
}

impl PendingItem {
    fn bytes(&self) -> usize {
        match self {
            Self::Line(line) => line.bytes(),
            // Few, and on the user's request.
            Self::Rows(_) => 0,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// Rows of the block above the one that the cursor is in.
    rows_above_cursor: usize,
    /// Columns of the block's rows from its first one up to the cursor.
    drawn_columns: Vec<usize>,
    /// Lines to print above the block.
    new_lines: VecDeque<PendingItem>,
    new_bytes: usize,
    /// Lines that had to go unseen.
    skipped: usize,
    clear_due: bool,
    bell_due: bool,
    shortening: Shortening,
}

impl Screen {
    /// Adds a line to be printed; it must be safe to show.
    pub(crate) fn print(&mut self, line: StyledLine) {
        self.add(PendingItem::Line(line));
    }

    /// Adds the rest of a shortened line: the one with this number, or the last one. Errors: there
    /// is none, in words for the user.
    pub(crate) fn print_rest(&mut self, number: Option<u64>, columns: usize) -> Result<(), String> {
        let rest = self.shortening.take_rest(number)?;
        // Now, so that the next request finds what this one leaves.
        let rows = self.shortening.rest_rows(&rest, columns, Edge::Cuts);
        self.add(PendingItem::Rows(rows));
        Ok(())
    }

    /// Adds rows that are not wrapped; they must be safe to show.
    pub(crate) fn print_rows(&mut self, rows: Vec<ScreenRow>) {
        let rows = rows.into_iter().map(|spans| WrappedRow { spans, ..WrappedRow::default() });
        self.add(PendingItem::Rows(rows.collect()));
    }

    fn add(&mut self, new: PendingItem) {
        self.new_bytes += new.bytes();
        self.new_lines.push_back(new);
        while (self.new_lines.len() > LINES_MAX || self.new_bytes > BYTES_MAX)
            && self.new_lines.len() > 1
            && let Some(oldest) = self.new_lines.pop_front()
        {
            self.new_bytes -= oldest.bytes();
            self.skipped += 1;
        }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.new_lines.len()
    }

    /// Clears the screen with the next drawing.
    pub(crate) fn clear(&mut self) {
        self.clear_due = true;
    }

    pub(crate) fn ring(&mut self) {
        self.bell_due = true;
    }

    /// Another program has used the terminal: the block is redrawn at the cursor.
    pub(crate) fn forget_block(&mut self) {
        self.rows_above_cursor = 0;
        self.drawn_columns.clear();
    }

    /// The terminal has another number of columns now, and has rewrapped what it shows: the
    /// block's rows too, where they are too wide.
    pub(crate) fn reflow(&mut self, columns: usize) {
        let Some((&cursor, above)) = self.drawn_columns.split_last() else { return };
        // One row too few leaves a ghost, one too many would take a message.
        let rows_above: usize = above.iter().map(|row| row.div_ceil(columns).max(1)).sum();
        self.rows_above_cursor = rows_above + cursor.saturating_sub(1) / columns;
    }

    /// Prints queued output and redraws the block.
    pub(crate) fn draw(&mut self, block: &Block, columns: usize) -> Vec<DrawOp> {
        let mut ops = self.take_block_away(columns);
        let rows = block.rows.iter().chain(&block.status);
        for (at, row) in rows.enumerate() {
            if at > 0 {
                ops.push(DrawOp::NextLine);
            }
            ops.push(DrawOp::Row(row.clone()));
        }
        let rows_below_cursor = block.rows.len() + usize::from(block.status.is_some()) - 1 - block.cursor_row;
        if rows_below_cursor > 0 {
            ops.push(DrawOp::Up(u16::try_from(rows_below_cursor).unwrap_or(u16::MAX)));
        }
        ops.push(DrawOp::LineStart);
        ops.push(DrawOp::Text(block.before_cursor.clone()));
        ops.push(DrawOp::Wrap(true));
        if std::mem::take(&mut self.bell_due) {
            ops.push(DrawOp::Bell);
        }
        self.rows_above_cursor = block.cursor_row;
        let width = |row: &ScreenRow| row.iter().map(|span| columns::of(&span.text)).sum();
        self.drawn_columns = block.rows[..block.cursor_row].iter().map(width).collect();
        self.drawn_columns.push(columns::of(&block.before_cursor));
        ops
    }

    /// Prints queued output and removes the block.
    pub(crate) fn leave(&mut self, columns: usize) -> Vec<DrawOp> {
        let mut ops = self.take_block_away(columns);
        ops.push(DrawOp::Wrap(true));
        self.forget_block();
        ops
    }

    /// Takes the block away and prints what waits; the terminal wraps nothing then.
    fn take_block_away(&mut self, columns: usize) -> Vec<DrawOp> {
        let mut ops = Vec::new();
        if self.rows_above_cursor > 0 {
            ops.push(DrawOp::Up(u16::try_from(self.rows_above_cursor).unwrap_or(u16::MAX)));
        }
        ops.push(DrawOp::LineStart);
        ops.push(DrawOp::ClearBelow);
        // Only now: many terminals keep what they clear above the screen, and the block is no
        // message.
        if std::mem::take(&mut self.clear_due) {
            ops.push(DrawOp::ClearAll);
        }
        // For any width that a terminal gives a character, the text after it stays in its row.
        ops.push(DrawOp::Wrap(false));
        self.new_bytes = 0;
        let skipped = match std::mem::take(&mut self.skipped) {
            0 => None,
            lines => Some(StyledLine::warning(&format!(
                "{lines} lines are not shown: too many came while nothing was drawn"
            ))),
        };
        if let Some(skipped) = skipped {
            put_rows(&mut ops, self.shortening.rows(&skipped, columns, Edge::Cuts));
        }
        for waiting in self.new_lines.drain(..) {
            put_rows(
                &mut ops,
                match waiting {
                    PendingItem::Line(line) => self.shortening.rows(&line, columns, Edge::Cuts),
                    PendingItem::Rows(rows) => rows,
                },
            );
        }
        ops
    }
}

fn put_rows(ops: &mut Vec<DrawOp>, rows: Vec<WrappedRow>) {
    for WrappedRow { spans, link } in rows {
        ops.push(DrawOp::Row(spans));
        if !link.is_empty() {
            ops.extend([DrawOp::Wrap(true), DrawOp::Row(link), DrawOp::Wrap(false)]);
        }
        ops.push(DrawOp::NextLine);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_waiting_to_be_drawn_are_bounded_and_skips_counted() {
        let mut screen = Screen::default();
        for number in 0..LINES_MAX + 5 {
            screen.print(StyledLine::notice(&format!("{number}")));
        }
        let ops = screen.leave(80);
        let text = |row: &ScreenRow| row.iter().map(|span| span.text.as_str()).collect::<String>();
        let rows = ops.iter().filter_map(|op| if let DrawOp::Row(row) = op { Some(text(row)) } else { None });
        let rows: Vec<String> = rows.collect();
        assert_eq!(rows.len(), LINES_MAX + 1);
        assert!(rows[0].starts_with("* 5 lines are not shown"), "{:?}", rows[0]);
        assert_eq!(rows[1], "* 5");
        screen.print(StyledLine::notice(&"x".repeat(BYTES_MAX + 1)));
        assert_eq!(screen.waiting(), 1, "one line is always shown");
    }
}
