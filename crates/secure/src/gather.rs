//! Slices of plaintext, cut into the contents of records.

/// Rest of some slices.
#[derive(Debug)]
pub(crate) struct Slices<'a> {
    rest: &'a [&'a [u8]],
    /// Bytes of the first slice that were taken.
    offset: usize,
    /// A slice with so many bytes left is not joined with those behind it.
    whole_bytes_min: usize,
    /// Content of a record that spans slices.
    joined: Vec<u8>,
}

impl<'a> Slices<'a> {
    /// Returns slices that are cut into pieces of full length, whatever they are cut into.
    pub(crate) fn new(slices: &'a [&'a [u8]]) -> Self {
        Self::with_whole_from(slices, usize::MAX)
    }

    /// Returns slices of which one with at least so many bytes left becomes pieces of its own: that
    /// costs less than a copy.
    pub(crate) fn with_whole_from(slices: &'a [&'a [u8]], whole_bytes_min: usize) -> Self {
        Self { rest: slices, offset: 0, whole_bytes_min, joined: Vec::new() }
    }

    /// Takes up to `bytes_max` bytes; empty at the end, or for 0. Only what spans slices is copied.
    pub(crate) fn next(&mut self, bytes_max: usize) -> &[u8] {
        let first = self.part(bytes_max);
        if self.rest.is_empty() || first.len() >= bytes_max.min(self.whole_bytes_min) {
            return first;
        }
        self.joined.clear();
        self.joined.extend_from_slice(first);
        while self.joined.len() < bytes_max && !self.rest.is_empty() {
            let part = self.part(bytes_max - self.joined.len());
            self.joined.extend_from_slice(part);
        }
        &self.joined
    }

    /// Takes up to `bytes_max` bytes of the first slice that is not empty.
    fn part(&mut self, bytes_max: usize) -> &'a [u8] {
        while let Some((&slice, others)) = self.rest.split_first() {
            let part = &slice[self.offset..slice.len().min(self.offset + bytes_max)];
            self.offset += part.len();
            if self.offset == slice.len() {
                (self.rest, self.offset) = (others, 0);
            }
            if !part.is_empty() || bytes_max == 0 {
                return part;
            }
        }
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(slices: &[&[u8]], whole_bytes_min: usize, bytes_max: usize) -> Vec<Vec<u8>> {
        let mut rest = Slices::with_whole_from(slices, whole_bytes_min);
        std::iter::from_fn(|| Some(rest.next(bytes_max).to_vec()).filter(|piece| !piece.is_empty())).collect()
    }

    #[test]
    fn pieces_are_full_however_the_slices_are_cut() {
        let slices: [&[u8]; 6] = [b"", b"a", b"bc", b"", b"defg", b""];
        assert_eq!(pieces(&slices, usize::MAX, 3), [b"abc".to_vec(), b"def".to_vec(), b"g".to_vec()]);
        assert_eq!(pieces(&slices, usize::MAX, 100), [b"abcdefg".to_vec()]);
        assert_eq!(pieces(&slices, usize::MAX, 0), Vec::<Vec<u8>>::new());
        assert_eq!(pieces(&[], usize::MAX, 3), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_long_slice_is_not_joined() {
        let slices: [&[u8]; 3] = [b"abcde", b"f", b"g"];
        assert_eq!(pieces(&slices, 3, 4), [b"abcd".to_vec(), b"efg".to_vec()]);
        assert_eq!(pieces(&slices, 3, 100), [b"abcde".to_vec(), b"fg".to_vec()]);
    }
}
