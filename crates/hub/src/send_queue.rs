//! Output that one member has still to be sent: a position in each of its rooms, and the steps that
//! come before it follows them again.

use alloc::{boxed::Box, collections::VecDeque, rc::Rc, vec::Vec};

use crate::dialect::Dialect;
use crate::id::{MemberId, RoomId};
use crate::lane::Lane;
use crate::log::Log;
use crate::room::{Room, Rooms};
use crate::write_slices::WriteSlices;

mod gaps;
mod queued_bytes;
mod replay;
mod segment;
pub(crate) use gaps::MissedRange;
use queued_bytes::QueuedBytes;
pub(crate) use queued_bytes::QueuedBytesTotal;
pub(crate) use replay::Fetch;
pub(crate) use segment::ReplaySegment;

/// Steps that a queue may hold, besides the limit on its bytes: a member that sends without reading
/// collects one for each message of its own.
const STEPS_MAX: usize = 4_096;

/// A member's place in one room.
#[derive(Debug)]
struct Subscription {
    room: RoomId,
    /// Everything before this position was sent, or is not for this member.
    cursor: u64,
    /// Position to which the steps queued will have brought the cursor.
    planned: u64,
    /// Index in the lane's list of followers.
    slot: usize,
    /// `true` if the lane counts this member among those that hold its log back.
    is_behind: bool,
    /// Newest message number before the cursor, noted whenever it moves: after the log's tail has
    /// passed it, only this records it.
    seq_reached: u64,
}

impl Subscription {
    /// Counts this member in the lane as lagging until it was sent all. Returns whether it is.
    fn update_lag(&mut self, lane: &mut Lane) -> bool {
        let is_behind = self.cursor < lane.log().end();
        if core::mem::replace(&mut self.is_behind, is_behind) != is_behind {
            lane.count_behind(is_behind);
        }
        is_behind
    }
}

/// Item to be sent before the member follows its rooms again. Positions lie between entries.
#[derive(Debug)]
enum SendStep {
    /// Bytes for this member alone.
    Private(Vec<u8>),
    /// The sender's own copy of its message of this number, instead of the shared one.
    Echo { room: RoomId, seq: u64, bytes: Vec<u8> },
    /// The room's log up to here comes first.
    FollowUntil { room: RoomId, to: u64 },
    /// Stored messages; later steps wait until they have been fetched and sent.
    Replay(Box<ReplaySegment>),
    /// The member's own message: its bytes are skipped (T5).
    Skip { room: RoomId, from: u64, to: u64, messages: u64 },
}

/// A member's cursors and the queue of what is for it alone.
#[derive(Debug)]
pub(crate) struct SendQueue {
    dialect: Dialect,
    subscriptions: Vec<Subscription>,
    steps: VecDeque<SendStep>,
    /// Stored messages are among the steps, or were until now.
    is_replaying: bool,
    /// Bytes already sent of a first step that has bytes.
    front_sent: usize,
    /// The first step is the rest of an entry that is half sent.
    front_is_rest: bool,
    queued_bytes: QueuedBytes,
}

impl SendQueue {
    pub(crate) fn new(dialect: Dialect, total: &QueuedBytesTotal) -> Self {
        Self {
            dialect,
            // A member is in one room, and has one step queued when it is welcomed; few ever have more.
            subscriptions: Vec::with_capacity(1),
            steps: VecDeque::with_capacity(1),
            is_replaying: false,
            front_sent: 0,
            front_is_rest: false,
            queued_bytes: QueuedBytes::counted_in(Rc::clone(total)),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Starts following a room at the end of its log.
    pub(crate) fn follow(&mut self, id: RoomId, room: &mut Room, member: MemberId) {
        // A log without followers may not know the newest number.
        let seq_reached = room.seq();
        let lane = room.lane_mut(self.dialect);
        let (slot, end) = (lane.add(member), lane.log().end());
        let subscription = Subscription { room: id, cursor: end, planned: end, slot, is_behind: false, seq_reached };
        self.subscriptions.push(subscription);
    }

    /// Stops following a room. Earlier messages are still sent, from a copy; call
    /// [`SendQueue::abandon`] first. Returns the member that now has the slot, and the slot, if
    /// another moved there: see [`SendQueue::set_slot`].
    pub(crate) fn unfollow(&mut self, room: RoomId, left: &mut Room) -> Option<(MemberId, usize)> {
        let index = self.subscriptions.iter().position(|subscription| subscription.room == room)?;
        let lane = left.lane_mut(self.dialect);
        let subscription = self.subscriptions.swap_remove(index);
        let (log, mut position) = (lane.log(), subscription.cursor);
        let mut steps = VecDeque::with_capacity(self.steps.len() + 1);
        for step in core::mem::take(&mut self.steps) {
            match step {
                SendStep::FollowUntil { room: of, to } if of == room => {
                    push_copied(&mut steps, &mut self.queued_bytes, log, position, to);
                    position = position.max(to);
                }
                SendStep::Skip { room: of, from, to, .. } if of == room => {
                    push_copied(&mut steps, &mut self.queued_bytes, log, position, from);
                    position = position.max(to);
                }
                // What is still sent from a room that was left is no delivery.
                SendStep::Echo { room: of, bytes, .. } if of == room => steps.push_back(SendStep::Private(bytes)),
                step => steps.push_back(step),
            }
        }
        push_copied(&mut steps, &mut self.queued_bytes, log, position, log.end());
        self.steps = steps;
        let moved = lane.remove(subscription.slot, subscription.is_behind);
        moved.map(|moved| (moved, subscription.slot))
    }

    /// Notes the slot to which the lane of a room has moved this member.
    pub(crate) fn set_slot(&mut self, room: RoomId, slot: usize) {
        if let Some(subscription) = self.subscription_mut(room) {
            subscription.slot = slot;
        }
    }

    /// Returns the rooms that are followed, in no order; a single one is the first.
    pub(crate) fn rooms(&self) -> impl ExactSizeIterator<Item = RoomId> {
        self.subscriptions.iter().map(|subscription| subscription.room)
    }

    pub(crate) fn follows(&self, room: RoomId) -> bool {
        self.subscription(room).is_some()
    }

    fn subscription(&self, room: RoomId) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.room == room)
    }

