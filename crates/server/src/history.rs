//! Between the hub and the journal: what is said goes to be stored, what is asked is looked up, and both come back.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use glassline_journal::{Answer, Done, Entry, Gauges, Journal, Outcome, Question, Record, Store, StoreError, Ticket};
use glassline_room::{self as room, Draft, Drafted, Fate, Hub, Inquiry};
use glassline_wire::request::LOBBY;
use tracing::{error, warn};

/// Until the server knows where the lobby goes on, nobody can be let in.
const FIRST_LOOK_TIMEOUT: Duration = Duration::from_secs(30);
/// How long what is still to be stored has at the end: the journal's queue is bounded, and a disk takes that in seconds.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// What stores and answers behind the loop: it takes orders at once, and reports later what came of them.
pub trait Archive {
    /// Takes records to be stored, in their order. Whoever calls has seen that it is not full.
    fn append(&mut self, records: Vec<(Ticket, Record)>);

    /// Whether so much waits to be stored that nothing more may be said.
    fn is_full(&self) -> bool;

    /// Takes a question. False: too many wait already, try again.
    fn ask(&mut self, ticket: Ticket, question: Question) -> bool;

    /// What came back since the last call: outcomes in the order of commit, answers as they come.
    fn take_done(&mut self) -> Vec<Done>;

    /// Its figures, if it has any.
    fn gauges(&self) -> Option<Gauges>;

    /// Stores what was handed over, and ends.
    ///
    /// # Errors
    /// Something was not stored within `timeout`.
    fn close(self: Box<Self>, timeout: Duration) -> Result<(), StoreError>;
}

impl Archive for Journal {
    fn append(&mut self, records: Vec<(Ticket, Record)>) {
        Self::append(self, records);
    }

    fn is_full(&self) -> bool {
        Self::is_full(self)
    }

    fn ask(&mut self, ticket: Ticket, question: Question) -> bool {
        Self::ask(self, ticket, question)
    }

    fn take_done(&mut self) -> Vec<Done> {
        Self::take_done(self)
    }

    fn gauges(&self) -> Option<Gauges> {
        Some(Self::gauges(self))
    }

    fn close(self: Box<Self>, timeout: Duration) -> Result<(), StoreError> {
        Self::close(*self, timeout)
    }
}

/// A journal at work for one hub.
pub(crate) struct History {
    journal: Box<dyn Archive>,
    /// What came back and was not taken in yet, because members have to be written to first.
    done: VecDeque<Done>,
}

impl History {
    /// Starts the journal, opens the lobby where it left off, and puts the operators' acts in force again.
    pub(crate) fn start(
        mut store: Box<dyn Store>,
        hub: &mut Hub,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let head = store.reader()?.head(LOBBY, Instant::now() + FIRST_LOOK_TIMEOUT)?;
        store.acts(&mut |act| hub.remember(&act))?;
        Ok(Self::of(Box::new(Journal::start(store, wake)?), head.newest, hub))
    }

    /// Goes on with a lobby whose newest message has this number.
    pub(crate) fn of(journal: Box<dyn Archive>, newest_in_lobby: u64, hub: &mut Hub) -> Self {
        hub.resume_lobby(newest_in_lobby);
        Self { journal, done: VecDeque::new() }
    }

    /// Whether nothing more may be said until something has been stored.
    pub(crate) fn is_full(&self) -> bool {
        !self.done.is_empty() || self.journal.is_full()
    }

    /// Whether something came back that was not taken in.
    pub(crate) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// Gives the journal what the hub has for it.
    pub(crate) fn hand_over(&mut self, hub: &mut Hub) {
        let drafts = hub.take_drafts();
        if !drafts.is_empty() {
            self.journal.append(drafts.into_iter().map(record).collect());
        }
        while let Some(question) = hub.next_question() {
            let asked = match question.inquiry.clone() {
                Inquiry::Head(room) => Question::Head(room),
                Inquiry::Range(range) => Question::Range(range),
                Inquiry::Search(search) => Question::Search(search),
            };
            if !self.journal.ask(question.ticket, asked) {
                hub.put_back(question);
                return;
            }
        }
    }

    /// Gives the hub what came back, as long as its members keep up.
    ///
    /// # Errors
    /// The store cannot go on: the server must stop.
    pub(crate) fn take_in(&mut self, hub: &mut Hub) -> io::Result<()> {
        self.done.extend(self.journal.take_done());
        while !hub.is_flooded()
            && let Some(done) = self.done.pop_front()
        {
            match done {
                Done::Appended { ticket, outcome } => hub.settle(ticket, fate(outcome)),
                Done::NotStored { ticket, error } => {
                    warn!(%error, "not stored");
                    hub.settle(ticket, Fate::NotStored(format!("this was not stored, so it did not happen: {error}")));
                }
                Done::Answered { ticket, answer } => hub.answer(ticket, readable(answer)),
                Done::Untended(error) => {
                    warn!(%error, "the history cannot be tended: nothing is forgotten or indexed until that is mended");
                }
                Done::Failed(error) => {
                    error!(%error, "the history failed; the server stops");
                    return Err(io::Error::other(error));
                }
            }
        }
        Ok(())
    }

    /// The journal's own figures.
    pub(crate) fn gauges(&self) -> Option<Gauges> {
        self.journal.gauges()
    }

    /// Stores what was handed over, and ends the journal.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.journal.close(CLOSE_TIMEOUT)
    }
}

fn record(draft: Draft) -> (u64, Record) {
    let record = match draft.what {
        Drafted::Message { message, author } => Record::Message(Entry { message, author }),
        Drafted::Act(act) => Record::Act(act),
    };
    (draft.ticket, record)
}

fn fate(outcome: Outcome) -> Fate {
    match outcome {
        Outcome::Stored { seq } => Fate::Stored { seq },
        Outcome::Again(message) => Fate::Again(message),
        Outcome::IdReused => Fate::IdReused,
    }
}

fn readable(answer: Result<Answer, StoreError>) -> room::Answer {
    match answer {
        Ok(Answer::Head(head)) => room::Answer::Head(head.newest),
        Ok(Answer::Page(page)) => room::Answer::Page { messages: page.messages, more: page.more },
        Err(error) => {
            warn!(%error, "the history was not read");
            match error {
                StoreError::TooSlow => room::Answer::TooSlow(error.to_string()),
                error => room::Answer::Unreadable(error.to_string()),
            }
        }
    }
}
