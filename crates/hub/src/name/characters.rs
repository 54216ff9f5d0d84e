//! Characters allowed in a name (T8), most of them by their Unicode properties.

use alloc::vec::Vec;

use glassline_wire::visible::is_direction_or_break;
use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, ExtendedPictographic, GeneralCategory,
    GeneralCategoryGroup, HangulSyllableType, IndicSyllabicCategory, JoiningType, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

use super::{NameError, notation};

/// Combining marks in a row: a Burmese syllable has up to five.
const MARKS_MAX: usize = 5;

/// Marks in a row that take no room of their own, and so pile up: what living scripts need, and no
/// more.
const NONSPACING_MARKS_MAX: usize = 3;

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';

/// Symbols outside of emoji that many names have.
const PLAIN_SYMBOLS: &str = "+=^`|~";

/// Characters that draw nothing although no property says so: a joiner, a filler, a selector and
/// two blanks of their scripts, and marks of a musical notation that only turn others.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{2d7f}' | '\u{16fe4}' | '\u{1bc9d}' | '\u{1cf42}'..='\u{1cf46}' | '\u{13441}'..='\u{13442}'
    )
}

/// Signs that are drawn like an asterisk and do not have its skeleton.
fn is_drawn_as_asterisk(c: char) -> bool {
    matches!(
        c,
        '\u{359}' | '\u{70d}' | '\u{203b}' | '\u{2042}' | '\u{204e}' | '\u{2051}' | '\u{2055}' | '\u{205c}'
        | '\u{20f0}' | '\u{229b}' | '\u{22c6}' | '\u{26b9}' | '\u{2722}'..='\u{2725}' | '\u{2731}'..='\u{274b}'
        | '\u{29c6}' | '\u{a673}' | '\u{1f7af}'..='\u{1f7bf}'
    )
}

/// Arrows among emoji, letters and marks, and hands that point; all others are symbols, refused as
/// such.
fn is_pointer(c: char) -> bool {
    matches!(
        c,
        '\u{34d}'..='\u{34e}' | '\u{350}' | '\u{354}'..='\u{356}' | '\u{362}' | '\u{1ab3}'
        | '\u{1aea}'..='\u{1aeb}' | '\u{1dfe}'..='\u{1dff}' | '\u{20d4}'..='\u{20d7}' | '\u{20e1}' | '\u{20ea}'
        | '\u{20ee}'..='\u{20ef}' | '\u{2190}'..='\u{21ff}' | '\u{23e9}'..='\u{23ef}' | '\u{25b6}' | '\u{25c0}'
        | '\u{27a1}' | '\u{2934}'..='\u{2935}' | '\u{2b05}'..='\u{2b07}' | '\u{a71b}'..='\u{a71c}' | '\u{100c7}'
        | '\u{1bc99}' | '\u{1f448}'..='\u{1f449}' | '\u{1f500}'..='\u{1f504}' | '\u{1f519}'..='\u{1f51d}'
        | '\u{1faf1}'..='\u{1faf2}'
    )
}

/// Brackets and bullets that are drawn like `<` or `>` and do not have their skeleton.
fn is_drawn_as_angle(c: char) -> bool {
    matches!(
        c,
        '\u{ab}' | '\u{bb}' | '\u{2023}' | '\u{2329}'..='\u{232a}' | '\u{276c}'..='\u{2771}'
        | '\u{27e8}'..='\u{27eb}' | '\u{2991}'..='\u{2992}' | '\u{29fc}'..='\u{29fd}' | '\u{2e16}'
        | '\u{3008}'..='\u{300b}' | '\u{fe3d}'..='\u{fe40}'
    )
}

/// Reason that a character is not allowed in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A control character, or one that breaks the line or changes its direction.
    Control,
    /// A character that draws nothing: another name could look the same.
    DrawsNothing,
    /// Private use, or no character at all.
    Private,
    /// A letter in parts, as of old Hangul.
    Part,
    /// A combining mark with no letter of its script before it, or one too many.
    Mark,
    /// An arrow, or `<` or `>`.
    Arrow,
    Symbol,
}

impl Unfit {
    pub(super) fn explained(self) -> &'static str {
        match self {
            Self::Control => "which controls how text is drawn",
            Self::DrawsNothing => "which draws nothing here",
            Self::Private => "which looks different everywhere",
            Self::Part => "which is a part of a letter",
            Self::Mark => "which is a mark without its letter, or one too many",
            Self::Arrow => "which points: the names of direct messages (`alice→you`) and `NAME > TEXT` could be forged",
            Self::Symbol => "which is a symbol and no emoji",
        }
    }
}

