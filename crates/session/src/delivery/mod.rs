//! Delivery of messages: those of the user that the server has not acknowledged yet, in order and
//! bounded, and the gaps that may turn out to be some of them.

mod pending_gaps;

use alloc::collections::VecDeque;

use glassline_wire::event::Gap;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Ask, Request};

use pending_gaps::PendingGaps;

use crate::prelude::*;

/// Most messages that wait.
const MESSAGES_MAX: usize = 1_024;
/// Most bytes of text that wait.
const BYTES_MAX: usize = 1024 * 1024;
/// Most ids kept of messages that were written twice and may be answered twice.
const ANSWERED_TWICE_MAX: usize = MESSAGES_MAX;
/// An acknowledgement that takes longer is reported.
const LATE_MS: u64 = 500;

#[derive(Debug)]
struct Waiting {
    id: MessageId,
    request: Request,
    /// Text of a sealed message, which is not in the request.
    sealed_text: Option<String>,
    since_ms: u64,
    /// It was sent on the present link.
    sent: bool,
    /// It was sent on a link that was lost.
    sent_before: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Delivery {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    answered: VecDeque<MessageId>,
    /// Gaps that wait until the user's own messages are accounted for.
    gaps: PendingGaps,
}

/// Message that the server has refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefusedMessage {
    pub(crate) text: String,
    /// Room that it was for; `None` if it was for one person.
    pub(crate) room: Option<String>,
}

impl Waiting {
    fn text(&self) -> &str {
        match (&self.sealed_text, &self.request.content) {
            (Some(text), _) => text,
            (None, Ask::Send(send)) => &send.text,
            (None, Ask::Direct(direct)) => &direct.text,
            (None, _) => "",
        }
    }
}

