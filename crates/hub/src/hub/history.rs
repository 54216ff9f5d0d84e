//! Questions to the history and their answers: of a room that is opened, of members, of replays.
//!
//! The owner of the history calls [`Hub::next_question`], then [`Hub::answer`] with the result.

use alloc::{format, string::String, vec::Vec};

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, History, Rejection};
use glassline_wire::history::{Answer, Head, Page, Question, ReadError, Ticket};
use glassline_wire::limits::{PAGE_MESSAGES_MAX, QUERY_BYTES_MAX};
use glassline_wire::request::{HistoryRange, Search};

use super::{Hub, Reply, ReplyResult};
use crate::id::MemberId;
use crate::name::room_name;
use crate::outstanding::Awaited;
use crate::question_queue::{PendingQuestion, Recipient};
use crate::room::{NewestMessage, Room, Sealing};

impl Hub {
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
                    let newest = if let Ok(Answer::Head(head)) = answer { Some(newest_of(head)) } else { None };
                    self.closed_rooms.note(room, newest);
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
}

fn newest_of(head: Head) -> NewestMessage {
    NewestMessage { seq: head.newest, sealing: head.newest_is_sealed.map_or_else(Sealing::default, Sealing::of) }
}
