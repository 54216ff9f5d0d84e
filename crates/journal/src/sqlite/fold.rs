//! Text without regard to case, character by character. What is searched and what is searched for are both folded here first: the index
//! folds again, both alike, but knows only the letters of an older Unicode.

use std::borrow::Cow;

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

/// `text` as the index gets it, which folds ASCII by itself.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.chars().map(fold).collect()) }
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
