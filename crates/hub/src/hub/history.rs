//! The hub and its history: it hands over records and publishes committed ones; it hands over
//! questions and delivers their answers. New members are replayed the last messages of a
//! room, or all that they missed since they left (E7).
//!
//! The owner of the history calls [`Hub::take_pending_records`] and [`Hub::next_question`], then
//! [`Hub::committed`], [`Hub::settle`] and [`Hub::answer`] with the results.

use alloc::{format, string::String, vec::Vec};

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, History, Message, Rejection};
use glassline_wire::history::{
    Answer, Entry, EntryContent, NewMessage, NotAppended, Page, PendingRecord, Question, ReadError, Record, Ticket,
};
use glassline_wire::limits::{PAGE_MESSAGES_MAX, QUERY_BYTES_MAX};
use glassline_wire::request::{HistoryRange, Search};

use super::{Hub, Reply, ReplyResult};
use crate::commit_queue::{InFlight, Purpose};
use crate::dialect::Dialect;
use crate::id::{MemberId, RoomId};
use crate::moderation::{Pending, subnet_key};
use crate::name::room_name;
use crate::outstanding::Awaited;
use crate::question_queue::{PendingQuestion, Recipient};
use crate::room::Room;
use crate::send_queue::{Fetch, ReplaySegment};

/// Text for a sender whose id was used before for another message.
pub(super) const ID_REUSED: &str = "this id was sent with another message; use a new one";

/// The text of [`ErrorCode::TooLate`] with a history.
const TOO_LATE: &str = "it is no longer known whether this was stored when it was first sent, so it was not stored now; \
                        look for it with /history, and send it as a new message if it is not there";

/// The same without a history.
pub(super) const TOO_LATE_UNKEPT: &str = "it is no longer known whether others got this when it was first sent, so it was not \
                                          sent now; ask in the room, and send it as a new message if nobody got it";

/// Text for a sender from whose address too many rooms were opened.
const NO_MORE_ROOMS: &str =
    "this was not said: as many rooms were opened from your address as one may open here; speak in one that there is";

impl Hub {
    pub(super) fn store(
        &mut self,
        sender: MemberId,
        room_id: RoomId,
        message: Message,
        (author, after): (u64, Option<u64>),
        reference: Option<String>,
    ) {
        let Some(member) = self.members.get(sender) else { return };
        let (connection, subnet) = (member.connection(), subnet_key(member.address()));
        if let Some(room) = self.rooms.get_mut(room_id) {
            room.note_in_flight();
        }
        let waiter = self.outstanding.note(connection, Awaited::Append);
        let record = Record::Message(NewMessage { message, author, after, subnet });
        let purpose = Purpose::Message(room_id);
        self.commit_queue.push(record, InFlight { sender, waiter, purpose, reference });
    }

    /// Hands an act over to be stored. The operator's next requests wait for it.
    pub(super) fn store_act(&mut self, operator: MemberId, pending: Pending, reference: Option<String>) {
        let Some(connection) = self.connection(operator) else { return };
        let waiter = self.outstanding.note(connection, Awaited::Answer);
        let purpose = Purpose::Audit(pending.target);
        self.commit_queue.push(Record::Audit(pending.act), InFlight { sender: operator, waiter, purpose, reference });
    }

    /// Takes the records that are to be stored, in their order.
    pub fn take_pending_records(&mut self) -> Vec<PendingRecord> {
        self.commit_queue.take_records()
    }

    /// Bytes of what [`Hub::take_pending_records`] would return.
    pub fn pending_record_bytes(&self) -> usize {
        self.commit_queue.record_bytes()
    }

    /// Returns the number of records that were handed over and have not come back.
    pub fn unstored(&self) -> usize {
        self.commit_queue.len()
    }

    /// Publishes the next entry of the committed log: to the room of a message, to the members
    /// that an act concerns. With a ticket it settles the record and answers its sender; without
    /// one, another server wrote it.
    ///
    /// Records are reported in order. Returns false for one out of order, and does nothing: the
    /// outcome of another was lost, and the records after that are never published.
    pub fn committed(&mut self, entry: Entry) -> bool {
        let Some(ticket) = entry.ticket else {
            self.publish_foreign(entry.content);
            return true;
        };
        match (self.commit_queue.next(ticket), entry.content) {
            (Some(Purpose::Message(room)), EntryContent::Message(message)) => {
                self.settle_next(|hub, sender, reference| hub.publish(sender, room, message, reference));
            }
            (Some(Purpose::Audit(target)), EntryContent::Audit(act)) => {
                self.settle_next(|hub, sender, reference| hub.enforce(sender, Pending { act, target }, reference));
            }
            _ => return false,
        }
        true
    }

