//! What may be a name (T8), and when two names are the same to a reader.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};

use glassline_wire::event::ErrorCode;
use glassline_wire::limits::{NAME_BYTES_MAX, NAME_CHARS_MAX, ROOM_CHARS_MAX};
use glassline_wire::visible::is_direction_or_break;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

use crate::refusal::Refused;

/// Combining marks in a row: what living scripts need, and no more.
const COMBINING_MARKS_MAX: usize = 3;

/// The name under which the server speaks (T9).
pub(crate) const SERVER_NAME: &str = "*";

/// Why bytes are no name. The client is at fault, and can try another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not UTF-8.
    #[error("this name is not UTF-8; send it in UTF-8")]
    NotUtf8,
    /// Nothing, or only spaces.
    #[error("a name may not be empty; send 1 to {NAME_CHARS_MAX} characters")]
    Empty,
    /// Above the limit in characters or bytes (T7).
    #[error("this name has {chars} characters and {bytes} bytes; the limit is {NAME_CHARS_MAX} and {NAME_BYTES_MAX}")]
    TooLong {
        /// Characters in the name.
        chars: usize,
        /// Bytes in the name.
        bytes: usize,
    },
    /// A control, direction-changing, zero-width or unassigned character.
    #[error("names may not hold the character {character}; leave it out")]
    Forbidden {
        /// The character, as `U+202E`.
        character: String,
    },
    /// The server's own name, or something that looks like it or like a command.
    #[error("names may not look like the server's own name \"*\" or start with \"/\"; choose another")]
    Reserved,
}

impl NameError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotUtf8 => ErrorCode::NotUtf8,
            Self::TooLong { .. } => ErrorCode::TooLong,
            Self::Empty | Self::Forbidden { .. } | Self::Reserved => ErrorCode::BadName,
        }
    }
}

