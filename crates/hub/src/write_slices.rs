//! Slices of one write, borrowed from the logs.

/// Most bytes that one write carries, unless a single entry is longer: below one loopback segment,
/// so that a batch that fits one write arrives whole, and a pair never straddles two (T4).
pub const WRITE_BYTES_MAX: usize = 60 * 1024;

/// Most slices in one write.
pub const SLICES_MAX: usize = 16;

/// Slices of the next write to one member, borrowed from the logs.
#[derive(Debug, Default)]
pub struct WriteSlices<'log> {
    slices: [&'log [u8]; SLICES_MAX],
    count: usize,
    bytes: usize,
}

impl<'log> WriteSlices<'log> {
    /// The slices, in the order in which they must be written.
    pub fn slices(&self) -> &[&'log [u8]] {
        &self.slices[..self.count]
    }

    /// Their length in all, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a slice; false if it does not fit. A first slice always fits.
    pub(crate) fn push(&mut self, slice: &'log [u8]) -> bool {
        let full = self.count == SLICES_MAX || (self.count > 0 && self.bytes + slice.len() > WRITE_BYTES_MAX);
        if !full {
            self.slices[self.count] = slice;
            self.count += 1;
            self.bytes += slice.len();
        }
        !full
    }
}
