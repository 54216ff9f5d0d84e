//! A line of the conversation as rows of a screen: broken between words, every row but the first
//! set in.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use super::columns::{self, Edge};
use super::links;
use crate::format::{Span, StyledLine, TextRole};

/// Indentation in columns of rows whose head is too wide to precede the text.
const INDENT: usize = 2;
/// On a screen narrower than this nothing is broken: it would be a column of letters.
const BREAKING_COLUMNS_MIN: usize = 10;
/// Spaces that replace a tab.
const TAB: &str = "    ";

/// Spans in one row of the screen.
pub(crate) type ScreenRow = Vec<Span>;

/// One row of the screen, and a link after it that is wider than what is left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WrappedRow {
    pub(crate) spans: ScreenRow,
    /// Wrapped by the terminal, which knows then that it is one word; it may go on over several
    /// rows.
    pub(crate) link: ScreenRow,
}

impl WrappedRow {
    /// Rows that it takes on a screen of so many columns, with those that the terminal makes of its
    /// link.
    pub(crate) fn height(&self, columns: usize) -> usize {
        let of = |row: &ScreenRow| row.iter().map(|span| columns::of(&span.text)).sum::<usize>();
        if self.link.is_empty() { 1 } else { (of(&self.spans) + of(&self.link)).div_ceil(columns.max(1)).max(1) }
    }
}

/// Breaks a line for a screen of so many columns.
pub(crate) fn rows(line: &StyledLine, columns: usize, edge: Edge) -> Vec<WrappedRow> {
    let head_columns: usize = line.head.iter().map(|span| columns::of(&span.text)).sum();
    // A screen reader needs no text column.
    let hangs = edge == Edge::Cuts && head_columns * 5 <= columns * 2;
    let indent = if hangs { head_columns.max(INDENT) } else { INDENT };
    let mut wrapping = Wrapping {
        columns: columns.max(1),
        indent: indent.min(columns / 2),
        edge,
        rows: vec![WrappedRow { spans: line.head.clone(), link: ScreenRow::new() }],
        at: head_columns,
        spaces: String::new(),
        word: Vec::new(),
        word_columns: 0,
        is_link: false,
    };
    let links = links_of(&line.body);
    let mut links = links.iter().peekable();
    let mut at = 0;
    for span in &line.body {
        if links.peek().is_none() && span.text.is_ascii() {
            wrapping.take_ascii(span.role, &span.text);
        } else {
            for grapheme in span.text.graphemes(true) {
                if links.next_if(|range| range.end <= at).is_some() {
                    wrapping.end_word();
                }
                match links.peek() {
                    Some(range) if range.contains(&at) => wrapping.take_of_link(span.role, grapheme),
                    _ => wrapping.take(span.role, grapheme),
                }
                at += grapheme.len();
            }
        }
    }
    wrapping.end_word();
    wrapping.rows
}

/// Ranges of the links in a body, also of those that several spans share.
fn links_of(body: &[Span]) -> Vec<Range<usize>> {
    match body {
        [span] => links::wrappable(&span.text),
        spans => links::wrappable(&spans.iter().map(|span| span.text.as_str()).collect::<String>()),
    }
}

struct Wrapping<'a> {
    columns: usize,
    indent: usize,
    edge: Edge,
    rows: Vec<WrappedRow>,
    /// Columns used in the last row.
    at: usize,
    /// Spaces after the last word, not placed yet.
    spaces: String,
    /// Parts that must stay together, not placed yet.
    word: Vec<(TextRole, &'a str)>,
    word_columns: usize,
    /// The word holds a link.
    is_link: bool,
}

impl<'a> Wrapping<'a> {
    /// The same as [`Wrapping::take`] for each character, word by word: most of what is said.
    fn take_ascii(&mut self, role: TextRole, text: &'a str) {
        for piece in text.split_inclusive(|c: char| c.is_ascii_whitespace()) {
            let word = piece.trim_end_matches(|c: char| c.is_ascii_whitespace());
            if !word.is_empty() {
                if self.ends_wide() {
                    self.end_word();
                }
                self.word.push((role, word));
                self.word_columns += word.len();
            }
            if word.len() < piece.len() {
                self.take(role, &piece[word.len()..]);
            }
        }
    }

    fn ends_wide(&self) -> bool {
        self.word.last().is_some_and(|(_, last)| is_wide(last))
    }

    fn take(&mut self, role: TextRole, grapheme: &'a str) {
        match grapheme {
            "\n" => {
                self.end_word();
                self.new_row();
            }
            "\t" => {
                self.end_word();
                self.spaces.push_str(TAB);
            }
            _ if grapheme.chars().all(char::is_whitespace) => {
                self.end_word();
                self.spaces.push(' ');
            }
            _ => {
                let grapheme_columns = self.edge.of_grapheme(grapheme);
                let is_wide = is_wide(grapheme);
                // Scripts without spaces between words, and pictures, may part anywhere.
                if is_wide || self.ends_wide() {
                    self.end_word();
                }
                self.word.push((role, grapheme));
                self.word_columns += grapheme_columns;
            }
        }
    }

