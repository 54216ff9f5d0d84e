//! Form of the field `sealed` (S3), for those who relay it and cannot read it.

use crate::limits::SEALED_BYTES_MAX;

/// Text that a server puts beside `sealed` (S7).
pub const SEALED_TEXT: &str = "[sealed message]";

/// Fault in the form of a `sealed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealedFormError {
    /// It is longer than [`SEALED_BYTES_MAX`].
    #[error("the sealed message has {0} bytes, the limit is {SEALED_BYTES_MAX}; seal a shorter text")]
    TooLong(usize),
    /// It is empty, or has other characters.
    #[error("\"sealed\" is not base64 without padding (S3)")]
    NotBase64,
}

/// Checks length and characters of a `sealed`.
///
/// # Errors
/// One of them is wrong; the sender is at fault.
pub fn check_form(sealed: &str) -> Result<(), SealedFormError> {
    if sealed.len() > SEALED_BYTES_MAX {
        return Err(SealedFormError::TooLong(sealed.len()));
    }
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if sealed.is_empty() || !sealed.bytes().all(is_base64) { Err(SealedFormError::NotBase64) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn base64_up_to_the_limit_is_accepted() {
        assert_eq!(check_form("AZaz09+/"), Ok(()));
        assert_eq!(check_form(&String::from_utf8(alloc::vec![b'A'; SEALED_BYTES_MAX]).expect("ASCII")), Ok(()));
        for other in ["", "AQ==", "A-_", "A\u{1b}", "A\n", "\u{e4}"] {
            assert_eq!(check_form(other), Err(SealedFormError::NotBase64), "{other:?}");
        }
        let long = String::from_utf8(alloc::vec![b'A'; SEALED_BYTES_MAX + 1]).expect("ASCII");
        assert_eq!(check_form(&long), Err(SealedFormError::TooLong(SEALED_BYTES_MAX + 1)));
    }
}
