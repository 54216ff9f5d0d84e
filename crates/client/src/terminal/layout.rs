//! How the input line and the status line fill the columns there are.

use glassline_wire::visible;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::session::update::{LinkState, Status};
use crate::wording;

const PROMPT: &str = "> ";
/// Stands before every row of the input but its first.
const INDENT: &str = "  ";
/// Most rows that the input takes; a longer one scrolls.
const INPUT_ROWS_MAX: usize = 6;

/// The block at the bottom of the screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Block {
    /// Rows of the input, prompt and all.
    pub(crate) rows: Vec<String>,
    /// The row that the cursor is in.
    pub(crate) cursor_row: usize,
    /// What stands left of the cursor in it. Written again, it takes the cursor there whatever the terminal's opinion of widths.
    pub(crate) before_cursor: String,
    /// The status line.
    pub(crate) status: String,
}

/// The columns that a grapheme takes at most. Terminals disagree on joined emoji: some draw the parts side by side.
fn columns_max(grapheme: &str) -> usize {
    let parts: usize = grapheme.chars().map(|c| c.width().unwrap_or(0)).sum();
    grapheme.width().max(parts)
}

/// Lays out the input and the status line for a screen of this size.
pub(crate) fn block(text: &str, cursor: usize, status: String, columns: usize, screen_rows: usize) -> Block {
    // The last column stays free: what happens after a character there differs from terminal to terminal.
    let room = columns.saturating_sub(1 + PROMPT.len()).max(2);
    let mut rows = vec![PROMPT.to_owned()];
    let mut row_columns = 0;
    let mut cursor_at = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let shown = if grapheme == "\t" { " ".into() } else { visible::lines(grapheme) };
        let grapheme_columns = columns_max(&shown);
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
    let rows_max = INPUT_ROWS_MAX.min(screen_rows.saturating_sub(1)).max(1);
    let first = cursor_row.saturating_sub(rows_max - 1).min(rows.len().saturating_sub(rows_max));
    let rows: Vec<String> = rows.into_iter().skip(first).take(rows_max).collect();
    Block { rows, cursor_row: cursor_row - first, before_cursor, status }
}

/// The status line: the fullest wording that fits.
pub(crate) fn status_line(status: &Status, hint: Option<&str>, columns: usize) -> String {
    let room = columns.saturating_sub(1);
    let who = format!("{} in {}", wording::name(&status.name), wording::name(&status.room));
    let people = |one: &str, many: &str| match status.people {
        Some(1) => format!(" · 1 {one}"),
        Some(count) => format!(" · {count} {many}"),
        None => String::new(),
    };
    let (link, link_short) = match status.link {
        LinkState::Online => ("online", "online"),
        LinkState::Connecting => ("connecting", "connecting"),
        LinkState::Waiting { .. } => ("link lost, trying again", "offline"),
        LinkState::Leaving => ("leaving", "leaving"),
    };
    let first = match (hint, status.unsent) {
        (Some(hint), _) => format!("{} · ", visible::one_line(hint)),
        (None, 0) => String::new(),
        (None, count) => format!("{count} unsent · "),
    };
    let candidates = [
        format!("{first}{who}{} · {link} · plaintext: anyone on the way can read this", people("person", "people")),
        format!("{first}{who}{} · {link_short} · plaintext: anyone can read this", people("here", "here")),
        format!("{first}{who} · {link_short} · plaintext"),
        format!("{first}{link_short} · plaintext"),
    ];
    let [.., shortest] = &candidates;
    let fitting = candidates.iter().find(|candidate| columns_of(candidate) <= room).unwrap_or(shortest);
    cut(fitting, room)
}

fn columns_of(text: &str) -> usize {
    text.graphemes(true).map(columns_max).sum()
}