/// Checks what has to be known before compatible forms become one: some of it is a space
/// afterwards.
///
/// # Errors
/// [`NameError::Forbidden`] names the first control character.
pub(super) fn check_controls(name: &str) -> Result<(), NameError> {
    match name.chars().find(|&c| is_control(c)) {
        Some(c) => Err(forbidden(c, Unfit::Control)),
        None => Ok(()),
    }
}

/// Checks each character of a name in its position.
///
/// # Errors
/// The first character not allowed there, with the reason.
pub(super) fn check(name: &str) -> Result<(), NameError> {
    let chars: Vec<char> = name.chars().collect();
    (0..chars.len()).try_for_each(|at| check_at(&chars, at))
}

fn check_at(chars: &[char], at: usize) -> Result<(), NameError> {
    let c = chars[at];
    if is_joiner_in_place(chars, at) || is_selector_in_place(chars, at) {
        return Ok(());
    }
    if c == ZERO_WIDTH_JOINER && joins_emoji(chars, at) {
        return Err(NameError::JoinedEmoji);
    }
    if is_asterisk(c) {
        return Err(NameError::Reserved);
    }
    match unfit(chars, at) {
        Some(why) => Err(forbidden(c, why)),
        None => Ok(()),
    }
}

fn forbidden(c: char, why: Unfit) -> NameError {
    NameError::Forbidden { character: notation(c), why }
}

fn unfit(chars: &[char], at: usize) -> Option<Unfit> {
    let c = chars[at];
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    if is_control(c) {
        return Some(Unfit::Control);
    }
    if draws_nothing(chars, at) {
        return Some(Unfit::DrawsNothing);
    }
    if category == GeneralCategory::PrivateUse || is_noncharacter(c) {
        return Some(Unfit::Private);
    }
    if is_conjoining_jamo(c) {
        return Some(Unfit::Part);
    }
    if is_arrow(c) {
        return Some(Unfit::Arrow);
    }
    if GeneralCategoryGroup::Mark.contains(category) && !has_its_letter(chars, at) {
        return Some(Unfit::Mark);
    }
    let is_plain = PLAIN_SYMBOLS.contains(c) || CodePointSetData::new::<Emoji>().contains(c);
    let is_symbol = GeneralCategoryGroup::Symbol.contains(category) && category != GeneralCategory::CurrencySymbol;
    (is_symbol && !is_plain).then_some(Unfit::Symbol)
}

fn is_control(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    c.is_control()
        || is_direction_or_break(c)
        || matches!(category, GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator)
}

/// Format characters, the default-ignorable, blanks, and signs that only join the letters around
/// them where those are missing.
fn draws_nothing(chars: &[char], at: usize) -> bool {
    let c = chars[at];
    let role = CodePointMapData::<IndicSyllabicCategory>::new().get(c);
    CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || is_blank(c)
        || skeleton(c.encode_utf8(&mut [0; 4])).eq([' '])
        || role == IndicSyllabicCategory::NumberJoiner
        || (role == IndicSyllabicCategory::InvisibleStacker && !is_between_letters(chars, at))
}

fn is_noncharacter(c: char) -> bool {
    matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe
}

fn is_conjoining_jamo(c: char) -> bool {
    matches!(
        CodePointMapData::<HangulSyllableType>::new().get(c),
        HangulSyllableType::LeadingJamo | HangulSyllableType::VowelJamo | HangulSyllableType::TrailingJamo
    )
}

fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// A mark follows a character of a script that it is used with, and few others.
fn has_its_letter(chars: &[char], at: usize) -> bool {
    let before = &chars[..at];
    let marks = || chars[..=at].iter().rev().take_while(|&&c| is_mark(c));
    let is_nonspacing = |c: char| CodePointMapData::<GeneralCategory>::new().get(c) != GeneralCategory::SpacingMark;
    let is_piled =
        marks().count() > MARKS_MAX || marks().take_while(|&&c| is_nonspacing(c)).count() > NONSPACING_MARKS_MAX;
    let base = before.iter().rev().find(|&&c| !is_mark(c) && c != ZERO_WIDTH_JOINER && c != ZERO_WIDTH_NON_JOINER);
    !is_piled && base.is_some_and(|&base| share_a_script(base, chars[at]))
}