    /// Processes the outcome of a record that became no entry of the log: its sender is told.
    /// Returns false, and does nothing, for one that is out of order ([`Hub::committed`]).
    pub fn settle(&mut self, ticket: Ticket, outcome: NotAppended) -> bool {
        let reply = match outcome {
            NotAppended::Again(stored) => Ok(Event::Message(*stored).into()),
            NotAppended::IdReused => Err(Rejection::new(ErrorCode::IdReused, ID_REUSED)),
            NotAppended::TooLate => Err(Rejection::new(ErrorCode::TooLate, TOO_LATE)),
            NotAppended::NoMoreRooms => Err(Rejection::new(ErrorCode::NotStored, NO_MORE_ROOMS)),
            NotAppended::NotStored(why) => Err(Rejection::new(ErrorCode::NotStored, why)),
        };
        let is_next = self.commit_queue.next(ticket).is_some();
        if is_next {
            self.settle_next(|hub, sender, reference| {
                if let Some(sender) = sender {
                    hub.reply(sender, reply, reference);
                }
            });
        }
        is_next
    }

    /// Takes the next pending record off the queue, applies its outcome to its
    /// sender, if that is still here, with its `ref`, and resumes the waiting connection.
    fn settle_next(&mut self, act: impl FnOnce(&mut Self, Option<MemberId>, Option<String>)) {
        let Some(InFlight { sender, waiter, purpose, reference }) = self.commit_queue.pop() else { return };
        let sender = self.outstanding.is_waiting(waiter).then_some(sender);
        act(self, sender, reference);
        self.outstanding.done(waiter);
        if let Purpose::Message(room_id) = purpose {
            if let Some(room) = self.rooms.get_mut(room_id) {
                room.note_settled();
            }
            self.close_room_if_empty(room_id);
        }
    }

    /// Publishes what another server wrote. A message that a room's newest number counts already
    /// was there when the room was opened; where the room is not open, only its number is noted.
    fn publish_foreign(&mut self, content: EntryContent) {
        match content {
            EntryContent::Message(message) => {
                let seq = message.seq.unwrap_or(0);
                if let Some(room_id) = self.rooms.find(&message.room) {
                    if self.rooms.get(room_id).is_some_and(|room| seq > room.seq()) {
                        self.publish(None, room_id, message, None);
                    }
                } else if !self.closed_rooms.raise(&message.room, seq) && self.questions.asks_for(&message.room) {
                    // The answer may be older than this message.
                    self.closed_rooms.note(message.room, Some(seq));
                }
            }
            EntryContent::Audit(act) => {
                let target = self.target_here(&act);
                self.enforce(None, Pending { act, target }, None);
            }
        }
    }

    /// The oldest question that was not handed over yet. Questions without a recipient are not
    /// asked, so that there are never more questions than connections may have.
    pub fn next_question(&mut self) -> Option<PendingQuestion> {
        self.questions.pop(|recipient, ticket| match recipient {
            Recipient::Opening { waiter, .. } | Recipient::Reading { waiter, .. } => {
                self.outstanding.is_waiting(*waiter)
            }
            Recipient::Replaying { member } => {
                self.members.get(*member).is_some_and(|member| member.send_queue().awaits_page(ticket))
            }
        })
    }

    /// Puts a question back that could not be handed over: it is the next again.
    pub fn put_back(&mut self, question: PendingQuestion) {
        self.questions.put_back(question);
    }

