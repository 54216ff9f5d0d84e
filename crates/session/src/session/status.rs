//! State of the session for its driver and its display.

use super::{ExitIntent, Session};
use crate::connection::Phase;
use crate::prelude::*;
use crate::status::{LinkState, SlashExecutor, Status};
use crate::update::Dialect;

impl Session {
    /// Returns the contents of a status line.
    pub fn status(&self, now_ms: u64) -> Status {
        let link = match self.connection.phase() {
            Phase::Connecting { .. } | Phase::Greeting { .. } | Phase::ChangingDialect { .. } => LinkState::Connecting,
            // Unacknowledged messages are pending, and the status shows it.
            Phase::Up { .. } if matches!(self.exit, ExitIntent::Leave { .. }) => LinkState::Leaving,
            Phase::Up { .. } if self.connection.first_bytes().is_silent() => LinkState::Unanswered,
            Phase::Up { .. } => LinkState::Online,
            Phase::Waiting { until_ms } => LinkState::Waiting { until_ms },
            Phase::Leaving { .. } | Phase::Ended => LinkState::Leaving,
        };
        let is_up = link == LinkState::Online;
        let room = match self.connection.tutorial() {
            Some(link) => link.room().map(str::to_owned),
            None => self.current_room(),
        };
        let me = self.identity.name();
        let others = self.rooms.people_names().filter(|name| is_up && *name != me);
        Status {
            name: me.to_owned(),
            is_room_known: room.is_some() || self.connection.dialect() == Dialect::Event,
            room,
            rooms: self.rooms.names(),
            people: self.rooms.people().filter(|_| is_up),
            others: others.take(Status::OTHERS_MAX).map(str::to_owned).collect(),
            away: self.identity.away().map(str::to_owned),
            link,
            unsent: self.delivery.len(),
            next_late_ms: self.delivery.next_late_ms(now_ms),
            late: self.delivery.late_texts(now_ms).take(Status::LATE_MAX).map(str::to_owned).collect(),
        }
    }

    /// Returns whether the user has asked to go to another room and the server has not answered:
    /// new messages may be meant for it.
    pub fn is_changing_room(&self) -> bool {
        self.queries.is_changing_room()
    }

    /// Returns whether a command given now would go out soon; else the user's further input should
    /// wait.
    pub fn takes_commands(&self) -> bool {
        let is_awaiting = self.queries.next_deadline_ms().is_some();
        let has_gone_out = !self.delivery.has_unsent() && self.connection.has_window();
        // A server that was only late may still take everything as events.
        let is_late = self.connection.awaits_greeting() && self.slash_executor() == SlashExecutor::Undecided;
        self.connection.is_up() && !is_late && !is_awaiting && self.has_capacity() && has_gone_out
    }

    /// Returns whether another message of any length may wait for the link.
    pub fn has_capacity(&self) -> bool {
        self.delivery.takes(self.limits.text_bytes)
    }

    /// Returns the longest text of one message, in bytes.
    pub fn text_bytes_max(&self) -> usize {
        self.limits.text_bytes
    }

    /// Returns the number of messages that the server has not acknowledged (tutorial dialect: that
    /// are not sent).
    pub fn unacknowledged(&self) -> usize {
        self.delivery.len()
    }

    /// Returns whether the user has asked to leave: no more input is accepted then.
    pub fn is_leaving(&self) -> bool {
        self.exit != ExitIntent::Stay || matches!(self.connection.phase(), Phase::Leaving { .. } | Phase::Ended)
    }

    /// Returns whether [`Output::Ended`](crate::Output::Ended) has been given.
    pub fn has_ended(&self) -> bool {
        self.connection.phase() == Phase::Ended
    }

    /// Returns the number of others in the fullest room of the user, as far as it is known.
    pub fn others(&self) -> usize {
        self.rooms.others()
    }

    /// Returns the names in the current room, as far as it is known, in alphabetical order.
    pub fn people_names(&self) -> impl Iterator<Item = &str> {
        self.rooms.people_names()
    }

    /// Returns the party that executes a line that starts with `/`.
    pub fn slash_executor(&self) -> SlashExecutor {
        match self.connection.tutorial() {
            Some(link) => link.slash_executor(),
            None if self.connection.dialect() == Dialect::Event => SlashExecutor::Client,
            None => SlashExecutor::Nobody,
        }
    }

    pub(super) fn current_room(&self) -> Option<String> {
        self.rooms.current().map(str::to_owned)
    }
}
