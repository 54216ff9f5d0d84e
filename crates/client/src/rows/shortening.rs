//! Long messages shortened to a few rows of the screen; their rests are kept to be shown on
//! request.

use std::collections::VecDeque;

use super::columns::Edge;
use super::wrap::{self, WrappedRow};
use crate::format::{LineKind, Span, StyledLine, TextRole};

/// Rows that one message takes on a screen, including the row that announces the rest.
const MESSAGE_ROWS_MAX: usize = 40;
/// The same of a message of the past, of which many are shown at a time.
const PAST_MESSAGE_ROWS_MAX: usize = 10;
/// Rows of the rest that are shown at a time.
const REST_ROWS_MAX: usize = 200;
/// Rests that are kept, the last ones.
const RESTS_MAX: usize = 200;
/// Bytes of text that are kept in them.
const REST_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug)]
struct Rest {
    number: u64,
    line: StyledLine,
}

/// Rests of shortened messages, by numbers that count up within a session.
#[derive(Debug, Default)]
pub(crate) struct Shortening {
    rests: VecDeque<Rest>,
    last_number: u64,
}

impl Shortening {
    /// Rows of a line on a screen of so many columns: all, or the first ones and a row that
    /// announces the rest.
    pub(crate) fn rows(&mut self, line: &StyledLine, columns: usize, edge: Edge) -> Vec<WrappedRow> {
        let rows_max = match line.kind {
            LineKind::Earlier | LineKind::Dated => PAST_MESSAGE_ROWS_MAX,
            LineKind::Now | LineKind::Mark => MESSAGE_ROWS_MAX,
        };
        self.first_rows(line, columns, edge, rows_max, |_| false)
    }

    /// Takes a rest to be shown with [`Shortening::rest_rows`]: the one with this number, or the
    /// last one. Errors: there is no such rest, in words for the user.
    pub(crate) fn take_rest(&mut self, number: Option<u64>) -> Result<StyledLine, String> {
        let at = match number {
            Some(number) => self.rests.iter().position(|rest| rest.number == number),
            None => self.rests.len().checked_sub(1),
        };
        match (at.and_then(|at| self.rests.remove(at)), number) {
            (Some(rest), _) => Ok(rest.line),
            (None, None) => Err("every message is shown whole; /older shows what was said before".to_owned()),
            (None, Some(number)) => Err(format!("nothing is kept under {number}; /more shows the last rest")),
        }
    }

    /// Rows of the next part of a rest, and a row that announces what is left.
    pub(crate) fn rest_rows(&mut self, rest: &StyledLine, columns: usize, edge: Edge) -> Vec<WrappedRow> {
        // Each request continues, also past a link that is taller than what is shown at a time.
        let of_head = head_chars(rest);
        self.first_rows(rest, columns, edge, REST_ROWS_MAX, |shown| shown <= of_head)
    }

    fn first_rows(
        &mut self,
        line: &StyledLine,
        columns: usize,
        edge: Edge,
        rows_max: usize,
        is_taken: impl Fn(usize) -> bool,
    ) -> Vec<WrappedRow> {
        let rows = wrap::rows(line, columns, edge);
        let height: usize = rows.iter().map(|row| row.height(columns)).sum();
        // Replacing one row by another saves nothing.
        if height <= rows_max {
            return rows;
        }
        let mut shown = first_of(rows, columns, rows_max - 1, is_taken);
        let hidden = height.saturating_sub(shown.iter().map(|row| row.height(columns)).sum());
        let rest = rest_of(line, shown.iter().map(visible_chars).sum());
        if rest.body.is_empty() {
            return shown;
        }
        self.last_number += 1;
        let number = self.last_number;
        let note = Span::new(TextRole::Faint, format!("… {hidden} more rows: /more {number} shows them"));
        self.keep(Rest { number, line: rest });
        let note =
            StyledLine { head: vec![Span::new(TextRole::Faint, "  ")], body: vec![note], ..StyledLine::default() };
        shown.extend(wrap::rows(&note, columns, edge));
        shown
    }

    fn keep(&mut self, rest: Rest) {
        self.rests.push_back(rest);
        while self.rests.len() > RESTS_MAX || self.rests.len() > 1 && self.bytes() > REST_BYTES_MAX {
            self.rests.pop_front();
        }
    }

    fn bytes(&self) -> usize {
        self.rests.iter().flat_map(|rest| &rest.line.body).map(|span| span.text.len()).sum()
    }
}

/// The first rows that fit. A link that does not is left out, unless it is taken for something of
/// the text to be shown.
fn first_of(
    rows: Vec<WrappedRow>,
    columns: usize,
    rows_max: usize,
    is_taken: impl Fn(usize) -> bool,
) -> Vec<WrappedRow> {
    let mut first: Vec<WrappedRow> = Vec::new();
    let mut left = rows_max;
    for row in rows {
        let height = row.height(columns);
        if height <= left || is_taken(first.iter().map(visible_chars).sum()) {
            left = left.saturating_sub(height);
            first.push(row);
            continue;
        }
        let without_link = WrappedRow { spans: row.spans, ..WrappedRow::default() };
        if left > 0 && visible_chars(&without_link) > 0 {
            first.push(without_link);
        }
        break;
    }
    first
}

fn visible_chars(row: &WrappedRow) -> usize {
    row.spans.iter().chain(&row.link).map(|span| visible(&span.text).count()).sum()
}

fn head_chars(line: &StyledLine) -> usize {
    line.head.iter().map(|span| visible(&span.text).count()).sum()
}

/// Characters of a text that wrapping neither adds nor drops, with their places.
fn visible(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(_, c)| !c.is_whitespace())
}

