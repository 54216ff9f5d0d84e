//! Combining marks, as many as writing needs and no tower over other lines.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Marks of no width on one character; pointed Hebrew with accents, the most that is written, needs four.
const MARKS_MAX: usize = 6;

/// The text without the marks that are too many on one character.
pub(crate) fn trimmed(text: &str) -> Cow<'_, str> {
    let mut run = 0_usize;
    let mut is_one_too_many = move |c: char| {
        run = if is_mark(c) { run + 1 } else { 0 };
        run > MARKS_MAX
    };
    if !text.chars().any(&mut is_one_too_many) {
        return Cow::Borrowed(text);
    }
    let mut run = 0_usize;
    let kept = text.chars().filter(|&c| {
        run = if is_mark(c) { run + 1 } else { 0 };
        run <= MARKS_MAX
    });
    Cow::Owned(kept.collect())
}

/// A newline has no width either, and is none.
fn is_mark(c: char) -> bool {
    !c.is_control() && c.width() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towers_are_cut_and_writing_is_not() {
        let tower = format!("z{}a", "\u{301}".repeat(50));
        assert_eq!(trimmed(&tower), format!("z{}a", "\u{301}".repeat(MARKS_MAX)));
        for written in ["é漢字", "שָׁ֣לוֹם", "नमस्ते", "👩‍👩‍👧‍👦", "a\n\n\n\n\n\n\n\n\nb", "สวัสดี"]
        {
            assert!(matches!(trimmed(written), Cow::Borrowed(_)), "{written}");
        }
    }
}
