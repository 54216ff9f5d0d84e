//! A line of the conversation as rows of a screen: broken between words, every row but the first set in.

use unicode_segmentation::UnicodeSegmentation;

use super::columns;
use crate::telling::{Line, Role, Span};

/// How far rows are set in where the head is too wide to stand beside the text.
const INDENT: usize = 2;
/// What a tab looks like.
const TAB: &str = "    ";

/// One row of the screen.
pub(super) type Row = Vec<Span>;

/// Breaks a line for a screen of so many columns. Only what has no space in it may be wider than that: a terminal wraps it by
/// itself, and knows then that it is one word, such as a link.
pub(super) fn rows(line: &Line, columns: usize) -> Vec<Row> {
    let head_columns: usize = line.head.iter().map(|span| columns::of(&span.text)).sum();
    let indent = if head_columns * 5 <= columns * 2 { head_columns.max(INDENT) } else { INDENT };
    let mut wrapping = Wrapping {
        columns: columns.max(1),
        indent: indent.min(columns / 2),
        rows: vec![line.head.clone()],
        at: head_columns,
        spaces: String::new(),
    };
    for span in &line.body {
        wrapping.put(span);
    }
    wrapping.rows
}

struct Wrapping {
    columns: usize,
    indent: usize,
    rows: Vec<Row>,
    /// Columns used in the last row.
    at: usize,
    /// Spaces behind the last word, not yet put anywhere.
    spaces: String,
}

impl Wrapping {
    fn put(&mut self, span: &Span) {
        for (number, text) in span.text.split('\n').enumerate() {
            if number > 0 {
                self.new_row();
            }
            for piece in text.split_word_bounds() {
                if piece == "\t" {
                    self.spaces.push_str(TAB);
                } else if piece.chars().all(char::is_whitespace) {
                    self.spaces.push_str(piece);
                } else {
                    self.put_piece(piece, span.role);
                }
            }
        }
    }

    /// Puts what must not be broken behind what there is, or on a row of its own.
    fn put_piece(&mut self, piece: &str, role: Role) {
        let piece_columns = columns::of(piece);
        let is_breakable = !self.spaces.is_empty() || may_break_before(piece);
        if is_breakable && self.at + self.spaces.len() + piece_columns > self.columns && self.at > self.indent {
            self.new_row();
        }
        let spaces = std::mem::take(&mut self.spaces);
        self.at += spaces.len() + piece_columns;
        while self.at > self.columns {
            self.at -= self.columns;
        }
        self.push(role, &spaces);
        self.push(role, piece);
    }

    fn new_row(&mut self) {
        self.spaces.clear();
        self.rows.push(vec![Span::new(Role::Plain, " ".repeat(self.indent))]);
        self.at = self.indent;
    }

    fn push(&mut self, role: Role, text: &str) {
        let Some(row) = self.rows.last_mut() else { return };
        match row.last_mut() {
            Some(last) if last.role == role => last.text.push_str(text),
            _ => row.push(Span::new(role, text)),
        }
    }
}

/// Scripts without spaces between words break before any character.
fn may_break_before(piece: &str) -> bool {
    piece.chars().next().is_some_and(|c| matches!(u32::from(c), 0x2e80.. if columns::of_grapheme(&piece[..c.len_utf8()]) == 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> Line {
        let head = vec![Span::new(Role::Plain, "bob"), Span::new(Role::Faint, " > ")];
        Line { head, body: vec![Span::new(Role::Plain, text)], ..Line::default() }
    }

    fn shown(text: &str, columns: usize) -> Vec<String> {
        rows(&said(text), columns).iter().map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn words_stay_whole_and_hang_under_the_text() {
        assert_eq!(shown("one two three four", 20), ["bob > one two three", "      four"]);
        assert_eq!(shown("one two three", 19), ["bob > one two three"]);
        assert_eq!(shown("one  two", 10), ["bob > one", "  two"], "where the head takes more than two fifths");
        assert_eq!(shown("a\nb c", 20), ["bob > a", "      b c"]);
        assert_eq!(shown("it's (so), isn't it?", 20), ["bob > it's (so),", "      isn't it?"]);
    }

    #[test]
    fn a_link_is_not_broken() {
        let link = "https://example.org/a/very/long/path-that-goes?on=and&on=for-ever";
        assert_eq!(shown(&format!("see {link} there"), 30), ["bob > see", &format!("      {link}"), "      there"]);
    }

    #[test]
    fn scripts_without_spaces_break_anywhere_and_never_in_a_character() {
        assert_eq!(shown("漢字漢字漢字漢字", 16), ["bob > 漢字漢字漢", "      字漢字"]);
        let family = "👩‍👩‍👧";
        assert_eq!(shown(&format!("{family}{family}"), 16), [format!("bob > {family}"), format!("      {family}")]);
    }

    #[test]
    fn a_text_in_roles_keeps_them() {
        let mut line = said("hey ");
        line.body.extend([Span::new(Role::Mention, "me"), Span::new(Role::Plain, ", look here please")]);
        let rows = rows(&line, 20);
        assert_eq!(rows.len(), 2);
        assert!(rows[0].contains(&Span::new(Role::Mention, "me")), "{rows:?}");
    }

    proptest! {
        #[test]
        fn nothing_said_is_lost_and_no_row_of_words_is_too_wide(
            text in "[a-z漢👩\u{301}.,'/: \n]{0,80}",
            columns in 1_usize..60,
        ) {
            let rows = shown(&text, columns);
            let without_spaces = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(without_spaces(&rows.concat()), format!("bob>{}", without_spaces(&text)));
            for row in &rows[1..] {
                prop_assert!(row.starts_with(' ') || columns < 2, "{:?}", row);
                let widest = row.split_whitespace().map(columns::of).max().unwrap_or(0);
                prop_assert!(columns::of(row) <= columns.max(widest + columns / 2), "{:?} in {}", row, columns);
            }
        }
    }
}
