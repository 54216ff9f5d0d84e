//! Layout of the block at the bottom of the screen in the columns there are.

use glassline_wire::visible;
use unicode_segmentation::UnicodeSegmentation;

use crate::format::{Span, TextRole};
use crate::rows::columns;
use crate::rows::wrap::ScreenRow;

const PROMPT: &str = "> ";
/// Prefix of every row of the input but its first.
const INDENT: &str = "  ";
/// Most rows that the input takes; a longer one scrolls.
const INPUT_ROWS_MAX: usize = 6;

/// The block at the bottom of the screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Block {
    /// Rows above the input, then the input's, prompt and all.
    pub(crate) rows: Vec<ScreenRow>,
    /// The row that the cursor is in.
    pub(crate) cursor_row: usize,
    /// Text left of the cursor in it. Written again, it takes the cursor there whatever the
    /// terminal's opinion of widths.
    pub(crate) before_cursor: String,
    /// The status line, where there is a row for it.
    pub(crate) status: Option<ScreenRow>,
}

#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    /// Rows above the input, none wider than the screen; where there is little space the last ones
    /// stay.
    pub(crate) above: Vec<ScreenRow>,
    pub(crate) text: &'a str,
    /// Byte offset of the cursor in the text.
    pub(crate) cursor: usize,
    pub(crate) status: ScreenRow,
}

/// Lays out the block for a screen of this size.
pub(crate) fn block(contents: Contents<'_>, columns: usize, screen_rows: usize) -> Block {
    let Contents { above, text, cursor, status } = contents;
    let (input, cursor_row, before_cursor) = input_rows(text, cursor, columns);
    let rows_max = INPUT_ROWS_MAX.min(screen_rows.saturating_sub(1)).max(1);
    let first = cursor_row.saturating_sub(rows_max - 1).min(input.len().saturating_sub(rows_max));
    let input: Vec<String> = input.into_iter().skip(first).take(rows_max).collect();
    let above_max = screen_rows.saturating_sub(1 + input.len());
    let skipped = above.len().saturating_sub(above_max);
    let mut rows: Vec<ScreenRow> = above.into_iter().skip(skipped).collect();
    let cursor_row = rows.len() + cursor_row - first;
    rows.extend(input.into_iter().map(|row| vec![Span::new(TextRole::Plain, row)]));
    // A screen of one row has room for what is typed, and for nothing else.
    let status = (screen_rows > 1).then_some(status);
    Block { rows, cursor_row, before_cursor, status }
}

/// The rows of the input, the one that the cursor is in, and the text left of the cursor in it.
fn input_rows(text: &str, cursor: usize, columns: usize) -> (Vec<String>, usize, String) {
    // The last column stays free: what happens after a character there differs from terminal to
    // terminal.
    let room = columns.saturating_sub(1 + PROMPT.len()).max(2);
    let mut rows = vec![PROMPT.to_owned()];
    let mut row_columns = 0;
    let mut cursor_at = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let shown = if grapheme == "\t" { " ".into() } else { visible::lines(grapheme) };
        let grapheme_columns = columns::of_grapheme(&shown);
        let is_newline = grapheme == "\n";
        if !is_newline && row_columns + grapheme_columns > room {
            rows.push(INDENT.to_owned());
            row_columns = 0;
        }
        let row = rows.len() - 1;
        if cursor_at.is_none() && cursor < at + grapheme.len() {
            cursor_at = Some((row, rows[row].clone()));
        }
        if is_newline {
            rows.push(INDENT.to_owned());
            row_columns = 0;
        } else {
            rows[row].push_str(&shown);
            row_columns += grapheme_columns;
        }
    }
    let last = rows.len() - 1;
    let (cursor_row, before_cursor) = cursor_at.unwrap_or_else(|| (last, rows[last].clone()));
    (rows, cursor_row, before_cursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn laid_out(text: &str, columns: usize) -> Block {
        let (before, after) = text.split_once('|').expect("a bar for the cursor");
        let text = format!("{before}{after}");
        block(Contents { text: &text, cursor: before.len(), ..Contents::default() }, columns, 24)
    }

    fn texts(block: &Block) -> Vec<String> {
        block.rows.iter().map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn rows_above_the_input_give_way_to_it() {
        let above = || ["first", "second"].map(|text| vec![Span::new(TextRole::Faint, text)]).to_vec();
        let laid_out = |rows: usize| block(Contents { above: above(), text: "x", ..Contents::default() }, 12, rows);
        assert_eq!(texts(&laid_out(24)), ["first", "second", "> x"]);
        assert_eq!(laid_out(24).cursor_row, 2);
        assert_eq!(texts(&laid_out(3)), ["second", "> x"]);
        assert_eq!(texts(&laid_out(1)), ["> x"]);
    }

    #[test]
    fn a_long_line_wraps_and_the_cursor_is_found_in_it() {
        let block = laid_out("abcdefg|h", 8);
        assert_eq!(texts(&block), ["> abcde", "  fgh"]);
        assert_eq!((block.cursor_row, block.before_cursor.as_str()), (1, "  fg"));
        let block = laid_out("abcde|", 8);
        assert_eq!((block.rows.len(), block.before_cursor.as_str()), (1, "> abcde"));
        let block = laid_out("abcde|f", 8);
        assert_eq!((block.cursor_row, block.before_cursor.as_str()), (1, "  "));
    }

    #[test]
    fn wide_characters_never_straddle_the_edge() {
        let block = laid_out("漢字漢|字", 8);
        assert_eq!(texts(&block), ["> 漢字", "  漢字"]);
        assert_eq!(block.before_cursor, "  漢");
        // A terminal that does not join them draws a family of three in six columns.
        assert_eq!(laid_out("👩‍👩‍👧👩‍👩‍👧|", 12).rows.len(), 2);
    }

    #[test]
    fn newlines_make_rows_and_a_tall_input_scrolls_to_the_cursor() {
        let block = laid_out("a\n\nb|", 20);
        assert_eq!(texts(&block), ["> a", "  ", "  b"]);
        let block = laid_out("0\n1\n2\n3\n4\n5\n6\n7|\n8\n9", 20);
        assert_eq!(block.rows.len(), INPUT_ROWS_MAX);
        assert_eq!(texts(&block)[block.cursor_row], "  7");
        assert_eq!(texts(&laid_out("|0\n1\n2\n3\n4\n5\n6\n7", 20))[0], "> 0");
        let low = super::block(Contents { text: "0\n1\n2", cursor: 5, ..Contents::default() }, 20, 2);
        assert_eq!(texts(&low), ["  2"]);
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_screen_and_none_is_lost(
            text in "[a-c漢👩\u{200d}\u{301}\u{202e} \n]{0,60}",
            columns in 6_usize..40,
        ) {
            let chars: Vec<(usize, char)> = text.char_indices().collect();
            for cursor in chars.iter().map(|&(at, _)| at).chain([text.len()]) {
                let block = block(Contents { text: &text, cursor, ..Contents::default() }, columns, 24);
                prop_assert!(block.rows.len() <= INPUT_ROWS_MAX);
                prop_assert!(texts(&block)[block.cursor_row].starts_with(&block.before_cursor));
            }
            let all = super::block(Contents { text: &text, ..Contents::default() }, columns, 24);
            for row in texts(&all) {
                let widest = row.graphemes(true).map(columns::of_grapheme).max().unwrap_or(0);
                prop_assert!(columns::of(&row) <= (columns - 1).max(PROMPT.len() + widest), "{row:?} in {columns}");
            }
        }
    }
}
