//! Questions to the history, and the recipients of their answers.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;

use glassline_wire::history::{Question, Ticket};

use crate::id::MemberId;
use crate::outstanding::Waiter;

/// A question for the owner of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuestion {
    /// Returned with the answer.
    pub ticket: Ticket,
    /// The socket owner's number of the connection that asks.
    pub connection: usize,
    /// Question to the history.
    pub question: Question,
}

/// Recipient of an answer, and its purpose.
#[derive(Debug)]
pub(crate) enum Recipient {
    /// A room is about to be opened.
    Opening { waiter: Waiter, room: String },
    /// A member wants to read.
    Reading { waiter: Waiter, member: MemberId, room: String, reference: Option<String> },
    /// Replay for a member that joined.
    Replaying { member: MemberId },
}

/// Questions that were not handed over, and the recipients of all that are not answered.
#[derive(Debug, Default)]
pub(crate) struct QuestionQueue {
    questions: VecDeque<PendingQuestion>,
    recipients: BTreeMap<Ticket, Recipient>,
    next_ticket: Ticket,
}

impl QuestionQueue {
    pub(crate) fn push(&mut self, connection: usize, question: Question, recipient: Recipient) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.questions.push_back(PendingQuestion { ticket, connection, question });
        self.recipients.insert(ticket, recipient);
        ticket
    }

    /// Takes the oldest question that was not handed over and whose recipient waits for its answer.
    /// Those without a recipient are dropped.
    pub(crate) fn pop(&mut self, is_awaited: impl Fn(&Recipient, Ticket) -> bool) -> Option<PendingQuestion> {
        while let Some(pending) = self.questions.pop_front() {
            let ticket = pending.ticket;
            if self.recipients.get(&ticket).is_some_and(|recipient| is_awaited(recipient, ticket)) {
                return Some(pending);
            }
            self.recipients.remove(&ticket);
        }
        None
    }

    /// Puts a question back that could not be handed over: it is the next again.
    pub(crate) fn put_back(&mut self, question: PendingQuestion) {
        self.questions.push_front(question);
    }

    /// Takes the recipient of an answer; `None` if there is none.
    pub(crate) fn take_recipient(&mut self, ticket: Ticket) -> Option<Recipient> {
        self.recipients.remove(&ticket)
    }

    /// Returns whether the numbers of a room are being queried.
    pub(crate) fn asks_for(&self, room: &str) -> bool {
        let is_of_room =
            |recipient: &Recipient| matches!(recipient, Recipient::Opening { room: asked, .. } if asked == room);
        self.recipients.values().any(is_of_room)
    }
}
