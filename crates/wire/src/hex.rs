//! Bytes as hexadecimal digits.

use alloc::string::String;
use alloc::vec::Vec;

/// Returns two digits for each byte, in lower case.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Returns the bytes of an even number of digits of either case; `None` if there is anything else.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.chars().map(digit).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_bytes() {
        assert_eq!((decode("1603fF"), encode(&[0x16, 3, 0xff])), (Some(alloc::vec![0x16, 3, 0xff]), "1603ff".into()));
        assert_eq!((decode("123"), decode("zz"), decode("+1"), decode("")), (None, None, None, Some(Vec::new())));
    }
}
