//! Frames of one direction that have arrived, and to which no rule was applied yet.

use std::collections::VecDeque;

use super::End;
use crate::frame::Frame;

/// Something that arrived from a sender.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A frame.
    Frame(Frame),
    /// The end of its direction.
    End(End),
}

/// Arrivals in their order: the rest of a read, while what rules made of its first frames waits.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    queue: VecDeque<Arrival>,
    held_bytes: usize,
}

impl Arrivals {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns the memory that they take, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    pub(super) fn push(&mut self, arrival: Arrival) {
        self.held_bytes += arrival.held_bytes();
        self.queue.push_back(arrival);
    }

    pub(super) fn pop(&mut self) -> Option<Arrival> {
        let arrival = self.queue.pop_front()?;
        self.held_bytes -= arrival.held_bytes();
        if self.queue.is_empty() {
            // An idle connection costs no buffer.
            self.queue = VecDeque::new();
        }
        Some(arrival)
    }
}

impl Arrival {
    fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Frame(frame) => frame.bytes.len(),
                Self::End(_) => 0,
            }
    }
}
