//! Output that one member has still to be sent: a position in each of its rooms, and what stands
//! between.

use alloc::{collections::VecDeque, vec::Vec};

use crate::gathered::{Gathered, WRITE_BYTES_MAX};
use crate::id::RoomId;
use crate::log::Log;

mod missed;
mod own_bytes;
pub(crate) use missed::Missed;
use own_bytes::OwnBytes;
pub(crate) use own_bytes::OwnBytesTotal;

/// Access to the logs.
pub(crate) trait Logs<'log> {
    /// The log of `room` in the member's dialect.
    fn log(&self, room: RoomId) -> Option<&'log Log>;
}

/// A member's place in one room.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) room: RoomId,
    /// Everything before this position was sent, or is not for this member.
    pub(crate) cursor: u64,
    /// Position to which the steps queued will have brought the cursor.
    planned: u64,
    /// Index in the lane's list of members.
    pub(crate) slot: usize,
    /// `true` if the lane counts this member among those that hold its log back.
    pub(crate) behind: bool,
    /// Newest message number before the cursor, noted whenever it moves: after the log's tail has passed it, nobody else knows.
    seq_reached: u64,
}

/// Something that happens before the member simply follows its rooms again. Positions lie between entries.
#[derive(Debug)]
enum Step {
    /// Bytes for this member alone.
    Own(Vec<u8>),
    /// The sender's own copy of its message of this number, for the one that all share.
    Copy { room: RoomId, seq: u64, bytes: Vec<u8> },
    /// The room's log up to here comes first.
    Through { room: RoomId, to: u64 },
    /// Barrier: steps behind it wait until the past has been sent.
    Barrier,
    /// The member's own message: its bytes are stepped over (T5).
    Jump { room: RoomId, from: u64, to: u64, messages: u64 },
}

/// A member's cursors and the queue of what is for it alone.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    pub(crate) subscriptions: Vec<Subscription>,
    steps: VecDeque<Step>,
    /// Bytes already sent of a first step that has bytes.
    front_sent: usize,
    /// The first step is the rest of an entry that is half sent.
    front_is_rest: bool,
    own_bytes: OwnBytes,
}

impl SendQueue {
    /// An outlet whose queued bytes are counted in a total.
    pub(crate) fn counted_in(total: OwnBytesTotal) -> Self {
        Self { own_bytes: OwnBytes::counted_in(total), ..Self::default() }
    }

    /// Starts following a room at the end of its log; `seq` is the room's newest number, which a log nobody followed may not know.
    pub(crate) fn follow(&mut self, room: RoomId, log: &Log, seq: u64, slot: usize) {
        self.subscriptions.push(Subscription {
            room,
            cursor: log.end(),
            planned: log.end(),
            slot,
            behind: false,
            seq_reached: seq,
        });
    }

    /// Stops following a room. What was said there before is still sent, from a copy; call [`SendQueue::abandon`] first.
    pub(crate) fn unfollow(&mut self, room: RoomId, log: &Log) -> Option<Subscription> {
        let index = self.subscriptions.iter().position(|subscription| subscription.room == room)?;
        let subscription = self.subscriptions.swap_remove(index);
        let mut position = subscription.cursor;
        let mut steps = VecDeque::with_capacity(self.steps.len() + 1);
        for step in core::mem::take(&mut self.steps) {
            match step {
                Step::Through { room: of, to } if of == room => {
                    push_copied(&mut steps, &mut self.own_bytes, log, position, to);
                    position = position.max(to);
                }
                Step::Jump { room: of, from, to, .. } if of == room => {
                    push_copied(&mut steps, &mut self.own_bytes, log, position, from);
                    position = position.max(to);
                }
                // The room's place may be another room's tomorrow.
                Step::Copy { room: of, bytes, .. } if of == room => steps.push_back(Step::Own(bytes)),
                step => steps.push_back(step),
            }
        }
        push_copied(&mut steps, &mut self.own_bytes, log, position, log.end());
        self.steps = steps;
        Some(subscription)
    }