impl From<NameError> for Refused {
    fn from(error: NameError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// A name that keeps the rules, as it will be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

/// What a name is compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameKeys {
    /// Equal for names that differ in case only.
    pub(crate) folded: Box<str>,
    /// Equal for names that look alike as written.
    pub(crate) skeleton: Box<str>,
    /// Equal for names that look alike in lower case.
    pub(crate) folded_skeleton: Box<str>,
}

impl NameKeys {
    /// Whether two names look alike, as written or in lower case.
    pub(crate) fn looks_like(&self, other: &Self) -> bool {
        let looks = [&self.skeleton, &self.folded_skeleton];
        looks.contains(&&other.skeleton) || looks.contains(&&other.folded_skeleton)
    }
}

impl Name {
    /// Holds bytes from a peer to the rules; inner spaces become `_`, compatible forms become one.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NameError> {
        let wished = core::str::from_utf8(bytes).map_err(|_| NameError::NotUtf8)?;
        // Before anything is mapped: no input longer than the limit is worth the work.
        hold_to_length(wished.trim_matches(' '))?;
        hold_to_characters(wished)?;
        let name = nickname(wished);
        // Compatible forms may have become what is forbidden.
        hold_to_characters(&name)?;
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        hold_to_length(&name)?;
        if name.starts_with('/') || name.starts_with(is_like_an_asterisk) {
            return Err(NameError::Reserved);
        }
        Ok(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_boxed(self) -> Box<str> {
        self.0.into_boxed_str()
    }

    pub(crate) fn keys(&self) -> NameKeys {
        keys(&self.0)
    }

    /// This name with `-number` behind it, shortened so that it keeps to the length.
    pub(crate) fn with_suffix(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let mut base = self.0.clone();
        while base.len() + suffix.len() > NAME_BYTES_MAX || base.chars().count() + suffix.len() > NAME_CHARS_MAX {
            base.pop();
        }
        Self(base + &suffix)
    }
}

/// A name in the form in which case does not count; by way of upper case, so that `ß` meets `ss` and each sigma the other.
pub(crate) fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

pub(crate) fn keys(name: &str) -> NameKeys {
    let folded = fold(name);
    NameKeys {
        skeleton: skeleton(name).collect::<String>().into_boxed_str(),
        folded_skeleton: skeleton(&folded).collect::<String>().into_boxed_str(),
        folded: folded.into_boxed_str(),
    }
}

/// The server's name in any of the forms a font may draw like it.
fn is_like_an_asterisk(c: char) -> bool {
    skeleton(c.encode_utf8(&mut [0; 4])).next() == SERVER_NAME.chars().next()
        || matches!(c, '⁎' | '⁕' | '⋆' | '٭' | '✱'..='✳' | '✻'..='✽' | '❃' | '❉'..='❋' | '꙳' | '﹡' | '\u{1f7af}'..='\u{1f7bf}')
}

fn hold_to_characters(name: &str) -> Result<(), NameError> {
    let leading_mark = name.chars().next().filter(|&c| is_combining_mark(c));
    let piled_mark = name.chars().scan(0, |run, c| {
        *run = if is_combining_mark(c) { *run + 1 } else { 0 };
        Some((*run, c))
    });
    let piled_mark = piled_mark.filter(|(run, _)| *run > COMBINING_MARKS_MAX).map(|(_, c)| c).next();
    match leading_mark.or(piled_mark).or_else(|| name.chars().find(|&c| is_forbidden(c))) {
        Some(c) => Err(NameError::Forbidden { character: format!("U+{:04X}", u32::from(c)) }),
        None => Ok(()),
    }
}

fn hold_to_length(name: &str) -> Result<(), NameError> {
    let (chars, bytes) = (name.chars().count(), name.len());
    if chars > NAME_CHARS_MAX || bytes > NAME_BYTES_MAX {
        return Err(NameError::TooLong { chars, bytes });
    }
    Ok(())
}

/// Characters that PRECIS disallows in a nickname (controls, the default-ignorable, old Hangul jamo, non-characters), those it
/// leaves to context (joiners), and private use. Unassigned ones pass: see `decisions/003-names.md`.
fn is_forbidden(c: char) -> bool {
    let private_use_or_none =
        matches!(u32::from(c), 0xe000..=0xf8ff | 0xf_0000.. | 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe;
    c.is_control()
        || is_direction_or_break(c)
        || private_use_or_none
        // Direct messages to tutorial members come from `alice→you`; nobody may be called that.
        || c == '→'
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97c}' | '\u{d7b0}'..='\u{d7fb}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{2800}' | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The mappings of the PRECIS nickname profile (RFC 8266, 2.1): any spaces become one, none at the ends, compatible forms
/// become one form. The one space that is left is written `_` (T8), so that a name is one word in every command.
fn nickname(wished: &str) -> String {
    let normal: String = wished.nfkc().collect();
    normal.split(char::is_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

/// A room's name as it is compared and shown: a name in lower case.
///
/// # Errors
/// [`Refused`] with `bad_room` or `too_long`.
pub fn room_name(wished: &str) -> Result<String, Refused> {
    let wished = wished.strip_prefix('#').unwrap_or(wished);
    let folded = Name::parse(wished.as_bytes()).map(|name| name.as_str().to_lowercase());
    match folded.and_then(|folded| hold_to_length(&folded).map(|()| folded)) {
        Ok(folded) => Ok(folded),
        Err(NameError::TooLong { .. }) => {
            Err(Refused::new(ErrorCode::TooLong, format!("a room's name has at most {ROOM_CHARS_MAX} characters")))
        }
        Err(error) => Err(Refused::new(ErrorCode::BadRoom, error.to_string().replace("name", "room name"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for (wished, shown) in [
            ("alice", "alice"),
            ("Bob Smith", "Bob_Smith"),
            ("  bob  ", "bob"),
            ("Zoë", "Zoë"),
            ("李雷", "李雷"),
            ("Мария", "Мария"),
            ("x", "x"),
            ("🦀", "🦀"),
        ] {
            assert_eq!(Name::parse(wished.as_bytes()).as_ref().map(Name::as_str), Ok(shown), "{wished}");
        }
    }

    #[test]
    fn what_t8_refuses_is_refused() {
        let refused = |bytes: &[u8]| Name::parse(bytes).expect_err("refused");
        assert_eq!(refused(b"\xff\xfe"), NameError::NotUtf8);
        assert_eq!(refused(b""), NameError::Empty);
        assert_eq!(refused(b"   "), NameError::Empty);
        assert!(matches!(refused("x".repeat(33).as_bytes()), NameError::TooLong { chars: 33, .. }));
        assert!(matches!(refused("漢".repeat(22).as_bytes()), NameError::TooLong { bytes: 66, .. }));
        for hostile in [
            "a\u{1b}[31m",
            "a\r\nb",
            "a\nb",
            "a\u{202e}b",
            "a\u{200d}b",
            "a\u{200b}",
            "\u{9b}6n",
            "a\u{2066}b",
            "a\tb",
            "a\u{feff}",
            "bob→you",
            "bob￫you",
            "\u{301}a",
            "a\u{2800}",
            "a\u{1d173}",
        ] {
            assert!(matches!(refused(hostile.as_bytes()), NameError::Forbidden { .. }), "{hostile:?}");
        }
        for server_like in ["*", "＊", "∗", "✱", "⁕ server", "🞱", "/help", "**"] {
            assert_eq!(refused(server_like.as_bytes()), NameError::Reserved, "{server_like:?}");
        }
    }

    #[test]
    fn names_that_look_alike_have_a_key_in_common() {
        let keys = |name: &str| Name::parse(name.as_bytes()).expect("a name").keys();
        assert_eq!(keys("admin").skeleton, keys("аdmin").skeleton);
        assert_eq!(keys("Admin").folded, keys("aDMIN").folded);
        assert_eq!(keys("ΟΔΟΣ").folded, keys("οδοσ").folded);
        assert_eq!(keys("STRASSE").folded, keys("straße").folded);
        assert_eq!(keys("lan").skeleton, keys("Ian").skeleton);
        assert_eq!(keys("ADMIN").folded_skeleton, keys("аdmin").folded_skeleton);
        assert_ne!(keys("alice").skeleton, keys("bob").skeleton);
    }

    #[test]
    fn a_suffix_keeps_to_the_length() {
        let long = Name::parse("x".repeat(32).as_bytes()).expect("a name");
        assert_eq!(long.with_suffix(12).as_str().chars().count(), 32);
        assert!(long.with_suffix(12).as_str().ends_with("-12"));
    }
}