    fn subscription_mut(&mut self, room: RoomId) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.room == room)
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes.get()
    }

    /// Returns whether more is queued for this member alone than it may have.
    pub(crate) fn is_full(&self, bytes_max: usize) -> bool {
        self.queued_bytes.get() > bytes_max || self.steps.len() > STEPS_MAX
    }

    /// Returns whether the first entry is half sent: its rest must be sent first.
    pub(crate) fn is_mid_frame(&self) -> bool {
        self.front_sent > 0 || self.front_is_rest
    }

    /// Returns whether there is nothing to send but what a replay holds back.
    pub(crate) fn is_drained(&self, rooms: &Rooms) -> bool {
        if matches!(self.steps.front(), Some(SendStep::Replay(_))) {
            return true;
        }
        let is_at_end = |subscription: &Subscription| {
            rooms.log(subscription.room, self.dialect).is_none_or(|log| subscription.cursor >= log.end())
        };
        self.steps.is_empty() && self.subscriptions.iter().all(is_at_end)
    }

    /// Returns whether some of a lane's log has still to be sent, and has the lane count it.
    pub(crate) fn is_behind_in(&mut self, room: RoomId, lane: &mut Lane) -> bool {
        self.subscription_mut(room).is_some_and(|subscription| subscription.update_lag(lane))
    }

    /// Queues bytes for this member, after everything its rooms hold now.
    pub(crate) fn push_private(&mut self, bytes: Vec<u8>, rooms: &Rooms) {
        self.follow_to_ends(rooms);
        self.queued_bytes.add(bytes.len());
        self.steps.push_back(SendStep::Private(bytes));
    }

    /// Puts everything that its rooms hold now before what is queued next.
    fn follow_to_ends(&mut self, rooms: &Rooms) {
        for subscription in &mut self.subscriptions {
            let Some(log) = rooms.log(subscription.room, self.dialect) else { continue };
            let (room, to) = (subscription.room, log.end());
            if subscription.planned.max(subscription.cursor) < to {
                subscription.planned = to;
                self.steps.push_back(SendStep::FollowUntil { room, to });
            }
        }
    }

    /// Queues the member's own copy of its message, right after the one it has just skipped.
    pub(crate) fn push_echo(&mut self, room: RoomId, seq: u64, bytes: Vec<u8>) {
        self.queued_bytes.add(bytes.len());
        self.steps.push_back(SendStep::Echo { room, seq, bytes });
    }

    /// Skips the member's own message of number `seq` at `from..to` of a room.
    pub(crate) fn skip(&mut self, room: RoomId, seq: u64, from: u64, to: u64) {
        if let Some(subscription) = self.subscription_mut(room) {
            subscription.planned = to;
        }
        if let Some(SendStep::Skip { room: of, to: end, messages, .. }) = self.steps.back_mut()
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
        self.steps.push_back(SendStep::Skip { room, from, to, messages: 1 });
    }

    pub(crate) fn gather<'log>(&'log self, rooms: &'log Rooms, slices: &mut WriteSlices<'log>) {
        // Position that the cursor will have in the room that the steps name; steps of a second
        // room wait for the next write.
        let mut walked: Option<(RoomId, u64)> = None;
        for (index, step) in self.steps.iter().enumerate() {
            let fits = match step {
                SendStep::Replay(_) => return,
                SendStep::Private(bytes) | SendStep::Echo { bytes, .. } => {
                    slices.push(&bytes[if index == 0 { self.front_sent } else { 0 }..])
                }
                SendStep::FollowUntil { room, to } | SendStep::Skip { room, from: to, .. } => {
                    let from = match walked {
                        Some((of, position)) if of == *room => position,
                        Some(_) => return,
                        None => self.subscription(*room).map_or(*to, |subscription| subscription.cursor),
                    };
                    let behind = if let SendStep::Skip { to, .. } = step { *to } else { *to };
                    walked = Some((*room, from.max(behind)));
                    rooms.log(*room, self.dialect).is_none_or(|log| log.gather(from, *to, slices))
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
            if let Some(log) = rooms.log(subscription.room, self.dialect)
                && !log.gather(from, log.end(), slices)
            {
                return;
            }
        }
    }

    /// Moves past `sent` bytes of what was gathered. The rest of a half-sent entry is kept aside,
    /// so that no log has to wait for it. Returns how many messages were sent, one that is half
    /// sent among them.
    pub(crate) fn advance(&mut self, mut sent: usize, rooms: &Rooms) -> u64 {
        let (mut echoes, mut skipped) = (0, 0);
        while let Some(step) = self.steps.front_mut() {
            let (is_echo, own) = step.own_messages();
            match step {
                SendStep::Replay(_) => break,
                SendStep::Private(bytes) | SendStep::Echo { bytes, .. } => {
                    let unsent = bytes.len() - self.front_sent;
                    if sent < unsent {
                        self.front_sent += sent;
                        sent = 0;
                        break;
                    }
                    sent -= unsent;
                    self.queued_bytes.subtract(bytes.len());
                    self.front_sent = 0;
                    self.front_is_rest = false;
                }
                SendStep::FollowUntil { room, to } | SendStep::Skip { room, from: to, .. } => {
                    let (room, to) = (*room, *to);
                    let behind = if let SendStep::Skip { to, .. } = step { *to } else { to };
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
            echoes += u64::from(is_echo);
            skipped += own;
            self.steps.pop_front();
        }
        if sent > 0 {
            for subscription in &mut self.subscriptions {
                let Some(log) = rooms.log(subscription.room, self.dialect) else { continue };
                let unsent = log.end().saturating_sub(subscription.cursor) as usize;
                subscription.cursor += sent.min(unsent) as u64;
                sent -= sent.min(unsent);
            }
        }
        (self.note_progress(rooms) + echoes).saturating_sub(skipped)
    }

    /// Takes the rest of a half-sent entry out of its log, so that cursors stand between entries, and
    /// notes how far each room was read. Returns how many messages the cursors have passed since.
    fn note_progress(&mut self, rooms: &Rooms) -> u64 {
        let mut passed = 0;
        for subscription in &mut self.subscriptions {
            let Some(log) = rooms.log(subscription.room, self.dialect) else { continue };
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
                self.queued_bytes.add(rest.len());
                self.steps.push_front(SendStep::Private(rest));
                self.front_sent = 0;
                self.front_is_rest = true;
            }
            subscription.seq_reached = subscription.seq_reached.max(log.seq_at(subscription.cursor));
            passed += subscription.seq_reached - seq_before;
        }
        passed
    }

    /// Updates in each lane whether this member lags, after a write.
    pub(crate) fn update_lag(&mut self, rooms: &mut Rooms) {
        for subscription in &mut self.subscriptions {
            if let Some(room) = rooms.get_mut(subscription.room) {
                subscription.update_lag(room.lane_mut(self.dialect));
            }
        }
    }

    pub(crate) fn discard(&mut self, rooms: &Rooms) {
        self.steps = VecDeque::new();
        self.is_replaying = false;
        self.queued_bytes.clear();
        for subscription in &mut self.subscriptions {
            subscription.cursor = rooms.log(subscription.room, self.dialect).map_or(subscription.cursor, Log::end);
        }
    }
}

fn push_copied(steps: &mut VecDeque<SendStep>, queued_bytes: &mut QueuedBytes, log: &Log, from: u64, to: u64) {
    let copied = log.copy(from, to);
    if !copied.is_empty() {
        queued_bytes.add(copied.len());
        steps.push_back(SendStep::Private(copied));
    }
}

impl SendStep {
    /// Returns whether it says how far to follow the room's log.
    fn is_of_log(&self, room: RoomId) -> bool {
        matches!(self, Self::FollowUntil { room: of, .. } | Self::Skip { room: of, .. } if *of == room)
    }

    /// Returns whether it is an echo, and how many messages it skips: for counting what is sent.
    fn own_messages(&self) -> (bool, u64) {
        match self {
            Self::Echo { .. } => (true, 0),
            Self::Skip { messages, .. } => (false, *messages),
            Self::Private(_) | Self::FollowUntil { .. } | Self::Replay(_) => (false, 0),
        }
    }

    fn echo_of(&self, room: RoomId) -> Option<u64> {
        match self {
            Self::Echo { room: of, seq, .. } if *of == room => Some(*seq),
            _ => None,
        }
    }
}
