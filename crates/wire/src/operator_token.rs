//! The form of a generated operator token (O1), by which a text that holds one is recognised
//! without knowing any.
//!
//! `glop_`, then 26 digits of Crockford's base 32 for 128 random bits, then 6 for 30 bits of their
//! CRC-32.

use core::fmt;

use crate::slash::is_unseen;

/// Beginning of every generated token.
pub const PREFIX: &str = "glop_";
/// Digits in base 32, by value.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BITS_PER_DIGIT: u32 = 5;
/// Digits of the 128 random bits.
const SECRET_DIGITS: u32 = 26;
/// Digits of the checksum.
const CHECKSUM_DIGITS: u32 = 6;
const TOKEN_DIGITS: usize = (SECRET_DIGITS + CHECKSUM_DIGITS) as usize;
/// Digits in a row after the prefix from which on a text holds a token, or so much of one that it
/// must not be read by others.
const RECOGNISED_DIGITS_MIN: usize = 16;

/// A generated token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GeneratedToken(u128);

/// A text begins like a generated token and is none: mistyped, or cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it begins with `{PREFIX}` and its last digits do not fit the others; copy it again, all {TOKEN_DIGITS} digits"
)]
pub struct Mistyped;

impl GeneratedToken {
    /// Makes a token of 128 random bits.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// Returns the 128 bits, for a comparison that takes as long for every wrong token.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads a token, in any case and with `o`, `i` and `l` for the digits that they look like.
    /// Returns `None` for a text without the prefix.
    ///
    /// # Errors
    /// [`Mistyped`] if there are too few or too many digits, or the checksum does not fit.
    pub fn parse(text: &str) -> Result<Option<Self>, Mistyped> {
        let bytes = text.as_bytes();
        let Some((prefix, digits)) = bytes.split_at_checked(PREFIX.len()) else { return Ok(None) };
        if !prefix.eq_ignore_ascii_case(PREFIX.as_bytes()) {
            return Ok(None);
        }
        let Some((secret, checksum)) = digits.split_at_checked(SECRET_DIGITS as usize) else { return Err(Mistyped) };
        let value = |digits: &[u8]| {
            digits.iter().try_fold(0_u128, |value, &byte| {
                let digit = digit(byte).ok_or(Mistyped)?;
                value.checked_mul(1 << BITS_PER_DIGIT).map(|value| value | u128::from(digit)).ok_or(Mistyped)
            })
        };
        let token = Self(value(secret)?);
        let fits = checksum.len() == CHECKSUM_DIGITS as usize && value(checksum)? == u128::from(token.checksum());
        if fits { Ok(Some(token)) } else { Err(Mistyped) }
    }

    fn checksum(self) -> u32 {
        crc32fast::hash(&self.to_bytes()) & ((1 << (BITS_PER_DIGIT * CHECKSUM_DIGITS)) - 1)
    }
}

impl fmt::Display for GeneratedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        let mut write = |value: u128, digits: u32| {
            (0..digits).rev().try_for_each(|at| {
                let digit = (value >> (BITS_PER_DIGIT * at)) as usize % DIGITS.len();
                write!(f, "{}", char::from(DIGITS[digit]))
            })
        };
        write(self.0, SECRET_DIGITS)?;
        write(u128::from(self.checksum()), CHECKSUM_DIGITS)
    }
}

impl fmt::Debug for GeneratedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedToken(secret)")
    }
}

/// Returns whether a text holds something of the form of a generated token: right or wrong, whole
/// or cut, in any case.
pub fn is_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (last, first) = (PREFIX.len() - 1, &PREFIX.as_bytes()[..PREFIX.len() - 1]);
    text.match_indices('_').any(|(at, _)| {
        let begins = at.checked_sub(last).is_some_and(|start| bytes[start..at].eq_ignore_ascii_case(first));
        begins && digits_at(&text[at + 1..]).take(RECOGNISED_DIGITS_MIN).count() == RECOGNISED_DIGITS_MIN
    })
}

