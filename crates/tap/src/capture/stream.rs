//! One direction of a TCP connection: segments in any order become bytes in theirs.

use std::collections::BTreeMap;

/// Most bytes that wait behind a missing one. A sender's window is smaller.
pub(super) const PENDING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Memory of a piece that waits, beside its bytes.
const PIECE_OVERHEAD_BYTES: usize = 64;

/// Bytes of one direction. Of bytes that come twice the first ones count, whatever the others are.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Sequence number of the first byte, once the SYN has been seen.
    first: Option<u32>,
    /// Bytes that were passed on.
    passed: u64,
    /// Pieces behind a gap, by their offset.
    pending: BTreeMap<u64, Vec<u8>>,
    pending_bytes: usize,
    /// Length of the whole, once the FIN has been seen.
    length: Option<u64>,
    /// Bytes that the receiver says it has.
    acknowledged: u64,
}

/// Too much waits behind a missing byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

impl Stream {
    /// Notes the SYN.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.first.get_or_insert(sequence.wrapping_add(1));
    }

    /// Returns whether a SYN with this number began the stream.
    pub(super) fn is_begun_by(&self, sequence: u32) -> bool {
        self.first == Some(sequence.wrapping_add(1))
    }

    /// Returns whether the SYN has been seen.
    pub(super) fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// Returns whether everything up to the FIN was passed on.
    pub(super) fn is_complete(&self) -> bool {
        self.length == Some(self.passed)
    }

    /// Returns the bytes that are held.
    pub(super) fn held_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Returns the offset of the first byte that must have been sent and was not seen.
    pub(super) fn gap(&self) -> Option<u64> {
        // A FIN is acknowledged as a byte is.
        let acknowledged = self.acknowledged.saturating_sub(u64::from(self.length.is_some()));
        let is_cut = self.length.is_some_and(|length| length > self.passed);
        (!self.pending.is_empty() || is_cut || acknowledged > self.passed).then_some(self.passed)
    }

    /// Notes that the receiver has everything before this number.
    pub(super) fn acknowledge(&mut self, sequence: u32) {
        if let Some(Ok(offset)) = self.offset(sequence).map(u64::try_from) {
            self.acknowledged = self.acknowledged.max(offset);
        }
    }

    /// Takes a segment in, and passes the bytes that are in order now to `passed_on`.
    pub(super) fn take(
        &mut self,
        sequence: u32,
        payload: &[u8],
        is_fin: bool,
        mut passed_on: impl FnMut(&[u8]),
    ) -> Result<(), Overflow> {
        let Some(offset) = self.offset(sequence) else { return Ok(()) };
        let end = offset + payload.len().cast_signed() as i64;
        if is_fin && let Ok(end) = u64::try_from(end) {
            self.length.get_or_insert(end);
        }
        // Bytes that were passed on already, and those of a keepalive, are behind.
        let Ok(end) = u64::try_from(end) else { return Ok(()) };
        if end <= self.passed || payload.is_empty() {
            return Ok(());
        }
        match u64::try_from(offset) {
            Ok(offset) if offset > self.passed => self.keep(offset, payload),
            _ => {
                self.pass(end, payload, &mut passed_on);
                while let Some(piece) = self.pending.first_entry().filter(|piece| *piece.key() <= self.passed) {
                    let (offset, bytes) = piece.remove_entry();
                    self.pending_bytes -= bytes.len() + PIECE_OVERHEAD_BYTES;
                    self.pass(offset + bytes.len() as u64, &bytes, &mut passed_on);
                }
                Ok(())
            }
        }
    }

    /// Passes the bytes on that end at `end`, except those that were.
    fn pass(&mut self, end: u64, bytes: &[u8], passed_on: &mut impl FnMut(&[u8])) {
        if let Some(new) = end.checked_sub(self.passed).filter(|new| *new > 0) {
            passed_on(&bytes[bytes.len() - new as usize..]);
            self.passed = end;
        }
    }

    fn keep(&mut self, offset: u64, payload: &[u8]) -> Result<(), Overflow> {
        let held = self.pending.entry(offset).or_default();
        if held.len() >= payload.len() {
            return Ok(());
        }
        self.pending_bytes += payload.len() - held.len();
        if held.is_empty() {
            self.pending_bytes += PIECE_OVERHEAD_BYTES;
        }
        // The bytes that are there count; the new ones are longer.
        held.extend_from_slice(&payload[held.len()..]);
        if self.pending_bytes > PENDING_BYTES_MAX { Err(Overflow) } else { Ok(()) }
    }

    /// Returns the offset of a sequence number: the one that is nearest to what was passed on.
    fn offset(&self, sequence: u32) -> Option<i64> {
        let next = self.first?.wrapping_add(self.passed as u32);
        let distance = sequence.wrapping_sub(next).cast_signed();
        Some(self.passed.cast_signed() + i64::from(distance))
    }
}

