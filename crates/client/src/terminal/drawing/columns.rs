//! How many columns a text takes on a screen.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a grapheme takes at most. Terminals disagree on joined emoji: some draw the parts side by side.
pub(crate) fn of_grapheme(grapheme: &str) -> usize {
    // By far the most of what is shown.
    if grapheme.len() == 1 {
        return usize::from(grapheme.as_bytes()[0] >= b' ');
    }
    let parts: usize = grapheme.chars().map(|c| c.width().unwrap_or(0)).sum();
    grapheme.width().max(parts)
}

/// The columns that a text takes at most.
pub(crate) fn of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(of_grapheme).sum() }
}

/// The text, or as much of its start as fits with an ellipsis behind it.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if of(text) <= room {
        return text.to_owned();
    }
    if room == 0 {
        return String::new();
    }
    let mut shown = String::new();
    let mut columns = 1;
    for grapheme in text.graphemes(true) {
        columns += of_grapheme(grapheme);
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

    #[test]
    fn wide_and_joined_characters_take_what_the_widest_terminal_gives_them() {
        assert_eq!((of("abc"), of("漢字"), of("e\u{301}"), of("👩‍👩‍👧"), of("")), (3, 4, 1, 6, 0));
        assert_eq!((cut("abcdef", 4), cut("漢字漢", 4), cut("abc", 3)), ("abc…".into(), "漢…".into(), "abc".into()));
        assert_eq!((cut("abc", 1), cut("abc", 0)), ("…".into(), String::new()));
    }
}
