//! Requests of the user that the server has not answered.

use alloc::collections::VecDeque;

use crate::command::CommandError;
use crate::prelude::*;
use crate::update::HistoryQuery;

/// Prefix of the `ref`s of requests for stored messages.
const PAGE_REF: &str = "glassline-past-";
/// Longest wait for the answer to such a request in a pipe.
const PAGE_MS: u64 = 5_000;
/// Requests for stored messages that may be under way.
const PAGES_MAX: usize = 8;
/// Requests for a room that may be under way.
const ROOM_CHANGES_MAX: usize = 64;
/// Longest wait for the answer to `/join` in a pipe: later lines are meant for the new room.
const ROOM_CHANGE_MS: u64 = 5_000;

#[derive(Debug)]
pub(crate) struct PageRequest {
    pub(crate) reference: String,
    pub(crate) query: HistoryQuery,
    pub(crate) limit: u64,
}

/// Request of the user for another room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoomChange {
    /// To enter the room of this spelling.
    Join(String),
    Leave,
}

#[derive(Debug, Default)]
pub(crate) struct Queries {
    pages: VecDeque<PageRequest>,
    pages_asked: u64,
    /// Time until which input from a pipe waits for stored messages, since it may go on from them.
    page_until_ms: Option<u64>,
    /// The user's own `join`s and `leave`s.
    room_changes: VecDeque<RoomChange>,
    /// Time until which the user may hold the next messages back for another room.
    room_change_until_ms: Option<u64>,
}

impl Queries {
    /// Drops everything with the link: the next one may be to another server.
    pub(crate) fn link_lost(&mut self) {
        *self = Self { pages_asked: self.pages_asked, ..Self::default() };
    }

    pub(crate) fn keep_time(&mut self, now_ms: u64) {
        for until in [&mut self.page_until_ms, &mut self.room_change_until_ms] {
            *until = until.filter(|&until_ms| now_ms < until_ms);
        }
    }

    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        [self.page_until_ms, self.room_change_until_ms].into_iter().flatten().min()
    }

    /// Returns whether the user has asked to go to another room and the server has not answered.
    pub(crate) fn is_changing_room(&self) -> bool {
        self.room_change_until_ms.is_some()
    }

    /// Returns the request for a page; it counts once it is added.
    pub(crate) fn page_request(&self, query: HistoryQuery, limit: u64) -> Result<PageRequest, CommandError> {
        if self.pages.len() == PAGES_MAX {
            return Err(CommandError::AnswerPending);
        }
        Ok(PageRequest { reference: format!("{PAGE_REF}{}", self.pages_asked), query, limit })
    }

    pub(crate) fn add_page(&mut self, request: PageRequest, now_ms: u64) {
        self.pages_asked += 1;
        self.page_until_ms = Some(now_ms + PAGE_MS);
        self.pages.push_back(request);
    }

    /// Takes the request for a page that an event with this `ref` answers.
    pub(crate) fn take_page(&mut self, reference: &str) -> Option<PageRequest> {
        let at = self.pages.iter().position(|page| page.reference == reference)?;
        let page = self.pages.remove(at);
        self.page_until_ms = self.page_until_ms.filter(|_| !self.pages.is_empty());
        page
    }

    /// Returns whether another request for a room may be made before the server has answered.
    pub(crate) fn takes_room_change(&self) -> bool {
        self.room_changes.len() < ROOM_CHANGES_MAX
    }

    pub(crate) fn add_room_change(&mut self, change: RoomChange, now_ms: u64) {
        self.room_changes.push_back(change);
        self.room_change_until_ms = Some(now_ms + ROOM_CHANGE_MS);
    }

    /// Takes the request for a room that was answered; the server answers them in order.
    pub(crate) fn take_room_change(&mut self) -> Option<RoomChange> {
        let change = self.room_changes.pop_front();
        self.room_change_until_ms = self.room_change_until_ms.filter(|_| !self.room_changes.is_empty());
        change
    }
}