    /// Takes a part of a link, which does not part where other text would.
    fn take_of_link(&mut self, role: TextRole, grapheme: &'a str) {
        if !self.is_link && (self.ends_wide() || !is_certain(&self.word)) {
            self.end_word();
        }
        self.is_link = true;
        self.word_columns += self.edge.of_grapheme(grapheme);
        self.word.push((role, grapheme));
    }

    /// Puts the word after the others, or on a row of its own. A row never begins with
    /// text chosen by another user: spaces that do not fit are dropped, and a word that is
    /// too wide is broken, unless it is a link.
    fn end_word(&mut self) {
        let is_link = std::mem::take(&mut self.is_link);
        if self.word.is_empty() {
            return;
        }
        if self.at + self.spaces.len() + self.word_columns > self.columns {
            if self.at > self.indent {
                self.new_row();
            }
            self.spaces.clear();
        }
        let spaces = std::mem::take(&mut self.spaces);
        self.at += spaces.len();
        // Spaces look the same in any role, and a change of role costs bytes.
        if let Some(last) = self.rows.last_mut().and_then(|row| row.spans.last_mut()) {
            last.text.push_str(&spaces);
        }
        let word = std::mem::take(&mut self.word);
        let word_columns = std::mem::take(&mut self.word_columns);
        if self.at + word_columns <= self.columns {
            self.at += word_columns;
            for (role, piece) in word {
                self.push(role, piece);
            }
        } else if is_link || self.columns < BREAKING_COLUMNS_MIN && is_certain(&word) {
            self.put_whole(&word, word_columns);
        } else {
            self.break_word(&word);
        }
    }

    /// The terminal wraps it by itself, and knows then that it is one word.
    fn put_whole(&mut self, word: &[(TextRole, &str)], word_columns: usize) {
        if let Some(row) = self.rows.last_mut() {
            for (role, piece) in word {
                push(&mut row.link, *role, piece);
            }
        }
        // It ends somewhere in a later row of the terminal; what follows begins one of its own.
        self.at = (self.at + word_columns).max(self.columns);
    }

    fn break_word(&mut self, word: &[(TextRole, &str)]) {
        for (role, piece) in word {
            for grapheme in piece.graphemes(true) {
                let grapheme_columns = self.edge.of_grapheme(grapheme);
                if self.at + grapheme_columns > self.columns && self.at > self.indent {
                    self.new_row();
                }
                self.push(*role, grapheme);
                self.at += grapheme_columns;
            }
        }
    }

    fn new_row(&mut self) {
        self.spaces.clear();
        let indent = vec![Span::new(TextRole::Plain, " ".repeat(self.indent))];
        self.rows.push(WrappedRow { spans: indent, link: ScreenRow::new() });
        self.at = self.indent;
    }

    fn push(&mut self, role: TextRole, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            push(&mut row.spans, role, text);
        }
    }
}

fn push(row: &mut ScreenRow, role: TextRole, text: &str) {
    match row.last_mut() {
        Some(last) if last.role == role => last.text.push_str(text),
        _ if text.is_empty() => {}
        _ => row.push(Span::new(role, text)),
    }
}

fn is_wide(grapheme: &str) -> bool {
    !grapheme.is_ascii() && grapheme.chars().next().and_then(UnicodeWidthChar::width).is_some_and(|columns| columns > 1)
}

