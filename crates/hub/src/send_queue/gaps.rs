//! Messages that a log's tail has passed: they are reported as missed, or replayed from the history
//! in their place among the steps.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use super::{ReplaySegment, Rooms, SendQueue, SendStep, Subscription};
use crate::dialect::Dialect;
use crate::id::RoomId;
use crate::log::{Log, Mark};

/// A stretch of a room that the member will not get from its log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MissedRange {
    pub(crate) room: RoomId,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Number of them that are the member's own, which are not sent to it.
    pub(crate) own: u64,
}

impl SendQueue {
    /// Moves each cursor that its log's tail has passed up to the tail. `encode` returns the notice
    /// that takes the place of what was missed there. Leaves alone what a replay to an event member
    /// holds back: that is stored, and replayed in its turn. Returns how many messages were missed.
    pub(crate) fn skip_lost(&mut self, rooms: &Rooms, encode: impl Fn(&MissedRange) -> Option<Vec<u8>>) -> u64 {
        let is_replayed = self.is_replaying() && self.dialect == Dialect::Event;
        let mut missed_in_all = 0;
        for index in 0..self.subscriptions.len() {
            let subscription = &self.subscriptions[index];
            if let Some(log) = rooms.log(subscription.room, self.dialect)
                && subscription.cursor < log.tail()
                && (!is_replayed || self.comes_before_replay(subscription.room))
            {
                missed_in_all +=
                    self.skip_lost_in(index, log, log.tail_mark(), |missed| encode(&missed).map(SendStep::Private));
            }
        }
        missed_in_all
    }

    /// Returns whether some of the room's log is to be sent before the first segment of a replay.
    fn comes_before_replay(&self, room: RoomId) -> bool {
        let mut before_replay = self.steps.iter().take_while(|step| !matches!(step, SendStep::Replay(_)));
        before_replay.any(|step| step.is_of_log(room))
    }

    /// Gives up what a room that the member leaves has for it beyond `bytes_max`, or what the log
    /// no longer has; `encode` returns the notice of what is missed.
    pub(crate) fn abandon(
        &mut self,
        room: RoomId,
        log: &Log,
        bytes_max: usize,
        encode: impl Fn(&MissedRange) -> Option<Vec<u8>>,
    ) {
        let Some(index) = self.subscriptions.iter().position(|subscription| subscription.room == room) else { return };
        let cursor = self.subscriptions[index].cursor;
        let is_far_behind = (log.end() - cursor.max(log.tail())) as usize > bytes_max;
        let lost = if is_far_behind { log.newest() } else { log.tail_mark() };
        if cursor < lost.end {
            self.skip_lost_in(index, log, lost, |missed| encode(&missed).map(SendStep::Private));
        }
    }

    /// Goes to the end of each log whose tail has passed an event member while a replay held it
    /// back, unless one holds it back there still. What it missed becomes a segment in its place.
    pub(crate) fn replay_what_passed(&mut self, rooms: &Rooms) {
        // What is asked for now is the first segment, and stays so.
        if self.dialect != Dialect::Event || !self.is_replay_idle() {
            return;
        }
        let is_held = self.first_segment().is_some();
        let has_passed = |subscription: &Subscription| {
            let is_behind =
                rooms.log(subscription.room, self.dialect).is_some_and(|log| subscription.cursor < log.tail());
            is_behind && (!is_held || self.comes_before_replay(subscription.room))
        };
        // All at once, so that none of them waits for another that is passed again and again.
        let passed: Vec<usize> =
            (0..self.subscriptions.len()).filter(|&index| has_passed(&self.subscriptions[index])).collect();
        for index in passed {
            let room = self.subscriptions[index].room;
            let Some(log) = rooms.log(room, self.dialect) else { continue };
            self.skip_lost_in(index, log, log.newest(), |MissedRange { from, to, .. }| {
                Some(SendStep::Replay(Box::new(ReplaySegment::missed(room, rooms.name(room), from, to))))
            });
        }
    }

    /// Moves a cursor to `lost`, before which nothing can be sent. `replacement` returns the step
    /// that takes the place of each stretch that is missed. Returns how many messages are missed.
    fn skip_lost_in(
        &mut self,
        index: usize,
        log: &Log,
        lost: Mark,
        replacement: impl Fn(MissedRange) -> Option<SendStep>,
    ) -> u64 {
        let (room, tail, seq_reached) =
            (self.subscriptions[index].room, lost.end, self.subscriptions[index].seq_reached);
        let is_lost = |step: &SendStep| match step {
            SendStep::FollowUntil { room: of, to } => *of == room && *to <= tail,
            SendStep::Skip { room: of, from, .. } => *of == room && *from < tail,
            SendStep::Private(_) | SendStep::Echo { .. } | SendStep::Replay(_) => false,
        };
        let (mut position, mut last_missed, mut own) = (tail, lost.seq, 0);
        for step in self.steps.iter().filter(|step| is_lost(step)) {
            if let SendStep::Skip { to, messages, .. } = step {
                own += messages;
                if *to > position {
                    // The tail is inside a run of the member's own messages: continue after it.
                    (position, last_missed) = (*to, log.seq_at(*to));
                }
            }
        }
        // Echoes of its own messages are still queued, and it misses messages before, between and
        // after them.
        let is_missed = |seq: &u64| *seq > seq_reached && *seq <= last_missed;
        let echoes: Vec<u64> = self.steps.iter().filter_map(|step| step.echo_of(room)).filter(is_missed).collect();
        let gap_starts = core::iter::once(seq_reached).chain(echoes.iter().copied()).map(|seq| seq + 1);
        let gap_ends = echoes.iter().map(|seq| seq - 1).chain(core::iter::once(last_missed));
        let mut gaps = gap_starts.zip(gap_ends);
        let (mut missed_in_all, queued_bytes) = (0, &mut self.queued_bytes);
        let mut put_next_gap = |steps: &mut VecDeque<SendStep>| {
            if let Some((from, to)) = gaps.next()
                && from <= to
            {
                missed_in_all += to - from + 1;
                if let Some(step) = replacement(MissedRange { room, from, to, own }) {
                    if let SendStep::Private(notice) = &step {
                        queued_bytes.add(notice.len());
                    }
                    steps.push_back(step);
                }
            }
        };
        // Earlier queued output stays ahead of the first gap.
        let mut is_before_first_gap = true;
        let mut steps = VecDeque::with_capacity(self.steps.len() + 1);
        for step in core::mem::take(&mut self.steps) {
            if is_before_first_gap && step.is_of_log(room) {
                is_before_first_gap = false;
                put_next_gap(&mut steps);
            }
            let echo = step.echo_of(room).filter(is_missed);
            if !is_lost(&step) {
                steps.push_back(step);
            }
            if echo.is_some() {
                put_next_gap(&mut steps);
            }
        }
        if is_before_first_gap {
            put_next_gap(&mut steps);
        }
        self.steps = steps;
        let subscription = &mut self.subscriptions[index];
        subscription.cursor = position;
        subscription.seq_reached = seq_reached.max(last_missed);
        missed_in_all
    }
}
