//! The secret that makes a member an operator.

use alloc::boxed::Box;
use core::fmt;

use glassline_wire::event::{ErrorCode, Rejection};
use glassline_wire::operator_token::{GeneratedToken, Mistyped, is_in};
use glassline_wire::slash::SlashLine;
use subtle::ConstantTimeEq;

use super::messages;

/// Shorter ones can be guessed.
const TOKEN_BYTES_MIN: usize = 16;
/// Longer ones cannot be typed, and each shown token is compared over this length.
const TOKEN_BYTES_MAX: usize = 256;

/// Secret of a server's operators. It is never shown: not in logs, not in acts, not in errors.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorToken(Secret);

#[derive(Clone, PartialEq, Eq)]
enum Secret {
    Generated(GeneratedToken),
    /// Text chosen by the host.
    Chosen(Box<str>),
}

/// Why a text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Only white space.
    #[error("it is empty; `glassline operator-token` prints a token for it")]
    Empty,
    /// Easily guessed.
    #[error(
        "its secret has {bytes} bytes, and at least {TOKEN_BYTES_MIN} are needed; `glassline operator-token` prints one"
    )]
    TooShort {
        /// Bytes, without white space at the ends.
        bytes: usize,
    },
    /// Above the limit.
    #[error("its secret has more than {TOKEN_BYTES_MAX} bytes; take a shorter one")]
    TooLong,
    /// Cannot be typed.
    #[error("its secret is not one line of text; write it into one line")]
    NotOneLine,
    /// It begins like a generated token.
    #[error(transparent)]
    Mistyped(#[from] Mistyped),
}

impl OperatorToken {
    /// Takes a text for a token, without white space at its ends.
    ///
    /// # Errors
    /// It is too short, too long, more than one line, or a generated token with a slip in it.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let secret = text.trim();
        if let Some(generated) = GeneratedToken::parse(secret)? {
            return Ok(Self(Secret::Generated(generated)));
        }
        match secret.len() {
            0 => Err(TokenError::Empty),
            bytes if bytes < TOKEN_BYTES_MIN => Err(TokenError::TooShort { bytes }),
            bytes if bytes > TOKEN_BYTES_MAX => Err(TokenError::TooLong),
            _ if secret.contains(char::is_control) => Err(TokenError::NotOneLine),
            _ => Ok(Self(Secret::Chosen(secret.into()))),
        }
    }

    /// Returns whether texts that hold it are recognised, so that nobody publishes it by mistake.
    pub fn is_recognised_in_text(&self) -> bool {
        matches!(self.0, Secret::Generated(_))
    }

    /// Returns whether this is what was shown; takes as long for every wrong one.
    pub(crate) fn is(&self, shown: &str) -> bool {
        match &self.0 {
            Secret::Generated(secret) => {
                // A text of another form is compared with nothing.
                let shown = GeneratedToken::parse(shown).ok().flatten();
                shown.is_some_and(|shown| secret.to_bytes().ct_eq(&shown.to_bytes()).into())
            }
            Secret::Chosen(secret) => {
                let padded = |text: &str| {
                    let mut bytes = [0; TOKEN_BYTES_MAX];
                    bytes.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
                    bytes
                };
                let is_as_long = secret.len().ct_eq(&shown.len());
                (padded(secret).ct_eq(&padded(shown)) & is_as_long).into()
            }
        }
    }
}

