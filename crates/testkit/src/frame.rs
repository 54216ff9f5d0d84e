//! Frames (T1), written from the specification: ten bytes of length, then the payload.

/// Length of a header.
pub const HEADER_BYTES: usize = 10;

/// Longest payload of a server (E1), which is longer than any of the tutorial dialect.
pub const PAYLOAD_BYTES_MAX: usize = 102_400;

/// A header that no server may write: not canonical (T2), or of too long a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the header {0:?}")]
pub struct HeaderError(String);

/// Appends a frame.
pub fn put(out: &mut Vec<u8>, payload: impl AsRef<[u8]>) {
    use std::io::Write as _;
    let payload = payload.as_ref();
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{:<HEADER_BYTES$}", payload.len());
    out.extend_from_slice(payload);
}

/// Returns a frame.
pub fn frame(payload: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, payload);
    out
}

/// Returns the payload's length that the header at the start of `bytes` states; `None` while the
/// header is incomplete.
///
/// # Errors
/// The header is not canonical.
pub fn payload_bytes(bytes: &[u8]) -> Result<Option<usize>, HeaderError> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let digits = header.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_canonical =
        digits > 0 && (digits == 1 || header[0] != b'0') && header[digits..].iter().all(|&byte| byte == b' ');
    if !is_canonical {
        return Err(HeaderError(String::from_utf8_lossy(header).into_owned()));
    }
    Ok(Some(header[..digits].iter().fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))))
}

/// Decoder of a stream: bytes in, payloads out.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    taken: usize,
}

impl Frames {
    /// Adds bytes that were read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.taken));
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the next complete payload.
    ///
    /// # Errors
    /// The next header is one that no server may write.
    pub fn next_payload(&mut self) -> Result<Option<&[u8]>, HeaderError> {
        let rest = self.rest();
        let Some(length) = payload_bytes(rest)? else { return Ok(None) };
        if length > PAYLOAD_BYTES_MAX {
            return Err(HeaderError(String::from_utf8_lossy(&rest[..HEADER_BYTES]).into_owned()));
        }
        let start = self.taken + HEADER_BYTES;
        let Some(payload) = self.bytes.get(start..start + length) else { return Ok(None) };
        self.taken = start + length;
        Ok(Some(payload))
    }

    /// Bytes that are not part of a returned payload.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }
}

/// Returns the payloads of a stream of whole frames.
pub fn payloads(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Frames::default();
    frames.push(bytes);
    let mut payloads = Vec::new();
    while let Some(payload) = frames.next_payload().expect("canonical headers") {
        payloads.push(payload.to_vec());
    }
    assert!(frames.rest().is_empty(), "the last frame is cut off");
    payloads
}

/// Returns the payloads of a stream of whole frames, as text.
pub fn texts(bytes: &[u8]) -> Vec<String> {
    payloads(bytes).into_iter().map(|payload| String::from_utf8(payload).expect("UTF-8")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_whatever_the_slicing() {
        let expected: [&[u8]; 3] = [b"hello", b"", &[b'x'; 300]];
        let stream = expected.map(frame).concat();
        assert!(stream.starts_with(b"5         hello0         300       x"));
        assert_eq!(payloads(&stream), expected);
        for slice in 1..stream.len() {
            let (mut frames, mut got) = (Frames::default(), Vec::new());
            for bytes in stream.chunks(slice) {
                frames.push(bytes);
                while let Some(payload) = frames.next_payload().expect("canonical") {
                    got.push(payload.to_vec());
                }
            }
            assert_eq!((&got[..], frames.rest()), (&expected.map(<[u8]>::to_vec)[..], &[][..]));
        }
    }

    #[test]
    fn only_canonical_headers_pass() {
        for header in ["05        ", " 5        ", "+5        ", "5 5       ", "          ", "102401    ", "five      "]
        {
            let mut frames = Frames::default();
            frames.push(header.as_bytes());
            assert!(frames.next_payload().is_err(), "{header:?}");
        }
        assert_eq!(payload_bytes(b"1234567890"), Ok(Some(1_234_567_890)));
        assert_eq!(payload_bytes(b"16384     rest"), Ok(Some(16_384)));
        assert_eq!(payload_bytes(b"5        "), Ok(None));
    }
}
