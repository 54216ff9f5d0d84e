//! Columns that a text takes on a screen.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Characters that a terminal may give more columns than `unicode-width` does: the differences to
/// the tables of glibc, of xterm and of Python's `wcwidth`. First and last of each range, in order.
const WIDER: [u32; 124] = [
    0xad, 0xad, 0x605, 0x605, 0x70f, 0x70f, 0x890, 0x891, 0x8e2, 0x8e2, 0x9be, 0x9be, 0x9d7, 0x9d7, 0xb3e, 0xb3e,
    0xb57, 0xb57, 0xbbe, 0xbbe, 0xbd7, 0xbd7, 0xcc0, 0xcc0, 0xcc2, 0xcc2, 0xcc7, 0xcc8, 0xcca, 0xccb, 0xcd5, 0xcd6,
    0xd3e, 0xd3e, 0xd4e, 0xd4e, 0xd57, 0xd57, 0xdcf, 0xdcf, 0xddf, 0xddf, 0x115f, 0x115f, 0x1160, 0x11ff, 0x1715,
    0x1715, 0x1734, 0x1734, 0x1b35, 0x1b35, 0x1b3b, 0x1b3b, 0x1b3d, 0x1b3d, 0x1b43, 0x1b44, 0x1baa, 0x1baa, 0x1bf2,
    0x1bf3, 0x302e, 0x302f, 0x3164, 0x3164, 0x3248, 0x324f, 0xa8fa, 0xa8fa, 0xa953, 0xa953, 0xa9c0, 0xa9c0, 0xffa0,
    0xffa0, 0x111c0, 0x111c0, 0x111c2, 0x111c3, 0x11235, 0x11235, 0x1133e, 0x1133e, 0x1134d, 0x1134d, 0x11357, 0x11357,
    0x113d1, 0x113d1, 0x114b0, 0x114b0, 0x114bd, 0x114bd, 0x115af, 0x115af, 0x116b6, 0x116b6, 0x11930, 0x11930,
    0x1193d, 0x1193d, 0x1193f, 0x1193f, 0x11941, 0x11941, 0x11a84, 0x11a89, 0x11d46, 0x11d46, 0x11f02, 0x11f02,
    0x16ff0, 0x16ff1, 0x1d165, 0x1d166, 0x1d16d, 0x1d172, 0x1f1e6, 0x1f1ff, 0xe0001, 0xe0001, 0xe0020, 0xe007f,
];
/// Starts of the ranges that a terminal may give two columns; the others get one.
const TWO_COLUMNS: [u32; 6] = [0x115f, 0x302e, 0x3164, 0x3248, 0x16ff0, 0x1f1e6];

/// Way in which a row is kept within the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// The terminal cuts what is too wide.
    Cuts,
    /// The terminal wraps what is too wide, so ambiguous characters count as wide.
    Wraps,
}

/// Columns that the widest terminal gives a character; ambiguous ones are narrow.
fn widest(c: char) -> usize {
    let usual = c.width().unwrap_or(0);
    usual.max(wider(c).unwrap_or(0))
}

fn wider(c: char) -> Option<usize> {
    let code = u32::from(c);
    let (ranges, _) = WIDER.as_chunks();
    let after = ranges.partition_point(|&[first, _]| first <= code);
    let &[first, last] = ranges.get(after.checked_sub(1)?)?;
    (code <= last).then(|| if TWO_COLUMNS.contains(&first) { 2 } else { 1 })
}

/// Returns true if terminals draw a character in the same number of columns, and at least one.
/// Letters that a few of them draw wide count as certain.
pub(super) fn is_certain(c: char) -> bool {
    wider(c).is_none() && c.width() == c.width_cjk() && c.width().is_some_and(|columns| columns > 0)
}

/// The columns that a grapheme takes at most. Terminals disagree on joined emoji: some draw the
/// parts side by side.
pub(crate) fn of_grapheme(grapheme: &str) -> usize {
    // By far the most of what is shown.
    if grapheme.len() == 1 {
        return usize::from(grapheme.as_bytes()[0] >= b' ');
    }
    let parts: usize = grapheme.chars().map(widest).sum();
    grapheme.width().max(parts)
}

impl Edge {
    /// The columns that a grapheme takes at most at this edge.
    pub(super) fn of_grapheme(self, grapheme: &str) -> usize {
        match self {
            Self::Cuts => of_grapheme(grapheme),
            Self::Wraps => of_grapheme(grapheme).max(grapheme.chars().filter_map(UnicodeWidthChar::width_cjk).sum()),
        }
    }
}

/// The columns that a text takes at most.
pub(crate) fn of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(of_grapheme).sum() }
}

/// The text, or as much of its start as fits with an ellipsis after it.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if of(text) <= room {
        return text.to_owned();
    }
    if room == 0 {
        return String::new();
    }
    let mut shown = String::new();
    let mut columns = 1;
    for grapheme in text.graphemes(true) {
        columns += of_grapheme(grapheme);
        if columns > room {
            break;
        }
        shown.push_str(grapheme);
    }
    shown + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_joined_characters_count_as_on_the_widest_terminal() {
        assert_eq!((of("abc"), of("漢字"), of("e\u{301}"), of("👩‍👩‍👧"), of("")), (3, 4, 1, 6, 0));
        assert_eq!((cut("abcdef", 4), cut("漢字漢", 4), cut("abc", 3)), ("abc…".into(), "漢…".into(), "abc".into()));
        assert_eq!((cut("abc", 1), cut("abc", 0)), ("…".into(), String::new()));
    }

    #[test]
    fn a_character_that_terminals_disagree_on_has_the_most_columns() {
        assert!(
            WIDER.as_chunks::<2>().0.windows(2).all(|pair| pair[0][1] < pair[1][0]),
            "in order, so that it can be searched"
        );
        for (text, columns) in [
            ("\u{3164}", 2),
            ("\u{ad}", 1),
            ("\u{ffa0}", 1),
            ("\u{9be}", 1),
            ("\u{3248}", 2),
            ("\u{605}", 1),
            ("\u{70f}", 1),
            ("\u{890}", 1),
            ("\u{16ff0}", 2),
        ] {
            assert_eq!(of(text), columns, "{text:?}");
            assert!(!text.chars().any(is_certain), "{text:?}");
        }
        assert_eq!((Edge::Cuts.of_grapheme("①"), Edge::Wraps.of_grapheme("①")), (1, 2));
        assert!("aéж漢한".chars().all(is_certain) && !"①\u{301}\u{200b}".chars().any(is_certain));
    }
}