    /// Makes sure that these rooms can be opened. False: the connection must wait for answers
    /// first, then ask again. Invalid names, and rooms that are open or known, need no answer.
    pub fn knows_rooms<'a>(&mut self, connection: usize, wished: impl IntoIterator<Item = &'a str>) -> bool {
        if !self.rules.durable {
            return true;
        }
        let names = wished.into_iter().filter_map(|wished| room_name(wished).ok());
        let unknown: Vec<String> =
            names.filter(|name| self.rooms.find(name).is_none() && !self.closed_rooms.contains(name)).collect();
        for room in &unknown {
            let waiter = self.outstanding.note(connection, Awaited::Answer);
            let recipient = Recipient::Opening { waiter, room: room.clone() };
            self.questions.push(connection, Question::Head(room.clone()), recipient);
        }
        unknown.is_empty()
    }

    /// Asks for stored messages of a room that the member is in (E8).
    ///
    /// # Errors
    /// There is no history, the member is not in the room, or the request contradicts itself.
    pub fn read_history(&mut self, id: MemberId, range: &HistoryRange, reference: Option<String>) -> ReplyResult {
        let newest = self.check_readable(id, &range.room, range.limit)?;
        if range.around.is_some() && (range.before.is_some() || range.after.is_some()) {
            let text = "\"around\" stands alone; leave out \"before\" and \"after\"";
            return Err(Rejection::new(ErrorCode::BadField, text));
        }
        // What is stored but not yet sent to the room arrives without a query.
        let before = match range.around {
            Some(_) => None,
            None => Some(range.before.unwrap_or(u64::MAX).min(newest + 1)),
        };
        let range = HistoryRange { room: room_name(&range.room)?, before, ..range.clone() };
        self.read(id, range.room.clone(), Question::Range(range), reference);
        Ok(Reply::Nothing)
    }

    /// Queries stored messages of a room that contain a text (E8).
    ///
    /// # Errors
    /// As [`Hub::read_history`].
    pub fn search_history(&mut self, id: MemberId, search: &Search, reference: Option<String>) -> ReplyResult {
        let newest = self.check_readable(id, &search.room, search.limit)?;
        if search.query.trim().is_empty() {
            return Err(Rejection::new(ErrorCode::EmptyText, "there is nothing to look for; name a word"));
        }
        if search.query.len() > QUERY_BYTES_MAX {
            let text = format!("at most {QUERY_BYTES_MAX} bytes can be looked for; name fewer words");
            return Err(Rejection::new(ErrorCode::TooLong, text));
        }
        let before = Some(search.before.unwrap_or(u64::MAX).min(newest + 1));
        let search = Search { room: room_name(&search.room)?, before, ..search.clone() };
        self.read(id, search.room.clone(), Question::Search(search), reference);
        Ok(Reply::Nothing)
    }

    /// The newest number of a room that a member may read.
    fn check_readable(&self, id: MemberId, room: &str, limit: Option<u64>) -> Result<u64, Rejection> {
        if !self.rules.durable {
            let text = "this server keeps no history; what was said before you came is gone";
            return Err(Rejection::new(ErrorCode::NoHistory, text));
        }
        if limit.is_some_and(|limit| limit == 0 || limit > PAGE_MESSAGES_MAX as u64) {
            let text = format!("\"limit\" is a number from 1 to {PAGE_MESSAGES_MAX}");
            return Err(Rejection::new(ErrorCode::BadField, text));
        }
        let room = self.room_of(id, room)?;
        Ok(self.rooms.get(room).map_or(0, Room::seq))
    }

    fn read(&mut self, member: MemberId, room: String, question: Question, reference: Option<String>) {
        let Some(connection) = self.connection(member) else { return };
        let waiter = self.outstanding.note(connection, Awaited::Answer);
        self.questions.push(connection, question, Recipient::Reading { waiter, member, room, reference });
    }

    /// Processes an answer. One without a pending question is ignored.
    pub fn answer(&mut self, ticket: Ticket, answer: Result<Answer, ReadError>) {
        match self.questions.take_recipient(ticket) {
            None => {}
            Some(Recipient::Opening { waiter, room }) => {
                // A room that was opened and closed since the question is known better than the
                // answer knows it.
                if self.rooms.find(&room).is_none() && !self.closed_rooms.knows(&room) {
                    let newest_seq = if let Ok(Answer::Head(head)) = answer { Some(head.newest) } else { None };
                    self.closed_rooms.note(room, newest_seq);
                }
                self.outstanding.done(waiter);
            }
            Some(Recipient::Reading { waiter, member, room, reference }) => {
                if self.outstanding.is_waiting(waiter) {
                    self.send_page(member, room, reference, answer);
                }
                self.outstanding.done(waiter);
            }
            Some(Recipient::Replaying { member: id }) => {
                if let Some(member) = self.members.get_mut(id)
                    && member.send_queue_mut().push_page(ticket, answer, &self.rooms)
                {
                    self.scheduler.wake(id, member);
                    self.advance_replay(id);
                }
            }
        }
    }

    fn send_page(&mut self, id: MemberId, room: String, reference: Option<String>, answer: Result<Answer, ReadError>) {
        let event = match answer {
            Ok(Answer::Page(Page { messages, more })) => Event::History(History { room, messages, more }),
            Ok(Answer::Head(_)) => return,
            Err(ReadError::Unreadable(text) | ReadError::TooSlow(text)) => {
                Event::Error(Rejection::new(ErrorCode::Busy, text))
            }
        };
        self.send(id, Envelope::new(event, reference));
    }

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

    /// Returns whether a replay is being sent to a member: its later requests wait for
    /// that.
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