/// The line without the first visible characters of its head and body.
fn rest_of(line: &StyledLine, shown: usize) -> StyledLine {
    let mut shown = shown.saturating_sub(head_chars(line));
    let body = line.body.iter().map(|span| {
        let of_span = visible(&span.text).count();
        let from = if of_span <= shown {
            span.text.len()
        } else {
            visible(&span.text).nth(shown).map_or(span.text.len(), |(at, _)| at)
        };
        shown = shown.saturating_sub(of_span);
        Span::new(span.role, &span.text[from..])
    });
    let body = body.filter(|span| !span.text.is_empty()).collect();
    StyledLine { body, ..line.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> StyledLine {
        let head = vec![Span::new(TextRole::Plain, "bob"), Span::new(TextRole::Faint, " > ")];
        StyledLine { head, body: vec![Span::new(TextRole::Plain, text)], ..StyledLine::default() }
    }

    fn texts(rows: &[WrappedRow]) -> Vec<String> {
        rows.iter().map(|row| row.spans.iter().chain(&row.link).map(|span| span.text.as_str()).collect()).collect()
    }

    fn without_spaces(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    #[test]
    fn a_long_message_takes_few_rows_and_the_rest_comes_on_request() {
        let mut shortening = Shortening::default();
        let text: Vec<String> = (0..300).map(|number| format!("row{number}.")).collect();
        let rows = texts(&shortening.rows(&said(&text.join("\n")), 80, Edge::Cuts));
        assert_eq!(rows.len(), MESSAGE_ROWS_MAX);
        assert_eq!((rows[0].as_str(), rows[38].as_str()), ("bob > row0.", "      row38."));
        assert_eq!(rows[39], "  … 261 more rows: /more 1 shows them");
        let mut more = |number| -> Result<Vec<String>, String> {
            let rest = shortening.take_rest(number)?;
            Ok(texts(&shortening.rest_rows(&rest, 80, Edge::Cuts)))
        };
        let rows = more(None).expect("a rest");
        assert_eq!((rows[0].as_str(), rows.len()), ("bob > row39.", REST_ROWS_MAX));
        assert_eq!(rows[199], "  … 62 more rows: /more 2 shows them");
        assert!(more(Some(1)).is_err(), "it has been shown");
        let rows = more(Some(2)).expect("a rest");
        assert_eq!((rows[0].as_str(), rows[61].as_str(), rows.len()), ("bob > row238.", "      row299.", 62));
        assert!(more(None).is_err_and(|notice| notice.contains("shown whole")));
    }

    #[test]
    fn a_link_counts_with_the_rows_that_the_terminal_makes_of_it() {
        let mut shortening = Shortening::default();
        let link = |bytes: usize| format!("https://example.org/{}", "x".repeat(bytes));
        let height = |rows: &[WrappedRow]| rows.iter().map(|row| row.height(80)).sum::<usize>();
        let text = format!("see {} {} {}", link(1_000), link(20_000), link(30_000));
        let rows = shortening.rows(&said(&text), 80, Edge::Cuts);
        assert!(height(&rows) <= MESSAGE_ROWS_MAX && texts(&rows).concat().contains(&link(1_000)), "{rows:?}");
        for bytes in [20_000, 30_000] {
            let rest = shortening.take_rest(None).expect("a rest");
            let rows = texts(&shortening.rest_rows(&rest, 80, Edge::Cuts));
            assert!(rows.concat().contains(&link(bytes)), "{rows:?}");
        }
        assert!(shortening.take_rest(None).is_err());
    }

    #[test]
    fn a_message_of_the_past_takes_fewer_rows() {
        for kind in [LineKind::Earlier, LineKind::Dated] {
            let line = StyledLine { kind, ..said(&"x\n".repeat(100)) };
            let rows = texts(&Shortening::default().rows(&line, 80, Edge::Cuts));
            assert_eq!((rows.len(), rows[9].as_str()), (PAST_MESSAGE_ROWS_MAX, "  … 92 more rows: /more 1 shows them"));
        }
    }

    #[test]
    fn few_rests_are_kept() {
        let mut shortening = Shortening::default();
        for number in 0..300 {
            shortening.rows(&said(&format!("{number}{}", "\nx".repeat(8_000))), 80, Edge::Cuts);
        }
        assert!(shortening.rests.len() <= RESTS_MAX && shortening.bytes() <= REST_BYTES_MAX);
        assert!(shortening.take_rest(Some(1)).is_err());
        assert!(shortening.take_rest(Some(300)).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_of_a_shortened_message_is_lost(
            text in "([a-z漢👩.,'/: \n\t]|e\u{301}|http://a){0,200}",
            columns in proptest::collection::vec(3_usize..40, 1..30),
        ) {
            let mut shortening = Shortening::default();
            let mut columns = columns.into_iter().cycle();
            let mut rows = texts(&shortening.first_rows(&said(&text), columns.next().expect("some"), Edge::Cuts, 4, |_| false));
            let mut shown = String::new();
            loop {
                let is_last = shortening.rests.is_empty();
                let kept = rows.iter().take_while(|row| is_last || !row.contains('…')).cloned().collect::<String>();
                shown += without_spaces(&kept).strip_prefix("bob>").expect("its head");
                let Some(rest) = shortening.rests.pop_back() else { break };
                let of_head = head_chars(&rest.line);
                let is_taken = |shown| shown <= of_head;
                rows = texts(&shortening.first_rows(&rest.line, columns.next().expect("some"), Edge::Cuts, 4, is_taken));
            }
            prop_assert_eq!(shown, without_spaces(&text));
        }
    }
}
