//! Messages that a log's tail has passed: they are reported as missed, or held back to be sent from
//! the history, in its place among the steps.

use alloc::{collections::VecDeque, vec::Vec};

use super::{Logs, SendQueue, Step, Subscription};
use crate::id::RoomId;
use crate::log::{Log, Mark};

/// A stretch of a room that the member will not get from its log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    pub(crate) room: RoomId,
    /// Number of the first message missed.
    pub(crate) from: u64,
    /// Number of the last message missed.
    pub(crate) to: u64,
    /// Number of them that were the member's own, which it would not have been sent.
    pub(crate) own: u64,
}

impl SendQueue {
    /// Moves a cursor that its log's tail has passed up to the tail. What was missed there is put into words by `tell` and takes
    /// its place among the steps. With `only_now`, what is held back is left alone. Returns how many messages that were.
    pub(crate) fn catch_up<'a>(
        &mut self,
        logs: &impl Logs<'a>,
        only_now: bool,
        tell: impl Fn(&Missed) -> Option<Vec<u8>>,
    ) -> u64 {
        let mut missed_in_all = 0;
        for index in 0..self.subscriptions.len() {
            let subscription = &self.subscriptions[index];
            if let Some(log) = logs.log(subscription.room)
                && subscription.cursor < log.tail()
                && (!only_now || self.comes_before_hold(subscription.room))
            {
                missed_in_all +=
                    self.catch_up_in(index, log, log.tail_mark(), |missed, _| tell(&missed).map(Step::Own));
            }
        }
        missed_in_all
    }

    /// Returns whether some of the room's log is to be sent before anything that is held back.
    fn comes_before_hold(&self, room: RoomId) -> bool {
        let mut before_hold = self.steps.iter().take_while(|step| !matches!(step, Step::Barrier));
        before_hold.any(|step| step.is_of_log(room))
    }

    /// Gives up what a room has for this member before `lost`, and says so.
    pub(crate) fn abandon(&mut self, room: RoomId, log: &Log, lost: Mark, tell: impl Fn(&Missed) -> Option<Vec<u8>>) {
        if let Some(index) = self
            .subscriptions
            .iter()
            .position(|subscription| subscription.room == room && subscription.cursor < lost.end)
        {
            self.catch_up_in(index, log, lost, |missed, _| tell(&missed).map(Step::Own));
        }
    }

    /// Goes to the end of each log whose tail has passed the member while it was held, if nothing holds it back there any more. What it
    /// missed is held back in its place, so that it can be sent otherwise: each stretch, and which of all holds is now its own.
    pub(crate) fn hold_what_passed<'a>(&mut self, logs: &impl Logs<'a>) -> Vec<(usize, Missed)> {
        let is_held = self.hold_index(0).is_some();
        let has_passed = |subscription: &Subscription| {
            let is_behind = logs.log(subscription.room).is_some_and(|log| subscription.cursor < log.tail());
            is_behind && (!is_held || self.comes_before_hold(subscription.room))
        };
        // All at once, so that none of them waits for another that is passed again and again.
        let passed: Vec<usize> =
            (0..self.subscriptions.len()).filter(|&index| has_passed(&self.subscriptions[index])).collect();
        let mut held = Vec::new();
        for index in passed {
            let Some(log) = logs.log(self.subscriptions[index].room) else { continue };
            self.catch_up_in(index, log, log.newest(), |missed, before| {
                let holds_before = before.iter().filter(|step| matches!(step, Step::Barrier)).count();
                held.push((holds_before, missed));
                Some(Step::Barrier)
            });
        }
        held
    }

    /// Moves a cursor to `lost`, before which nothing can be sent any more. `stand_in` says what comes in the place of what is missed,
    /// for each stretch of it, given what comes before. Returns how many messages are missed.
    fn catch_up_in(
        &mut self,
        index: usize,
        log: &Log,
        lost: Mark,
        mut stand_in: impl FnMut(Missed, &VecDeque<Step>) -> Option<Step>,
    ) -> u64 {
        let (room, tail, seq_reached) =
            (self.subscriptions[index].room, lost.end, self.subscriptions[index].seq_reached);
        let is_lost = |step: &Step| match step {
            Step::Through { room: of, to } => *of == room && *to <= tail,
            Step::Jump { room: of, from, .. } => *of == room && *from < tail,
            Step::Own(_) | Step::Copy { .. } | Step::Barrier => false,
        };
        let (mut position, mut last_missed, mut own) = (tail, lost.seq, 0);
        for step in self.steps.iter().filter(|step| is_lost(step)) {
            if let Step::Jump { to, messages, .. } = step {
                own += messages;
                if *to > position {
                    // The tail stands inside a run of the member's own messages: go on behind it.
                    (position, last_missed) = (*to, log.seq_at(*to));
                }
            }
        }
        // Copies of its own messages are still to come, and what it misses lies before, between and behind them.
        let is_missed = |seq: &u64| *seq > seq_reached && *seq <= last_missed;
        let copies: Vec<u64> = self.steps.iter().filter_map(|step| step.copy_of(room)).filter(is_missed).collect();
        let gap_starts = core::iter::once(seq_reached).chain(copies.iter().copied()).map(|seq| seq + 1);
        let gap_ends = copies.iter().map(|seq| seq - 1).chain(core::iter::once(last_missed));
        let mut gaps = gap_starts.zip(gap_ends);
        let (mut missed_in_all, own_bytes) = (0, &mut self.own_bytes);
        let mut put_next_gap = |steps: &mut VecDeque<Step>| {
            if let Some((from, to)) = gaps.next()
                && from <= to
            {
                missed_in_all += to - from + 1;
                if let Some(step) = stand_in(Missed { room, from, to, own }, steps) {
                    if let Step::Own(told) = &step {
                        own_bytes.add(told.len());
                    }
                    steps.push_back(step);
                }
            }
        };
        // What was queued before the member fell behind stays ahead of the first gap.
        let mut is_before_first_gap = true;
        let mut steps = VecDeque::with_capacity(self.steps.len() + 1);
        for step in core::mem::take(&mut self.steps) {
            if is_before_first_gap && step.is_of_log(room) {
                is_before_first_gap = false;
                put_next_gap(&mut steps);
            }
            let copy = step.copy_of(room).filter(is_missed);
            if !is_lost(&step) {
                steps.push_back(step);
            }
            if copy.is_some() {
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
