//! Links in a text.

use std::ops::Range;

const SCHEME_END: &str = "://";

/// Ranges of the links of a text: from the scheme up to the next space.
pub(crate) fn of(text: &str) -> Vec<Range<usize>> {
    let mut links: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices(SCHEME_END) {
        let before = text[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'));
        let start = text[before.len()..at].find(|c: char| c.is_ascii_alphabetic()).map(|from| before.len() + from);
        let end = text[at..].find(char::is_whitespace).map_or(text.len(), |to| at + to);
        let is_within = links.last().is_some_and(|last| at < last.end);
        if let Some(start) = start.filter(|_| !is_within && end > at + SCHEME_END.len()) {
            links.push(start..end);
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_begins_with_its_scheme_and_ends_at_a_space() {
        for (text, found) in [
            ("see https://a.org/x, ok", &["https://a.org/x,"][..]),
            ("(http://a.org) <ftp://b>", &["http://a.org)", "ftp://b>"]),
            ("看https://a.org/é漢", &["https://a.org/é漢"]),
            ("https://a.org/?to=https://b.org", &["https://a.org/?to=https://b.org"]),
            ("9git+ssh://a", &["git+ssh://a"]),
            ("http:// and ://x and http", &[]),
        ] {
            let links: Vec<&str> = of(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(links, found, "{text}");
        }
    }
}
