//! One direction of a tapped connection: units that wait for a decision, for later frames, or for
//! their time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::plan::{Addition, Pending, Work};
use super::unit::Unit;
use super::{DIRECTION_BYTES_MAX, End};
use crate::faults::{Pace, Shape, Shaper};
use crate::rules::Postponement;

/// Companion of bytes in the shaper.
#[derive(Debug, Clone)]
pub(super) enum Note {
    /// Rules that made them.
    Comment(Option<Arc<str>>),
    /// No bytes: the direction ends.
    End { end: End, ends_both: bool },
}

/// Bytes that are kept back until later frames have passed.
#[derive(Debug)]
pub(super) struct Postponed {
    bytes: Vec<u8>,
    comment: Option<String>,
    delay_us: u64,
    pace: Option<Pace>,
    frames_left: u64,
    deadline_us: u64,
}

/// Time and pace at which bytes are forwarded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delivery {
    pub(super) delay_us: u64,
    pub(super) pace: Option<Pace>,
    pub(super) postponement: Option<Postponement>,
}

/// State of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Open,
    /// Its sender has ended it; the end is forwarded once nothing waits for a decision.
    Ending(End),
    /// Its end is on its way or has passed.
    Closed,
}

/// Memory that a postponed piece or an addition takes besides its bytes.
const ITEM_BYTES: usize = size_of::<Postponed>();
/// Memory of additions that wait for a boundary. Together with the longest pair, of which the rest
/// must still be read, it is below [`DIRECTION_BYTES_MAX`].
const ADDITIONS_BYTES_MAX: usize = 128 * 1024;

#[derive(Debug, Default)]
pub(super) struct DirectionState {
    state: State,
    /// The name of a pair whose text has not arrived.
    name: Option<Unit>,
    works: VecDeque<Work>,
    postponed: Vec<Postponed>,
    /// Additions that wait for a boundary between two messages.
    additions: Vec<Addition>,
    /// Bytes in `name`, `works`, `postponed` and `additions`.
    held_bytes: usize,
    shaper: Shaper<Note>,
    /// Memory of what was put out and the receiver has not taken, in bytes.
    unsent_bytes: usize,
    /// Bytes of the incomplete frame that were forwarded before there were rules.
    passed_bytes: usize,
    /// The receiver has the name of a pair and not its text.
    is_within_pair: bool,
    messages: MessagePassage,
}

/// Passage of the messages of a WebSocket.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum MessagePassage {
    /// They pass as they came; the receiver has no part of one.
    #[default]
    Unchanged,
    /// They pass as they came; the receiver has a part of one.
    UnchangedPart,
    /// Frames pass in messages of the tap's own.
    Reframed,
}

impl DirectionState {
    /// Returns whether its end was decided: nothing more is forwarded.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Returns whether bytes could pass at once.
    pub(super) fn is_idle(&self) -> bool {
        self.shaper.is_empty() && self.works.is_empty() && self.postponed.is_empty() && self.name.is_none()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes + self.shaper.held_bytes() + ITEM_BYTES * self.shaper.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.held_bytes() >= DIRECTION_BYTES_MAX
    }

    /// Notes the memory of what the receiver has not taken.
    pub(super) fn note_unsent(&mut self, bytes: usize) {
        self.unsent_bytes = bytes;
    }

    /// Returns whether the receiver has left so much that no more is to be made for it.
    pub(super) fn is_unsent(&self) -> bool {
        self.unsent_bytes >= DIRECTION_BYTES_MAX
    }

    /// Returns whether so much waits, here or for the receiver, that rules are to make no more.
    pub(super) fn is_blocked(&self) -> bool {
        self.held_bytes() + self.unsent_bytes >= DIRECTION_BYTES_MAX
    }

    /// Notes how much of the incomplete frame was forwarded.
    pub(super) fn note_passed(&mut self, bytes: usize) {
        self.passed_bytes = bytes;
    }

    /// Returns how much of the incomplete frame was forwarded, and begins the next.
    pub(super) fn take_passed(&mut self) -> usize {
        std::mem::take(&mut self.passed_bytes)
    }

    pub(super) fn passed_bytes(&self) -> usize {
        self.passed_bytes
    }

    pub(super) fn has_additions(&self) -> bool {
        !self.additions.is_empty()
    }

