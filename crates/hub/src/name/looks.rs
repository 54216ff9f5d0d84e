//! Likeness of names: what one reader may take for another name (UTS #39).

use alloc::{boxed::Box, string::String};

use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

/// Everything by which a name is compared with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looks {
    /// The name in a form in which case, joiners and selectors do not count.
    folded: Box<str>,
    /// Skeletons as written, in lower case and in upper case. Equal ones in the same place look
    /// alike.
    skeletons: [Box<str>; 3],
    /// The look of the name in a form in which case does not count: letters that look alike in one
    /// case only may come from several scripts.
    any_case: Box<str>,
    /// Scripts in which the whole name can be written; none for one that mixes scripts.
    scripts: AugmentedScriptSet,
    /// Capitals in unusual positions, as in `MaIlory`.
    is_mixed_case: bool,
}

impl Looks {
    pub(crate) fn of(name: &str) -> Self {
        let skeleton_of = |name: &str| skeleton(name).collect::<String>().into_boxed_str();
        let drawn = as_capitals(name);
        let (written, lower) = (skeleton_of(&drawn), drawn.to_lowercase());
        let in_lower = if lower == drawn { written.clone() } else { skeleton_of(&lower) };
        Self {
            folded: fold(name).into_boxed_str(),
            any_case: any_case_of(&written).into_boxed_str(),
            skeletons: [written, in_lower, skeleton_of(&drawn.to_uppercase())],
            scripts: AugmentedScriptSet::for_str(name),
            is_mixed_case: is_mixed_case(name),
        }
    }

    pub(crate) fn folded(&self) -> &str {
        &self.folded
    }

    /// Texts by which names are compared, each with its like: the folded form, the skeletons as
    /// written, in lower case and in upper case, and the look in any case.
    pub(crate) fn texts(&self) -> [&str; 5] {
        let [written, lower, upper] = &self.skeletons;
        [&self.folded, written, lower, upper, &self.any_case]
    }

    pub(crate) fn scripts(&self) -> AugmentedScriptSet {
        self.scripts
    }

    pub(crate) fn is_mixed_case(&self) -> bool {
        self.is_mixed_case
    }

    /// Returns whether both names are of one script, so that their likeness may be an accident.
    pub(crate) fn is_of_one_script_with(&self, other: AugmentedScriptSet) -> bool {
        let mut shared = self.scripts;
        shared.intersect_with(other);
        !shared.is_empty()
    }

    /// Returns whether the two are confusable.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.folded == other.folded
            || self.skeletons.iter().zip(&other.skeletons).any(|(one, other)| one == other)
            || (self.any_case == other.any_case
                && (self.is_mixed_case || other.is_mixed_case || !self.is_of_one_script_with(other.scripts)))
    }
}

/// Small capitals, which are letters of their own without an upper case, and letters on a coloured
/// ground, which are emoji: neither UTS #39 nor NFKC brings them to the letters that they show.
const DRAWN_AS_CAPITALS: &str = "\u{262}\u{26a}\u{274}\u{280}\u{28f}\u{299}\u{29c}\u{29f}\u{1d00}\u{1d04}\u{1d05}\u{1d07}\
    \u{1d0a}\u{1d0b}\u{1d0d}\u{1d0f}\u{1d18}\u{1d1b}\u{1d1c}\u{1d20}\u{1d21}\u{1d22}\u{a730}\
    \u{a731}\u{a7af}\u{1f170}\u{1f171}\u{1f17e}\u{1f17f}";
/// The capitals that those show, in the same order.
const CAPITALS: &str = "GINRYBHLACDEJKMOPTUVWZFSQABOP";

/// Each regional indicator, of which two make a flag or stand as letters.
const INDICATORS: core::ops::RangeInclusive<char> = '\u{1f1e6}'..='\u{1f1ff}';

/// The name with the capital in place of its lookalikes.
fn as_capitals(name: &str) -> String {
    let capital = |c: char| match DRAWN_AS_CAPITALS.chars().position(|drawn| drawn == c) {
        Some(index) => CAPITALS.chars().nth(index).unwrap_or(c),
        None if INDICATORS.contains(&c) => {
            char::from_u32(u32::from(c) - u32::from(*INDICATORS.start()) + u32::from('A')).unwrap_or(c)
        }
        None => c,
    };
    name.chars().map(capital).collect()
}

