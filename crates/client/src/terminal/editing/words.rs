//! Boundaries of words: Unicode's words, and in them a stop at every punctuation mark, as in a
//! shell.
//!
//! A Chinese or Japanese character is one word, as finding words there needs a
//! dictionary.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// The start of the word that the cursor is in or after; 0 if there is none.
pub(crate) fn start_before(text: &str, cursor: usize) -> usize {
    words(text).take_while(|word| word.start < cursor).last().map_or(0, |word| word.start)
}

/// The end of the word that the cursor is in or before; the text's if there is none.
pub(crate) fn end_after(text: &str, cursor: usize) -> usize {
    words(text).find(|word| word.end > cursor).map_or(text.len(), |word| word.end)
}

fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_word_bound_indices().flat_map(|(segment_start, segment)| {
        let mut words: Vec<Range<usize>> = Vec::new();
        for (at, grapheme) in segment.grapheme_indices(true) {
            if !grapheme.starts_with(char::is_alphanumeric) {
                continue;
            }
            let (start, end) = (segment_start + at, segment_start + at + grapheme.len());
            match words.last_mut() {
                Some(word) if word.end == start => word.end = end,
                _ => words.push(start..end),
            }
        }
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_punctuation_and_ideographs_are_words() {
        let of = |text: &'static str| words(text).map(|word| &text[word]).collect::<Vec<_>>();
        assert_eq!(
            of("  --one_two.three, can't e\u{301}te\u{301} 42"),
            ["one", "two", "three", "can", "t", "e\u{301}te\u{301}", "42"]
        );
        assert_eq!(of("漢字とカタカナ、한국어"), ["漢", "字", "と", "カタカナ", "한국어"]);
        assert_eq!(of("👩‍👧 … 🦀"), Vec::<&str>::new());
    }

    #[test]
    fn a_cursor_in_a_word_has_its_ends() {
        let text = "one, two";
        assert_eq!((start_before(text, 6), end_after(text, 6)), (5, 8));
        assert_eq!((start_before(text, 5), end_after(text, 3)), (0, 8));
        assert_eq!((start_before(text, 0), end_after(text, 8)), (0, 8));
        assert_eq!((start_before("?!", 2), end_after("?!", 0)), (0, 2));
    }
}
