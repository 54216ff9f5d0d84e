//! Links in a text that a terminal may wrap by itself, so that they are copied whole.
//!
//! A wrapped link begins rows of the screen, so it holds only characters that no terminal draws as
//! a blank and whose width no terminal disagrees about: nothing in it looks like another line.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::columns;
use crate::format::links;

/// Ranges of the links of a text, each up to the first character that may not begin a row.
pub(super) fn wrappable(text: &str) -> Vec<Range<usize>> {
    let certain = |link: Range<usize>| {
        let bytes = text[link.clone()].graphemes(true).take_while(|part| is_certain(part)).map(str::len).sum::<usize>();
        link.start..link.start + bytes
    };
    links::of(text).into_iter().map(certain).collect()
}

/// Returns true if every terminal draws this visibly and in the same columns.
pub(super) fn is_certain(grapheme: &str) -> bool {
    if grapheme.len() == 1 {
        return grapheme.as_bytes()[0].is_ascii_graphic();
    }
    let mut chars = grapheme.chars();
    let is_letter = chars.next().is_some_and(|c| c.is_ascii_graphic() || is_plain_letter(c));
    is_letter && chars.all(|mark| ('\u{300}'..='\u{36f}').contains(&mark))
}

/// Returns true for letters of the scripts that links are written in. Higher code points include
/// hieroglyphs, two of them blank.
fn is_plain_letter(c: char) -> bool {
    let is_drawn = c < '\u{10000}' || ('\u{20000}'..='\u{3ffff}').contains(&c);
    is_drawn && c.is_alphabetic() && columns::is_certain(c)
}
