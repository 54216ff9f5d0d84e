//! One room's past as it is owed to one member: which page comes next, and how an answer becomes frames.

use alloc::{string::String, vec::Vec};

use glassline_wire::event::{Event, Gap, History};
use glassline_wire::history::{Answer, Page, ReadError};
use glassline_wire::request::HistoryRange;

use crate::encode::history_pairs;
use crate::id::RoomId;
use crate::member::Dialect;

/// One room's past, as far as it is owed.
#[derive(Debug)]
pub(crate) struct ReplaySegment {
    pub(crate) room: RoomId,
    pub(crate) name: String,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// So many messages up to this number, as context.
    Context { limit: u64, until: u64 },
    /// Each message from one number to another.
    Missed { next: u64, until: u64 },
}

impl ReplaySegment {
    /// Which page comes next.
    pub(crate) fn range(&self) -> HistoryRange {
        let room = self.name.clone();
        match self.what {
            What::Context { limit, until } => {
                HistoryRange { room, before: Some(until + 1), limit: Some(limit), ..HistoryRange::default() }
            }
            What::Missed { next, until } => {
                HistoryRange { room, after: Some(next - 1), before: Some(until + 1), ..HistoryRange::default() }
            }
        }
    }

    /// Puts an answer into frames; returns what is still owed.
    pub(crate) fn render(
        self,
        dialect: Dialect,
        answer: Result<Answer, ReadError>,
        frames: &mut Vec<u8>,
    ) -> Option<Self> {
        let (messages, more) = match answer {
            Ok(Answer::Page(Page { messages, more })) => (messages, more),
            // It is there, and asked for again.
            Err(ReadError::TooSlow(_)) => return Some(self),
            Ok(Answer::Head(_)) | Err(ReadError::Unreadable(_)) => (Vec::new(), false),
        };
        match (self.what, dialect) {
            (What::Context { .. }, Dialect::Tutorial) => {
                frames.extend(history_pairs(&messages));
                None
            }
            (What::Context { .. }, Dialect::Event) => {
                if !messages.is_empty() {
                    let history = History { room: self.name, messages, more, reference: None };
                    frames.extend(Event::History(history).to_frame());
                }
                None
            }
            (What::Missed { next, until }, _) => {
                let mut expected = next;
                let progresses = !messages.is_empty();
                for message in messages {
                    let seq = message.seq.unwrap_or(expected);
                    self.put_gap(expected, seq.saturating_sub(1), frames);
                    expected = seq + 1;
                    frames.extend(Event::Message(message).to_frame());
                }
                if more && progresses && expected <= until {
                    return Some(Self { what: What::Missed { next: expected, until }, ..self });
                }
                self.put_gap(expected, until, frames);
                None
            }
        }
    }

    /// Says that nothing more of it will come.
    pub(crate) fn abandon(&self, frames: &mut Vec<u8>) {
        if let What::Missed { next, until } = self.what {
            self.put_gap(next, until, frames);
        }
    }

    /// Writes a gap for messages that are not stored any more or cannot be read (E7).
    fn put_gap(&self, from: u64, to: u64, frames: &mut Vec<u8>) {
        if from <= to {
            frames.extend(Event::Gap(Gap { room: self.name.clone(), from, to }).to_frame());
        }
    }
}