/// A name in the form in which case does not count, nor joiners and selectors, which not every
/// keyboard has; by way of upper case, so that `ß` meets `ss` and each sigma the other.
pub(crate) fn fold(name: &str) -> String {
    let written: String =
        name.chars().filter(|c| !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')).collect();
    written.to_uppercase().to_lowercase()
}

/// The look of a name, in any case. `I` and `l` have one skeleton, so `i` and `l` have one here.
pub(super) fn any_case(name: &str) -> String {
    any_case_of(&skeleton(&as_capitals(name)).collect::<String>())
}

fn any_case_of(skeleton_as_written: &str) -> String {
    skeleton(&fold(skeleton_as_written)).map(|c| if c == 'i' { 'l' } else { c }).collect()
}

/// Returns whether a name is neither all in capitals nor without any after its first character.
fn is_mixed_case(name: &str) -> bool {
    name.chars().skip(1).any(char::is_uppercase) && name.chars().any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_alike(one: &str, other: &str) -> bool {
        let (one, other) = (Looks::of(one), Looks::of(other));
        assert_eq!(one.is_like(&other), other.is_like(&one));
        one.is_like(&other)
    }

    #[test]
    fn names_look_alike_in_any_case_and_script() {
        for (one, other) in [
            ("admin", "аdmin"),
            ("admin", "АDМІN"),
            ("admin", "ADМIN"),
            ("admin", "аԁМІN"),
            ("Admin", "aDМIN"),
            ("bob", "ВОВ"),
            ("bob", "Воb"),
            ("tom", "ТОМ"),
            ("dom", "ԁoМ"),
            ("alice", "ALICΕ"),
            ("alice", "аlісе"),
            ("ADMIN", "аdmin"),
            ("lan", "Ian"),
            ("mallory", "MaIlory"),
            ("admin", "ADMlN"),
            ("Bill", "BiIl"),
            ("Ivan", "lVAN"),
            ("1van", "iVAN"),
            ("Erna", "Ema"),
            ("Bern", "Bem"),
            ("ERNA", "EMA"),
            ("đan", "ðan"),
            ("straße", "STRASSE"),
            ("ΟΔΟΣ", "οδοσ"),
            ("❤", "❤\u{fe0f}"),
            ("علی\u{200c}رضا", "علیرضا"),
            ("ශ\u{dca}\u{200d}රී", "ශ\u{dca}රී"),
            ("carol", "ᴄᴀʀᴏʟ"),
            ("Carol", "ᴄaroʟ"),
            ("bob", "Bᴏʙ"),
            ("ВОВ", "ʙᴏʙ"),
            ("bob", "🅱🅾🅱"),
            ("Bob", "b🅾b"),
            ("carol", "🇨🇦🇷🇴🇱"),
        ] {
            assert!(are_alike(one, other), "{one} {other}");
        }
        for (one, other) in
            [("alice", "bob"), ("Ian", "Lan"), ("bob", "rob"), ("Анна", "Anna2"), ("Erna", "Emma"), ("李", "季")]
        {
            assert!(!are_alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn every_small_capital_is_known() {
        assert!(DRAWN_AS_CAPITALS.chars().is_sorted());
        assert_eq!(DRAWN_AS_CAPITALS.chars().count(), CAPITALS.len());
        for c in '\u{80}'..='\u{1ffff}' {
            let name =
                unicode_names2::name(c).map(|name| alloc::string::ToString::to_string(&name)).unwrap_or_default();
            let Some(letter) = name.strip_prefix("LATIN LETTER SMALL CAPITAL ") else { continue };
            if letter.len() == 1 {
                assert_eq!(as_capitals(c.encode_utf8(&mut [0; 4])), letter, "{c} {name}");
            }
        }
    }

    #[test]
    fn a_likeness_is_within_one_script_or_across_them() {
        let within = |one: &str, other: &str| Looks::of(one).is_of_one_script_with(Looks::of(other).scripts());
        assert!(
            within("Erna", "Ema") && within("l00", "100") && within("❤", "❤\u{fe0f}") && within("東京カナ", "東京")
        );
        assert!(!within("admin", "аdmin") && !within("АВС", "ABC") && !within("аdmin", "аdmin"));
    }
}
