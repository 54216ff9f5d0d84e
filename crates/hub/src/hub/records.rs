//! Messages and acts on their way through the history: queued as records, published in the order of
//! the committed log.
//!
//! The owner of the history calls [`Hub::take_pending_records`], then [`Hub::committed`] and
//! [`Hub::settle`] with the outcomes.

use alloc::{string::String, vec::Vec};

use glassline_wire::event::{ErrorCode, Event, Message, Rejection};
use glassline_wire::history::{Entry, EntryContent, NewMessage, NotAppended, PendingRecord, Record, Ticket};

use super::Hub;
use crate::commit_queue::{InFlight, Purpose};
use crate::id::{MemberId, RoomId};
use crate::moderation::{Pending, subnet_key};
use crate::outstanding::Awaited;
use crate::room::{NewestMessage, Sealing};

/// Text for a sender whose id was used before for another message.
pub(super) const ID_REUSED: &str = "this id was sent with another message; use a new one";

/// The text of [`ErrorCode::TooLate`] with a history.
const TOO_LATE: &str = "it is no longer known whether this was stored when it was first sent, so it was not stored now; \
                        look for it with /history, and send it as a new message if it is not there";

/// Text for a sender from whose address too many rooms were opened.
const NO_MORE_ROOMS: &str =
    "this was not said: as many rooms were opened from your address as one may open here; speak in one that there is";

impl Hub {
    /// Queues a message to be stored; the room stays open until then.
    pub(super) fn queue_message(
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
            room.note_in_flight(Sealing::of(message.sealed.is_some()));
        }
        let waiter = self.outstanding.note(connection, Awaited::Append);
        let record = Record::Message(NewMessage { message, author, after, subnet });
        let purpose = Purpose::Message(room_id);
        self.commit_queue.push(record, InFlight { sender, waiter, purpose, reference });
    }

    /// Queues an act to be stored. The operator's next requests wait for it.
    pub(super) fn queue_act(&mut self, operator: MemberId, pending: Pending, reference: Option<String>) {
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
                let newest = NewestMessage { seq, sealing: Sealing::of(message.sealed.is_some()) };
                if let Some(room_id) = self.rooms.find(&message.room) {
                    if self.rooms.get(room_id).is_some_and(|room| seq > room.seq()) {
                        self.publish(None, room_id, message, None);
                    }
                } else if !self.closed_rooms.raise(&message.room, newest) && self.questions.asks_for(&message.room) {
                    // The answer may be older than this message.
                    self.closed_rooms.note(message.room, Some(newest));
                }
            }
            EntryContent::Audit(act) => {
                let target = self.target_here(&act);
                self.enforce(None, Pending { act, target }, None);
            }
        }
    }
}