/// Digits at the start of a text, also after invisible characters. A token that was broken where
/// a screen ends is still one, and the next row may begin with an indent.
fn digits_at(text: &str) -> impl Iterator<Item = u8> {
    let mut is_indent = false;
    let seen = text.chars().filter(move |&c| {
        is_indent = matches!(c, '\r' | '\n') || is_indent && matches!(c, ' ' | '\t');
        !is_indent && !is_unseen(c)
    });
    seen.map_while(|c| u8::try_from(c).ok().and_then(digit))
}

fn digit(byte: u8) -> Option<u8> {
    let byte = match byte.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        byte => byte,
    };
    DIGITS.iter().position(|&digit| digit == byte).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn a_token_has_one_written_form() {
        let token = GeneratedToken::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let written = token.to_string();
        assert_eq!(written, "glop_014d2pf2dbsqqg28t5cy4tqkffkygsh8");
        assert_eq!(format!("{token:?}"), "GeneratedToken(secret)");
        for read in [written.to_uppercase(), written.replace('0', "o"), written.replace('1', "L")] {
            assert_eq!(GeneratedToken::parse(&read), Ok(Some(token)), "{read}");
        }
        for other in ["", "glop", "glop-", "correct horse battery", &format!(" {written}")] {
            assert_eq!(GeneratedToken::parse(other), Ok(None), "{other}");
        }
        for wrong in [
            "glop_",
            &written[..written.len() - 1],
            &format!("{written}0"),
            &written.replace("dbsq", "dbqs"),
            &written.replace("glop_0", "glop_z"),
            &written.replace('t', "u"),
        ] {
            assert_eq!(GeneratedToken::parse(wrong), Err(Mistyped), "{wrong}");
        }
    }

    #[test]
    fn a_text_holds_a_token_in_any_surroundings() {
        let written = GeneratedToken::from_bits(u128::MAX / 3).to_string();
        let (first, second) = written.split_at(12);
        for text in [
            written.clone(),
            format!("op {written} "),
            format!("／op \u{feff}{written}."),
            format!("it is:{},", written.to_uppercase()),
            format!("{first}\r\n{second}"),
            format!("{first}\n      {second}"),
            format!("{first}\u{200b}{second}"),
            format!("{first}\u{ad}{second}"),
            written[..written.len() - 8].to_string(),
            format!("{written}x"),
            written.replacen('a', "b", 1),
            format!("glop_ glop_x {written}"),
        ] {
            assert!(is_in(&text), "{text:?}");
        }
        for text in [
            "",
            "_",
            "glop_",
            "glop",
            "a token begins with glop_ and has 32 digits",
            "glop_short",
            "glop_\n1234567890\n\n is no token",
            "glop_0123456789 0123456789",
            "snake_case_0123456789abcdef",
        ] {
            assert!(!is_in(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_recognised(bits: u128, before in ".*", after in ".*") {
            let token = GeneratedToken::from_bits(bits);
            prop_assert_eq!(GeneratedToken::parse(&token.to_string()), Ok(Some(token)));
            let text = format!("{before}{token}{after}");
            prop_assert!(is_in(&text));
        }

        #[test]
        fn one_wrong_digit_is_noticed_and_still_recognised(bits: u128, at in 0..TOKEN_DIGITS, by in 1_usize..32) {
            let mut wrong = GeneratedToken::from_bits(bits).to_string().into_bytes();
            let place = &mut wrong[PREFIX.len() + at];
            *place = DIGITS[(usize::from(digit(*place).expect("a digit")) + by) % DIGITS.len()];
            let wrong = std::string::String::from_utf8(wrong).expect("ASCII");
            prop_assert_eq!(GeneratedToken::parse(&wrong), Err(Mistyped));
            prop_assert!(is_in(&wrong));
        }
    }
}
