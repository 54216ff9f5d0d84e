//! Names and texts of others made safe to show.

use std::borrow::Cow;

use glassline_wire::visible;
use unicode_width::UnicodeWidthChar;

/// Marks of no width on one character; pointed Hebrew with accents, the most that is written, needs
/// four.
const MARKS_MAX: usize = 6;
/// Most characters of a name that are shown; a tutorial server bounds them by nothing.
pub(super) const NAME_SHOWN_CHARS: usize = 64;
/// Empty rows shown in a row.
const BLANK_ROWS_MAX: usize = 3;
/// One more than that.
const BLANK_ROWS: &str = "\n\n\n\n";

/// Returns a text that can be shown: no control characters, few empty rows, few combining marks.
pub(super) fn text(text: &str) -> String {
    let visible = visible::lines(text);
    let mut shown = limit_marks(&visible).into_owned();
    // Thousands of empty rows would push everything else off the screen.
    if shown.contains(BLANK_ROWS) {
        let rows: Vec<&str> = shown.split('\n').collect();
        let is_kept = |at: usize| !rows[at.saturating_sub(BLANK_ROWS_MAX)..=at].iter().all(|row| row.trim().is_empty());
        let kept: Vec<&str> =
            (0..rows.len()).filter(|&at| at < BLANK_ROWS_MAX || is_kept(at)).map(|at| rows[at]).collect();
        shown = kept.join("\n");
    }
    shown
}

/// A name or a room's name, on one line and of bounded length.
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    let shown = visible::one_line(name);
    let shown = match shown.char_indices().nth(NAME_SHOWN_CHARS) {
        None => shown,
        Some((end, _)) => Cow::Owned(format!("{}…", &shown[..end])),
    };
    match limit_marks(&shown) {
        Cow::Borrowed(_) => shown,
        Cow::Owned(trimmed) => Cow::Owned(trimmed),
    }
}

/// The text without the marks that are too many on one character.
pub(crate) fn limit_marks(text: &str) -> Cow<'_, str> {
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
        assert_eq!(limit_marks(&tower), format!("z{}a", "\u{301}".repeat(MARKS_MAX)));
        for written in ["é漢字", "שָׁ֣לוֹם", "नमस्ते", "👩‍👩‍👧‍👦", "a\n\n\n\n\n\n\n\n\nb", "สวัสดี"]
        {
            assert!(matches!(limit_marks(written), Cow::Borrowed(_)), "{written}");
        }
    }
}
