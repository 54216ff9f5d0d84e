//! Memory of what is queued for members alone: each outlet's, and that of all together.

use alloc::rc::Rc;
use core::cell::Cell;

/// Memory that an entry takes beside its bytes.
const ENTRY_OVERHEAD_BYTES: usize = 96;

/// Bytes of all outlets of a hub, with the overhead of their entries.
pub(crate) type OwnBytesTotal = Rc<Cell<usize>>;

/// Bytes queued in one outlet, counted in the total as well for as long as the outlet exists.
#[derive(Debug, Default)]
pub(crate) struct OwnBytes {
    bytes: usize,
    entries: usize,
    total: OwnBytesTotal,
}

impl OwnBytes {
    pub(crate) fn counted_in(total: OwnBytesTotal) -> Self {
        Self { bytes: 0, entries: 0, total }
    }

    pub(crate) fn get(&self) -> usize {
        self.bytes
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.entries += 1;
        self.total.set(self.total.get() + bytes + ENTRY_OVERHEAD_BYTES);
    }

    pub(crate) fn subtract(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.entries -= 1;
        self.total.set(self.total.get() - bytes - ENTRY_OVERHEAD_BYTES);
    }

    pub(crate) fn clear(&mut self) {
        self.total.set(self.total.get() - self.bytes - self.entries * ENTRY_OVERHEAD_BYTES);
        (self.bytes, self.entries) = (0, 0);
    }
}

impl Drop for OwnBytes {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_that_of_the_outlets_there_are() {
        let total = OwnBytesTotal::default();
        let mut first = OwnBytes::counted_in(Rc::clone(&total));
        let mut second = OwnBytes::counted_in(Rc::clone(&total));
        first.add(10);
        first.add(0);
        second.add(5);
        first.subtract(10);
        assert_eq!((first.get(), second.get(), total.get()), (0, 5, 5 + 2 * ENTRY_OVERHEAD_BYTES));
        second.clear();
        assert_eq!(total.get(), ENTRY_OVERHEAD_BYTES);
        drop(first);
        assert_eq!(total.get(), 0);
    }
}
