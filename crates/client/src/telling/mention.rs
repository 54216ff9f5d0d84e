//! Where a text mentions a name: whole words only, in any case.

use std::ops::Range;

/// The places of a name in a text.
pub(crate) fn of(name: &str, text: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let folded: Vec<(usize, char)> =
        text.char_indices().flat_map(|(at, c)| c.to_lowercase().map(move |lower| (at, lower))).collect();
    let (Some(&first), Some(&last)) = (wanted.first(), wanted.last()) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    while at + wanted.len() <= folded.len() {
        let end = at + wanted.len();
        let is_same = folded[at..end].iter().map(|&(_, c)| c).eq(wanted.iter().copied());
        if is_same && starts_word(&folded[..at], first) && ends_word(&folded[end..], last) {
            let until = folded.get(end).map_or(text.len(), |&(next, _)| next);
            found.push(folded[at].0..until);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

fn starts_word(before: &[(usize, char)], first: char) -> bool {
    match before {
        [.., (_, joint), (_, '-')] | [.., (_, joint)] => !is_in_word(*joint, first),
        [] => true,
    }
}

fn ends_word(after: &[(usize, char)], last: char) -> bool {
    match after {
        // `alice-2` is somebody else.
        [(_, '-'), (_, joint), ..] | [(_, joint), ..] => !is_in_word(*joint, last),
        [] => true,
    }
}

/// Whether a neighbour makes a longer word. Scripts without spaces between words have no such neighbours.
fn is_in_word(neighbour: char, edge: char) -> bool {
    let has_spaces = |c: char| (c.is_alphanumeric() && u32::from(c) < 0x2e80) || c == '_';
    has_spaces(neighbour) && has_spaces(edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_count_and_parts_of_words_do_not() {
        for text in ["al: hi", "hi AL", "(al)", "@al, you", "al", "ask al.", "al's", "al - no", "well-al?"] {
            assert_eq!(of("al", text).is_empty(), text == "well-al?", "{text}");
        }
        for text in ["also", "royal", "al2", "al_2", "al-2", "val", "", "a l"] {
            assert!(of("al", text).is_empty(), "{text}");
        }
        assert_eq!(of("al", "al and Al"), [0..2, 7..9]);
    }

    #[test]
    fn scripts_without_spaces_and_letters_that_grow() {
        assert_eq!(of("漢字", "これは漢字です").len(), 1);
        assert_eq!(of("straße", "STRAßE!").len(), 1);
        // U+0130 has two characters in lower case.
        let text = "İ al";
        assert_eq!(of("al", text).iter().map(|range| &text[range.clone()]).collect::<Vec<_>>(), ["al"]);
        assert!(of("", "anything").is_empty());
    }
}
