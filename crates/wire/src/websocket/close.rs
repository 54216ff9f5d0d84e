//! Close frames: their code and reason (RFC 6455, 7.4).

use alloc::vec::Vec;

use super::CONTROL_BYTES_MAX;
use super::header::{Opcode, put_control};
use super::violation::Violation;

/// Content of a close frame that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseNotice<'a> {
    /// Code, where there is one.
    pub code: Option<u16>,
    /// Reason for people, from the peer: sanitise it.
    pub reason: &'a str,
}

impl<'a> CloseNotice<'a> {
    /// Reads the payload of a close frame.
    ///
    /// # Errors
    /// A code that may not be sent, half a code, or a reason that is not UTF-8.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Violation> {
        match payload {
            [] => Ok(Self { code: None, reason: "" }),
            [_] => Err(Violation::BadCloseCode),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                // The registry's, and those of libraries and applications; 1004 to 1006 and 1015 are
                // never sent.
                if !matches!(code, 1_000..=1_003 | 1_007..=1_014 | 3_000..=4_999) {
                    return Err(Violation::BadCloseCode);
                }
                let reason = core::str::from_utf8(reason).map_err(|_| Violation::CloseNotUtf8)?;
                Ok(Self { code: Some(code), reason })
            }
        }
    }
}

/// Appends the close frame of a server. A reason that does not fit is left out.
pub fn put_close(out: &mut Vec<u8>, code: u16, reason: &str) {
    let mut payload = Vec::from(code.to_be_bytes());
    if reason.len() + payload.len() <= CONTROL_BYTES_MAX {
        payload.extend_from_slice(reason.as_bytes());
    }
    put_control(out, Opcode::Close, &payload);
}

#[cfg(test)]
mod tests {
    use super::super::CloseCode;
    use super::*;

    fn parse(code: u16, reason: &[u8]) -> Result<Option<u16>, Violation> {
        let payload = [&code.to_be_bytes()[..], reason].concat();
        CloseNotice::parse(&payload).map(|notice| notice.code)
    }

    #[test]
    fn codes_of_the_registry_and_of_applications_are_taken() {
        for code in [1_000, 1_001, 1_002, 1_003, 1_007, 1_008, 1_009, 1_010, 1_011, 1_014, 3_000, 3_999, 4_000, 4_999] {
            assert_eq!(parse(code, b""), Ok(Some(code)));
        }
        for code in [0, 999, 1_004, 1_005, 1_006, 1_015, 1_016, 1_100, 2_000, 2_999, 5_000, 65_535] {
            assert_eq!(parse(code, b""), Err(Violation::BadCloseCode), "{code}");
        }
        assert_eq!(CloseNotice::parse(b""), Ok(CloseNotice { code: None, reason: "" }));
        assert_eq!(CloseNotice::parse(&[3]), Err(Violation::BadCloseCode));
    }

    #[test]
    fn a_reason_is_utf_8() {
        let payload = [&1_000_u16.to_be_bytes()[..], "bye ✓".as_bytes()].concat();
        assert_eq!(CloseNotice::parse(&payload), Ok(CloseNotice { code: Some(1_000), reason: "bye ✓" }));
        assert_eq!(parse(1_000, b"\xce\xba\xed\xa0\x80"), Err(Violation::CloseNotUtf8));
    }

    #[test]
    fn a_reason_that_does_not_fit_is_left_out() {
        let mut out = Vec::new();
        put_close(&mut out, CloseCode::TooLong as u16, "too long");
        assert_eq!(out, b"\x88\x0a\x03\xf1too long");
        out.clear();
        put_close(&mut out, CloseCode::Normal as u16, &"x".repeat(124));
        assert_eq!(out, b"\x88\x02\x03\xe8");
    }
}