fn share_a_script(one: char, other: char) -> bool {
    let mut shared = AugmentedScriptSet::for_char(one);
    shared.intersect_with(AugmentedScriptSet::for_char(other));
    !shared.is_empty()
}

fn is_between_letters(chars: &[char], at: usize) -> bool {
    let before = chars[..at].iter().rev().find(|&&c| !is_mark(c));
    let after = chars.get(at + 1);
    let is_one_of_its_letters = |c: &char| is_letter(*c) && share_a_script(*c, chars[at]);
    before.is_some_and(is_one_of_its_letters) && after.is_some_and(is_one_of_its_letters)
}

/// `<` and `>` too, as the tutorial's client prints `NAME > TEXT`; letters that look like them are
/// letters.
fn is_arrow(c: char) -> bool {
    let looks_like_one = |prototype| prototype == '<' || prototype == '>';
    is_pointer(c) || is_drawn_as_angle(c) || (!is_letter(c) && skeleton(c.encode_utf8(&mut [0; 4])).any(looks_like_one))
}

/// The server's name in any of the forms in which a font may draw it.
fn is_asterisk(c: char) -> bool {
    is_drawn_as_asterisk(c) || skeleton(c.encode_utf8(&mut [0; 4])).any(|prototype| prototype == '*')
}

/// A joiner where its script needs it (RFC 5892, appendix A.1 and A.2).
fn is_joiner_in_place(chars: &[char], at: usize) -> bool {
    let c = chars[at];
    let (before, after) = (&chars[..at], &chars[at + 1..]);
    let combining = CodePointMapData::<CanonicalCombiningClass>::new();
    let follows_virama = || before.last().is_some_and(|&c| combining.get(c) == CanonicalCombiningClass::Virama);
    match c {
        ZERO_WIDTH_JOINER => follows_virama(),
        ZERO_WIDTH_NON_JOINER => follows_virama() || parts_joined_letters(before, after),
        _ => false,
    }
}

/// Letters on both sides that would join each other if adjacent.
fn parts_joined_letters(before: &[char], after: &[char]) -> bool {
    let joining = CodePointMapData::<JoiningType>::new();
    let is_transparent = |c: &char| joining.get(*c) == JoiningType::Transparent;
    let left = before.iter().rev().find(|c| !is_transparent(c)).map(|&c| joining.get(c));
    let right = after.iter().find(|c| !is_transparent(c)).map(|&c| joining.get(c));
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

/// A variation selector that chooses the form of an emoji, or makes a keycap of a digit.
fn is_selector_in_place(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| chars[before]) else { return false };
    let is_keycap = CodePointSetData::new::<Emoji>().contains(before) && chars.get(at + 1) == Some(&KEYCAP);
    matches!(chars[at], '\u{fe0e}' | '\u{fe0f}')
        && (is_keycap || CodePointSetData::new::<ExtendedPictographic>().contains(before))
}

fn joins_emoji(chars: &[char], at: usize) -> bool {
    let is_emoji = |c: &char| CodePointSetData::new::<Emoji>().contains(*c);
    let before = chars[..at].iter().rev().find(|&&c| !is_mark(c));
    before.is_some_and(is_emoji) && chars.get(at + 1).is_some_and(is_emoji)
}