#[cfg(test)]
mod tests {
    use glassline_testkit::{Rng, for_each_seed};

    use super::*;

    fn begun(sequence: u32) -> Stream {
        let mut stream = Stream::default();
        stream.begin(sequence);
        stream
    }

    fn take(stream: &mut Stream, sequence: u32, payload: &[u8], is_fin: bool) -> Vec<u8> {
        let mut passed = Vec::new();
        stream.take(sequence, payload, is_fin, |bytes| passed.extend_from_slice(bytes)).expect("little waits");
        passed
    }

    #[test]
    fn any_order_of_overlapping_segments_gives_the_stream() {
        for_each_seed(0..300, |mut rng: Rng| {
            let whole: Vec<u8> = (0..rng.between(1, 400)).map(|_| rng.next_u64() as u8).collect();
            let first = rng.pick(&[0, 7, u32::MAX - 100, u32::MAX]);
            let mut pieces: Vec<(usize, usize)> = (0..whole.len()).map(|at| (at, at + 1)).collect();
            for _ in 0..60 {
                let start = rng.index(whole.len());
                pieces.push((start, start + rng.between(1, (whole.len() - start) as u64) as usize));
            }
            for index in (1..pieces.len()).rev() {
                pieces.swap(index, rng.index(index + 1));
            }
            let mut stream = begun(first.wrapping_sub(1));
            let mut passed = Vec::new();
            for (start, end) in pieces {
                let sequence = first.wrapping_add(start as u32);
                passed.extend(take(&mut stream, sequence, &whole[start..end], end == whole.len()));
            }
            assert_eq!(passed, whole);
            assert!(stream.is_complete() && stream.gap().is_none());
            assert_eq!((stream.held_bytes(), stream.pending.len()), (0, 0));
        });
    }

    #[test]
    fn what_is_missing_is_a_gap() {
        let mut stream = begun(99);
        assert_eq!(take(&mut stream, 100, b"abc", false), b"abc");
        assert_eq!(stream.gap(), None);
        assert_eq!(take(&mut stream, 105, b"fgh", false), b"");
        assert_eq!(stream.gap(), Some(3), "later bytes were seen");
        assert_eq!(take(&mut stream, 103, b"de", false), b"defgh");
        assert_eq!(stream.gap(), None);
        stream.acknowledge(110);
        assert_eq!(stream.gap(), Some(8), "the receiver has more than was seen");
        let mut stream = begun(99);
        assert_eq!(take(&mut stream, 103, b"", true), b"");
        assert_eq!(stream.gap(), Some(0), "the FIN says that there was more");
        assert_eq!(take(&mut stream, 100, b"abc", false), b"abc");
        assert!(stream.is_complete() && stream.gap().is_none());
    }

    #[test]
    fn keepalives_and_an_acknowledged_fin_are_no_gap() {
        let mut stream = begun(99);
        assert_eq!(take(&mut stream, 100, b"abc", false), b"abc");
        assert_eq!(take(&mut stream, 102, b"\0", false), b"");
        assert_eq!(take(&mut stream, 103, b"", true), b"");
        stream.acknowledge(104);
        assert_eq!(stream.gap(), None);
        assert!(stream.is_complete());
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut stream = begun(0);
        let piece = [0; 8_192];
        let mut result = Ok(());
        let mut count = 0;
        while result.is_ok() {
            result = stream.take(100 + 8_192 * count, &piece, false, |_| ());
            count += 1;
        }
        assert!(stream.held_bytes() < PENDING_BYTES_MAX + 10_000, "{count}");
    }
}
