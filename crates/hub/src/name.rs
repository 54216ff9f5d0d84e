//! Names: what may be one (T8).

mod characters;
mod looks;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use glassline_wire::event::{ErrorCode, Rejection};
use glassline_wire::limits::{NAME_BYTES_MAX, NAME_CHARS_MAX, ROOM_CHARS_MAX};
use glassline_wire::{operator_token, spelling};
use unicode_normalization::UnicodeNormalization;

pub(crate) use characters::Unfit;
pub(crate) use looks::{Looks, fold};

/// Name of the server's own messages (T9).
pub(crate) const SERVER_NAME: &str = "*";

/// Name after the arrow of a direct message to a tutorial member, and for the user
/// itself in clients.
const YOU: &str = "you";

/// Why bytes are no name. The client is at fault, and can try another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("this name is not UTF-8; send it in UTF-8")]
    NotUtf8,
    #[error("a name may not be empty; send 1 to {NAME_CHARS_MAX} characters")]
    Empty,
    /// Above the limit in characters or bytes (T7).
    #[error("this name has {chars} characters and {bytes} bytes; the limit is {NAME_CHARS_MAX} and {NAME_BYTES_MAX}")]
    TooLong { chars: usize, bytes: usize },
    /// A character, as `U+202E`, that is not allowed in a name, or not in this position.
    #[error("names may not hold the character {character}, {}; leave it out", why.explained())]
    Forbidden { character: String, why: Unfit },
    #[error("names may not hold emoji that are joined into one, which many screens show apart; choose a single one")]
    JoinedEmoji,
    /// The server's name, a lookalike of it, or a command.
    #[error(
        "names may not hold \"*\" or what looks like it, the server's own name, or start with \"/\"; choose another"
    )]
    Reserved,
    /// `you`, or something that a reader may take for the mark of a direct message.
    #[error(
        "names may not be \"you\", look like it, or end with a sign and \"you\", as direct messages do; choose another"
    )]
    You,
    #[error("this has the form of an operator token, which is nobody's name; choose another")]
    Token,
}

impl NameError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotUtf8 => ErrorCode::NotUtf8,
            Self::TooLong { .. } => ErrorCode::TooLong,
            Self::Empty | Self::Forbidden { .. } | Self::JoinedEmoji | Self::Reserved | Self::You | Self::Token => {
                ErrorCode::BadName
            }
        }
    }
}

