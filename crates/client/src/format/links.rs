//! Links and addresses in a text.

use std::ops::Range;

const SCHEME_END: &str = "://";

/// Ranges of the links of a text: from the scheme up to the next space.
pub(crate) fn of(text: &str) -> Vec<Range<usize>> {
    let mut links: Vec<Range<usize>> = Vec::new();
    // End of the last word looked at: each word is read once, however many schemes are in it.
    let mut word_end = 0;
    for (at, _) in text.match_indices(SCHEME_END) {
        if links.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let before = text[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'));
        let start = text[before.len()..at].find(|c: char| c.is_ascii_alphabetic()).map(|from| before.len() + from);
        if at >= word_end {
            word_end = text[at..].find(char::is_whitespace).map_or(text.len(), |to| at + to);
        }
        if let Some(start) = start.filter(|_| word_end > at + SCHEME_END.len()) {
            links.push(start..word_end);
        }
    }
    links
}

/// Ranges of links, mail addresses, host names and paths: a name in one is no mention.
pub(crate) fn and_addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = of(text);
    // A link ends in a text without spaces where a sign of that script does.
    for link in &mut found {
        let end = text[link.clone()].find(|c: char| !c.is_ascii() && !c.is_alphanumeric());
        link.end = end.map_or(link.end, |to| link.start + to);
    }
    let mut start = 0;
    for word in text.split(|c: char| !is_of_address(c)) {
        if is_address(word) {
            found.push(start..start + word.len());
        }
        start += word.len();
        start += text[start..].chars().next().map_or(0, char::len_utf8);
    }
    found
}

/// Characters that addresses and paths are made of.
fn is_of_address(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%' | '@' | '/' | '\\' | '~' | ':')
}

fn is_address(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':', '/', '-']);
    let (host, path) = word.split_once('/').unwrap_or((word, ""));
    let labels = |host: &str| host.split('.').filter(|label| label.starts_with(char::is_alphanumeric)).count();
    let is_mail = word
        .split_once('@')
        .is_some_and(|(user, host)| user.ends_with(char::is_alphanumeric) && host.starts_with(char::is_alphanumeric));
    let is_host = labels(host) > 2 || labels(host) > 1 && (!path.is_empty() || host.starts_with("www."));
    let is_path = path.contains('/') && (host.is_empty() || host == "~" || host == ".") || word.contains(":\\");
    is_mail || is_host || is_path
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
            ("://x://y http://a://b c://", &["x://y", "http://a://b"]),
        ] {
            let links: Vec<&str> = of(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(links, found, "{text}");
        }
    }
}
