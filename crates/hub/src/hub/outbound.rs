//! Sending: to one member, to a room, to everybody, and the answers to requests.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, Gap, Message, Presence, Rejection};

use crate::dialect::Dialect;
use crate::encode::Outbound;
use crate::hub::Hub;
use crate::id::{MemberId, RoomId};
use crate::member::Member;
use crate::room::{Room, Rooms};
use crate::send_queue::MissedRange;

/// Answer to a request or a command, for the requester. [`Hub::reply`] adds the `ref`.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// Nothing, or nothing yet: the result arrives with the room, or later from the history.
    #[default]
    Nothing,
    /// These events.
    Events(Vec<Event>),
    /// An event that the member's rooms are sent as well; again only to a request with a `ref`.
    Confirmation(Event),
    /// The member's own arrival in a room; if it is new there, the room's context follows.
    Joined {
        /// Fields of the `joined`.
        presence: Presence,
        /// `true` unless the member was there already.
        is_new: bool,
    },
}

/// Answer to a request, or why it was not carried out.
pub type ReplyResult = Result<Reply, Rejection>;

impl Reply {
    pub(super) fn notice(text: impl Into<String>) -> Self {
        Event::notice(text).into()
    }
}

impl From<Event> for Reply {
    fn from(event: Event) -> Self {
        Self::Events([event].into())
    }
}

impl Hub {
    /// Sends something to one member, in its dialect; a pure server has nothing to send (T9).
    pub fn send(&mut self, to: MemberId, outbound: impl Into<Outbound>) {
        let Some(member) = self.members.get_mut(to).filter(|_| !self.rules.pure) else { return };
        let outbound = outbound.into();
        if let Event::Error(rejection) = &outbound.content {
            self.counters.note_refusal(rejection.code);
        }
        let bytes = member.dialect().encode(&outbound);
        if !bytes.is_empty() {
            member.send_queue_mut().push_private(bytes, &self.rooms);
            self.scheduler.wake(to, member);
        }
    }

    /// Sends an event that cannot wait for a replay.
    pub fn send_at_once(&mut self, to: MemberId, event: Event) {
        match self.members.get_mut(to) {
            Some(member) if member.send_queue().is_replaying() && member.dialect() == Dialect::Event => {
                let bytes = Dialect::Event.encode(&event.into());
                member.send_queue_mut().push_before_replay(bytes);
                self.scheduler.wake(to, member);
            }
            _ => self.send(to, event),
        }
    }

    pub(super) fn send_to_each(&mut self, is_recipient: impl Fn(&Member) -> bool, event: &Event) {
        for id in self.ids_of(is_recipient) {
            self.send(id, event.clone());
        }
    }

    pub(super) fn ids_of(&self, is_selected: impl Fn(&Member) -> bool) -> Vec<MemberId> {
        self.members.iter().filter(|(_, member)| is_selected(member)).map(|(id, _)| id).collect()
    }

    /// Sends a server event to everybody in a room.
    pub(super) fn send_to_room(&mut self, room: RoomId, event: Event) {
        if !self.rules.pure && !self.is_closing {
            let outbound = event.into();
            for dialect in Dialect::ALL {
                self.append_encoded(room, dialect, &outbound);
            }
        }
    }

    /// Sends the answer to a request with this `ref`.
    pub fn reply(&mut self, to: MemberId, reply: ReplyResult, reference: Option<String>) {
        match reply {
            Ok(Reply::Nothing) => {}
            Ok(Reply::Events(events)) => {
                for event in events {
                    self.send(to, Envelope::new(event, reference.clone()));
                }
            }
            Ok(Reply::Confirmation(event)) => {
                if reference.is_some() {
                    self.send(to, Envelope::new(event, reference));
                }
            }
            Ok(Reply::Joined { presence, is_new }) => {
                let room = presence.room.clone();
                self.send(to, Envelope::new(Event::Joined(presence), reference));
                if is_new {
                    self.replay_context(to, &room);
                }
            }
            Err(rejection) => self.send(to, Envelope::new(Event::Error(rejection), reference)),
        }
    }

    /// Sends a numbered message to its room; to a sender still there, as the acknowledgement.
    pub(super) fn publish(
        &mut self,
        sender: Option<MemberId>,
        room_id: RoomId,
        message: Message,
        reference: Option<String>,
    ) {
        let Some(room) = self.rooms.get_mut(room_id) else { return };
        room.set_seq(message.seq.unwrap_or(room.seq() + 1));
        self.counters.messages += 1;
        let seq = room.seq();
        if room.note_form(message.sealed.as_deref()) {
            self.announce_sealing(room_id);
        }
        let mut outbound = Outbound::from(Event::Message(message));
        let appended = self.append_encoded(room_id, Dialect::Tutorial, &outbound);
        if let Some(sender) = sender {
            self.skip_own(sender, room_id, Dialect::Tutorial, appended);
        }
        let appended = self.append_encoded(room_id, Dialect::Event, &outbound);
        if let (Some(sender), Some(_)) = (sender, &reference)
            && self.skip_own(sender, room_id, Dialect::Event, appended)
        {
            // Only its sender's copy has the ref (E5), so the sender skips the one all share.
            outbound.reference = reference;
            if let Some(member) = self.members.get_mut(sender) {
                member.send_queue_mut().push_echo(room_id, seq, Dialect::Event.encode(&outbound));
                self.scheduler.wake(sender, member);
            }
        }
    }