impl Delivery {
    pub(crate) fn takes(&self, text_bytes: usize) -> bool {
        self.waiting.len() < MESSAGES_MAX && self.bytes.saturating_add(text_bytes) <= BYTES_MAX
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the texts that have waited long enough for a person to wonder, oldest first.
    pub(crate) fn late_texts(&self, now_ms: u64) -> impl Iterator<Item = &str> {
        let late = self.waiting.iter().take_while(move |waiting| waiting.since_ms + LATE_MS <= now_ms);
        late.map(Waiting::text)
    }

    /// Returns the waiting messages, oldest first: each text, and its recipient if it is for one person.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.waiting.iter().map(|waiting| match &waiting.request.content {
            Ask::Direct(direct) => (Some(direct.to.as_str()), direct.text.as_str()),
            _ => (None, waiting.text()),
        })
    }

    /// Returns the time at which the next text becomes late.
    pub(crate) fn next_late_ms(&self, now_ms: u64) -> Option<u64> {
        self.waiting.iter().map(|waiting| waiting.since_ms + LATE_MS).find(|&late_ms| late_ms > now_ms)
    }

    /// Adds a message; of a sealed one with its text.
    pub(crate) fn push(&mut self, id: MessageId, request: Request, sealed_text: Option<String>, now_ms: u64) {
        let waiting = Waiting { id, request, sealed_text, since_ms: now_ms, sent: false, sent_before: false };
        self.bytes += waiting.text().len();
        self.waiting.push_back(waiting);
    }

    /// Returns the next message to write on this link; it keeps waiting for its acknowledgement.
    /// The first time it names the newest number of its room that is known, and the same each time
    /// it is written again (E4).
    pub(crate) fn next_to_send(&mut self, newest_named: impl FnOnce(&str) -> Option<u64>) -> Option<&Request> {
        let first_unsent = self.first_unsent();
        let waiting = self.waiting.get_mut(first_unsent)?;
        waiting.sent = true;
        if let Ask::Send(send) = &mut waiting.request.content
            && !waiting.sent_before
        {
            send.after = send.after.or_else(|| newest_named(&send.room));
        }
        Some(&waiting.request)
    }

    /// Returns the next message to send, if it is readable and for a room, and was never sent.
    pub(crate) fn next_readable(&self) -> Option<&Request> {
        let next = self.waiting.get(self.first_unsent()).filter(|next| !next.sent_before)?;
        let is_readable = matches!(&next.request.content, Ask::Send(send) if send.sealed.is_none());
        is_readable.then_some(&next.request)
    }

    /// Replaces the next message to send by its sealed form, with its text.
    pub(crate) fn replace_next(&mut self, request: Request, sealed_text: Option<String>) {
        let next = self.first_unsent();
        if let Some(next) = self.waiting.get_mut(next) {
            (next.request, next.sealed_text) = (request, sealed_text);
        }
    }

    /// Removes the next message to send; returns its text.
    pub(crate) fn remove_next(&mut self) -> Option<String> {
        let removed = self.waiting.remove(self.first_unsent())?;
        let text = removed.text().to_owned();
        self.bytes -= text.len();
        Some(text)
    }

    /// Returns the place of the next message to send: acknowledgements come in order, so the unsent
    /// ones are a tail.
    fn first_unsent(&self) -> usize {
        self.waiting.partition_point(|waiting| waiting.sent)
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.waiting.back().is_some_and(|waiting| !waiting.sent)
    }

    /// Returns the number of messages for such rooms that were not sent over this link.
    pub(crate) fn unsent(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        let unsent = self.waiting.iter().filter(|waiting| !waiting.sent);
        unsent.filter(|waiting| matches!(&waiting.request.content, Ask::Send(send) if is_meant(&send.room))).count()
    }

    /// Takes the next message out: for a dialect without acknowledgements.
    pub(crate) fn take_next(&mut self) -> Option<Request> {
        let waiting = self.waiting.pop_front()?;
        self.bytes -= waiting.text().len();
        Some(waiting.request)
    }

    /// Returns whether a message went out on a link that was lost, and nobody knows yet what became
    /// of it.
    fn has_doubtful(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.sent_before)
    }

    /// Records that the link is lost: everything that waits must be written again.
    pub(crate) fn link_lost(&mut self) {
        for waiting in &mut self.waiting {
            waiting.sent_before |= waiting.sent;
            waiting.sent = false;
        }
    }

    /// Returns whether it is not known what became of this message on a link that was lost.
    pub(crate) fn is_doubtful(&self, id: MessageId) -> bool {
        self.waiting.iter().any(|waiting| waiting.id == id && waiting.sent_before)
    }

    /// Records that the server has stored a message; returns its request, if it was waiting.
    pub(crate) fn acknowledge(&mut self, id: MessageId) -> Option<Request> {
        let at = self.waiting.iter().position(|waiting| waiting.id == id)?;
        let waiting = self.waiting.remove(at)?;
        self.bytes -= waiting.text().len();
        if waiting.sent_before {
            if self.answered.len() == ANSWERED_TWICE_MAX {
                self.answered.pop_front();
            }
            self.answered.push_back(id);
        }
        Some(waiting.request)
    }

    /// Returns whether this is the second answer to a message that went out twice: nothing new for
    /// the user.
    pub(crate) fn is_second_answer(&mut self, id: MessageId) -> bool {
        let at = self.answered.iter().position(|&answered| answered == id);
        at.and_then(|at| self.answered.remove(at)).is_some()
    }

    /// Records that the server has refused a request; returns what it was, if it was a message.
    pub(crate) fn refuse(&mut self, reference: &str) -> Option<RefusedMessage> {
        let at = self
            .waiting
            .iter()
            .position(|waiting| waiting.sent && waiting.request.reference.as_deref() == Some(reference))?;
        let waiting = self.waiting.remove(at)?;
        let text = waiting.text().to_owned();
        self.bytes -= text.len();
        let room = if let Ask::Send(send) = waiting.request.content { Some(send.room) } else { None };
        Some(RefusedMessage { text, room })
    }

    /// Processes a gap; returns it if it can be reported now. With `holds`, it waits while some
    /// of the user's own messages are not accounted for.
    pub(crate) fn take_gap(&mut self, gap: Gap, holds: bool) -> Option<Gap> {
        if holds && self.has_doubtful() { self.gaps.hold(gap) } else { Some(gap) }
    }

    pub(crate) fn fill_gap(&mut self, room: &str, seq: u64) {
        self.gaps.fill(room, seq);
    }

    /// Takes the gaps of a room, which is left.
    pub(crate) fn gaps_in(&mut self, room: &str) -> Vec<Gap> {
        self.gaps.take_of_room(room)
    }

    /// Takes the gaps that are no longer held back.
    pub(crate) fn settled_gaps(&mut self) -> Vec<Gap> {
        if self.has_doubtful() { Vec::new() } else { self.gaps.take() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_wire::request::Send;

    fn request(id: u128, text: &str) -> Request {
        let (room, text, after) = ("lobby".into(), text.into(), None);
        let send = Send { room, text, id: MessageId(id), after, action: false, sealed: None };
        Request::new(Ask::Send(send), Some(id.to_string()))
    }

    #[test]
    fn the_bounds_hold_in_messages_and_in_bytes() {
        let mut delivery = Delivery::default();
        for id in 0..MESSAGES_MAX as u128 {
            assert!(delivery.takes(1));
            delivery.push(MessageId(id), request(id, "x"), None, 0);
        }
        assert!(!delivery.takes(1));
        assert!(delivery.acknowledge(MessageId(0)).is_some());
        assert!(delivery.takes(1) && !delivery.takes(BYTES_MAX));
    }

    #[test]
    fn a_lost_link_resends_only_unacknowledged_messages() {
        let mut delivery = Delivery::default();
        for id in 1..=3 {
            delivery.push(MessageId(id), request(id, "x"), None, 0);
        }
        assert_eq!(delivery.next_to_send(|_| None), Some(&request(1, "x")));
        assert_eq!(delivery.next_to_send(|_| None), Some(&request(2, "x")));
        assert_eq!(delivery.acknowledge(MessageId(1)), Some(request(1, "x")));
        delivery.link_lost();
        for id in 2..=3 {
            assert_eq!(delivery.next_to_send(|_| None), Some(&request(id, "x")));
        }
        assert!(delivery.next_to_send(|_| None).is_none());
        assert!(delivery.is_doubtful(MessageId(2)));
        assert!(delivery.acknowledge(MessageId(2)).is_some() && delivery.acknowledge(MessageId(2)).is_none());
        assert!(delivery.is_second_answer(MessageId(2)) && !delivery.is_second_answer(MessageId(2)));
        assert!(delivery.acknowledge(MessageId(3)).is_some() && !delivery.is_second_answer(MessageId(3)));
        assert_eq!((delivery.len(), delivery.bytes), (0, 0));
    }

    #[test]
    fn a_resent_message_states_what_was_known_the_first_time() {
        let after = |request: Option<&Request>| match request.map(|request| &request.content) {
            Some(Ask::Send(send)) => send.after,
            other => panic!("a message, not {other:?}"),
        };
        let mut delivery = Delivery::default();
        for id in 1..=3 {
            delivery.push(MessageId(id), request(id, "x"), None, 0);
        }
        assert_eq!(after(delivery.next_to_send(|room| (room == "lobby").then_some(7))), Some(7));
        assert_eq!(after(delivery.next_to_send(|_| None)), None);
        delivery.link_lost();
        assert_eq!(after(delivery.next_to_send(|_| Some(9))), Some(7));
        assert_eq!(after(delivery.next_to_send(|_| Some(9))), None, "it may have got a number below 9 before");
        assert_eq!(after(delivery.next_to_send(|_| Some(9))), Some(9), "this one was not sent before");
    }

    #[test]
    fn a_refused_message_comes_back_with_its_text() {
        let mut delivery = Delivery::default();
        delivery.push(MessageId(1), request(1, "too bad"), None, 0);
        assert_eq!(delivery.refuse("1"), None, "what was not sent cannot be refused");
        delivery.next_to_send(|_| None);
        let refused = RefusedMessage { text: "too bad".into(), room: Some("lobby".into()) };
        assert_eq!(delivery.refuse("1"), Some(refused));
        assert_eq!(delivery.len(), 0);
    }
}
