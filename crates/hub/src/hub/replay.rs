//! Messages before a member came: the last messages of a room, or everything it missed since it was
//! last here (E7).

use glassline_wire::history::{Answer, Question, ReadError, Ticket};

use crate::dialect::Dialect;
use crate::hub::Hub;
use crate::id::{MemberId, RoomId};
use crate::question_queue::Recipient;
use crate::send_queue::{Fetch, ReplaySegment};

impl Hub {
    /// Replays a room's past to a newcomer: what it missed since `seen`, or else some context.
    pub(crate) fn queue_past(&mut self, id: MemberId, room_id: RoomId, seen: Option<u64>) {
        let (Some(member), Some(room)) = (self.members.get_mut(id), self.rooms.get(room_id)) else { return };
        let context_max = match member.dialect() {
            Dialect::Event => self.rules.replay,
            Dialect::Tutorial => self.rules.replay_tutorial,
        };
        if let Some(segment) = ReplaySegment::of_newcomer(room_id, room.name(), seen, room.seq(), context_max) {
            member.send_queue_mut().push_segment(segment, &self.rooms);
            self.go_on_replaying(id);
        }
    }

    /// Replays the context of a room to a member that has just joined it.
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
        self.members.get(id).is_some_and(|member| member.send_queue().is_replaying())
    }

    /// Asks for the next page once most of the one before has been sent; when nothing is left to be
    /// asked for, the member follows its rooms.
    pub(crate) fn go_on_replaying(&mut self, id: MemberId) {
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

    /// A member that has left a room goes on in the others.
    pub(crate) fn read_on(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(id) {
            member.send_queue_mut().replay_what_passed(&self.rooms);
            self.go_on_replaying(id);
        }
    }

    pub(crate) fn replay_answer(&mut self, id: MemberId, ticket: Ticket, answer: Result<Answer, ReadError>) {
        if let Some(member) = self.members.get_mut(id)
            && member.send_queue_mut().push_page(ticket, answer, &self.rooms)
        {
            self.scheduler.wake(id, member);
            self.go_on_replaying(id);
        }
    }

    /// Returns whether a member still waits for this answer.
    pub(crate) fn is_replay_awaited(&self, id: MemberId, ticket: u64) -> bool {
        self.members.get(id).is_some_and(|member| member.send_queue().awaits_page(ticket))
    }

    /// Drops the past of a room that a member leaves, and tells it. Once it has left,
    /// [`Hub::read_on`].
    pub(crate) fn cancel_replay(&mut self, id: MemberId, room: RoomId) {
        if let Some(member) = self.members.get_mut(id)
            && member.send_queue().is_replaying()
        {
            member.send_queue_mut().cancel_replay(room);
            self.scheduler.wake(id, member);
        }
    }
}