    pub(crate) fn subscription(&self, room: RoomId) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.room == room)
    }

    pub(crate) fn subscription_mut(&mut self, room: RoomId) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.room == room)
    }

    /// Bytes queued for this member alone.
    pub(crate) fn own_bytes(&self) -> usize {
        self.own_bytes.get()
    }

    /// Steps queued; grows only while the member does not read.
    pub(crate) fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Returns whether what comes first is half sent: nothing may come before the rest of it.
    pub(crate) fn is_mid_frame(&self) -> bool {
        self.front_sent > 0 || self.front_is_rest
    }

    /// Returns whether there is nothing to send: cursors at their ends, nothing queued, or only
    /// what is held back.
    pub(crate) fn is_drained<'a>(&self, logs: &impl Logs<'a>) -> bool {
        if matches!(self.steps.front(), Some(Step::Barrier)) {
            return true;
        }
        self.steps.is_empty()
            && self
                .subscriptions
                .iter()
                .all(|subscription| logs.log(subscription.room).is_none_or(|log| subscription.cursor >= log.end()))
    }

    /// Queues bytes for this member, behind everything its rooms hold now.
    pub(crate) fn push_own<'a>(&mut self, bytes: Vec<u8>, logs: &impl Logs<'a>) {
        self.follow_to_ends(logs);
        self.own_bytes.add(bytes.len());
        self.steps.push_back(Step::Own(bytes));
    }

    /// Holds back whatever comes from now on.
    pub(crate) fn barrier<'a>(&mut self, logs: &impl Logs<'a>) {
        self.follow_to_ends(logs);
        self.steps.push_back(Step::Barrier);
    }

    /// Queues bytes before what is held back.
    pub(crate) fn push_before_barrier(&mut self, bytes: Vec<u8>) {
        if let Some(index) = self.hold_index(0)
            && !bytes.is_empty()
        {
            self.own_bytes.add(bytes.len());
            self.steps.insert(index, Step::Own(bytes));
        }
    }

    /// Returns whether little enough waits before what is held back for more of the past to be
    /// fetched.
    pub(crate) fn has_room_before_hold(&self) -> bool {
        let mut bytes_before = 0;
        for step in &self.steps {
            match step {
                Step::Barrier => return true,
                Step::Own(bytes) | Step::Copy { bytes, .. } => bytes_before += bytes.len(),
                Step::Through { .. } | Step::Jump { .. } => return false,
            }
            if bytes_before > WRITE_BYTES_MAX {
                return false;
            }
        }
        false
    }

    /// Lets go of what one of the holds held back, behind these last bytes; holds count from 0.
    pub(crate) fn release(&mut self, barrier: usize, last: Vec<u8>) {
        let Some(index) = self.hold_index(barrier) else { return };
        if last.is_empty() {
            self.steps.remove(index);
        } else {
            self.own_bytes.add(last.len());
            self.steps[index] = Step::Own(last);
        }
    }

    /// Returns the index of a hold among the steps.
    fn hold_index(&self, barrier: usize) -> Option<usize> {
        let holds = self.steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Barrier));
        holds.map(|(index, _)| index).nth(barrier)
    }

    /// Puts everything that its rooms hold now before what is queued next.
    fn follow_to_ends<'a>(&mut self, logs: &impl Logs<'a>) {
        for subscription in &mut self.subscriptions {
            let Some(log) = logs.log(subscription.room) else { continue };
            let (room, to) = (subscription.room, log.end());
            if subscription.planned.max(subscription.cursor) < to {
                subscription.planned = to;
                self.steps.push_back(Step::Through { room, to });
            }
        }
    }

    /// Queues the member's own copy of its message, right behind the one it has just stepped over.
    pub(crate) fn push_copy(&mut self, room: RoomId, seq: u64, bytes: Vec<u8>) {
        self.own_bytes.add(bytes.len());
        self.steps.push_back(Step::Copy { room, seq, bytes });
    }

    /// Steps over the member's own message of number `seq` at `from..to` of a room.
    pub(crate) fn step_over(&mut self, room: RoomId, seq: u64, from: u64, to: u64) {
        if let Some(subscription) = self.subscription_mut(room) {
            subscription.planned = to;
        }
        if let Some(Step::Jump { room: of, to: end, messages, .. }) = self.steps.back_mut()
            && *of == room
            && *end == from
        {
            *end = to;
            *messages += 1;
            return;
        }
        if self.steps.is_empty()
            && let Some(subscription) = self.subscription_mut(room)
            && subscription.cursor == from
        {
            subscription.cursor = to;
            subscription.seq_reached = seq;
            return;
        }
        self.steps.push_back(Step::Jump { room, from, to, messages: 1 });
    }

    /// Collects the next write.
    pub(crate) fn gather<'log>(&'log self, logs: &impl Logs<'log>, gathered: &mut Gathered<'log>) {
        // Where the cursor of the room that the steps speak of will stand; steps of a second room wait for the next write.
        let mut walked: Option<(RoomId, u64)> = None;
        for (index, step) in self.steps.iter().enumerate() {
            let fits = match step {
                Step::Barrier => return,
                Step::Own(bytes) | Step::Copy { bytes, .. } => {
                    gathered.push(&bytes[if index == 0 { self.front_sent } else { 0 }..])
                }
                Step::Through { room, to } | Step::Jump { room, from: to, .. } => {
                    let from = match walked {
                        Some((of, position)) if of == *room => position,
                        Some(_) => return,
                        None => self.subscription(*room).map_or(*to, |subscription| subscription.cursor),
                    };
                    let behind = if let Step::Jump { to, .. } = step { *to } else { *to };
                    walked = Some((*room, from.max(behind)));
                    logs.log(*room).is_none_or(|log| log.gather(from, *to, gathered))
                }
            };
            if !fits {
                return;
            }
        }
        for subscription in &self.subscriptions {
            let from = match walked {
                Some((room, position)) if room == subscription.room => position,
                _ => subscription.cursor,
            };
            if let Some(log) = logs.log(subscription.room)
                && !log.gather(from, log.end(), gathered)
            {
                return;
            }
        }
    }

    /// Moves past `sent` bytes of what was gathered. The rest of a half-sent entry is kept aside, so that no log has to wait for it.
    /// Returns how many messages were sent, one that is half sent among them.
    pub(crate) fn advance<'a>(&mut self, mut sent: usize, logs: &impl Logs<'a>) -> u64 {
        let (mut copies, mut stepped_over) = (0, 0);
        while let Some(step) = self.steps.front_mut() {
            let (is_copy, own) = step.own_messages();
            match step {
                Step::Barrier => break,
                Step::Own(bytes) | Step::Copy { bytes, .. } => {
                    let unsent = bytes.len() - self.front_sent;
                    if sent < unsent {
                        self.front_sent += sent;
                        sent = 0;
                        break;
                    }
                    sent -= unsent;
                    self.own_bytes.subtract(bytes.len());
                    self.front_sent = 0;
                    self.front_is_rest = false;
                }
                Step::Through { room, to } | Step::Jump { room, from: to, .. } => {
                    let (room, to) = (*room, *to);
                    let behind = if let Step::Jump { to, .. } = step { *to } else { to };
                    if let Some(subscription) =
                        self.subscriptions.iter_mut().find(|subscription| subscription.room == room)
                    {
                        let unsent = to.saturating_sub(subscription.cursor) as usize;
                        if sent < unsent {
                            subscription.cursor += sent as u64;
                            sent = 0;
                            break;
                        }
                        sent -= unsent;
                        subscription.cursor = subscription.cursor.max(behind);
                    }
                }
            }
            copies += u64::from(is_copy);
            stepped_over += own;
            self.steps.pop_front();
        }
        if sent > 0 {
            for subscription in &mut self.subscriptions {
                let Some(log) = logs.log(subscription.room) else { continue };
                let unsent = log.end().saturating_sub(subscription.cursor) as usize;
                subscription.cursor += sent.min(unsent) as u64;
                sent -= sent.min(unsent);
            }
        }
        (self.settle(logs) + copies).saturating_sub(stepped_over)
    }

    /// Settles a cursor that stopped short: takes the rest of a half-sent entry out of its log, and
    /// notes how far the room was read. Returns how many messages the cursors have passed since.
    fn settle<'a>(&mut self, logs: &impl Logs<'a>) -> u64 {
        let mut passed = 0;
        for subscription in &mut self.subscriptions {
            let Some(log) = logs.log(subscription.room) else { continue };
            let seq_before = subscription.seq_reached;
            if subscription.cursor >= log.end() {
                subscription.seq_reached = subscription.seq_reached.max(log.newest_seq());
                passed += subscription.seq_reached - seq_before;
                continue;
            }
            if subscription.cursor < log.tail() {
                // The log has passed it while it is held back: it has read no further than before.
                continue;
            }
            let entry_end = log.entry_end(subscription.cursor);
            if entry_end > subscription.cursor {
                let rest = log.copy(subscription.cursor, entry_end);
                subscription.cursor = entry_end;
                self.own_bytes.add(rest.len());
                self.steps.push_front(Step::Own(rest));
                self.front_sent = 0;
                self.front_is_rest = true;
            }
            subscription.seq_reached = subscription.seq_reached.max(log.seq_at(subscription.cursor));
            passed += subscription.seq_reached - seq_before;
        }
        passed
    }

    /// Forgets everything there is to send.
    pub(crate) fn discard<'a>(&mut self, logs: &impl Logs<'a>) {
        self.steps = VecDeque::new();
        self.own_bytes.clear();
        for subscription in &mut self.subscriptions {
            subscription.cursor = logs.log(subscription.room).map_or(subscription.cursor, Log::end);
        }
    }
}

/// Queues a copy of a stretch of the log.
fn push_copied(steps: &mut VecDeque<Step>, own_bytes: &mut OwnBytes, log: &Log, from: u64, to: u64) {
    let copied = log.copy(from, to);
    if !copied.is_empty() {
        own_bytes.add(copied.len());
        steps.push_back(Step::Own(copied));
    }
}

impl Step {
    /// Returns whether it says how far to follow the room's log.
    fn is_of_log(&self, room: RoomId) -> bool {
        matches!(self, Self::Through { room: of, .. } | Self::Jump { room: of, .. } if *of == room)
    }

    /// For counting what is sent: whether it is a copy of a message, and how many of the room's it steps over.
    fn own_messages(&self) -> (bool, u64) {
        match self {
            Self::Copy { .. } => (true, 0),
            Self::Jump { messages, .. } => (false, *messages),
            Self::Own(_) | Self::Through { .. } | Self::Barrier => (false, 0),
        }
    }

    /// The number of the message that this is the sender's own copy of.
    fn copy_of(&self, room: RoomId) -> Option<u64> {
        match self {
            Self::Copy { room: of, seq, .. } if *of == room => Some(*seq),
            _ => None,
        }
    }
}
