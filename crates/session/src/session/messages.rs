//! Received messages: each is shown once, in the order of its room, and what is missing is
//! reported.

use glassline_wire::event::{Direct, Event, Gap, Message};

use super::Session;
use crate::prelude::*;
use crate::seq_tracker::Position;
use crate::update::Update;

impl Session {
    pub(super) fn receive_message(&mut self, message: Message, reference: Option<String>) {
        self.recent_rename.note_activity(&message.from);
        // Another client may have used the same id (E4).
        let id = message.id.filter(|&id| {
            let was_own = || self.identity.had_name(&message.from) && self.delivery.is_doubtful(id);
            reference.is_some() || message.from == self.identity.name() || was_own()
        });
        let position = match (message.seq, self.rooms.tracker_mut(&message.room)) {
            (Some(seq), Some(tracker)) => tracker.take(seq),
            _ => Position::Next,
        };
        match (position, message.seq) {
            (Position::AfterGap(from, to), _) => self.report_gap(&message.room, from, to),
            (Position::InGap, Some(seq)) => self.delivery.fill_gap(&message.room, seq),
            _ => {}
        }
        if let Some(request) = id.and_then(|id| self.delivery.acknowledge(id)) {
            // The `ref` marks a program's own message, also among those that it missed.
            let reference = reference.or(request.reference);
            // A program gets the acknowledgement even of a message shown as another client's.
            let notice = message.sealed.as_ref().and_then(|_| self.seal.relayed(&message.room));
            if position != Position::Shown || self.program.is_some() {
                self.show_answer(Update::Sent { event: Event::Message(message), acknowledged: true }, reference);
            }
            if let Some(text) = notice {
                self.notice(text);
            }
        } else {
            // One with another number is no second answer, but stored twice: the server had dropped
            // its id.
            let is_again = id.is_some_and(|id| self.delivery.is_second_answer(id)) && message.seq.is_none();
            if position != Position::Shown && !is_again {
                self.show_answer(Update::Received(Event::Message(message)), reference);
            }
        }
        self.report_settled_gaps();
    }

    pub(super) fn receive_direct(&mut self, direct: Direct, reference: Option<String>) {
        self.recent_rename.note_activity(&direct.from);
        let is_own = reference.is_some() || direct.from == self.identity.name();
        let id = direct.id.filter(|_| is_own);
        let event = Event::Direct(direct);
        let update = match id {
            Some(id) if self.delivery.acknowledge(id).is_some() => Update::Sent { event, acknowledged: true },
            Some(id) if self.delivery.is_second_answer(id) => return,
            _ => Update::Received(event),
        };
        self.show_answer(update, reference);
    }

    pub(super) fn receive_gap(&mut self, gap: &Gap) {
        match self.rooms.tracker_mut(&gap.room) {
            Some(tracker) => {
                if let Some((from, to)) = tracker.take_gap(gap.from, gap.to) {
                    self.report_gap(&gap.room, from, to);
                }
            }
            None => self.report_gap(&gap.room, gap.from, gap.to),
        }
    }

    /// Reports missing messages. Some may be the user's own, as long as it is not known what became
    /// of them.
    pub(super) fn report_gap(&mut self, room: &str, from: u64, to: u64) {
        let gap = Gap { room: room.to_owned(), from, to };
        if let Some(gap) = self.delivery.take_gap(gap, self.program.is_none()) {
            self.show(Update::Received(Event::Gap(gap)));
        }
    }

    /// Reports the gaps of a room that is left: acknowledgements come too late for it.
    pub(super) fn report_gaps_in(&mut self, room: &str) {
        for gap in self.delivery.gaps_in(room) {
            self.show(Update::Received(Event::Gap(gap)));
        }
    }

    /// Reports the gaps that are gaps, once all of the user's own messages are accounted for.
    pub(super) fn report_settled_gaps(&mut self) {
        for gap in self.delivery.settled_gaps() {
            self.show(Update::Received(Event::Gap(gap)));
        }
    }
}
