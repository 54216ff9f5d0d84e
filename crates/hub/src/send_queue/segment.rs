//! Stored messages of a room still to be sent to one member: the next page, and the
//! events of an answer.

use alloc::{boxed::Box, string::ToString, vec::Vec};

use glassline_wire::event::{Event, Gap, History};
use glassline_wire::history::{Answer, Page, ReadError, Ticket};
use glassline_wire::request::HistoryRange;

use crate::id::RoomId;

/// One room's past, as far as it has still to be fetched.
#[derive(Debug)]
pub(crate) struct ReplaySegment {
    room: RoomId,
    name: Box<str>,
    extent: Extent,
    /// Ticket of the question that is under way for its next page.
    asked: Option<Ticket>,
}

#[derive(Debug, Clone, Copy)]
enum Extent {
    /// So many messages up to this number, as context.
    Context { limit: u64, until: u64 },
    /// Each message from one number to another.
    Missed { next: u64, until: u64 },
}

impl ReplaySegment {
    /// Returns the segment of a member that joins a room whose newest number is `newest`: what
    /// it missed since `seen`, or else `context_max` messages. `None` if there are none.
    pub(crate) fn of_newcomer(
        room: RoomId,
        name: &str,
        seen: Option<u64>,
        newest: u64,
        context_max: usize,
    ) -> Option<Self> {
        let extent = match seen {
            Some(seen) if seen < newest => Extent::Missed { next: seen + 1, until: newest },
            None if context_max > 0 && newest > 0 => Extent::Context { limit: context_max as u64, until: newest },
            _ => return None,
        };
        Some(Self { room, name: name.into(), extent, asked: None })
    }

    /// Returns the segment of messages that a log's tail has passed.
    pub(super) fn missed(room: RoomId, name: &str, from: u64, to: u64) -> Self {
        Self { room, name: name.into(), extent: Extent::Missed { next: from, until: to }, asked: None }
    }

    pub(super) fn room(&self) -> RoomId {
        self.room
    }

    pub(super) fn asked(&self) -> Option<Ticket> {
        self.asked
    }

    pub(super) fn note_asked(&mut self, ticket: Ticket) {
        self.asked = Some(ticket);
    }

    pub(super) fn range(&self) -> HistoryRange {
        let room = self.name.to_string();
        match self.extent {
            Extent::Context { limit, until } => {
                HistoryRange { room, before: Some(until + 1), limit: Some(limit), ..HistoryRange::default() }
            }
            Extent::Missed { next, until } => {
                HistoryRange { room, after: Some(next - 1), before: Some(until + 1), ..HistoryRange::default() }
            }
        }
    }

    /// Passes what the answer to its question holds to `send`. Returns whether the segment is
    /// complete.
    pub(super) fn render(&mut self, answer: Result<Answer, ReadError>, send: &mut impl FnMut(Event)) -> bool {
        self.asked = None;
        let (messages, more) = match answer {
            Ok(Answer::Page(Page { messages, more })) => (messages, more),
            // It exists; it is requested again.
            Err(ReadError::TooSlow(_)) => return false,
            Ok(Answer::Head(_)) | Err(ReadError::Unreadable(_)) => (Vec::new(), false),
        };
        match self.extent {
            Extent::Context { .. } if messages.is_empty() => {}
            Extent::Context { .. } => send(Event::History(History { room: self.name.to_string(), messages, more })),
            Extent::Missed { next, until } => {
                let mut expected = next;
                let progresses = !messages.is_empty();
                for message in messages {
                    let seq = message.seq.unwrap_or(expected);
                    self.send_gap(expected, seq.saturating_sub(1), send);
                    expected = seq + 1;
                    send(Event::Message(message));
                }
                if more && progresses && expected <= until {
                    self.extent = Extent::Missed { next: expected, until };
                    return false;
                }
                self.send_gap(expected, until, send);
            }
        }
        true
    }

    /// Passes the gap that is left if no more of it is sent.
    pub(super) fn abandon(&self, send: &mut impl FnMut(Event)) {
        if let Extent::Missed { next, until } = self.extent {
            self.send_gap(next, until, send);
        }
    }

    /// Passes on a gap for messages that are no longer stored or cannot be read (E7).
    fn send_gap(&self, from: u64, to: u64, send: &mut impl FnMut(Event)) {
        if from <= to {
            send(Event::Gap(Gap { room: self.name.to_string(), from, to }));
        }
    }
}
