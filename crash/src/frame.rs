//! Frames (T1): ten bytes of length, then the payload.

use crate::fault::Fault;

const HEADER_BYTES: usize = 10;

/// The server's longest payload (E1), which is longer than any of the tutorial dialect.
const PAYLOAD_BYTES_MAX: usize = 102_400;

/// Appends a frame.
pub(crate) fn put(out: &mut Vec<u8>, payload: &[u8]) {
    out.extend_from_slice(format!("{:<HEADER_BYTES$}", payload.len()).as_bytes());
    out.extend_from_slice(payload);
}

/// Bytes on their way to being frames: at most one unfinished frame is held when all that is whole was taken.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    taken: usize,
}

impl Frames {
    /// Adds what was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole payload.
    ///
    /// # Errors
    /// A header that no server may write, as what `by` got.
    pub(crate) fn next(&mut self, by: &str) -> Result<Option<Vec<u8>>, Fault> {
        let rest = &self.bytes[self.taken..];
        let Some((header, rest)) = rest.split_at_checked(HEADER_BYTES) else { return Ok(None) };
        let length = canonical(header).ok_or_else(|| Fault::Malformed {
            by: by.to_owned(),
            what: format!("the header {:?}", String::from_utf8_lossy(header)),
        })?;
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let payload = payload.to_vec();
        self.taken += HEADER_BYTES + length;
        Ok(Some(payload))
    }
}

fn canonical(header: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(header).ok()?;
    let length: usize = text.trim_end_matches(' ').parse().ok()?;
    (length <= PAYLOAD_BYTES_MAX && format!("{length:<HEADER_BYTES$}") == text).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_whatever_the_slicing() {
        let mut stream = Vec::new();
        let payloads: [&[u8]; 3] = [b"hello", b"", &[b'x'; 300]];
        for payload in payloads {
            put(&mut stream, payload);
        }
        assert!(stream.starts_with(b"5         hello"));
        for slice in 1..stream.len() {
            let mut frames = Frames::default();
            let mut got = Vec::new();
            for bytes in stream.chunks(slice) {
                frames.push(bytes);
                while let Some(payload) = frames.next("test").unwrap() {
                    got.push(payload);
                }
            }
            assert_eq!(got, payloads);
        }
    }

    #[test]
    fn only_canonical_headers_pass() {
        for header in ["05        ", " 5        ", "+5        ", "5 5       ", "          ", "102401    ", "five      "]
        {
            let mut frames = Frames::default();
            frames.push(header.as_bytes());
            assert!(frames.next("test").is_err(), "{header:?}");
        }
    }
}
