//! Segments of the past among the steps of a queue (E7). The first is fetched a page at a time, and
//! everything after it is held back, so that a member reads everything in one order.

use alloc::{boxed::Box, vec::Vec};

use glassline_wire::history::{Answer, ReadError, Ticket};
use glassline_wire::request::HistoryRange;

use super::{ReplaySegment, Rooms, SendQueue, SendStep};
use crate::id::RoomId;
use crate::write_slices::WRITE_BYTES_MAX;

#[derive(Debug)]
pub(crate) enum Fetch {
    Wait,
    /// Ask the history for this page, then [`SendQueue::note_asked`].
    Page(HistoryRange),
    /// The replay has just ended.
    Ended,
}

impl SendQueue {
    /// Queues a segment of the history, after everything its rooms hold now.
    pub(crate) fn push_segment(&mut self, segment: ReplaySegment, rooms: &Rooms) {
        self.follow_to_ends(rooms);
        self.steps.push_back(SendStep::Replay(Box::new(segment)));
        self.is_replaying = true;
    }

    pub(crate) fn is_replaying(&self) -> bool {
        self.is_replaying
    }

    /// Returns whether the question with this ticket is under way for this member.
    pub(crate) fn awaits_page(&self, asked: Ticket) -> bool {
        self.first_segment().is_some_and(|(_, segment)| segment.asked() == Some(asked))
    }

    /// Returns the page to ask for next, once most of the one before has been sent.
    pub(crate) fn next_fetch(&mut self) -> Fetch {
        if !self.is_replay_idle() {
            return Fetch::Wait;
        }
        let Some((index, segment)) = self.first_segment() else {
            self.is_replaying = false;
            return Fetch::Ended;
        };
        if self.has_room_before(index) { Fetch::Page(segment.range()) } else { Fetch::Wait }
    }

    /// Records that the page named by [`SendQueue::next_fetch`] was requested.
    pub(crate) fn note_asked(&mut self, ticket: Ticket) {
        if let Some((_, segment)) = self.first_segment_mut() {
            segment.note_asked(ticket);
        }
    }

    /// Queues a page of the first segment, or its end. False if it is no longer wanted.
    pub(crate) fn push_page(&mut self, ticket: Ticket, answer: Result<Answer, ReadError>, rooms: &Rooms) -> bool {
        if !self.awaits_page(ticket) {
            return false;
        }
        let dialect = self.dialect;
        if let Some((index, segment)) = self.first_segment_mut() {
            let mut frames = Vec::new();
            let is_complete = segment.render(answer, &mut |event| frames.extend(dialect.encode(&event.into())));
            if is_complete {
                self.steps.remove(index);
            }
            self.insert_private(index, frames);
            if is_complete {
                self.replay_what_passed(rooms);
            }
        }
        true
    }

    pub(crate) fn push_before_replay(&mut self, bytes: Vec<u8>) {
        if let Some((index, _)) = self.first_segment() {
            self.insert_private(index, bytes);
        }
    }

    /// Drops the segments of a room that the member leaves, and queues the notice of what it
    /// misses. Once it has left, [`SendQueue::replay_what_passed`].
    pub(crate) fn cancel_replay(&mut self, left: RoomId) {
        let is_cancelled = |step: &SendStep| matches!(step, SendStep::Replay(segment) if segment.room() == left);
        while let Some(index) = self.steps.iter().position(is_cancelled)
            && let Some(SendStep::Replay(segment)) = self.steps.remove(index)
        {
            let mut frames = Vec::new();
            segment.abandon(&mut |event| frames.extend(self.dialect.encode(&event.into())));
            self.insert_private(index, frames);
        }
    }

    /// Returns whether the past is being sent, and no question is under way for it.
    pub(super) fn is_replay_idle(&self) -> bool {
        self.is_replaying && self.first_segment().is_none_or(|(_, segment)| segment.asked().is_none())
    }

    pub(super) fn first_segment(&self) -> Option<(usize, &ReplaySegment)> {
        self.steps.iter().enumerate().find_map(|(index, step)| match step {
            SendStep::Replay(segment) => Some((index, &**segment)),
            _ => None,
        })
    }

    fn first_segment_mut(&mut self) -> Option<(usize, &mut ReplaySegment)> {
        self.steps.iter_mut().enumerate().find_map(|(index, step)| match step {
            SendStep::Replay(segment) => Some((index, &mut **segment)),
            _ => None,
        })
    }

    /// Returns whether little enough waits before the step at `index` for a further page.
    fn has_room_before(&self, index: usize) -> bool {
        let mut bytes_before = 0;
        self.steps.iter().take(index).all(|step| match step {
            SendStep::Private(bytes) | SendStep::Echo { bytes, .. } => {
                bytes_before += bytes.len();
                bytes_before <= WRITE_BYTES_MAX
            }
            SendStep::FollowUntil { .. } | SendStep::Skip { .. } | SendStep::Replay(_) => false,
        })
    }

    fn insert_private(&mut self, index: usize, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.queued_bytes.add(bytes.len());
            self.steps.insert(index, SendStep::Private(bytes));
        }
    }
}
