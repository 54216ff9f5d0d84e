//! Memory of private steps: that of each send queue, and that of all together.

use alloc::rc::Rc;
use core::cell::Cell;

/// Memory that an entry takes beside its bytes.
const ENTRY_OVERHEAD_BYTES: usize = 96;

/// Bytes of all send queues of a hub, with the overhead of their entries.
pub(crate) type QueuedBytesTotal = Rc<Cell<usize>>;

/// Bytes queued in one send queue, counted in the total as well for as long as the queue exists.
#[derive(Debug, Default)]
pub(crate) struct QueuedBytes {
    bytes: usize,
    entries: usize,
    total: QueuedBytesTotal,
}

impl QueuedBytes {
    pub(crate) fn counted_in(total: QueuedBytesTotal) -> Self {
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

impl Drop for QueuedBytes {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_that_of_the_queues_there_are() {
        let total = QueuedBytesTotal::default();
        let mut first = QueuedBytes::counted_in(Rc::clone(&total));
        let mut second = QueuedBytes::counted_in(Rc::clone(&total));
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
