//! Questions about the past: which numbers a room has, and what was said in it.

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    string::{String, ToString},
    vec::Vec,
};

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, History, Message, Rejection};
use glassline_wire::limits::{PAGE_MESSAGES_MAX, QUERY_BYTES_MAX};
use glassline_wire::request::{HistoryRange, Search};

use crate::hub::Hub;
use crate::id::MemberId;
use crate::member::Dialect;
use crate::name::room_name;
use crate::outstanding::Waiter;

/// Rooms that are not open and whose newest number is known: somebody is about to open them, or has just left.
const HEADS_MAX: usize = 1_024;

/// A question for the owner of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Comes back with the answer.
    pub ticket: u64,
    /// The number under which the owner of the sockets knows the connection it is asked for.
    pub connection: usize,
    /// Question to the history.
    pub inquiry: Inquiry,
}

/// Questions that the history answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// The newest number of the room of this name.
    Head(String),
    /// A page of a room.
    Range(HistoryRange),
    /// Messages that hold a text.
    Search(Search),
}

/// Answers of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The newest number; 0 for a room that was never spoken in.
    Head(u64),
    /// Messages, oldest first, no more than one `history` event holds.
    Page {
        /// The messages.
        messages: Vec<Message>,
        /// There are more in the direction asked.
        more: bool,
    },
    /// It could not be read: why, and what to do.
    Unreadable(String),
    /// It took too long, and may not the next time: what to do.
    TooSlow(String),
}

/// Recipient of an answer, and its purpose.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// A room is about to be opened.
    Opening { waiter: Waiter, room: String },
    /// A member wants to read.
    Reading { waiter: Waiter, member: MemberId, room: String, reference: Option<String> },
    /// A member that came in is sent what was said before.
    Replaying { member: MemberId },
}

/// Questions under way, and what is known of rooms that are not open.
#[derive(Debug, Default)]
pub(crate) struct Past {
    questions: VecDeque<Question>,
    purposes: BTreeMap<u64, Purpose>,
    next_ticket: u64,
    /// Stays true while the room is not open: nothing is said in it then.
    heads: BTreeMap<String, Head>,
    heads_noted: u64,
}

/// State of a room that is not open.
#[derive(Debug)]
struct Head {
    /// Its newest number; nothing if it could not be read.
    newest_seq: Option<u64>,
    /// Counts up with each that is noted.
    noted: u64,
}

impl Past {
    pub(crate) fn ask(&mut self, connection: usize, inquiry: Inquiry, purpose: Purpose) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.questions.push_back(Question { ticket, connection, inquiry });
        self.purposes.insert(ticket, purpose);
        ticket
    }

    /// Notes the newest number of a room that is not open. What was noted first goes first: somebody may be about to open several
    /// rooms, and must find all of them known.
    pub(crate) fn note_head(&mut self, room: String, newest_seq: Option<u64>) {
        if self.heads.len() >= HEADS_MAX
            && let Some(oldest) = self.heads.iter().min_by_key(|(_, head)| head.noted).map(|(room, _)| room.clone())
        {
            self.heads.remove(&oldest);
        }
        self.heads_noted += 1;
        self.heads.insert(room, Head { newest_seq, noted: self.heads_noted });
    }

    /// Returns whether the newest number of a room that is not open is known.
    fn knows_head(&self, room: &str) -> bool {
        self.heads.get(room).is_some_and(|head| head.newest_seq.is_some())
    }

    /// Takes out the newest number of a room that is opened now.
    pub(crate) fn take_head(&mut self, room: &str) -> Result<u64, Rejection> {
        let unreadable = || Rejection::new(ErrorCode::Busy, format!("the history of {room} cannot be read; try again"));
        self.heads.remove(room).and_then(|head| head.newest_seq).ok_or_else(unreadable)
    }
}

impl Hub {
    /// The oldest question that was not handed over yet. What nobody waits for any more is not asked, so that there are never more
    /// questions than connections may have.
    pub fn next_question(&mut self) -> Option<Question> {
        while let Some(question) = self.past.questions.pop_front() {
            if self.is_awaited(question.ticket) {
                return Some(question);
            }
            self.past.purposes.remove(&question.ticket);
        }
        None
    }

    fn is_awaited(&self, ticket: u64) -> bool {
        match self.past.purposes.get(&ticket) {
            Some(Purpose::Opening { waiter, .. } | Purpose::Reading { waiter, .. }) => {
                self.outstanding.is_waiting(*waiter)
            }
            Some(Purpose::Replaying { member }) => self.is_replay_awaited(*member, ticket),
            None => false,
        }
    }

    /// Puts a question back that could not be handed over: it comes first again.
    pub fn put_back(&mut self, question: Question) {
        self.past.questions.push_front(question);
    }

