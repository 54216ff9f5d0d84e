//! Making text from a peer safe to show: no control character, escape sequence or direction override survives.

use alloc::borrow::Cow;
use alloc::string::String;

/// Substitute for a character that was taken out.
pub const REPLACEMENT: char = '\u{fffd}';

/// Characters that change the direction of what follows (overrides, embeddings, isolates), or that break the line unseen.
pub fn is_direction_or_break(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Text as it is stored and relayed (T12): control characters other than newline and tab become U+FFFD.
pub fn relayed(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// Text for a terminal that may show several lines: as [`relayed`], and without direction overrides.
pub fn lines(text: &str) -> Cow<'_, str> {
    replaced(text, |c| (c.is_control() && c != '\n' && c != '\t') || is_direction_or_break(c))
}

/// Text for one line of a terminal or a log: newlines and tabs go too.
pub fn one_line(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c.is_control() || is_direction_or_break(c))
}

fn replaced(text: &str, unsafe_to_show: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_to_show) {
        return Cow::Borrowed(text);
    }
    let shown: String = text.chars().map(|c| if unsafe_to_show(c) { REPLACEMENT } else { c }).collect();
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(relayed("häß 漢字 👩‍👧\n\tx"), Cow::Borrowed(_)));
        assert!(matches!(one_line("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn escapes_are_taken_out() {
        for hostile in ["\u{1b}]52;c;aGk=\u{7}", "\u{1b}[6n", "\u{9b}6n", "\u{1b}]0;never ends", "\r\u{8}\u{7f}\0"] {
            for shown in [relayed(hostile), lines(hostile), one_line(hostile)] {
                assert!(!shown.chars().any(char::is_control), "{shown:?}");
            }
        }
        assert_eq!(relayed("a\nb\tc"), "a\nb\tc");
        assert_eq!(one_line("a\nb\tc"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn direction_overrides_are_taken_out_where_text_is_shown() {
        assert_eq!(relayed("a\u{202e}b"), "a\u{202e}b");
        assert_eq!(lines("a\u{202e}b\u{2066}c"), "a\u{fffd}b\u{fffd}c");
    }
}
