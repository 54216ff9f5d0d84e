//! Frames: a 10-byte decimal header and a payload (T1, T2), and the goodbye that has no header (T6).

use alloc::{string::String, vec::Vec};
use core::fmt::Write as _;

use crate::limits::HEADER_BYTES;
use crate::visible;

/// End of the name before a direct message of the tutorial dialect (T12); no name contains it.
pub const DIRECT_SUFFIX: &str = "→you";
/// The five bytes with which the tutorial's own client leaves: no header, nothing after (T6).
pub const RAW_GOODBYE: &[u8; 5] = b"/exit";
/// Largest length a 10-byte header can state.
pub const LENGTH_MAX: u64 = 9_999_999_999;

/// One thing read from the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A payload, its header taken off.
    Payload(&'a [u8]),
    /// The raw goodbye; only from a decoder made by [`Decoder::tutorial`].
    Goodbye,
}

/// Why a header was refused. The peer is at fault in each case, and the stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", prefix = "header_")]
pub enum HeaderError {
    /// A byte that is neither a digit nor padding, or padding between digits.
    #[error("the header {header:?} is not a decimal length padded with spaces: byte {at} is {byte:#04x}")]
    NotDecimal {
        /// The bytes of the header that had arrived, made printable.
        header: String,
        /// Offset of the offending byte, from 0.
        at: usize,
        /// The offending byte.
        byte: u8,
    },
    /// Ten spaces.
    #[error("the header is empty: ten spaces where a length belongs")]
    Empty,
    /// The header promises a longer payload than this end takes.
    #[error("the header promises {promised} bytes, the limit here is {max}")]
    TooLong {
        /// The length in the header, in bytes.
        promised: u64,
        /// The longest payload taken, in bytes.
        max: usize,
    },
}

/// The canonical header of a payload of `payload_bytes` (T1).
pub fn header(payload_bytes: usize) -> [u8; HEADER_BYTES] {
    let mut header = [b' '; HEADER_BYTES];
    let digits = payload_bytes.checked_ilog10().map_or(1, |log| log as usize + 1);
    debug_assert!(digits <= HEADER_BYTES, "callers hold payloads to the limits");
    let mut rest = payload_bytes;
    for digit in header[..digits].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    header
}

/// Appends one whole frame.
pub fn put_frame(out: &mut Vec<u8>, payload: &[u8]) {
    out.extend_from_slice(&header(payload.len()));
    out.extend_from_slice(payload);
}

/// Returns a frame.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + payload.len());
    put_frame(&mut out, payload);
    out
}

/// The length stated by a complete header (T2): spaces, digits, spaces.
pub fn parse_header(header: [u8; HEADER_BYTES]) -> Result<u64, HeaderError> {
    check_header_so_far(&header)?;
    let digits = header.iter().filter(|byte| byte.is_ascii_digit()).map(|digit| u64::from(digit - b'0'));
    digits.reduce(|length, digit| length * 10 + digit).ok_or(HeaderError::Empty)
}

/// Returns whether these bytes can begin a header (T2), or are one of ten spaces.
pub fn is_start_of_header(bytes: &[u8]) -> bool {
    invalid_byte(bytes).is_none()
}

/// Refuses a header as soon as the bytes that have arrived can no longer become a good one.
fn check_header_so_far(header: &[u8]) -> Result<(), HeaderError> {
    invalid_byte(header)
        .map_or(Ok(()), |at| Err(HeaderError::NotDecimal { header: printable(header), at, byte: header[at] }))
}

/// Returns the place of the first byte that no header has there.
fn invalid_byte(header: &[u8]) -> Option<usize> {
    let leading = header.iter().take_while(|&&byte| byte == b' ').count();
    let digits = header[leading..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let padding_from = leading + digits;
    header[padding_from..].iter().position(|&byte| byte != b' ').map(|offset| padding_from + offset)
}

fn printable(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(&visible::one_line(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "<{byte:02x}>");
        }
    }
    out
}

/// Reads frames from a byte stream, however it is sliced.
///
/// Memory follows what has arrived, never what a header promises, and is given back as soon as the frame is taken.
#[derive(Debug)]
pub struct Decoder {
    header: [u8; HEADER_BYTES],
    header_bytes: usize,
    /// Payload length of the frame being collected, once its header is whole.
    awaited: Option<usize>,
    payload: Vec<u8>,
    payload_bytes_max: usize,
    raw_goodbye: bool,
}

impl Decoder {
    /// A decoder for the tutorial dialect, which also knows the raw goodbye. Payloads above `payload_bytes_max` are refused.
    pub fn tutorial(payload_bytes_max: usize) -> Self {
        Self { raw_goodbye: true, ..Self::event(payload_bytes_max) }
    }