    /// Makes sure that these rooms can be opened. False: the connection must wait for answers first, then ask again.
    /// Names that are no good, and rooms that are open or known, need no answer.
    pub fn knows_rooms<'a>(&mut self, connection: usize, wished: impl IntoIterator<Item = &'a str>) -> bool {
        if !self.rules.durable {
            return true;
        }
        let names = wished.into_iter().filter_map(|wished| room_name(wished).ok());
        let unknown: Vec<String> =
            names.filter(|name| self.rooms.find(name).is_none() && !self.past.heads.contains_key(name)).collect();
        for room in &unknown {
            let waiter = self.outstanding.note_question(connection);
            let purpose = Purpose::Opening { waiter, room: room.clone() };
            self.past.ask(connection, Inquiry::Head(room.clone()), purpose);
        }
        unknown.is_empty()
    }

    /// Asks for stored messages of a room that the member is in (E8).
    ///
    /// # Errors
    /// There is no history, the member is not in the room, or the request contradicts itself.
    pub fn read_history(
        &mut self,
        id: MemberId,
        range: &HistoryRange,
        reference: Option<String>,
    ) -> Result<(), Rejection> {
        let newest = self.check_readable(id, &range.room, range.limit)?;
        if range.around.is_some() && (range.before.is_some() || range.after.is_some()) {
            let text = "\"around\" stands alone; leave out \"before\" and \"after\"";
            return Err(Rejection::new(ErrorCode::BadField, text));
        }
        // What is stored but was not sent to the room yet comes by itself.
        let before = match range.around {
            Some(_) => None,
            None => Some(range.before.unwrap_or(u64::MAX).min(newest + 1)),
        };
        let range = HistoryRange { room: room_name(&range.room)?, before, ..range.clone() };
        self.read(id, range.room.clone(), Inquiry::Range(range), reference);
        Ok(())
    }

    /// Asks for stored messages of a room that hold a text (E8).
    ///
    /// # Errors
    /// As [`Hub::read_history`].
    pub fn search_history(
        &mut self,
        id: MemberId,
        search: &Search,
        reference: Option<String>,
    ) -> Result<(), Rejection> {
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
        self.read(id, search.room.clone(), Inquiry::Search(search), reference);
        Ok(())
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
        Ok(self.rooms.get(room.0).map_or(0, |room| room.seq))
    }

    fn read(&mut self, member: MemberId, room: String, inquiry: Inquiry, reference: Option<String>) {
        let Some(connection) = self.connection(member) else { return };
        let waiter = self.outstanding.note_question(connection);
        self.past.ask(connection, inquiry, Purpose::Reading { waiter, member, room, reference });
    }

    /// Takes in an answer. One to a question that nobody asked is ignored.
    pub fn answer(&mut self, ticket: u64, answer: Answer) {
        match self.past.purposes.remove(&ticket) {
            None => {}
            Some(Purpose::Opening { waiter, room }) => {
                // A room that was opened and closed since the question is known better than the answer knows it.
                if self.rooms.find(&room).is_none() && !self.past.knows_head(&room) {
                    self.past.note_head(room, if let Answer::Head(newest) = answer { Some(newest) } else { None });
                }
                self.outstanding.question_done(waiter);
            }
            Some(Purpose::Reading { waiter, member, room, reference }) => {
                if self.outstanding.is_waiting(waiter) {
                    self.tell_page(member, room, reference, answer);
                }
                self.outstanding.question_done(waiter);
            }
            Some(Purpose::Replaying { member }) => self.replay_answer(member, ticket, answer),
        }
    }

    fn tell_page(&mut self, id: MemberId, room: String, reference: Option<String>, answer: Answer) {
        let is_event = self.members.get(id.0).is_some_and(|member| member.dialect == Dialect::Event);
        match answer {
            Answer::Page { messages, more } if is_event => {
                self.tell(id, Envelope::new(Event::History(History { room, messages, more }), reference));
            }
            Answer::Page { messages, .. } if messages.is_empty() => self.notify(id, "nothing is stored of that"),
            Answer::Page { messages, .. } => self.push_own(id, past_pairs(&messages)),
            Answer::Unreadable(text) | Answer::TooSlow(text) if is_event => {
                self.tell(id, Envelope::new(Event::Error(Rejection::new(ErrorCode::Busy, text)), reference));
            }
            Answer::Unreadable(text) | Answer::TooSlow(text) => self.notify(id, &text),
            Answer::Head(_) => {}
        }
    }
}

/// Stored messages for a tutorial client: ordinary pairs with the time in front.
pub(crate) fn past_pairs(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        let at = message.at.map_or_else(String::new, |at| at.to_string());
        // To the minute: `2026-01-02T03:04:05.678Z` becomes `2026-01-02 03:04`.
        let minute = at.get(..16).unwrap_or_default().replace('T', " ");
        let action = if message.action { "* " } else { "" };
        bytes.extend(crate::encode::pair(&message.from, &format!("[{minute} UTC] {action}{}", message.text)));
    }
    bytes
}
