//! Whole blocks on their way to the file.

use std::io::{self, IoSlice, Write};
use std::ops::Range;

/// Bytes of a write, each of which begins at a multiple in the file: the kernel then keeps it in few
/// large pieces of memory. Larger ones cost more once memory is fragmented.
const WRITE_BYTES: usize = 128 * 1024;

/// Blocks in the order of the file. A large payload that is in several of them is stored once, and
/// written for each.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Parts of `bytes` as they follow each other in the file; `bytes[last_part_start..]` is the
    /// last one.
    parts: Vec<Range<usize>>,
    last_part_start: usize,
    /// Length of `parts`.
    parts_bytes: usize,
}

/// A payload in the batch.
#[derive(Debug, Clone)]
pub(super) struct Stored(Range<usize>);

/// Beginning of a block.
pub(super) struct BlockStart {
    index: usize,
    length_before: usize,
}

impl Batch {
    /// Makes an empty batch with room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Returns the bytes that it takes in the file.
    pub(super) fn length(&self) -> usize {
        self.parts_bytes + self.bytes.len() - self.last_part_start
    }

    /// Returns the bytes that it takes in memory.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length() == 0
    }

    /// Removes everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.parts.clear();
        self.last_part_start = 0;
        self.parts_bytes = 0;
    }

    /// Keeps a payload for [`Self::repeat`], until the batch is cleared.
    pub(super) fn store(&mut self, payload: &[u8]) -> Stored {
        self.close_part();
        let start = self.bytes.len();
        self.extend(payload);
        self.last_part_start = self.bytes.len();
        Stored(start..self.last_part_start)
    }

    /// Adds a payload that was stored in this batch.
    pub(super) fn repeat(&mut self, Stored(part): &Stored) {
        self.close_part();
        self.parts_bytes += part.len();
        self.parts.push(part.clone());
    }

    fn close_part(&mut self) {
        let part = self.last_part_start..self.bytes.len();
        if !part.is_empty() {
            self.last_part_start = part.end;
            self.parts_bytes += part.len();
            self.parts.push(part);
        }
    }

    /// Adds bytes.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins a block.
    pub(super) fn begin(&mut self, kind: u32) -> BlockStart {
        let start = BlockStart { index: self.bytes.len(), length_before: self.length() };
        self.u32(kind);
        self.u32(0);
        start
    }

    /// Ends a block: its length stands before and after its content.
    pub(super) fn end(&mut self, start: &BlockStart) {
        let length = ((self.length() - start.length_before + 4) as u32).to_le_bytes();
        self.bytes[start.index + 4..start.index + 8].copy_from_slice(&length);
        self.extend(&length);
    }

    /// Adds an option.
    pub(super) fn option(&mut self, code: u16, value: &[u8]) {
        self.u16(code);
        self.u16(value.len() as u16);
        self.extend(value);
        self.pad();
    }

    /// Adds two bytes.
    pub(super) fn u16(&mut self, value: u16) {
        self.extend(&value.to_le_bytes());
    }

    /// Adds four bytes.
    pub(super) fn u32(&mut self, value: u32) {
        self.extend(&value.to_le_bytes());
    }

    /// Fills up to a multiple of four bytes of the file. Blocks begin at one.
    pub(super) fn pad(&mut self) {
        let length = self.length();
        self.bytes.resize(self.bytes.len() + length.next_multiple_of(4) - length, 0);
    }

    /// Writes everything to a file of this length.
    ///
    /// # Errors
    /// As those of the file, which may have taken some of it.
    pub(super) fn write_to(&self, file: &mut impl Write, length: u64) -> io::Result<()> {
        let mut until_boundary = WRITE_BYTES - (length % WRITE_BYTES as u64) as usize;
        let mut slices = Vec::new();
        let last = &self.bytes[self.last_part_start..];
        for mut part in self.parts.iter().map(|part| &self.bytes[part.clone()]).chain([last]) {
            while let Some((before, after)) = part.split_at_checked(until_boundary) {
                slices.push(IoSlice::new(before));
                write_all(file, &mut slices)?;
                slices.clear();
                (part, until_boundary) = (after, WRITE_BYTES);
            }
            until_boundary -= part.len();
            slices.push(IoSlice::new(part));
        }
        write_all(file, &mut slices)
    }
}

fn write_all(file: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    // Skips what is empty.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => IoSlice::advance_slices(&mut slices, length),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that takes seven bytes at a time.
    struct Slow(Vec<u8>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let length = bytes.len().min(7);
            self.0.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stored_payload_is_written_where_it_is_repeated() {
        let mut batch = Batch::with_capacity(100);
        for _ in 0..2 {
            assert!(batch.is_empty());
            batch.extend(b"one ");
            let stored = batch.store(b"payload");
            assert_eq!(batch.length(), 4, "it is in no block yet");
            for _ in 0..2 {
                let start = batch.begin(6);
                batch.repeat(&stored);
                batch.pad();
                batch.end(&start);
            }
            let block = b"\x06\0\0\0\x14\0\0\0payload\0\x14\0\0\0";
            let expected = [&b"one "[..], block, block].concat();
            assert_eq!(batch.length(), expected.len());
            let mut file = Slow(Vec::new());
            batch.write_to(&mut file, 0).expect("written");
            assert_eq!(file.0, expected);
            batch.clear();
        }
    }
}
