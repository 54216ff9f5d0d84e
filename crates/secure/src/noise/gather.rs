//! Slices of plaintext, cut into the pieces that records hold.

use std::borrow::Cow;

/// Rest of some slices.
#[derive(Debug)]
pub(super) struct Slices<'a> {
    rest: &'a [&'a [u8]],
    /// Bytes of the first of them that were taken.
    taken: usize,
}

impl<'a> Slices<'a> {
    pub(super) fn new(slices: &'a [&'a [u8]]) -> Self {
        Self { rest: slices, taken: 0 }
    }

    /// Takes up to `bytes_max` bytes, as many as there are; empty at the end. They are copied only
    /// where they come from more than one slice.
    pub(super) fn next(&mut self, bytes_max: usize) -> Cow<'a, [u8]> {
        let first = self.part(bytes_max);
        if first.len() == bytes_max || self.rest.is_empty() {
            return Cow::Borrowed(first);
        }
        let rest_bytes: usize = self.rest.iter().map(|slice| slice.len()).sum();
        let mut piece = Vec::with_capacity(bytes_max.min(first.len() + rest_bytes));
        piece.extend_from_slice(first);
        while piece.len() < bytes_max && !self.rest.is_empty() {
            piece.extend_from_slice(self.part(bytes_max - piece.len()));
        }
        Cow::Owned(piece)
    }

    /// Takes up to `bytes_max` bytes of the first slice that is not empty.
    fn part(&mut self, bytes_max: usize) -> &'a [u8] {
        while let Some((&slice, rest)) = self.rest.split_first() {
            let part = &slice[self.taken..slice.len().min(self.taken + bytes_max)];
            self.taken += part.len();
            if self.taken < slice.len() {
                return part;
            }
            (self.rest, self.taken) = (rest, 0);
            if !part.is_empty() {
                return part;
            }
        }
        &[]
    }
}