    /// Notes whether what was forwarded last is the name of a pair.
    pub(super) fn note_within_pair(&mut self, is_within_pair: bool) {
        self.is_within_pair = is_within_pair;
    }

    pub(super) fn is_within_pair(&self) -> bool {
        self.is_within_pair
    }

    /// Notes whether what passed last, as it came, ends within a WebSocket message.
    pub(super) fn note_within_message(&mut self, is_within_message: bool) {
        self.messages = if is_within_message { MessagePassage::UnchangedPart } else { MessagePassage::Unchanged };
    }

    pub(super) fn is_within_message(&self) -> bool {
        self.messages == MessagePassage::UnchangedPart
    }

    /// Notes that the frames of a WebSocket pass in messages of the tap's own from now on.
    pub(super) fn reframe(&mut self) {
        self.messages = MessagePassage::Reframed;
    }

    pub(super) fn is_reframed(&self) -> bool {
        self.messages == MessagePassage::Reframed
    }

    pub(super) fn hold_name(&mut self, unit: Unit) {
        self.held_bytes += unit.held_bytes();
        self.name = Some(unit);
    }

    pub(super) fn take_name(&mut self) -> Option<Unit> {
        let unit = self.name.take()?;
        self.held_bytes -= unit.held_bytes();
        Some(unit)
    }

    pub(super) fn queue(&mut self, work: Work) {
        self.held_bytes += work.held_bytes();
        self.works.push_back(work);
    }

    /// Takes the first work, if it waits for no decision.
    pub(super) fn take_decided(&mut self) -> Option<Work> {
        self.works.front().filter(|work| work.pending.is_none())?;
        let work = self.works.pop_front()?;
        self.held_bytes -= work.held_bytes();
        Some(work)
    }

    /// Changes the first work that waits for a decision and is one of those meant; returns false if
    /// there is none.
    pub(super) fn change_pending(&mut self, is_meant: impl Fn(&Work) -> bool, change: impl FnOnce(&mut Work)) -> bool {
        let work = self.works.iter_mut().find(|work| work.pending.is_some() && is_meant(work));
        let Some(work) = work else { return false };
        let before = work.held_bytes();
        change(work);
        self.held_bytes = self.held_bytes - before + work.held_bytes();
        true
    }

    /// Forwards bytes, behind everything that is on its way.
    pub(super) fn forward(&mut self, bytes: Vec<u8>, comment: Option<&str>, shape: Shape) {
        if !self.is_closed() {
            self.shaper.push(bytes, Note::Comment(comment.map(Arc::from)), shape);
        }
    }

    /// Forwards bytes that a rule adds, at the next boundary between two messages; returns false if
    /// too much is held for that, or nothing is taken any more.
    pub(super) fn add(&mut self, addition: Addition) -> bool {
        let waiting: usize = self.additions.iter().map(|addition| addition.bytes.len() + ITEM_BYTES).sum();
        let has_room = self.is_at_boundary() || waiting + addition.bytes.len() <= ADDITIONS_BYTES_MAX;
        if self.is_full() || self.is_closed() || !has_room {
            return false;
        }
        self.held_bytes += addition.bytes.len() + ITEM_BYTES;
        self.additions.push(addition);
        self.flush_additions();
        true
    }

    /// Returns whether the receiver has whole messages only.
    fn is_at_boundary(&self) -> bool {
        !self.is_within_pair && !self.is_within_message() && self.passed_bytes == 0
    }

    /// Forwards additions, if this is a boundary between two messages.
    pub(super) fn flush_additions(&mut self) {
        if !self.is_at_boundary() || self.additions.is_empty() {
            return;
        }
        for Addition { bytes, rule, .. } in std::mem::take(&mut self.additions) {
            self.held_bytes -= bytes.len() + ITEM_BYTES;
            self.forward(bytes, Some(&format!("{rule}: injected")), Shape::default());
        }
    }

    pub(super) fn stall(&mut self, until_us: u64) {
        self.shaper.stall(until_us);
    }

