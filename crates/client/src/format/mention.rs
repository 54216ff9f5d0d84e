//! Mentions of a name in a text: whole words only, in any case, and none that are a part of a link
//! or an address.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::links;

pub(crate) fn of(name: &str, text: &str) -> Vec<Range<usize>> {
    let mut found = if name.is_ascii() { of_ascii(name, text) } else { of_any(name, text) };
    if !found.is_empty() {
        let addresses = links::and_addresses(text);
        found.retain(|place| !addresses.iter().any(|address| address.contains(&place.start)));
    }
    found
}

/// Most names; it looks at bytes and takes no memory where there is nothing to find.
fn of_ascii(name: &str, text: &str) -> Vec<Range<usize>> {
    let (name, bytes) = (name.as_bytes(), text.as_bytes());
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    while at + name.len() <= bytes.len() {
        let end = at + name.len();
        let is_there = bytes[at].eq_ignore_ascii_case(&first)
            && bytes[at..end].eq_ignore_ascii_case(name)
            && starts_word(&mut text[..at].chars().rev(), first.into())
            && ends_word(&mut text[end..].chars(), last.into());
        if is_there {
            found.push(at..end);
        }
        at = if is_there { end } else { at + 1 };
    }
    found
}

fn of_any(name: &str, text: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let folded: Vec<(usize, char)> =
        text.char_indices().flat_map(|(at, c)| c.to_lowercase().map(move |lower| (at, lower))).collect();
    let (Some(&first), Some(&last)) = (wanted.first(), wanted.last()) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    while at + wanted.len() <= folded.len() {
        let end = at + wanted.len();
        let is_there = folded[at..end].iter().map(|&(_, c)| c).eq(wanted.iter().copied())
            && starts_word(&mut folded[..at].iter().rev().map(|&(_, c)| c), first)
            && ends_word(&mut folded[end..].iter().map(|&(_, c)| c), last);
        if is_there {
            let until = folded.get(end).map_or(text.len(), |&(next, _)| next);
            found.push(folded[at].0..until);
        }
        at = if is_there { end } else { at + 1 };
    }
    found
}

/// `before` is the text before the name, from the name on.
fn starts_word(before: &mut dyn Iterator<Item = char>, first: char) -> bool {
    !goes_on(before, first)
}

/// `after` is the text after it.
fn ends_word(after: &mut dyn Iterator<Item = char>, last: char) -> bool {
    let mut after = after.peekable();
    // A mark belongs to the letter before it, in any script.
    !after.peek().is_some_and(|&mark| is_mark(mark)) && !goes_on(&mut after, last)
}

/// Returns whether a word continues, also over a hyphen: `alice-2` is not `alice`.
fn goes_on(neighbours: &mut dyn Iterator<Item = char>, edge: char) -> bool {
    match neighbours.next() {
        Some('-') => neighbours.next().is_some_and(|joint| is_in_word(joint, edge)),
        Some(neighbour) => is_in_word(neighbour, edge),
        None => false,
    }
}

/// Returns true if a neighbour makes a longer word. Scripts without spaces between words have no
/// such neighbours.
fn is_in_word(neighbour: char, edge: char) -> bool {
    let is_letter = |c: char| (c.is_alphanumeric() || is_mark(c)) && !has_no_spaces(c) || c == '_';
    is_letter(neighbour) && is_letter(edge)
}

/// Letters of scripts whose words are not separated: Thai, Lao, Tibetan, Myanmar, Khmer, Tai Le,
/// New Tai Lue, Tai Tham, Balinese, and those of the east, from the radicals of the Chinese on.
fn has_no_spaces(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0fff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x1950..=0x19ff | 0x1a20..=0x1aaf | 0x1b00..=0x1b7f | 0x2e80..)
}

/// Marks that are written on or around a letter. What only separates or joins is none.
fn is_mark(c: char) -> bool {
    c.width() == Some(0)
        && !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}')
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
    fn both_ways_of_looking_find_the_same() {
        for text in ["al", "AL, al! also al-2 -al well-al x", "漢字al漢", "é al é", "al al al", "lal", ""] {
            assert_eq!(of_ascii("al", text), of_any("al", text), "{text}");
        }
    }

    #[test]
    fn scripts_without_spaces_and_letters_that_grow() {
        assert_eq!(of("漢字", "これは漢字です").len(), 1);
        assert_eq!(of("straße", "STRAßE!").len(), 1);
        // U+0130 has two characters in lower case.
        let text = "İ al";
        assert_eq!(of("al", text).iter().map(|range| &text[range.clone()]).collect::<Vec<_>>(), ["al"]);
        assert!(of("", "anything").is_empty());
        for (name, text) in [
            ("สมชาย", "สวัสดีสมชายครับ"),
            ("anna", "สวัสดีannaครับ"),
            ("ສົມ", "ສະບາຍດີສົມເດີ"),
            ("សុខ", "សួស្តីសុខបាទ"),
            ("မောင်", "မင်္ဂလာပါမောင်ရေ"),
            ("さくら", "こんにちはさくらさん"),
        ] {
            assert_eq!(of(name, text).len(), 1, "{name} in {text}");
        }
        assert!(of("สม", "สมุด").is_empty(), "the mark belongs to the last letter");
        assert!(of("ann", "ann\u{301}").is_empty() && of("ann", "e\u{301}ann").is_empty());
    }

    #[test]
    fn a_part_of_a_link_or_an_address_is_no_mention() {
        for text in [
            "see https://example.org/anna",
            "(https://anna.example.org/x)",
            "<ftp://example.org/anna>",
            "https://example.org/?user=anna&x=1",
            "write to anna@example.org",
            "write to Anna@example.org, please",
            "schmidt.anna@example.org",
            "anna.schmidt@example.org",
            "bob+anna@example.org",
            "mailto:anna@example.org",
            "bob@anna.example.org",
            "ssh bob@anna",
            "www.example.org/anna",
            "www.anna.example",
            "example.org/anna",
            "example.org/~anna/x",
            "anna.example.org",
            "/home/anna/x",
            "~/anna/x",
            r"C:\Users\anna\x",
        ] {
            assert!(of("anna", text).is_empty(), "{text}");
        }
        for text in [
            "anna: https://example.org/anna",
            "https://example.org/x anna",
            "anna, mail bob@example.org",
            "hi @anna",
            "@anna@bob",
            "bob/anna?",
            "hi,anna",
            "ok.anna",
            "anna.ok",
            "看https://a.org，anna你好",
        ] {
            assert_eq!(of("anna", text).len(), 1, "{text}");
        }
        assert_eq!(of("สมชาย", "https://example.org/สมชาย").len(), 0);
    }
}
