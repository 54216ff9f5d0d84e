//! On the way into the history: a message or an act is checked, handed over, and sent to anybody only once it is stored.

use alloc::{boxed::Box, collections::VecDeque, string::String, vec::Vec};

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{AuditEntry, ErrorCode, Event, Message, Rejection};

use crate::hub::Hub;
use crate::id::{MemberId, RoomId};
use crate::moderation::Pending;
use crate::moderation::subnet_key;
use crate::outstanding::Waiter;

/// Something for the owner of the history to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRecord {
    /// Comes back with what became of it, in the order in which drafts were handed over.
    pub ticket: u64,
    /// Content to store.
    pub what: RecordBody,
}

/// Content that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordBody {
    /// Something said.
    Message {
        /// The message, without `seq` and `ref`.
        message: Message,
        /// Owner of the ids, across connections and names; 0 where there is no id.
        author: u64,
        /// The newest number that the sender knew when it first sent this, if it says so.
        after: Option<u64>,
        /// Subnet that it comes from ([`crate::subnet_key`]).
        subnet: u128,
    },
    /// Something an operator does.
    Act(AuditEntry),
}

/// Cost of a draft beside its texts, in bytes.
const DRAFT_BYTES: usize = 128;

/// Outcome of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is stored; a message has this number.
    Stored {
        /// In its room, from 1; an act has none.
        seq: u64,
    },
    /// It had been stored before: this is how.
    Again(Box<Message>),
    /// Its id had been stored before, with another text.
    IdReused,
    /// It may have been stored before, and this cannot be told any more. It was not stored now.
    TooLate,
    /// It was not stored: why, and what to do.
    NotStored(String),
}

/// Draft that was handed over, and the recipient of its outcome.
#[derive(Debug)]
struct InFlight {
    sender: MemberId,
    waiter: Waiter,
    what: Handed,
    reference: Option<String>,
}

#[derive(Debug)]
enum Handed {
    Message { room: RoomId, message: Message },
    Act(Pending),
}

/// Drafts on their way, oldest first; tickets follow each other.
#[derive(Debug, Default)]
pub(crate) struct CommitQueue {
    drafts: Vec<PendingRecord>,
    drafts_bytes: usize,
    in_flight: VecDeque<InFlight>,
    first_ticket: u64,
}

impl Hub {
    /// Hands a message over to be stored.
    pub(crate) fn store(
        &mut self,
        sender: MemberId,
        room: RoomId,
        message: Message,
        (author, after): (u64, Option<u64>),
        reference: Option<String>,
    ) {
        let Some(member) = self.members.get(sender.0) else { return };
        let (connection, subnet) = (member.connection, subnet_key(member.address));
        if let Some(room) = self.rooms.get_mut(room.0) {
            room.in_flight += 1;
        }
        let waiter = self.outstanding.note_append(connection);
        let drafted = RecordBody::Message { message: message.clone(), author, after, subnet };
        self.hand_over(drafted, InFlight { sender, waiter, what: Handed::Message { room, message }, reference });
    }

    /// Hands an act over to be stored. Whatever the operator asks next comes behind it.
    pub(crate) fn store_act(&mut self, operator: MemberId, pending: Pending, reference: Option<String>) {
        let Some(connection) = self.connection(operator) else { return };
        let waiter = self.outstanding.note_question(connection);
        let drafted = RecordBody::Act(pending.act.clone());
        self.hand_over(drafted, InFlight { sender: operator, waiter, what: Handed::Act(pending), reference });
    }

    fn hand_over(&mut self, what: RecordBody, in_flight: InFlight) {
        let ticket = self.commit_queue.first_ticket + self.commit_queue.in_flight.len() as u64;
        self.commit_queue.drafts_bytes += DRAFT_BYTES
            + match &what {
                RecordBody::Message { message, .. } => message.text.len(),
                RecordBody::Act(act) => act.text.as_ref().map_or(0, String::len),
            };
        self.commit_queue.drafts.push(PendingRecord { ticket, what });
        self.commit_queue.in_flight.push_back(in_flight);
    }

