//! The secret that makes a member an operator.

use alloc::boxed::Box;
use core::fmt;

use glassline_wire::operator_token::{GeneratedToken, Mistyped};
use subtle::ConstantTimeEq;

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
