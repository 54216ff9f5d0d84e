//! What was said before a member came: the last messages of a room, or everything it missed since it was last here (E7).
//!
//! The member's outlet holds back whatever is new until the past has been sent, so that it reads everything in one order.

use alloc::{boxed::Box, collections::VecDeque, string::String, string::ToString, vec::Vec};

use glassline_wire::event::{Event, Gap, History};
use glassline_wire::request::HistoryRange;

use crate::hub::Hub;
use crate::id::{MemberId, RoomId};
use crate::member::Dialect;
use crate::past::{Answer, Inquiry, Purpose, past_pairs};

/// One room's past, as far as it is owed.
#[derive(Debug)]
struct Owed {
    room: RoomId,
    name: String,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// So many messages up to this number, as context.
    Context { limit: u64, until: u64 },
    /// Each message from one number to another.
    Missed { next: u64, until: u64 },
}

/// What a member is owed of the past, and the question under way.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    owed: VecDeque<Owed>,
    asked: Option<(u64, RoomId)>,
}

impl Hub {
    /// Owes a newcomer a room's past: what it missed since `seen`, or else some context.
    pub(crate) fn owe_past(&mut self, id: MemberId, room_id: RoomId, seen: Option<u64>) {
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
        replay.owed.push_back(Owed { room: room_id, name: room.name.to_string(), what });
        member.outlet.hold(&Self::logs(&self.rooms, member.dialect));
        self.go_on_replaying(id);
    }

    /// Owes a member that has just joined a room its context.
    pub fn give_context(&mut self, id: MemberId, wished: &str) {
        if self.rules.durable
            && let Ok(room) = self.room_of(id, wished)
        {
            self.owe_past(id, room, None);
        }
    }

    /// Asks for the next page once the one before has been sent, or lets go of what is new.
    pub(crate) fn go_on_replaying(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(id.0) else { return };
        let Some(replay) = &mut member.replay else { return };
        if replay.asked.is_some() {
            return;
        }
        let Some(owed) = replay.owed.front() else {
            member.replay = None;
            member.outlet.let_go();
            self.wake(id);
            return;
        };
        if member.outlet.has_room_before_hold() {
            let purpose = Purpose::Replaying { member: id };
            replay.asked = Some((self.past.ask(Inquiry::Range(owed.range()), purpose), owed.room));
        }
    }

    pub(crate) fn replay_answer(&mut self, id: MemberId, ticket: u64, answer: Answer) {
        let Some(member) = self.members.get_mut(id.0) else { return };
        let Some(replay) = &mut member.replay else { return };
        // Another member may sit in this place by now.
        let Some((_, room)) = replay.asked.take_if(|(asked, _)| *asked == ticket) else { return };
        if let Some(owed) = replay.owed.pop_front_if(|owed| owed.room == room) {
            let mut frames = Vec::new();
            if let Some(left) = owed.pay(member.dialect, answer, &mut frames) {
                replay.owed.push_front(left);
            }
            member.outlet.push_before_hold(frames);
            self.wake(id);
        }
        self.go_on_replaying(id);
    }

    /// Whether a member still waits for this answer.
    pub(crate) fn is_replay_awaited(&self, id: MemberId, ticket: u64) -> bool {
        let replay = self.members.get(id.0).and_then(|member| member.replay.as_ref());
        replay.and_then(|replay| replay.asked).is_some_and(|(asked, _)| asked == ticket)
    }

    /// A member that leaves a room is owed nothing of it.
    pub(crate) fn forgive(&mut self, id: MemberId, room: RoomId) {
        if let Some(replay) = self.members.get_mut(id.0).and_then(|member| member.replay.as_mut()) {
            replay.owed.retain(|owed| owed.room != room);
            self.go_on_replaying(id);
        }
    }
}

impl Owed {
    fn range(&self) -> HistoryRange {
        let room = self.name.clone();
        match self.what {
            What::Context { limit, until } => {
                HistoryRange { room, before: Some(until + 1), limit: Some(limit), ..HistoryRange::default() }
            }
            What::Missed { next, until } => {
                HistoryRange { room, after: Some(next - 1), before: Some(until + 1), ..HistoryRange::default() }
            }
        }
    }

    /// Puts an answer into frames; returns what is still owed.
    fn pay(self, dialect: Dialect, answer: Answer, frames: &mut Vec<u8>) -> Option<Self> {
        let (messages, more) = match answer {
            Answer::Page { messages, more } => (messages, more),
            Answer::Head(_) | Answer::Unreadable(_) => (Vec::new(), false),
        };
        match (self.what, dialect) {
            (What::Context { .. }, Dialect::Tutorial) => {
                frames.extend(past_pairs(&messages));
                None
            }
            (What::Context { .. }, Dialect::Event) => {
                if !messages.is_empty() {
                    let history = History { room: self.name, messages, more, reference: None };
                    frames.extend(Event::History(history).to_frame());
                }
                None
            }
            (What::Missed { next, until }, _) => {
                let mut expected = next;
                let progresses = !messages.is_empty();
                for message in messages {
                    let seq = message.seq.unwrap_or(expected);
                    self.put_gap(expected, seq.saturating_sub(1), frames);
                    expected = seq + 1;
                    frames.extend(Event::Message(message).to_frame());
                }
                if more && progresses && expected <= until {
                    return Some(Self { what: What::Missed { next: expected, until }, ..self });
                }
                self.put_gap(expected, until, frames);
                None
            }
        }
    }

    /// What is not stored any more, or cannot be read, is a hole that is told (E7).
    fn put_gap(&self, from: u64, to: u64, frames: &mut Vec<u8>) {
        if from <= to {
            frames.extend(Event::Gap(Gap { room: self.name.clone(), from, to }).to_frame());
        }
    }
}