impl From<NameError> for Rejection {
    fn from(error: NameError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// A valid name, as displayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Holds bytes from a peer to the rules; inner spaces become `_`, compatible forms become one.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NameError> {
        let wished = core::str::from_utf8(bytes).map_err(|_| NameError::NotUtf8)?;
        // Before anything is mapped: no input longer than the limit is worth the work.
        check_length(wished.trim_matches(' '), NAME_CHARS_MAX)?;
        characters::check_controls(wished)?;
        let name = spelling::nickname(wished);
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        check_length(&name, NAME_CHARS_MAX)?;
        characters::check(&name).map_err(|error| as_wished(error, wished))?;
        if operator_token::is_in(&name) {
            return Err(NameError::Token);
        }
        if name.starts_with('/') {
            return Err(NameError::Reserved);
        }
        if is_marked_as_direct(&name) {
            return Err(NameError::You);
        }
        Ok(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_boxed(self) -> Box<str> {
        self.0.into_boxed_str()
    }

    pub(crate) fn looks(&self) -> Looks {
        Looks::of(&self.0)
    }

    /// This name with `-number` appended, shortened to keep the length limit.
    pub(crate) fn with_suffix(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let mut base = self.0.clone();
        let is_too_long = |base: &str| {
            base.len() + suffix.len() > NAME_BYTES_MAX || base.chars().count() + suffix.len() > NAME_CHARS_MAX
        };
        // A joiner is dropped with the second of its letters.
        while is_too_long(&base) || characters::check(&base).is_err() {
            base.pop();
        }
        Self(base + &suffix)
    }
}

/// `you`, or a name that ends with it after anything that might be drawn as an arrow: direct
/// messages to tutorial members come from `alice→you`.
fn is_marked_as_direct(name: &str) -> bool {
    let core = name.trim_matches(|c: char| !c.is_alphanumeric());
    if looks::any_case(core) == YOU {
        return true;
    }
    let Some((tail_at, _)) = core.char_indices().rev().nth(YOU.len() - 1) else { return false };
    let (before, tail) = core.split_at(tail_at);
    let joint = before.trim_end_matches(|c| !characters::is_latin_or_digit(c)).len();
    looks::any_case(tail) == YOU && !before[joint..].chars().all(|c| "_-.'".contains(c))
}

fn check_length(name: &str, chars_max: usize) -> Result<(), NameError> {
    let (chars, bytes) = (name.chars().count(), name.len());
    if chars > chars_max || bytes > NAME_BYTES_MAX {
        return Err(NameError::TooLong { chars, bytes });
    }
    Ok(())
}

/// Names the character that its owner wrote, where a compatible form of it was refused.
fn as_wished(error: NameError, wished: &str) -> NameError {
    let NameError::Forbidden { character, why } = error else { return error };
    let is_refused = |c| notation(c) == character;
    let written = wished.chars().find(|&c| is_refused(c)).or_else(|| wished.chars().find(|c| c.nfkc().any(is_refused)));
    NameError::Forbidden { character: written.map_or(character, notation), why }
}

/// A character as Unicode writes its number.
fn notation(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// A room's name as it is compared and shown: a name in lower case.
///
/// # Errors
/// [`Rejection`] with `bad_room` or `too_long`.
pub fn room_name(wished: &str) -> Result<String, Rejection> {
    let wished = wished.strip_prefix('#').unwrap_or(wished);
    let folded = Name::parse(wished.as_bytes()).map(|name| name.as_str().to_lowercase());
    match folded.and_then(|folded| check_length(&folded, ROOM_CHARS_MAX).map(|()| folded)) {
        Ok(folded) => Ok(folded),
        Err(NameError::TooLong { .. }) => {
            let text = format!("a room's name has at most {ROOM_CHARS_MAX} characters and {NAME_BYTES_MAX} bytes");
            Err(Rejection::new(ErrorCode::TooLong, text))
        }
        Err(error) => Err(Rejection::new(ErrorCode::BadRoom, format!("this is no room name: {error}"))),
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
        for (hostile, written) in [("ada\u{3164}", "U+3164"), ("bob＞", "U+FF1E"), ("bob>", "U+003E")] {
            let text = refused(hostile.as_bytes()).to_string();
            assert!(text.contains(written), "the character that was written: {text}");
        }
        for server_like in ["*", "＊", "∗", "✱", "⁕ server", "🞱", "/help", "**"] {
            assert_eq!(refused(server_like.as_bytes()), NameError::Reserved, "{server_like:?}");
        }
    }

    #[test]
    fn names_of_living_scripts_and_emoji_pass() {
        for name in [
            "علی\u{200c}رضا",
            "ශ\u{dca}\u{200d}රී",
            "നന\u{d4d}\u{200d}",
            "❤\u{fe0f}",
            "👍🏽",
            "🇩🇪",
            "ကျော်မင်းထွန်း",
            "សុខា",
            "สมชาย",
            "हिन्दी",
            "שרה",
            "김철수",
            "さくら",
            "Nguyễn",
            "ᐅᑭᐅᖅ",
            "ߒߞߏ",
            "c++",
            "O'Brien",
            "Jean-Luc",
            "x_X",
            "a|b",
            "R2-D2",
            "$cash",
            "youth",
            "thank_you",
            "bayou",
            "Tom&Jerry",
        ] {
            assert_eq!(Name::parse(name.as_bytes()).as_ref().map(Name::as_str), Ok(name), "{name:?}");
        }
    }

    #[test]
    fn whatever_could_pass_for_a_direct_message_is_refused() {
        for name in [
            "alice→you",
            "alice⟶you",
            "alice➜you",
            "alice⇒you",
            "alice🠖you",
            "alice￫you",
            "alice➡\u{fe0f}you",
            "alice👉you",
            "alice->you",
            "alice=>you",
            "alice>you",
            "alice›you",
            "alice -> you",
            "bob > hi",
            "<bob>",
            "alice▶you",
            "alice⃗you",
        ] {
            assert!(matches!(Name::parse(name.as_bytes()), Err(NameError::Forbidden { .. })), "{name:?}");
        }
        for name in [
            "you",
            "YOU",
            "You",
            "уоu",
            "yоu",
            "ｙｏｕ",
            "𝐲𝐨𝐮",
            "_you_",
            "(you)",
            "you.",
            "aliceᐅyou",
            "aliceᐳyou",
            "ʏᴏᴜ",
            "alice—you",
            "alice~you",
            "alice|YOU",
            "bob_:_you",
            "alice❤you",
        ] {
            assert_eq!(Name::parse(name.as_bytes()), Err(NameError::You), "{name:?}");
        }
        for name in ["alice»you", "alice⟩уоu", "bob〉hi", "bob❯hi", "bob‣hi", "«bob»"] {
            assert!(matches!(Name::parse(name.as_bytes()), Err(NameError::Forbidden { .. })), "{name:?}");
        }
    }

    #[test]
    fn whatever_could_pass_for_the_server_is_refused() {
        for name in
            ["*", "**", "a*b", "-*-", "⚹", "bob✱", "❄", "✳\u{fe0f}", "*\u{fe0f}\u{20e3}", "٭", "⁂", "※", "𐌟", "꙳x", "⋆"]
        {
            assert_eq!(Name::parse(name.as_bytes()), Err(NameError::Reserved), "{name:?}");
        }
        for name in ["★", "⊛x", "◯", "☆", "⛤"] {
            assert!(Name::parse(name.as_bytes()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn characters_that_draw_nothing_are_refused() {
        for blank in [
            '\u{16fe4}',
            '\u{2d7f}',
            '\u{1107f}',
            '\u{1d159}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{115f}',
            '\u{1160}',
            '\u{2800}',
            '\u{ad}',
            '\u{34f}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{1bc9d}',
            '\u{13441}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{fe0f}',
            '\u{2064}',
            '\u{1d173}',
            '\u{605}',
            '\u{70f}',
            '\u{890}',
            '\u{fff0}',
            '\u{2065}',
            '\u{e0fff}',
            '\u{13430}',
            '\u{1bca0}',
            '\u{1039}',
            '\u{17d2}',
            '\u{10a3f}',
            '\u{1a60}',
            '\u{fffc}',
            '\u{200c}',
            '\u{feff}',
        ] {
            for name in [format!("alice{blank}"), format!("{blank}alice"), format!("{blank}"), format!("al{blank}ice")]
            {
                assert!(Name::parse(name.as_bytes()).is_err(), "{name:?}");
            }
        }
    }

    #[test]
    fn a_number_stands_behind_a_whole_letter() {
        let name = Name::parse("ශ\u{dca}\u{200d}රී".repeat(3).as_bytes()).expect("a name");
        for number in [2, 10, 100, 1_000, 10_000, 1_000_000_000] {
            let numbered = name.with_suffix(number);
            assert_eq!(Name::parse(numbered.as_str().as_bytes()).as_ref(), Ok(&numbered), "{numbered:?}");
        }
    }

    #[test]
    fn a_suffix_keeps_to_the_length() {
        let long = Name::parse("x".repeat(32).as_bytes()).expect("a name");
        assert_eq!(long.with_suffix(12).as_str().chars().count(), 32);
        assert!(long.with_suffix(12).as_str().ends_with("-12"));
    }
}
