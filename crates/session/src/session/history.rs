//! Stored messages: the context that a room begins with, and what the user asks for.

use glassline_wire::event::{Event, History, Message};
use glassline_wire::request::{Ask, HistoryRange, Request, Search};

use super::Session;
use crate::command::{CommandError, HistorySelection};
use crate::joined_rooms::ReadPosition;
use crate::prelude::*;
use crate::queries::PageRequest;
use crate::seq_tracker::Position;
use crate::update::{HistoryQuery, Update};

/// Messages of a page, where the user gives no number.
pub const PAGE_MESSAGES: u64 = 20;
/// `ref` of the session's own request for the newest message of a room.
const NEWEST_REF: &str = "glassline-newest";
impl Session {
    pub(super) fn ask_history(&mut self, selection: HistorySelection, now_ms: u64) -> Result<(), CommandError> {
        let range = HistoryRange { room: self.known_room(None)?, ..HistoryRange::default() };
        match selection {
            HistorySelection::Latest(limit) => self.ask_page(Ask::History(range), HistoryQuery::Latest, limit, now_ms),
            HistorySelection::Around(seq) => {
                let range = HistoryRange { around: Some(seq), ..range };
                self.ask_page(Ask::History(range), HistoryQuery::Around(seq), PAGE_MESSAGES, now_ms)
            }
        }
    }

    pub(super) fn ask_search(&mut self, query: String, now_ms: u64) -> Result<(), CommandError> {
        let room = self.known_room(None)?;
        if self.seal.is_sealed(&room) {
            self.notice("sealed messages are not searched: the server cannot read them".to_owned());
        }
        let search = Search { room, query: query.clone(), before: None, limit: None };
        self.ask_page(Ask::Search(search), HistoryQuery::Search { query, older: false }, PAGE_MESSAGES, now_ms)
    }

    /// Asks for the messages before those that the user read last in the current room.
    pub(super) fn ask_older(&mut self, now_ms: u64) -> Result<(), CommandError> {
        let room = self.known_room(None)?;
        let Some(ReadPosition { query, before, limit }) = self.rooms.position(&room).cloned() else {
            return self.ask_history(HistorySelection::Latest(PAGE_MESSAGES), now_ms);
        };
        let before = Some(before);
        match query {
            None => {
                let range = HistoryRange { room, before, ..HistoryRange::default() };
                self.ask_page(Ask::History(range), HistoryQuery::Older, limit, now_ms)
            }
            Some(query) => {
                let search = Search { room, query: query.clone(), before, limit: None };
                self.ask_page(Ask::Search(search), HistoryQuery::Search { query, older: true }, limit, now_ms)
            }
        }
    }

    fn ask_page(&mut self, mut ask: Ask, query: HistoryQuery, limit: u64, now_ms: u64) -> Result<(), CommandError> {
        let page = self.queries.page_request(query, limit)?;
        match &mut ask {
            Ask::History(range) => range.limit = Some(limit),
            Ask::Search(search) => search.limit = Some(limit),
            _ => {}
        }
        self.put("stored messages", &Request::new(ask, Some(page.reference.clone())))?;
        self.queries.add_page(page, now_ms);
        Ok(())
    }

    /// Asks for the newest message of a room that is entered again after others that were not
    /// shown. Its context may have them, and the answer comes after that: what is still missing is
    /// reported then.
    pub(super) fn ask_newest_in(&mut self, room: &str) {
        // A server that does not read gets no further requests.
        if self.connection.has_window() {
            let range = HistoryRange { room: room.to_owned(), limit: Some(1), ..HistoryRange::default() };
            self.put_request(&Request::new(Ask::History(range), Some(NEWEST_REF.to_owned())));
        }
    }

