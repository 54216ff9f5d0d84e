//! A lane: one dialect's log in one room, the members who follow it, and the lap that brings each what is new.

use alloc::vec::Vec;

use crate::id::MemberId;
use crate::log::Log;

/// A dialect's share of a room.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) log: Log,
    pub(crate) members: Vec<MemberId>,
    /// Members that have not been sent everything: while there are any, the log keeps its past.
    pub(crate) behind: usize,
    /// `true` if the hub has this lane among those with a lap under way.
    pub(crate) queued: bool,
    /// Member that the lap visits next.
    next: usize,
    /// Visits until everybody was visited since the last append.
    remaining: usize,
    /// Visits until the circle, counted whether or not appends restart the lap, is whole.
    circle_remaining: usize,
    circle_bytes: usize,
}

impl Lane {
    pub(crate) fn new() -> Self {
        Self {
            log: Log::new(),
            members: Vec::new(),
            behind: 0,
            queued: false,
            next: 0,
            remaining: 0,
            circle_remaining: 0,
            circle_bytes: 0,
        }
    }

    /// Adds a member and returns its slot.
    pub(crate) fn add(&mut self, member: MemberId) -> usize {
        self.members.push(member);
        if self.remaining > 0 {
            // The newcomer may stand between the lap and one it has still to visit.
            self.remaining += 1;
        }
        self.members.len() - 1
    }

    /// Removes the member in `slot`; returns the one that now has this slot, if another moved there.
    pub(crate) fn remove(&mut self, slot: usize) -> Option<MemberId> {
        self.members.swap_remove(slot);
        if self.remaining > 0 {
            // The one that moved may have been moved behind the lap.
            self.remaining = self.members.len();
        }
        self.members.get(slot).copied()
    }

    /// Appends an entry and starts the lap anew from where it stands. Returns where the entry starts.
    pub(crate) fn append(&mut self, seq: u64, parts: &[&[u8]], log_bytes_max: usize) -> u64 {
        let start = self.log.append(seq, parts, log_bytes_max);
        self.circle_bytes += (self.log.end() - start) as usize;
        self.remaining = self.members.len();
        start
    }

    /// The next member of the lap; `None` when everybody was visited since the last append.
    pub(crate) fn step(&mut self) -> Option<MemberId> {
        if self.remaining == 0 {
            self.circle_bytes = 0;
            return None;
        }
        self.remaining -= 1;
        if self.circle_remaining == 0 {
            self.circle_remaining = self.members.len();
            self.circle_bytes = 0;
        }
        self.circle_remaining -= 1;
        if self.next >= self.members.len() {
            self.next = 0;
        }
        let member = self.members.get(self.next).copied();
        self.next += 1;
        member
    }

    /// Returns whether so much was appended in this circle that members must be written to before
    /// more is read: a member that keeps reading is never overtaken by its log's tail.
    pub(crate) fn is_flooded(&self, log_bytes_max: usize) -> bool {
        self.circle_bytes > log_bytes_max / 4
    }

    /// Lets the log's past go once nobody needs it.
    pub(crate) fn release_if_idle(&mut self) {
        if self.behind == 0 && self.remaining == 0 {
            self.log.release();
        }
    }
}
