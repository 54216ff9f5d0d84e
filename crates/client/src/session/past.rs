//! Messages of the past: the context that a room begins with, and what the user asks of the
//! history.

use std::collections::VecDeque;

use glassline_wire::event::{Event, History, Message};
use glassline_wire::request::{Ask, HistoryRange, Request, Search};

use super::numbers::Place;
use super::update::{Asked, Declined, HistoryWish, Update};
use super::{Session, WINDOW_BYTES};

/// Messages of a page, where the user names no number.
pub const PAGE_MESSAGES: u64 = 20;

/// `ref` of the session's own question for the newest message of a room.
const NEWEST_REF: &str = "glassline-newest";
/// Prefix of the `ref`s of the user's questions.
const PAST_REF: &str = "glassline-past-";
/// Longest wait for the answer to a question in a pipe.
const ANSWER_MS: u64 = 5_000;
/// Questions of the user that may be under way.
const QUESTIONS_MAX: usize = 8;

/// Position of the user in the past of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Text that is searched for; `None`: everything.
    query: Option<String>,
    /// Number below which the next page begins.
    before: u64,
    /// Messages per page.
    limit: u64,
}

/// State of the server's history, and of the requests to it.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The user's questions that are not answered.
    questions: VecDeque<Question>,
    asked: u64,
    /// Time until which input from a pipe waits for the answer to a question, since it may go on
    /// from it.
    awaited_until_ms: Option<u64>,
}

#[derive(Debug)]
struct Question {
    reference: String,
    asked: Asked,
    limit: u64,
}

impl Past {
    /// The next link may be to another server.
    pub(super) fn link_lost(&mut self) {
        self.questions.clear();
        self.awaited_until_ms = None;
    }

    /// Until when further input should wait for an answer.
    pub(super) fn awaited_until_ms(&self) -> Option<u64> {
        self.awaited_until_ms
    }

    pub(super) fn keep_time(&mut self, now_ms: u64) {
        self.awaited_until_ms = self.awaited_until_ms.filter(|&until_ms| now_ms < until_ms);
    }

    fn take_question(&mut self, reference: &str) -> Option<Question> {
        let at = self.questions.iter().position(|question| question.reference == reference)?;
        let question = self.questions.remove(at);
        self.awaited_until_ms = self.awaited_until_ms.filter(|_| !self.questions.is_empty());
        question
    }
}

impl Session {
    /// Asks for a page of the current room.
    pub(super) fn ask_history(&mut self, wish: HistoryWish, now_ms: u64) -> Result<(), Declined> {
        let range = HistoryRange { room: self.known_room(None)?, ..HistoryRange::default() };
        match wish {
            HistoryWish::Latest(limit) => self.ask_past(Ask::History(range), Asked::Latest, limit, now_ms),
            HistoryWish::Around(seq) => {
                let range = HistoryRange { around: Some(seq), ..range };
                self.ask_past(Ask::History(range), Asked::Around(seq), PAGE_MESSAGES, now_ms)
            }
        }
    }

    /// Looks for a text in the current room.
    pub(super) fn ask_search(&mut self, query: String, now_ms: u64) -> Result<(), Declined> {
        let search = Search { room: self.known_room(None)?, query: query.clone(), before: None, limit: None };
        self.ask_past(Ask::Search(search), Asked::Search { query, older: false }, PAGE_MESSAGES, now_ms)
    }

    /// Asks for what stands before what the user read last in the current room.
    pub(super) fn ask_older(&mut self, now_ms: u64) -> Result<(), Declined> {
        let room = self.known_room(None)?;
        let Some(Reading { query, before, limit }) = self.roster.reading(&room).cloned() else {
            return self.ask_history(HistoryWish::Latest(PAGE_MESSAGES), now_ms);
        };
        let before = Some(before);
        match query {
            None => {
                let range = HistoryRange { room, before, ..HistoryRange::default() };
                self.ask_past(Ask::History(range), Asked::Older, limit, now_ms)
            }
            Some(query) => {
                let search = Search { room, query: query.clone(), before, limit: None };
                self.ask_past(Ask::Search(search), Asked::Search { query, older: true }, limit, now_ms)
            }
        }
    }

    fn ask_past(&mut self, mut ask: Ask, asked: Asked, limit: u64, now_ms: u64) -> Result<(), Declined> {
        if self.past.questions.len() == QUESTIONS_MAX {
            return Err(Declined::StillAsking);
        }
        match &mut ask {
            Ask::History(range) => range.limit = Some(limit),
            Ask::Search(search) => search.limit = Some(limit),
            _ => {}
        }
        let reference = format!("{PAST_REF}{}", self.past.asked);
        self.put("stored messages", &Request::new(ask, Some(reference.clone())))?;
        self.past.asked += 1;
        self.past.awaited_until_ms = Some(now_ms + ANSWER_MS);
        self.past.questions.push_back(Question { reference, asked, limit });
        Ok(())
    }