/// Refuses a text that others would read and that discloses an operator token, of this server or
/// another (O1): it holds something of that form, or is an `/op` whose slash something hides.
///
/// # Errors
/// It does, with a right or a wrong token: none is compared here, so nothing leaks.
pub(crate) fn check_text(text: &str) -> Result<(), Rejection> {
    let refused = |text| Err(Rejection::new(ErrorCode::BadField, text));
    let hides_op = || {
        let line = SlashLine::of(text).filter(|line| line.hidden_slash().is_some());
        line.is_some_and(|line| line.name() == "op")
    };
    if is_in(text) {
        refused(messages::GIVEN_AWAY)
    } else if hides_op() {
        refused(messages::OP_HIDDEN)
    } else {
        Ok(())
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    const SECRET: &str = "correct horse battery";

    #[test]
    fn only_the_whole_secret_is_it() {
        let token = OperatorToken::parse(&format!(" {SECRET}\r\n")).expect("a token");
        assert!(token.is(SECRET));
        for wrong in ["", "correct horse batter", "correct horse battery ", "correct horse batterz", "\0"] {
            assert!(!token.is(wrong), "{wrong:?}");
        }
        let long = "x".repeat(TOKEN_BYTES_MAX);
        let token = OperatorToken::parse(&long).expect("a token");
        assert!(token.is(&long) && !token.is(&format!("{long}x")) && !token.is(&format!("{long}{}", "\0".repeat(256))));
    }

    #[test]
    fn a_generated_token_is_known_in_any_case() {
        let written = GeneratedToken::from_bits(7 << 99).to_string();
        let token = OperatorToken::parse(&format!("{written}\n")).expect("a token");
        assert!(token.is(&written) && token.is(&written.to_uppercase()) && token.is_recognised_in_text());
        let other = GeneratedToken::from_bits(7 << 98).to_string();
        for wrong in ["", &other, &written[..written.len() - 1], &format!("{written}0"), SECRET] {
            assert!(!token.is(wrong), "{wrong:?}");
        }
        assert_eq!(OperatorToken::parse(&written.replace('_', "_0")), Err(TokenError::Mistyped(Mistyped)));
        let chosen = OperatorToken::parse(SECRET).expect("a token");
        assert!(!chosen.is_recognised_in_text() && !chosen.is(&written));
    }

    #[test]
    fn a_text_is_judged_by_its_form_alone() {
        let (right, wrong) = (GeneratedToken::from_bits(1), GeneratedToken::from_bits(2));
        for text in [format!("/op {right}"), format!("{wrong}")] {
            assert_eq!(check_text(&text).map_err(|refused| refused.code), Err(ErrorCode::BadField), "{text}");
        }
        for text in [SECRET, "glop_", "/op correct horse battery"] {
            assert_eq!(check_text(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn op_behind_what_nobody_sees_is_not_said() {
        for before in [
            " ",
            "\t",
            "\n",
            "\u{feff}",
            "\u{200b}",
            "\u{2060}",
            "\u{ad}",
            "\u{200e}",
            "\u{fe0f}",
            "\u{3164}",
            "\u{2800}",
            "\u{2d7f}",
            "\u{13441}",
            "\u{16fe4}",
            "\u{fffd}",
            "\u{308}",
            "\u{1b}[A",
            "\u{1b}OB",
            "\u{1b}[1;5D",
            "\u{9b}A",
            "\u{8}",
            " \u{a0}\u{3000}",
        ] {
            for op in ["/op", "／op", "/OP", "∕Op", "╱op", "/\u{200b}op", "／ｏｐ"] {
                assert!(check_text(&format!("{before}{op} a secret")).is_err(), "{before:?} {op:?}");
            }
        }
        assert!(check_text("／op a secret").is_err());
        for text in [
            "",
            "/",
            " /",
            "/o",
            " /operator x",
            " /option",
            "see /op",
            "type /op TOKEN",
            "op TOKEN",
            "\u{1b}",
            "\u{1b}[",
            "ö/op x",
        ] {
            assert_eq!(check_text(text), Ok(()), "{text:?}");
        }
        // What `//op` says.
        assert_eq!(check_text("/op TOKEN makes you an operator"), Ok(()));
    }

    #[test]
    fn what_can_be_guessed_or_not_be_typed_is_no_token() {
        for (text, error) in [
            (" \n", TokenError::Empty),
            ("123456789012345", TokenError::TooShort { bytes: 15 }),
            ("two\nlines of a secret", TokenError::NotOneLine),
        ] {
            assert_eq!(OperatorToken::parse(text), Err(error));
        }
        assert_eq!(OperatorToken::parse(&"x".repeat(257)), Err(TokenError::TooLong));
        assert!(OperatorToken::parse("1234567890123456").is_ok());
    }

    #[test]
    fn it_is_never_shown() {
        let token = OperatorToken::parse(SECRET).expect("a token");
        assert!(!format!("{token:?}").contains("horse"));
    }
}
