//! A lane: one dialect's log in one room, its followers, and the fan-out round that brings each of
//! them what is new.

use alloc::vec::Vec;

use crate::id::MemberId;
use crate::log::Log;

/// A dialect's share of a room.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    log: Log,
    followers: Vec<MemberId>,
    /// Followers that were not sent everything: while there are any, the log keeps its entries.
    behind: usize,
    /// `true` if the lane is queued for its round.
    is_queued: bool,
    /// Slot of the round's next step.
    next: usize,
    /// Steps until every follower had one since the last append.
    steps_left: usize,
    /// Steps until the full round is over, which appends do not restart.
    full_round_left: usize,
    /// Bytes appended during the full round.
    full_round_bytes: usize,
}

impl Lane {
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Members that follow the lane, by slot.
    pub(crate) fn followers(&self) -> &[MemberId] {
        &self.followers
    }

    pub(crate) fn add(&mut self, member: MemberId) -> usize {
        self.followers.push(member);
        if self.steps_left > 0 {
            // The newcomer may be between the round's position and a follower that has not had its
            // step.
            self.steps_left += 1;
        }
        self.followers.len() - 1
    }

    /// Removes the follower in `slot`; returns the one that moved there, if any.
    pub(crate) fn remove(&mut self, slot: usize, was_behind: bool) -> Option<MemberId> {
        self.followers.swap_remove(slot);
        if self.steps_left > 0 {
            // The moved one may now be after the round's position.
            self.steps_left = self.followers.len();
        }
        self.behind -= usize::from(was_behind);
        self.release_if_idle();
        self.followers.get(slot).copied()
    }

    /// Appends an entry and restarts the round at its position. Returns where the entry starts.
    pub(crate) fn append(&mut self, seq: u64, parts: &[&[u8]], log_bytes_max: usize) -> u64 {
        let start = self.log.append(seq, parts, log_bytes_max);
        self.full_round_bytes += (self.log.end() - start) as usize;
        self.steps_left = self.followers.len();
        start
    }

    /// Notes that the lane is queued for its round. False if it was already.
    pub(crate) fn enqueue(&mut self) -> bool {
        !core::mem::replace(&mut self.is_queued, true)
    }

    /// Returns the follower of the round's next step. At the end of the round, when every follower
    /// had a step since the last append, returns `None`: the lane is no longer queued.
    pub(crate) fn step(&mut self) -> Option<MemberId> {
        if self.steps_left == 0 {
            self.full_round_bytes = 0;
            self.is_queued = false;
            self.release_if_idle();
            return None;
        }
        self.steps_left -= 1;
        if self.full_round_left == 0 {
            self.full_round_left = self.followers.len();
            self.full_round_bytes = 0;
        }
        self.full_round_left -= 1;
        if self.next >= self.followers.len() {
            self.next = 0;
        }
        let member = self.followers.get(self.next).copied();
        self.next += 1;
        member
    }

    /// Returns whether so much was appended in this full round that members must be written to
    /// before more is read: a member that keeps reading is never overtaken by its log's tail.
    pub(crate) fn is_flooded(&self, log_bytes_max: usize) -> bool {
        self.full_round_bytes > log_bytes_max / 4
    }

    /// Counts a follower that starts to lag, or one that has caught up.
    pub(crate) fn count_behind(&mut self, is_behind: bool) {
        if is_behind {
            self.behind += 1;
        } else {
            self.behind -= 1;
            self.release_if_idle();
        }
    }

    pub(crate) fn shrink(&mut self) {
        self.log.shrink();
    }

    /// Releases the log's entries once no follower needs them.
    fn release_if_idle(&mut self) {
        if self.behind == 0 && self.steps_left == 0 {
            self.log.release();
        }
    }
}