    /// Asks for the newest message of a room that is entered again behind others that were not shown. Its context may have them, and
    /// the answer comes behind that: what is missing still is told then.
    pub(super) fn ask_newest_in(&mut self, room: &str) {
        // One that does not read is not asked more and more.
        if self.out.len() < WINDOW_BYTES {
            let range = HistoryRange { room: room.to_owned(), limit: Some(1), ..HistoryRange::default() };
            self.put_request(&Request::new(Ask::History(range), Some(NEWEST_REF.to_owned())));
        }
    }

    /// Takes in messages of the past.
    pub(super) fn heard_history(&mut self, history: History, reference: Option<String>) {
        match reference.as_deref() {
            None => self.heard_context(history),
            Some(NEWEST_REF) => {
                let newest = history.messages.last().and_then(|message| message.seq).unwrap_or(0);
                let numbers = self.roster.numbers_mut(&history.room);
                if let Some((from, to)) = numbers.and_then(|numbers| numbers.take_newest(newest)) {
                    self.tell_gap(&history.room, from, to);
                }
            }
            Some(asked) => match self.past.take_question(asked) {
                Some(question) => self.heard_page(history, question),
                None => self.show_answer(Update::Heard(Event::History(history)), reference),
            },
        }
    }

    /// Takes in that a question is not answered: whether it was the session's own, which is nobody else's business.
    pub(super) fn heard_no_history(&mut self, reference: Option<&str>) -> bool {
        let Some(reference) = reference else { return false };
        self.past.take_question(reference);
        reference == NEWEST_REF
    }

    /// Handles the messages before the client came. Those newer than what was shown of a room that
    /// it was in before are news.
    fn heard_context(&mut self, history: History) {
        if self.program.is_some() {
            self.note_context(&history);
            self.show(Update::Heard(Event::History(history)));
            return;
        }
        let History { room, messages, more } = history;
        let mut earlier: Vec<Message> = Vec::with_capacity(messages.len());
        let mut missed = Vec::new();
        let mut numbers = self.roster.numbers_mut(&room);
        if let Some(numbers) = &mut numbers {
            numbers.begin(newest_of(&messages));
        }
        let newest = numbers.as_ref().and_then(|numbers| numbers.newest());
        for message in messages {
            let message = Message { room: room.clone(), ..message };
            if message.seq.zip(newest).is_some_and(|(seq, newest)| seq > newest) {
                missed.push(message);
                continue;
            }
            let is_shown = match (message.seq, &mut numbers) {
                (Some(seq), Some(numbers)) => !numbers.take_earlier(seq),
                _ => false,
            };
            if !is_shown {
                earlier.push(message);
            }
        }
        let too_many = earlier.len().saturating_sub(self.config.context_messages_max);
        earlier.drain(..too_many);
        if let Some(before) = earlier.first().and_then(|first| first.seq) {
            self.roster.reads(&room, Reading { query: None, before, limit: PAGE_MESSAGES });
        }
        if !earlier.is_empty() {
            let more = more || too_many > 0;
            self.show(Update::Heard(Event::History(History { room, messages: earlier, more })));
        }
        for message in missed {
            self.heard_message(message, None);
        }
    }

    fn note_context(&mut self, history: &History) {
        let Some(numbers) = self.roster.numbers_mut(&history.room) else { return };
        numbers.begin(newest_of(&history.messages));
        let mut gaps = Vec::new();
        for seq in history.messages.iter().filter_map(|message| message.seq) {
            if let Place::Behind(from, to) = numbers.take(seq) {
                gaps.push((from, to));
            }
        }
        for (from, to) in gaps {
            self.tell_gap(&history.room, from, to);
        }
    }

    fn heard_page(&mut self, history: History, question: Question) {
        let Question { reference, asked, limit } = question;
        let query = if let Asked::Search { query, .. } = &asked { Some(query.clone()) } else { None };
        if let Some(before) = history.messages.first().and_then(|first| first.seq) {
            let is_search = query.is_some();
            self.roster.reads(&history.room, Reading { query, before, limit });
            if let Some(numbers) = self.roster.numbers_mut(&history.room).filter(|_| !is_search) {
                for seq in history.messages.iter().filter_map(|message| message.seq) {
                    numbers.take_earlier(seq);
                }
            }
        }
        let newest = self.roster.numbers_mut(&history.room).and_then(|numbers| numbers.newest());
        self.show_answer(Update::Past { history, asked, newest, hidden: Vec::new() }, Some(reference));
    }
}

fn newest_of(messages: &[Message]) -> u64 {
    messages.iter().filter_map(|message| message.seq).max().unwrap_or(0)
}