    /// A decoder for the event dialect: frames only.
    pub fn event(payload_bytes_max: usize) -> Self {
        Self {
            header: [0; HEADER_BYTES],
            header_bytes: 0,
            awaited: None,
            payload: Vec::new(),
            payload_bytes_max,
            raw_goodbye: false,
        }
    }

    /// Changes the longest payload taken, for headers not yet read.
    pub fn set_payload_bytes_max(&mut self, payload_bytes_max: usize) {
        self.payload_bytes_max = payload_bytes_max;
    }

    /// Returns whether the stream is between two frames: an end here cuts nothing off.
    pub fn is_at_boundary(&self) -> bool {
        self.header_bytes == 0 && self.awaited.is_none()
    }

    /// Bytes held for a frame that is not whole yet.
    pub fn held_bytes(&self) -> usize {
        self.header_bytes + self.payload.len()
    }

    /// Takes the next frame from `input`, which is moved past what was read; `None` when the input is used up.
    ///
    /// Call until it answers `None`: that call also frees the buffer of the last frame.
    ///
    /// # Errors
    /// After a [`HeaderError`] the stream has no further frames and the decoder is not reusable.
    pub fn next<'frame, 'input: 'frame>(
        &'frame mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<Frame<'frame>>, HeaderError> {
        if self.awaited.is_none() {
            self.payload = Vec::new();
            if self.raw_goodbye && self.take_goodbye(input) {
                return Ok(Some(Frame::Goodbye));
            }
            if !self.take_header(input)? {
                return Ok(None);
            }
        }
        let Some(awaited) = self.awaited else { return Ok(None) };
        if self.payload.is_empty() && input.len() >= awaited {
            let (payload, rest) = input.split_at(awaited);
            *input = rest;
            self.awaited = None;
            return Ok(Some(Frame::Payload(payload)));
        }
        let (part, rest) = input.split_at(input.len().min(awaited - self.payload.len()));
        self.payload.extend_from_slice(part);
        *input = rest;
        if self.payload.len() < awaited {
            return Ok(None);
        }
        self.awaited = None;
        Ok(Some(Frame::Payload(&self.payload)))
    }

    /// Collects bytes that may be the raw goodbye; true once all five are there. Other bytes are left to the header.
    fn take_goodbye(&mut self, input: &mut &[u8]) -> bool {
        while self.header_bytes < RAW_GOODBYE.len()
            && self.header[..self.header_bytes] == RAW_GOODBYE[..self.header_bytes]
            && input.first() == Some(&RAW_GOODBYE[self.header_bytes])
        {
            self.header[self.header_bytes] = input[0];
            self.header_bytes += 1;
            *input = &input[1..];
        }
        let whole = self.header[..self.header_bytes] == RAW_GOODBYE[..];
        if whole {
            self.header_bytes = 0;
        }
        whole
    }

