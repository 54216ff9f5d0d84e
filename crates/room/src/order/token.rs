//! The secret that makes a member an operator.

use alloc::boxed::Box;
use core::fmt;

/// Shorter ones can be guessed.
const TOKEN_BYTES_MIN: usize = 16;
/// Longer ones cannot be typed, and each shown token is compared over this length.
const TOKEN_BYTES_MAX: usize = 256;

/// What an operator has to know. It is never shown: not in logs, not in acts, not in errors.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorToken(Box<str>);

/// Why a text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing but white space.
    #[error("it is empty; put a secret of {TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX} bytes into it")]
    Empty,
    /// Easily guessed.
    #[error("its secret has {bytes} bytes; take at least {TOKEN_BYTES_MIN}, as from `openssl rand -hex 16`")]
    TooShort {
        /// Bytes, without white space at the ends.
        bytes: usize,
    },
    /// Above the limit.
    #[error("its secret has more than {TOKEN_BYTES_MAX} bytes; take a shorter one")]
    TooLong,
    /// Nobody could type it.
    #[error("its secret is not one line of text; write it into one line")]
    NotOneLine,
}

impl OperatorToken {
    /// Takes a text for a token, without white space at its ends.
    ///
    /// # Errors
    /// It is too short, too long, or more than one line.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let secret = text.trim();
        match secret.len() {
            0 => Err(TokenError::Empty),
            bytes if bytes < TOKEN_BYTES_MIN => Err(TokenError::TooShort { bytes }),
            bytes if bytes > TOKEN_BYTES_MAX => Err(TokenError::TooLong),
            _ if secret.contains(char::is_control) => Err(TokenError::NotOneLine),
            _ => Ok(Self(secret.into())),
        }
    }

    /// Whether a text that is about to be said ends with it, as when the slash of `/op` was forgotten. Whoever guesses like this says each
    /// guess aloud.
    pub(super) fn ends(&self, text: &str) -> bool {
        text.trim_end().ends_with(&*self.0)
    }

    /// Whether this is what was shown; takes as long for every wrong one.
    pub(super) fn is(&self, shown: &str) -> bool {
        let (secret, shown) = (self.0.as_bytes(), shown.as_bytes());
        let byte_at = |bytes: &[u8], at: usize| bytes.get(at).copied().unwrap_or(0);
        let differences = (0..TOKEN_BYTES_MAX).fold(u8::from(secret.len() != shown.len()), |found, at| {
            core::hint::black_box(found | (byte_at(secret, at) ^ byte_at(shown, at)))
        });
        differences == 0
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
    use std::format;

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
    fn a_text_that_ends_with_it_is_known_however_it_begins() {
        let token = OperatorToken::parse(SECRET).expect("a token");
        for text in ["op ", "", "/op ", "\u{FEFF}/op ", "\x1b[A/op ", "／op ", "/me /op ", "the secret is "] {
            assert!(token.ends(&format!("{text}{SECRET} \r\n")), "{text:?}");
        }
        for text in ["", "op correct horse batter", "correct horse battery staple"] {
            assert!(!token.ends(text), "{text:?}");
        }
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
