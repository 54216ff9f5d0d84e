//! Hops over the records of a byte stream, for any cuts between reads, and counts deliveries.

use anyhow::{Result, ensure};

use super::Peer;

/// No system sends a head (what tells a record's length) longer than this; past it the stream is misread.
const LONGEST_HEAD_BYTES: usize = 16 * 1024;
/// Bytes of the next read that are appended to a cut head at a time.
const HEAD_STEP_BYTES: usize = 128;

pub enum Step {
    /// The record's length is not known yet.
    More,
    Record {
        bytes: usize,
        delivery: bool,
    },
}

/// State of one connection between two reads.
#[derive(Default)]
pub struct Partial {
    skip_bytes: usize,
    skipping_delivery: bool,
    head: Vec<u8>,
    delivery_bytes: usize,
}

impl Partial {
    /// Bytes of the latest delivery; 0 before the first.
    pub fn delivery_bytes(&self) -> usize {
        self.delivery_bytes
    }

    fn note(&mut self, bytes: usize, delivery: bool) {
        if delivery {
            self.delivery_bytes = bytes;
        }
    }
}

pub fn hop(peer: &(impl Peer + ?Sized), partial: &mut Partial, mut bytes: &[u8]) -> Result<u64> {
    let mut deliveries = 0;
    loop {
        if partial.skip_bytes > 0 {
            let taken = partial.skip_bytes.min(bytes.len());
            partial.skip_bytes -= taken;
            bytes = &bytes[taken..];
            if partial.skip_bytes > 0 {
                return Ok(deliveries);
            }
            deliveries += u64::from(partial.skipping_delivery);
        }
        if bytes.is_empty() {
            return Ok(deliveries);
        }
        if !partial.head.is_empty() {
            bytes = complete_head(peer, partial, bytes)?;
            continue;
        }
        match peer.scan(bytes)? {
            Step::More => {
                ensure!(bytes.len() <= LONGEST_HEAD_BYTES, "a record without an end");
                partial.head.extend_from_slice(bytes);
                return Ok(deliveries);
            }
            Step::Record { bytes: len, delivery } => {
                partial.note(len, delivery);
                if let Some(rest) = bytes.get(len..) {
                    deliveries += u64::from(delivery);
                    bytes = rest;
                } else {
                    partial.skip_bytes = len - bytes.len();
                    partial.skipping_delivery = delivery;
                    return Ok(deliveries);
                }
            }
        }
    }
}

/// Appends bytes to a cut head until it gives the record's length; returns the unpassed bytes.
fn complete_head<'a>(peer: &(impl Peer + ?Sized), partial: &mut Partial, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let known = partial.head.len();
    let grown = bytes.len().min(HEAD_STEP_BYTES);
    partial.head.extend_from_slice(&bytes[..grown]);
    match peer.scan(&partial.head)? {
        Step::More => {
            ensure!(partial.head.len() <= LONGEST_HEAD_BYTES, "a record without an end");
            Ok(&bytes[grown..])
        }
        Step::Record { bytes: len, delivery } => {
            ensure!(len > known, "a record that ended before it was complete");
            partial.head.clear();
            partial.note(len, delivery);
            partial.skip_bytes = len - known;
            partial.skipping_delivery = delivery;
            Ok(bytes)
        }
    }
}

/// The length of the line that starts `bytes`, its newline included.
pub fn line_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == b'\n').map(|at| at + 1)
}

/// The decimal number that starts `bytes`.
pub fn leading_number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .map_while(|byte| byte.is_ascii_digit().then(|| usize::from(byte - b'0')))
        .fold(0usize, |number, digit| number.saturating_mul(10).saturating_add(digit))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Counts `stream` cut into pieces of every size: a cut must never change the count.
    pub fn count_with_every_cut(peer: &impl Peer, stream: &[u8]) -> u64 {
        let mut uncut = Partial::default();
        let whole = peer.deliveries(&mut uncut, stream).unwrap();
        for piece in 1..=stream.len() {
            let mut partial = Partial::default();
            let cut: u64 = stream.chunks(piece).map(|bytes| peer.deliveries(&mut partial, bytes).unwrap()).sum();
            let counted = (cut, partial.delivery_bytes());
            assert_eq!(counted, (whole, uncut.delivery_bytes()), "pieces of {piece} bytes");
        }
        whole
    }

    #[test]
    fn a_line_ends_behind_its_newline() {
        assert_eq!(line_bytes(b"PING\r\nrest"), Some(6));
        assert_eq!(line_bytes(b"PING\r"), None);
        assert_eq!(leading_number(b"64\r\n"), 64);
    }
}