    /// Forwards bytes, or keeps them back until it is time for them. With too much held, it
    /// forwards them now.
    pub(super) fn send(&mut self, bytes: Vec<u8>, comment: Option<String>, delivery: Delivery, now_us: u64) {
        let Delivery { delay_us, pace, postponement } = delivery;
        match postponement {
            Some(Postponement { frames, at_most_us }) if !self.is_full() && !self.is_closed() => {
                self.held_bytes += bytes.len() + ITEM_BYTES;
                let deadline_us = now_us.saturating_add(at_most_us);
                let frames_left = frames.max(1);
                self.postponed.push(Postponed { bytes, comment, delay_us, pace, frames_left, deadline_us });
            }
            _ => self.forward(bytes, comment.as_deref(), Shape { due_us: now_us.saturating_add(delay_us), pace }),
        }
    }

    /// Counts a frame that has passed, and forwards what has waited for it.
    pub(super) fn count_passed(&mut self, now_us: u64) {
        for postponed in &mut self.postponed {
            postponed.frames_left -= 1;
        }
        self.forward_postponed(now_us, |postponed| postponed.frames_left == 0);
    }

    /// Forwards what has waited for its longest time.
    pub(super) fn forward_overdue(&mut self, now_us: u64) {
        self.forward_postponed(now_us, |postponed| postponed.deadline_us <= now_us);
    }

    /// Forwards what was kept back for later frames.
    pub(super) fn forward_postponed(&mut self, now_us: u64, mut is_meant: impl FnMut(&Postponed) -> bool) {
        let meant: Vec<Postponed> = self.postponed.extract_if(.., |postponed| is_meant(postponed)).collect();
        for Postponed { bytes, comment, delay_us, pace, .. } in meant {
            self.held_bytes -= bytes.len() + ITEM_BYTES;
            self.forward(bytes, comment.as_deref(), Shape { due_us: now_us.saturating_add(delay_us), pace });
        }
    }

    /// Lets everything pass that `is_kept` does not keep waiting.
    pub(super) fn release(&mut self, is_kept: impl Fn(&Pending) -> bool) {
        self.forward_postponed(0, |_| true);
        self.shaper.release();
        for work in &mut self.works {
            let before = work.held_bytes();
            if !work.pending.as_ref().is_some_and(&is_kept) {
                work.pending = None;
                work.plan.release();
            }
            self.held_bytes = self.held_bytes - before + work.held_bytes();
        }
    }

    /// Returns the decisions that are waited for.
    pub(super) fn pending_mut(&mut self) -> impl Iterator<Item = &mut Pending> {
        self.works.iter_mut().filter_map(|work| work.pending.as_mut())
    }

    /// Notes that the sender has ended it.
    pub(super) fn end(&mut self, end: End) {
        if self.state == State::Open {
            self.state = State::Ending(end);
        }
    }

    /// Forwards the end of the sender, once no decision is waited for.
    pub(super) fn finish(&mut self, now_us: u64) {
        if let State::Ending(end) = self.state
            && self.works.is_empty()
        {
            self.forward_postponed(now_us, |_| true);
            self.flush_additions();
            self.close(end, false);
        }
    }

    /// Forwards an end behind everything that is on its way, and discards whatever waits.
    pub(super) fn close(&mut self, end: End, ends_both: bool) {
        self.shaper.push(Vec::new(), Note::End { end, ends_both }, Shape::default());
        self.discard_waiting();
    }

    /// Discards everything, for an end that comes from the other side. Returns false if the end of
    /// this one was on its way already and has passed.
    pub(super) fn abort(&mut self) -> bool {
        let was_over = self.is_closed() && self.shaper.is_empty();
        self.shaper.clear();
        self.discard_waiting();
        !was_over
    }

    fn discard_waiting(&mut self) {
        self.state = State::Closed;
        (self.name, self.works, self.postponed, self.additions) = (None, VecDeque::new(), Vec::new(), Vec::new());
        self.held_bytes = 0;
    }

    /// Returns when something that waits for a decision or for later frames passes in any case.
    pub(super) fn deadline_us(&self) -> Option<u64> {
        let pending = self.works.iter().filter_map(|work| Some(work.pending.as_ref()?.deadline_us));
        pending.chain(self.postponed.iter().map(|postponed| postponed.deadline_us)).min()
    }

    /// Returns when the next bytes leave.
    pub(super) fn due_us(&self) -> Option<u64> {
        self.shaper.due_us()
    }

    /// Returns the next bytes that leave at `now_us`.
    pub(super) fn next(&mut self, now_us: u64) -> Option<(Vec<u8>, Note)> {
        self.shaper.next(now_us)
    }
}
