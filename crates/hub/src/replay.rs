//! Messages before a member came: the last messages of a room, or everything it missed since it was
//! last here (E7).
//!
//! The member's outlet holds back whatever is new until the past has been sent, so that it reads everything in one order.

use alloc::{boxed::Box, collections::VecDeque, string::ToString, vec::Vec};

use glassline_wire::history::{Answer, Question, ReadError};

use crate::hub::Hub;
use crate::id::{MemberId, RoomId};
use crate::member::Dialect;
use crate::question_queue::Recipient;
use crate::replay_segment::{ReplaySegment, What};
use crate::send_queue::Missed;

/// Messages of the past that a member has still to be sent, and the question under way.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// Each has its hold in the member's outlet, in the same order.
    replay_segment: VecDeque<ReplaySegment>,
    asked: Option<(u64, RoomId)>,
}

impl Hub {
    /// Owes a newcomer a room's past: what it missed since `seen`, or else some context.
    pub(crate) fn queue_past(&mut self, id: MemberId, room_id: RoomId, seen: Option<u64>) {
        let (Some(member), Some(room)) = (self.members.get_mut(id.0), self.rooms.get(room_id.0)) else { return };
        let until = room.seq;
        let limit = match member.dialect {
            Dialect::Event => self.rules.replay,
            Dialect::Tutorial => self.rules.replay_tutorial,
        };
        let what = match seen {
            Some(seen) if seen < until => What::Missed { next: seen + 1, until },
            None if limit > 0 && until > 0 => What::Context { limit: limit as u64, until },
            _ => return,
        };
        let replay = member.replay.get_or_insert_with(Box::default);
        replay.replay_segment.push_back(ReplaySegment { room: room_id, name: room.name.to_string(), what });
        member.send_queue.barrier(&Self::logs(&self.rooms, member.dialect));
        self.go_on_replaying(id);
    }

    /// Owes a member that has just joined a room its context.
    pub fn give_context(&mut self, id: MemberId, wished: &str) {
        if self.rules.durable
            && let Ok(room) = self.room_of(id, wished)
        {
            self.queue_past(id, room, None);
        }
    }

    /// Returns whether a member is still sent the past: what it asked for meanwhile waits behind
    /// that.
    pub fn is_owed_past(&self, id: MemberId) -> bool {
        self.members.get(id.0).is_some_and(|member| member.replay.is_some())
    }

    /// Asks for the next page once most of the one before has been sent; when nothing is owed any more, the member follows its rooms.
    pub(crate) fn go_on_replaying(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(id.0) else { return };
        let Some(replay) = &mut member.replay else { return };
        if replay.asked.is_some() {
            return;
        }
        let Some(replay_segment) = replay.replay_segment.front() else {
            member.replay = None;
            let connection = member.connection;
            self.outstanding.note_settled(connection);
            self.wake(id);
            return;
        };
        if member.send_queue.has_room_before_hold() {
            let recipient = Recipient::Replaying { member: id };
            replay.asked = Some((
                self.questions.push(member.connection, Question::Range(replay_segment.range()), recipient),
                replay_segment.room,
            ));
        }
    }

    /// A member that has left a room goes on in the others.
    pub(crate) fn read_on(&mut self, id: MemberId) {
        self.owe_what_passed_meanwhile(id);
        self.go_on_replaying(id);
    }

    pub(crate) fn replay_answer(&mut self, id: MemberId, ticket: u64, answer: Result<Answer, ReadError>) {
        let Some(member) = self.members.get_mut(id.0) else { return };
        let Some(replay) = &mut member.replay else { return };
        // Another member may sit in this place by now, or this one have left the room.
        if replay.asked.take_if(|(asked, _)| *asked == ticket).is_none() {
            return;
        }
        if let Some(replay_segment) = replay.replay_segment.pop_front() {
            let mut frames = Vec::new();
            let left = replay_segment.render(member.dialect, answer, &mut frames);
            if let Some(left) = left {
                replay.replay_segment.push_front(left);
                member.send_queue.push_before_barrier(frames);
            } else {
                member.send_queue.release(0, frames);
                self.owe_what_passed_meanwhile(id);
            }
            self.wake(id);
        }
        self.go_on_replaying(id);
    }

    /// While a member was held back, a log's tail may have passed it: that is stored as well, and it reads on there.
    fn owe_what_passed_meanwhile(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(id.0) else { return };
        if member.dialect != Dialect::Event {
            return;
        }
        // What is asked for now is what is owed first, and stays so.
        let Some(replay) = member.replay.as_mut().filter(|replay| replay.asked.is_none()) else { return };
        for (barrier, missed) in member.send_queue.hold_what_passed(&Self::logs(&self.rooms, member.dialect)) {
            let Missed { room, from, to, .. } = missed;
            let name = self.rooms.get(room.0).map_or("", |room| &room.name).to_string();
            replay.replay_segment.insert(
                barrier.min(replay.replay_segment.len()),
                ReplaySegment { room, name, what: What::Missed { next: from, until: to } },
            );
        }
    }

    /// Returns whether a member still waits for this answer.
    pub(crate) fn is_replay_awaited(&self, id: MemberId, ticket: u64) -> bool {
        let replay = self.members.get(id.0).and_then(|member| member.replay.as_ref());
        replay.and_then(|replay| replay.asked).is_some_and(|(asked, _)| asked == ticket)
    }

    /// A member that leaves a room is owed nothing of it, and told so. Once it has left, [`Hub::read_on`].
    pub(crate) fn cancel_replay(&mut self, id: MemberId, room: RoomId) {
        let Some(member) = self.members.get_mut(id.0) else { return };
        let Some(replay) = &mut member.replay else { return };
        replay.asked.take_if(|(_, asked)| *asked == room);
        let mut barrier = 0;
        replay.replay_segment.retain(|replay_segment| {
            if replay_segment.room != room {
                barrier += 1;
                return true;
            }
            let mut frames = Vec::new();
            if member.dialect == Dialect::Event {
                replay_segment.abandon(&mut frames);
            }
            member.send_queue.release(barrier, frames);
            false
        });
        self.wake(id);
    }
}