    /// Collects a header; true once it is whole and good.
    fn take_header(&mut self, input: &mut &[u8]) -> Result<bool, HeaderError> {
        let wanted = HEADER_BYTES - self.header_bytes;
        let (part, rest) = input.split_at(input.len().min(wanted));
        self.header[self.header_bytes..self.header_bytes + part.len()].copy_from_slice(part);
        self.header_bytes += part.len();
        *input = rest;
        if self.header_bytes < HEADER_BYTES {
            let so_far = &self.header[..self.header_bytes];
            if !(self.raw_goodbye && RAW_GOODBYE.starts_with(so_far)) {
                check_header_so_far(so_far)?;
            }
            return Ok(false);
        }
        let promised = parse_header(self.header)?;
        let awaited = usize::try_from(promised)
            .ok()
            .filter(|&bytes| bytes <= self.payload_bytes_max)
            .ok_or(HeaderError::TooLong { promised, max: self.payload_bytes_max })?;
        self.header_bytes = 0;
        self.awaited = Some(awaited);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec;

    fn parsed(text: &str) -> Result<u64, HeaderError> {
        parse_header(text.as_bytes().try_into().expect("ten bytes"))
    }

    fn frames(decoder: &mut Decoder, mut input: &[u8]) -> Result<Vec<Option<Vec<u8>>>, HeaderError> {
        let mut seen = Vec::new();
        while let Some(frame) = decoder.next(&mut input)? {
            seen.push(match frame {
                Frame::Payload(payload) => Some(payload.to_vec()),
                Frame::Goodbye => None,
            });
        }
        Ok(seen)
    }

    #[test]
    fn written_headers_are_canonical() {
        let mut out = Vec::new();
        put_frame(&mut out, b"hello");
        assert_eq!(out, b"5         hello");
        out.clear();
        out.extend_from_slice(&header(0));
        assert_eq!(out, b"0         ");
        out.clear();
        out.extend_from_slice(&header(9_999_999_999));
        assert_eq!(out, b"9999999999");
    }

    #[test]
    fn padding_on_either_side_and_leading_zeros_are_read() {
        for text in ["5         ", "         5", " 5        ", "0000000005", "  05      "] {
            assert_eq!(parsed(text), Ok(5), "{text:?}");
        }
        assert_eq!(parsed("9999999999"), Ok(LENGTH_MAX));
    }

    #[test]
    fn nothing_else_is_read() {
        assert_eq!(parsed("          "), Err(HeaderError::Empty));
        for (text, at) in [
            ("-5        ", 0),
            ("+5        ", 0),
            ("1_0       ", 1),
            ("5\t        ", 1),
            ("5 5       ", 2),
            ("0x10      ", 1),
            ("\0\0\0\0\0\0\0\0\0\0", 0),
            ("\u{665}        ", 0),
            ("5.0       ", 1),
            ("5         ".replace(' ', "\n").as_str(), 1),
        ] {
            match parsed(text) {
                Err(HeaderError::NotDecimal { at: found, .. }) => assert_eq!(found, at, "{text:?}"),
                other => panic!("{text:?} gave {other:?}"),
            }
        }
    }

    #[test]
    fn a_hopeless_header_is_refused_before_it_is_whole() {
        let mut decoder = Decoder::tutorial(100);
        assert!(matches!(frames(&mut decoder, b"5 x"), Err(HeaderError::NotDecimal { at: 2, byte: b'x', .. })));
    }

    #[test]
    fn a_refused_header_is_shown_printably() {
        let mut decoder = Decoder::tutorial(100);
        let error = frames(&mut decoder, b"5\x1b]\xff").expect_err("refused");
        let shown = error.to_string();
        assert!(!shown.contains('\u{1b}') && shown.contains("<ff>"), "{shown}");
    }

    #[test]
    fn too_long_is_refused_without_memory() {
        let mut decoder = Decoder::tutorial(16_384);
        assert_eq!(
            frames(&mut decoder, b"9999999999"),
            Err(HeaderError::TooLong { promised: LENGTH_MAX, max: 16_384 })
        );
        assert_eq!(decoder.payload.capacity(), 0);
        let mut decoder = Decoder::tutorial(16_384);
        assert_eq!(frames(&mut decoder, b"16384     abc"), Ok(vec![]));
        assert!(decoder.payload.capacity() < 64, "memory follows what arrived");
    }

    #[test]
    fn memory_is_given_back_after_a_frame() {
        let mut decoder = Decoder::tutorial(16_384);
        assert_eq!(frames(&mut decoder, b"3         a"), Ok(vec![]));
        assert_eq!(frames(&mut decoder, b"bc"), Ok(vec![Some(b"abc".to_vec())]));
        assert_eq!(decoder.payload.capacity(), 0);
        assert!(decoder.is_at_boundary());
    }

    #[test]
    fn the_raw_goodbye_is_known_in_any_slicing() {
        for split in 0..=5 {
            let mut decoder = Decoder::tutorial(100);
            let (head, tail) = RAW_GOODBYE.split_at(split);
            let mut seen = frames(&mut decoder, head).expect("head");
            seen.extend(frames(&mut decoder, tail).expect("tail"));
            assert_eq!(seen, [None], "split at {split}");
        }
        let mut decoder = Decoder::event(100);
        assert!(frames(&mut decoder, RAW_GOODBYE).is_err(), "the event dialect has no such thing");
        let mut decoder = Decoder::tutorial(100);
        assert!(frames(&mut decoder, b"/exXt").is_err());
    }

    proptest! {
        #[test]
        fn any_slicing_gives_the_same_frames(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..12),
            cuts in proptest::collection::vec(1_usize..24, 1..200),
        ) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                put_frame(&mut bytes, payload);
            }
            let mut decoder = Decoder::tutorial(64);
            let mut seen = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                seen.extend(frames(&mut decoder, now).expect("good frames"));
                rest = later;
            }
            let expected: Vec<_> = payloads.into_iter().map(Some).collect();
            prop_assert_eq!(seen, expected);
            prop_assert!(decoder.is_at_boundary());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut decoder = Decoder::tutorial(64);
            let _ = frames(&mut decoder, &bytes);
            prop_assert!(decoder.held_bytes() <= 64 + HEADER_BYTES);
        }
    }
}