    pub(super) fn receive_history(&mut self, history: History, reference: Option<String>) {
        match reference.as_deref() {
            None => self.receive_context(history),
            Some(NEWEST_REF) => {
                let newest = history.messages.last().and_then(|message| message.seq).unwrap_or(0);
                let tracker = self.rooms.tracker_mut(&history.room);
                if let Some((from, to)) = tracker.and_then(|tracker| tracker.take_newest(newest)) {
                    self.report_gap(&history.room, from, to);
                }
            }
            Some(asked) => match self.queries.take_page(asked) {
                Some(page) => self.receive_page(history, page),
                None => self.show_answer(Update::Received(Event::History(history)), reference),
            },
        }
    }

    /// Records that a request is refused; returns whether it was the session's own, which nobody
    /// else sees.
    pub(super) fn history_refused(&mut self, reference: Option<&str>) -> bool {
        let Some(reference) = reference else { return false };
        self.queries.take_page(reference);
        reference == NEWEST_REF
    }

    /// Processes the messages from before the join. Those newer than what was shown of a room that
    /// it was in before are new.
    fn receive_context(&mut self, history: History) {
        if self.program.is_some() {
            self.note_context(&history);
            self.show(Update::Received(Event::History(history)));
            return;
        }
        let History { room, messages, more } = history;
        let mut earlier: Vec<Message> = Vec::with_capacity(messages.len());
        let mut missed = Vec::new();
        let mut tracker = self.rooms.tracker_mut(&room);
        if let Some(tracker) = &mut tracker {
            tracker.begin(newest_of(&messages));
        }
        let newest = tracker.as_ref().and_then(|tracker| tracker.newest());
        for message in messages {
            let message = Message { room: room.clone(), ..message };
            if message.seq.zip(newest).is_some_and(|(seq, newest)| seq > newest) {
                missed.push(message);
                continue;
            }
            let is_shown = match (message.seq, &mut tracker) {
                (Some(seq), Some(tracker)) => !tracker.take_stored(seq),
                _ => false,
            };
            if !is_shown {
                earlier.push(message);
            }
        }
        let too_many = earlier.len().saturating_sub(self.config.context_messages_max);
        earlier.drain(..too_many);
        if let Some(before) = earlier.first().and_then(|first| first.seq) {
            self.rooms.set_position(&room, ReadPosition { query: None, before, limit: PAGE_MESSAGES });
        }
        if !earlier.is_empty() {
            let more = more || too_many > 0;
            self.show(Update::Received(Event::History(History { room, messages: earlier, more })));
        }
        for message in missed {
            self.receive_message(message, None);
        }
    }

    fn note_context(&mut self, history: &History) {
        let Some(tracker) = self.rooms.tracker_mut(&history.room) else { return };
        tracker.begin(newest_of(&history.messages));
        let mut gaps = Vec::new();
        for seq in history.messages.iter().filter_map(|message| message.seq) {
            if let Position::AfterGap(from, to) = tracker.take(seq) {
                gaps.push((from, to));
            }
        }
        for (from, to) in gaps {
            self.report_gap(&history.room, from, to);
        }
    }

    fn receive_page(&mut self, history: History, page: PageRequest) {
        let PageRequest { reference, query: asked, limit } = page;
        let query = if let HistoryQuery::Search { query, .. } = &asked { Some(query.clone()) } else { None };
        if let Some(before) = history.messages.first().and_then(|first| first.seq) {
            let is_search = query.is_some();
            self.rooms.set_position(&history.room, ReadPosition { query, before, limit });
            if let Some(tracker) = self.rooms.tracker_mut(&history.room).filter(|_| !is_search) {
                for seq in history.messages.iter().filter_map(|message| message.seq) {
                    tracker.take_stored(seq);
                }
            }
        }
        let newest = self.rooms.tracker_mut(&history.room).and_then(|tracker| tracker.newest());
        self.show_answer(Update::HistoryPage { history, asked, newest, hidden: Vec::new() }, Some(reference));
    }
}

fn newest_of(messages: &[Message]) -> u64 {
    messages.iter().filter_map(|message| message.seq).max().unwrap_or(0)
}
