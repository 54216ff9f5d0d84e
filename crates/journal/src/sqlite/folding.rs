//! Folding of text for searches: without case and Unicode normalisation form. Texts and queries are
//! both folded here first. The index folds again, both alike, but knows only the letters of an
//! older Unicode.

use unicode_normalization::UnicodeNormalization;

/// Replaces `folded` with the folded `text`: decomposed, each character without its case, and
/// composed again (NFC), so that canonically equivalent texts become the same.
pub(crate) fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else if text.chars().all(stands_alone) {
        folded.extend(text.chars().map(fold_char));
    } else {
        folded.extend(text.nfd().map(fold_char).nfc());
    }
}

/// Returns `text` as searches compare it.
pub fn folded(text: &str) -> String {
    let mut folded = String::new();
    fold_into(text, &mut folded);
    folded
}

/// Returns true only for characters that, once folded, neither change with normalisation nor
/// combine with their neighbours; not for all of them.
fn stands_alone(character: char) -> bool {
    matches!(character,
        '\0'..='\u{7F}'
        | '\u{A0}'..='\u{12F}' | '\u{132}'..='\u{148}' | '\u{14A}'..='\u{17F}' // Latin
        | '\u{391}'..='\u{3A1}' | '\u{3A3}'..='\u{3A9}' | '\u{3AC}'..='\u{3AF}' | '\u{3B1}'..='\u{3CE}' // Greek
        | '\u{400}'..='\u{481}' | '\u{48A}'..='\u{52F}' // Cyrillic
        | '\u{2010}'..='\u{205E}' | '\u{3000}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{309B}'..='\u{30FF}'
        | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{FF01}'..='\u{FFEE}' // CJK
        | '\u{1F300}'..='\u{1FAFF}')
}

/// Suffix of each text in the index: two characters that people do not type, so that a trigram
/// begins with each character of the text, the last ones too.
const TEXT_END: &str = "\u{1}\u{1}";

pub(crate) fn index_form_into(text: &str, indexed: &mut String) {
    fold_into(text, indexed);
    indexed.push_str(TEXT_END);
}

/// Returns whether the index folds this character as [`fold_into`] does: ASCII, and characters
/// without case, however old its Unicode.
pub(crate) fn is_folded_alike(character: char) -> bool {
    let is_itself = |characters: &mut dyn Iterator<Item = char>| only(characters) == Some(character);
    character.is_ascii() || (is_itself(&mut character.to_uppercase()) && is_itself(&mut character.to_lowercase()))
}

/// Folds through upper case, which unifies `ς` and `σ`; a character that becomes several stays as
/// it is.
fn fold_char(character: char) -> char {
    let upper = only(character.to_uppercase()).unwrap_or(character);
    only(upper.to_lowercase()).unwrap_or(upper)
}

fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_goes_and_everything_else_stays() {
        let mut folded = String::new();
        for (text, wanted) in [
            ("GLASS 漢字", "glass 漢字"),
            ("Straße", "straße"),
            ("ΟΔΟΣ ὁδός", "οδοσ ὁδόσ"),
            ("ÄÖÜ", "äöü"),
            ("🎉\0%_", "🎉\0%_"),
            ("J\u{30C}o\u{308}", "\u{1F0}ö"),
            ("\u{212A}\u{2126}", "kω"),
            ("\u{1112}\u{1161}\u{11AB}글", "한글"),
            ("", ""),
        ] {
            fold_into(text, &mut folded);
            assert_eq!(folded, wanted);
        }
    }

    /// The slow way, for any text.
    fn folded_wholly(text: &str) -> String {
        text.nfd().map(fold_char).nfc().collect()
    }

    #[test]
    fn what_stands_alone_is_folded_as_the_whole_would_be() {
        use unicode_normalization::{IsNormalized, char::canonical_combining_class, is_nfc_quick};
        for character in ('\0'..=char::MAX).filter(|character| stands_alone(*character)) {
            let text = character.to_string();
            let mut folded = String::new();
            fold_into(&text, &mut folded);
            assert_eq!(folded, folded_wholly(&text), "{text:?}");
            // Neither it nor its folded form combines with its neighbours.
            for one in [character, folded.chars().next().expect("one")] {
                assert_eq!(canonical_combining_class(one), 0, "{one:?}");
                assert_eq!(is_nfc_quick(std::iter::once(one)), IsNormalized::Yes, "{one:?}");
            }
        }
    }

    #[test]
    fn each_form_of_each_character_is_folded_alike() {
        let (mut one, mut other) = (String::new(), String::new());
        for character in '\0'..=char::MAX {
            fold_into(&character.to_string(), &mut one);
            for form in [character.nfd().collect::<String>(), character.nfc().collect()] {
                fold_into(&form, &mut other);
                assert_eq!(one, other, "{character:?}");
            }
        }
    }
}