fn cut(text: &str, room: usize) -> String {
    if columns_of(text) <= room {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut columns = 1;
    for grapheme in text.graphemes(true) {
        columns += columns_max(grapheme);
        if columns > room {
            break;
        }
        shown.push_str(grapheme);
    }
    shown + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn laid_out(text: &str, columns: usize) -> Block {
        let (before, after) = text.split_once('|').expect("a bar for the cursor");
        block(&format!("{before}{after}"), before.len(), String::new(), columns, 24)
    }

    #[test]
    fn a_long_line_wraps_and_the_cursor_is_found_in_it() {
        let block = laid_out("abcdefg|h", 8);
        assert_eq!(block.rows, ["> abcde", "  fgh"]);
        assert_eq!((block.cursor_row, block.before_cursor.as_str()), (1, "  fg"));
        let block = laid_out("abcde|", 8);
        assert_eq!((block.rows.len(), block.before_cursor.as_str()), (1, "> abcde"));
        let block = laid_out("abcde|f", 8);
        assert_eq!((block.cursor_row, block.before_cursor.as_str()), (1, "  "));
    }

    #[test]
    fn wide_characters_never_straddle_the_edge() {
        let block = laid_out("漢字漢|字", 8);
        assert_eq!(block.rows, ["> 漢字", "  漢字"]);
        assert_eq!(block.before_cursor, "  漢");
        // A terminal that does not join them draws a family of three in six columns.
        assert_eq!(laid_out("👩‍👩‍👧👩‍👩‍👧|", 12).rows.len(), 2);
    }

    #[test]
    fn newlines_make_rows_and_a_tall_input_scrolls_to_the_cursor() {
        let block = laid_out("a\n\nb|", 20);
        assert_eq!(block.rows, ["> a", "  ", "  b"]);
        let block = laid_out("0\n1\n2\n3\n4\n5\n6\n7|\n8\n9", 20);
        assert_eq!(block.rows.len(), INPUT_ROWS_MAX);
        assert_eq!(block.rows[block.cursor_row], "  7");
        assert_eq!(laid_out("|0\n1\n2\n3\n4\n5\n6\n7", 20).rows[0], "> 0");
        assert_eq!(super::block("0\n1\n2", 5, String::new(), 20, 2).rows, ["  2"]);
    }

    #[test]
    fn the_status_says_who_can_read_this_at_every_width() {
        let status =
            Status { name: "alice".into(), room: "lobby".into(), people: Some(3), link: LinkState::Online, unsent: 0 };
        assert_eq!(
            status_line(&status, None, 80),
            "alice in lobby · 3 people · online · plaintext: anyone on the way can read this"
        );
        for columns in 20..200 {
            let line = status_line(&status, None, columns);
            assert!(line.contains("plaintext") && columns_of(&line) < columns, "{columns}: {line}");
        }
        let waiting = Status { link: LinkState::Waiting { until_ms: 0 }, unsent: 2, ..status };
        let line = status_line(&waiting, None, 80);
        assert!(line.starts_with("2 unsent · ") && (line.contains("link lost") || line.contains("offline")), "{line}");
        assert!(status_line(&waiting, Some("Ctrl-C again leaves"), 20).starts_with("Ctrl-C again leav"));
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_screen_and_none_is_lost(
            text in "[a-c漢👩\u{200d}\u{301}\u{202e} \n]{0,60}",
            columns in 6_usize..40,
        ) {
            let chars: Vec<(usize, char)> = text.char_indices().collect();
            for cursor in chars.iter().map(|&(at, _)| at).chain([text.len()]) {
                let block = block(&text, cursor, String::new(), columns, 24);
                prop_assert!(block.rows.len() <= INPUT_ROWS_MAX);
                prop_assert!(block.rows[block.cursor_row].starts_with(&block.before_cursor));
            }
            let all = super::block(&text, 0, String::new(), columns, 24);
            for row in all.rows {
                let widest = row.graphemes(true).map(columns_max).max().unwrap_or(0);
                prop_assert!(columns_of(&row) <= (columns - 1).max(PROMPT.len() + widest), "{row:?} in {columns}");
            }
        }
    }
}