/// A letter or digit that may precede `you` in a name: of the script of that word, so that it
/// cannot be drawn as an arrow.
pub(super) fn is_latin_or_digit(c: char) -> bool {
    c.is_numeric() || (is_letter(c) && CodePointMapData::<Script>::new().get(c) == Script::Latin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use alloc::string::ToString;

    /// Returns whether a name may hold this character after a letter, alone, or between letters.
    fn is_taken_somewhere(c: char) -> bool {
        ["", "a", "\u{5d0}"].iter().any(|before| check(&format!("{before}{c}")).is_ok())
            || check(&format!("a{c}a")).is_ok()
    }

    fn name_of(c: char) -> String {
        unicode_names2::name(c).map(|name| name.to_string()).unwrap_or_default()
    }

    #[test]
    fn no_character_named_an_arrow_or_asterisk_is_taken() {
        // Pictures of something else in which an arrow is a detail, signs of scripts that draw no
        // asterisk, and marks of Arabic.
        let others = ['\u{1f3f9}', '\u{1f498}', '\u{1f4e9}', '\u{1f4f2}', '\u{122ec}', '\u{12394}'];
        let mut refused = 0;
        let mut taken = Vec::new();
        for c in '\0'..=char::MAX {
            let name = name_of(c);
            let points =
                ["ARROW", "ASTERIS", "SEXTILE", "ANGLE BRACKET", "POINTING ANGLE", "ANGLE QUOTATION", "WARDS HAND"]
                    .iter()
                    .any(|word| name.contains(word));
            if !points || name.contains("NARROW") || others.contains(&c) || name.starts_with("ARABIC") {
                continue;
            }
            refused += 1;
            if is_taken_somewhere(c) {
                taken.push(format!("U+{:04X} {name}", u32::from(c)));
            }
        }
        assert!(taken.is_empty() && refused > 600, "{refused} {taken:#?}");
    }

    #[test]
    fn no_character_named_a_blank_is_taken() {
        let words =
            ["FILLER", "JOINER", "BLANK", "NULL", "INVISIBLE", "WIDTH", "SELECTOR", "SPACE", "VOID", "SUBJOINER"];
        // They are punctuation that is drawn.
        let drawn = ['\u{a8f9}', '\u{10af6}', '\u{1144e}', '\u{11945}', '\u{11c44}', '\u{11c45}', '\u{11f48}'];
        let mut refused = 0;
        let mut taken = Vec::new();
        for c in '\0'..=char::MAX {
            let name = name_of(c);
            let is_named_blank = name.split([' ', '-']).any(|word| words.contains(&word));
            if !is_named_blank || drawn.contains(&c) || c.is_whitespace() {
                continue;
            }
            refused += 1;
            if is_taken_somewhere(c) {
                taken.push(format!("U+{:04X} {name}", u32::from(c)));
            }
        }
        assert!(taken.is_empty() && refused > 200, "{refused} {taken:#?}");
    }

    #[test]
    fn joiners_stand_only_where_their_script_needs_them() {
        for name in [
            "علی\u{200c}رضا",
            "ශ\u{dca}\u{200d}රී",
            "അവന\u{d4d}\u{200d}",
            "क\u{94d}\u{200d}ष",
            "क\u{94d}\u{200c}ष",
            "بی\u{200c}بی",
        ] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        for name in [
            "a\u{200c}b",
            "a\u{200d}b",
            "علی\u{200c}",
            "\u{200c}علی",
            "ا\u{200c}ب",
            "علی\u{200c}\u{200c}رضا",
            "علی\u{200d}رضا",
            "කර\u{200d}",
            "bob\u{200d}",
            "a\u{94d}\u{200d}b",
            "Иван\u{200c}",
        ] {
            assert!(matches!(check(name), Err(NameError::Forbidden { .. })), "{name:?}");
        }
    }

    #[test]
    fn a_selector_stands_only_behind_an_emoji() {
        for name in ["❤\u{fe0f}", "❤\u{fe0e}x", "☃\u{fe0f}", "1\u{fe0f}\u{20e3}", "👍🏽", "🇩🇪", "a❤\u{fe0f}b"]
        {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        for name in
            ["a\u{fe0f}", "1\u{fe0f}", "❤\u{fe0f}\u{fe0f}", "漢\u{fe00}", "\u{fe0f}", "❤\u{fe00}", "漢\u{e0100}"]
        {
            assert!(matches!(check(name), Err(NameError::Forbidden { why: Unfit::DrawsNothing, .. })), "{name:?}");
        }
        for joined in ["👩\u{200d}👧", "❤\u{fe0f}\u{200d}🔥", "x👩🏽\u{200d}🔧"] {
            assert_eq!(check(joined), Err(NameError::JoinedEmoji), "{joined:?}");
        }
    }

    #[test]
    fn marks_belong_to_the_script_before_them() {
        for name in ["é", "ա\u{559}", "สวัสดี", "हिन्दी", "ကြ\u{1039}က", "ខ្មែរ", "e\u{301}\u{323}", "بَ", "ゔ"]
        {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        for name in [
            "alice\u{1039}",
            "alice\u{64b}",
            "alice\u{94d}",
            "က\u{1039}",
            "ខ\u{17d2}",
            "a\u{301}\u{301}\u{301}\u{301}",
            "\u{301}a",
        ] {
            assert!(matches!(check(name), Err(NameError::Forbidden { .. })), "{name:?}");
        }
    }
}
