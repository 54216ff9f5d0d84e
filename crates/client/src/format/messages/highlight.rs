//! Highlighting of search results, in any case and Unicode form.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::format::{Span, TextRole};

/// Returns the text with the parts that match the query marked.
pub(super) fn matches(body: Vec<Span>, query: &str) -> Vec<Span> {
    let text: String = body.iter().map(|span| span.text.as_str()).collect();
    let mut found = ranges(query, &text).into_iter().peekable();
    let mut marked = Vec::new();
    let mut start = 0;
    for span in body {
        let end = start + span.text.len();
        let mut at = start;
        while at < end {
            let (role, to) = match found.peek() {
                Some(range) if range.start <= at => (TextRole::Found, range.end.min(end)),
                Some(range) => (span.role, range.start.min(end)),
                None => (span.role, end),
            };
            marked.push(Span::new(role, &text[at..to]));
            at = to;
            found.next_if(|range| range.end <= at);
        }
        start = end;
    }
    marked
}

/// Byte ranges of the text that hold the query, in order and apart, on boundaries of graphemes.
fn ranges(query: &str, text: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = folded(query).map(|(c, _)| c).collect();
    let held: Vec<(char, Range<usize>)> = folded(text).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while !wanted.is_empty() && at + wanted.len() <= held.len() {
        let place = &held[at..at + wanted.len()];
        if place.iter().map(|(c, _)| c).eq(&wanted) {
            let range = place[0].1.start..place[wanted.len() - 1].1.end;
            match found.last_mut() {
                // Both are within one grapheme.
                Some(last) if last.end > range.start => last.end = range.end,
                _ => found.push(range),
            }
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    found
}

/// The characters of a text, composed and in lower case, each with the place of its grapheme.
fn folded(text: &str) -> impl Iterator<Item = (char, Range<usize>)> {
    text.grapheme_indices(true).flat_map(|(at, grapheme)| {
        let place = at..at + grapheme.len();
        grapheme.nfc().flat_map(char::to_lowercase).map(move |c| (c, place.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(query: &str, text: &'a str) -> Vec<&'a str> {
        ranges(query, text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_query_is_found_in_any_case_and_normalisation() {
        assert_eq!(found("NEEDLE", "a needle, two Needles"), ["needle", "Needle"]);
        assert_eq!(found("caf\u{e9}", "Cafe\u{301} and CAF\u{c9}"), ["Cafe\u{301}", "CAF\u{c9}"]);
        assert_eq!(found("cafe\u{301}", "caf\u{e9}"), ["caf\u{e9}"]);
        assert_eq!(found("\u{1112}\u{1161}\u{11ab}", "대한민국 한"), ["한", "한"]);
        assert_eq!(found("e", "e\u{301}"), [""; 0], "another letter");
        assert_eq!(found("aa", "aaaaa"), ["aa", "aa"]);
        assert_eq!((found("", "x"), found("xyz", "xy")), (vec![], vec![]));
    }

    #[test]
    fn marks_keep_the_text_and_the_other_roles() {
        let body = vec![
            Span::new(TextRole::Plain, "hi "),
            Span::new(TextRole::Mention, "alice"),
            Span::new(TextRole::Plain, " b"),
        ];
        let marked = matches(body, "i al");
        let parts: Vec<(TextRole, &str)> = marked.iter().map(|span| (span.role, span.text.as_str())).collect();
        assert_eq!(
            parts,
            [
                (TextRole::Plain, "h"),
                (TextRole::Found, "i "),
                (TextRole::Found, "al"),
                (TextRole::Mention, "ice"),
                (TextRole::Plain, " b")
            ]
        );
    }
}
