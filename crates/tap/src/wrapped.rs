//! Text broken into rows.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks text between words, and words that are wider than a row within them.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut rows = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let columns = word.width();
        if used > 0 && used + 1 + columns > width {
            rows.push(String::new());
            used = 0;
        }
        let space = if used > 0 { " " } else { "" };
        for character in space.chars().chain(word.chars()) {
            let columns = character.width().unwrap_or(0);
            if used > 0 && used + columns > width {
                rows.push(String::new());
                used = 0;
            }
            used += columns;
            if let Some(row) = rows.last_mut() {
                row.push(character);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a longerword b", 4), ["a", "long", "erwo", "rd b"]);
        assert_eq!(wrapped("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("ab", 0), ["a", "b"]);
    }
}