    /// Skips the own message of a member of this dialect and room (T5). Returns whether it is one.
    pub(super) fn skip_own(
        &mut self,
        id: MemberId,
        room_id: RoomId,
        dialect: Dialect,
        appended: Option<(u64, u64)>,
    ) -> bool {
        let seq = self.rooms.get(room_id).map_or(0, Room::seq);
        let member = self.members.get_mut(id).filter(|member| member.dialect() == dialect && member.follows(room_id));
        let (Some(member), Some((from, to))) = (member, appended) else { return false };
        member.send_queue_mut().skip(room_id, seq, from, to);
        true
    }

    /// Appends bytes to a lane that has followers. Returns where it starts and ends.
    pub(super) fn append_encoded(&mut self, room: RoomId, dialect: Dialect, outbound: &Outbound) -> Option<(u64, u64)> {
        let has_followers = !self.rooms.get(room)?.lane(dialect).followers().is_empty();
        if has_followers { self.append(room, dialect, &[&dialect.encode(outbound)]) } else { None }
    }

    /// Appends an entry to a lane that has followers. Returns where it starts and ends.
    pub(super) fn append(&mut self, room_id: RoomId, dialect: Dialect, parts: &[&[u8]]) -> Option<(u64, u64)> {
        let log_bytes_max = self.log_bytes_max();
        let room = self.rooms.get_mut(room_id)?;
        let seq = room.seq();
        let lane = room.lane_mut(dialect);
        if lane.followers().is_empty() {
            return None;
        }
        let start = lane.append(seq, parts, log_bytes_max);
        let end = lane.log().end();
        self.scheduler.start_round(room_id, dialect, lane);
        Some((start, end))
    }

    /// Sends everybody the `bye` of a closing server. Nothing is announced after it. Members with a
    /// replay would not get it: it would be held back with what is new. Returns their connections,
    /// with what has to be sent there last.
    pub fn say_goodbye(&mut self, text: &str) -> BTreeMap<usize, Vec<u8>> {
        self.is_closing = true;
        let bye = Event::bye(text);
        let is_replaying = |member: &Member| member.send_queue().is_replaying();
        self.send_to_each(|member| !is_replaying(member), &bye);
        let outbound = bye.into();
        let replaying = self.members.values().filter(|member| is_replaying(member));
        replaying.map(|member| (member.connection(), member.dialect().encode(&outbound))).collect()
    }

    /// Queues the notice of what a member missed, if a log's tail has passed it (E7); to be called
    /// before it is written to. Returns the number of messages missed.
    pub fn skip_lost(&mut self, id: MemberId) -> u64 {
        let Some(member) = self.members.get_mut(id) else { return 0 };
        let (dialect, rooms, pure) = (member.dialect(), &self.rooms, self.rules.pure);
        member.send_queue_mut().skip_lost(rooms, |missed| notice_of(missed, rooms, dialect, pure))
    }

    /// Drops what a member that leaves a room was not sent yet, and queues the notice of what it
    /// misses: what the log no longer has, or what exceeds the member's queue.
    pub(super) fn abandon_backlog(&mut self, id: MemberId, room_id: RoomId) {
        let Some(member) = self.members.get_mut(id) else { return };
        let (dialect, rooms, pure) = (member.dialect(), &self.rooms, self.rules.pure);
        let Some(log) = rooms.log(room_id, dialect) else { return };
        let bytes_max = self.rules.send_queue_bytes_max;
        member.send_queue_mut().abandon(room_id, log, bytes_max, |missed| notice_of(missed, rooms, dialect, pure));
    }
}

/// Returns the notice of missed messages for a member: none of a pure server, and none of a
/// tutorial member's own messages.
fn notice_of(missed: &MissedRange, rooms: &Rooms, dialect: Dialect, pure: bool) -> Option<Vec<u8>> {
    let &MissedRange { room, from, to, own } = missed;
    let room = rooms.name(room).to_string();
    // The tutorial dialect has no numbers, only their count.
    let from = if dialect == Dialect::Tutorial { from + own } else { from };
    (!pure && from <= to).then(|| dialect.encode(&Event::Gap(Gap { room, from, to }).into()))
}