/// Returns true if nothing in the word can look like the beginning of another line.
fn is_certain(word: &[(TextRole, &str)]) -> bool {
    word.iter().all(|(_, piece)| piece.graphemes(true).all(links::is_certain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> StyledLine {
        let head = vec![Span::new(TextRole::Plain, "bob"), Span::new(TextRole::Faint, " > ")];
        StyledLine { head, body: vec![Span::new(TextRole::Plain, text)], ..StyledLine::default() }
    }

    fn shown(text: &str, columns: usize) -> Vec<String> {
        let wrapped = rows(&said(text), columns, Edge::Cuts);
        wrapped.iter().map(|row| row.spans.iter().chain(&row.link).map(|span| span.text.as_str()).collect()).collect()
    }

    fn spans(line: &StyledLine, columns: usize) -> Vec<ScreenRow> {
        rows(line, columns, Edge::Cuts).into_iter().map(|row| row.spans).collect()
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
    fn a_link_is_not_broken_and_what_follows_has_a_row_of_its_own() {
        let link = "https://example.org/a/very/long/path-that-goes?on=and&on=for-ever";
        assert_eq!(shown(&format!("see {link} there"), 30), ["bob > see", &format!("      {link}"), "      there"]);
    }

    #[test]
    fn a_link_is_whole_behind_a_bracket_and_in_any_script() {
        for (before, link, after) in [
            ("(", "https://example.org/a/very/long/path", "),"),
            ("<", "https://example.org/a/very/long/path", ">"),
            ("see:[", "http://example.org/a/very/long/path", "]"),
            ("", "https://de.example.org/wiki/Möbelträgerfußballverein", ""),
            ("", "https://example.org/wiki/漢字漢字漢字漢字漢字漢字", ""),
            ("", "https://example.org/wiki/Cafe\u{301}-a-very-long-path", ""),
            ("", "ftp://example.org/a/very/long/path/in/it", ""),
        ] {
            let text = format!("see {before}{link}{after} there");
            let expected = ["bob > see".to_owned(), format!("      {before}{link}{after}"), "      there".to_owned()];
            assert_eq!(shown(&text, 24), expected);
        }
        let glued = "漢https://example.org/a/very/long/path";
        assert_eq!(shown(glued, 24), ["bob > 漢", "      https://example.org/a/very/long/path"]);
    }

    #[test]
    fn what_a_terminal_wraps_holds_no_blank_of_any_width() {
        for blank in
            ["\u{2800}", "\u{3164}", "\u{13441}", "\u{ffa0}", "\u{115f}", "\u{a0}", "\u{3000}", "\u{ad}", "\u{200b}"]
        {
            for text in [
                format!("https://example.org/aaaaaaaaaaaaaaaaa{blank}alice{blank}>{blank}mine"),
                format!("{blank}alice{blank}https://example.org/aaaaaaaaaaaaaaaaa"),
                format!("aaaaaaaaaa{blank}alice{blank}>{blank}mine"),
            ] {
                for columns in [8, 20] {
                    let wrapped = rows(&said(&text), columns, Edge::Cuts);
                    let links = wrapped.iter().flat_map(|row| &row.link);
                    assert!(links.into_iter().all(|span| !span.text.contains(blank)), "{blank:?} in {wrapped:?}");
                    let widths =
                        wrapped[1..].iter().map(|row| row.spans.iter().map(|span| columns::of(&span.text)).sum());
                    assert!(widths.max().unwrap_or(0_usize) <= columns, "{wrapped:?}");
                }
            }
        }
    }

    #[test]
    fn no_text_of_a_message_begins_a_row_of_the_screen() {
        let spaces = format!("{}12:00 al > mine", " ".repeat(40));
        let blanks = format!("{}12:00\u{a0}al\u{2800}>\u{a0}mine", "x".repeat(20));
        let marks = format!("brb\n{}── den ──", " ".repeat(40));
        for text in
            [spaces.as_str(), blanks.as_str(), marks.as_str(), "xxxxxxxxxxxxxxxxxxxxxxxxx", "漢字漢字漢字漢字漢字漢字"]
        {
            for row in &shown(text, 20)[1..] {
                assert!(row.starts_with("      ") && columns::of(row) <= 20, "{row:?} of {text:?}");
            }
        }
    }

    #[test]
    fn scripts_without_spaces_break_between_any_characters() {
        assert_eq!(shown("漢字漢字漢字漢字", 16), ["bob > 漢字漢字漢", "      字漢字"]);
        let family = "👩‍👩‍👧";
        assert_eq!(shown(&format!("{family}{family}"), 16), [format!("bob > {family}"), format!("      {family}")]);
    }

    #[test]
    fn wrapping_keeps_roles_and_whole_words_that_have_two_roles() {
        let mut line = said("hey ");
        line.body.extend([Span::new(TextRole::Mention, "me"), Span::new(TextRole::Plain, ", look here please")]);
        let wide = spans(&line, 20);
        assert_eq!(wide.len(), 2);
        assert!(wide[0].contains(&Span::new(TextRole::Mention, "me")), "{wide:?}");
        let narrow = spans(&line, 12);
        assert_eq!(
            narrow[1][1..],
            [Span::new(TextRole::Mention, "me"), Span::new(TextRole::Plain, ", look")],
            "{narrow:?}"
        );
    }

    proptest! {
        #[test]
        fn no_text_is_lost_and_no_row_of_words_is_too_wide(
            text in "([a-z漢👩.,'/: \n]|e\u{301}){0,80}",
            columns in 1_usize..60,
        ) {
            let rows = shown(&text, columns);
            let without_spaces = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(without_spaces(&rows.concat()), format!("bob>{}", without_spaces(&text)));
            for row in &rows[1..] {
                prop_assert!(row.starts_with(' ') || columns < 2, "{:?}", row);
                let widest = row.graphemes(true).map(columns::of_grapheme).max().unwrap_or(0);
                let is_link = row.contains("://") || columns < BREAKING_COLUMNS_MIN;
                prop_assert!(is_link || columns::of(row) <= columns.max(columns / 2 + widest), "{:?} in {}", row, columns);
            }
        }
    }
}