    /// Takes the drafts that are to be stored, in their order.
    pub fn take_pending_records(&mut self) -> Vec<PendingRecord> {
        self.commit_queue.drafts_bytes = 0;
        core::mem::take(&mut self.commit_queue.drafts)
    }

    /// Bytes of what [`Hub::take_pending_records`] would return.
    pub fn pending_record_bytes(&self) -> usize {
        self.commit_queue.drafts_bytes
    }

    /// Returns the number of drafts that were handed over and have not come back.
    pub fn unstored(&self) -> usize {
        self.commit_queue.in_flight.len()
    }

    /// Takes in what became of a draft. Drafts come back in their order. False for one that does not: nothing is done, what became of
    /// another was lost on its way, and nobody will ever be sent what comes behind that one.
    pub fn settle(&mut self, ticket: u64, fate: CommitOutcome) -> bool {
        if ticket != self.commit_queue.first_ticket {
            return false;
        }
        let Some(InFlight { sender, waiter, what, reference }) = self.commit_queue.in_flight.pop_front() else {
            return false;
        };
        self.commit_queue.first_ticket += 1;
        let sender = self.outstanding.is_waiting(waiter).then_some(sender);
        match what {
            Handed::Message { room, message } => {
                self.settle_message(sender, room, message, reference, fate);
                self.outstanding.append_done(waiter);
                if let Some(room) = self.rooms.get_mut(room.0) {
                    room.in_flight -= 1;
                }
                self.close_room_if_empty(room);
            }
            Handed::Act(pending) => {
                match fate {
                    CommitOutcome::NotStored(why) => self.refuse(sender, ErrorCode::NotStored, &why, reference),
                    // Acts have no ids, so none was stored before.
                    CommitOutcome::Stored { .. }
                    | CommitOutcome::Again(_)
                    | CommitOutcome::IdReused
                    | CommitOutcome::TooLate => {
                        self.enforce(sender, pending, reference);
                    }
                }
                self.outstanding.question_done(waiter);
            }
        }
        true
    }

    fn settle_message(
        &mut self,
        sender: Option<MemberId>,
        room: RoomId,
        mut message: Message,
        reference: Option<String>,
        fate: CommitOutcome,
    ) {
        match fate {
            CommitOutcome::Stored { seq } => {
                message.seq = Some(seq);
                self.publish(sender, room, message, reference);
            }
            CommitOutcome::Again(stored) => {
                if let Some(sender) = sender {
                    self.tell(sender, Envelope::new(Event::Message(*stored), reference));
                }
            }
            CommitOutcome::IdReused => self.refuse(sender, ErrorCode::IdReused, ID_REUSED, reference),
            CommitOutcome::TooLate => self.refuse(sender, ErrorCode::TooLate, TOO_LATE, reference),
            CommitOutcome::NotStored(why) => self.refuse(sender, ErrorCode::NotStored, &why, reference),
        }
    }

    fn refuse(&mut self, sender: Option<MemberId>, code: ErrorCode, text: &str, reference: Option<String>) {
        let Some(sender) = sender else { return };
        match self.members.get(sender.0).map(|member| member.dialect) {
            Some(crate::member::Dialect::Event) => {
                self.tell(sender, Envelope::new(Event::Error(Rejection::new(code, text)), reference));
            }
            _ => self.refuse_in_words(sender, &Rejection::new(code, text)),
        }
    }
}

/// Text for a sender whose id came before with another message.
pub(crate) const ID_REUSED: &str = "this id was sent with another message; use a new one";

/// The text of [`ErrorCode::TooLate`] with a history.
pub(crate) const TOO_LATE: &str = "it cannot be told any more whether this was stored when it was first sent, so it was not stored now; \
                                   look for it with /history, and send it as a new message if it is not there";

/// The same without a history.
pub(crate) const TOO_LATE_UNKEPT: &str = "it cannot be told any more whether others got this when it was first sent, so it was not \
                                          sent now; ask in the room, and send it as a new message if nobody got it";
