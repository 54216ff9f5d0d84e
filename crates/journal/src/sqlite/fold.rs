//! Text without regard to case, character by character. What is searched and what is searched for are both folded here first: the index
//! folds again, both alike, but knows only the letters of an older Unicode.

/// Writes `text` folded over what `folded` held.
pub(crate) fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else {
        folded.extend(text.chars().map(fold));
    }
}

/// What stands behind each text in the index: as many of a character that people do not type as a piece has beyond its first, so that a
/// piece begins with each character of the text, the last ones too.
const TEXT_END: &str = "\u{1}\u{1}";

/// Writes `text` as the index gets it over what `indexed` held.
pub(crate) fn index_form_into(text: &str, indexed: &mut String) {
    fold_into(text, indexed);
    indexed.push_str(TEXT_END);
}

/// Whether the index folds this character as [`fold_into`] does: ASCII, and what has no case, however old its Unicode.
pub(crate) fn is_folded_alike(character: char) -> bool {
    let is_itself = |characters: &mut dyn Iterator<Item = char>| only(characters) == Some(character);
    character.is_ascii() || (is_itself(&mut character.to_uppercase()) && is_itself(&mut character.to_lowercase()))
}

/// Up and down again brings together what differs in lower case only (`ς` and `σ`); a character that becomes several stays as it is.
fn fold(character: char) -> char {
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
            ("", ""),
        ] {
            fold_into(text, &mut folded);
            assert_eq!(folded, wanted);
        }
    }
}
