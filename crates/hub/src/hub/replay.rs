//! Replays: new members are sent the last messages of a room, or all that they missed since they left
//! (E7).

use glassline_wire::history::Question;

use super::Hub;
use crate::dialect::Dialect;
use crate::id::{MemberId, RoomId};
use crate::question_queue::Recipient;
use crate::send_queue::{Fetch, ReplaySegment};

impl Hub {
    /// Replays history to a new member: what it missed since `seen`, or else some context.
    pub(super) fn queue_replay(&mut self, id: MemberId, room_id: RoomId, seen: Option<u64>) {
        let (Some(member), Some(room)) = (self.members.get_mut(id), self.rooms.get(room_id)) else { return };
        let context_max = match member.dialect() {
            Dialect::Event => self.rules.replay,
            Dialect::Tutorial => self.rules.replay_tutorial,
        };
        if let Some(segment) = ReplaySegment::of_newcomer(room_id, room.name(), seen, room.seq(), context_max) {
            member.send_queue_mut().push_segment(segment, &self.rooms);
            self.advance_replay(id);
        }
    }

    /// Replays the context of a room to a member that has just joined it.
    pub fn replay_context(&mut self, id: MemberId, wished: &str) {
        if self.rules.durable
            && let Ok(room) = self.room_of(id, wished)
        {
            self.queue_replay(id, room, None);
        }
    }

    /// Returns whether a replay is being sent to a member: its later requests wait for that.
    pub fn is_replaying(&self, id: MemberId) -> bool {
        self.members.get(id).is_some_and(|member| member.send_queue().is_replaying())
    }

    /// Queries the next page once most of the one before has been sent; at the end of the replay,
    /// the member follows its rooms.
    pub(super) fn advance_replay(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(id) else { return };
        match member.send_queue_mut().next_fetch() {
            Fetch::Wait => {}
            Fetch::Page(range) => {
                let recipient = Recipient::Replaying { member: id };
                let ticket = self.questions.push(member.connection(), Question::Range(range), recipient);
                member.send_queue_mut().note_asked(ticket);
            }
            Fetch::Ended => {
                self.outstanding.note_settled(member.connection());
                self.scheduler.wake(id, member);
            }
        }
    }

    /// Continues a replay in the other rooms of a member that has left one.
    pub(super) fn resume_replay(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(id) {
            member.send_queue_mut().replay_what_passed(&self.rooms);
            self.advance_replay(id);
        }
    }

    /// Drops the past of a room that a member leaves; then call [`Hub::resume_replay`].
    pub(super) fn cancel_replay(&mut self, id: MemberId, room: RoomId) {
        if let Some(member) = self.members.get_mut(id)
            && member.send_queue().is_replaying()
        {
            member.send_queue_mut().cancel_replay(room);
            self.scheduler.wake(id, member);
        }
    }
}
