//! Messages as they come: each is shown once, in the room's order, and what is missing is told.

use glassline_wire::event::{Event, Gap, Message};
use glassline_wire::message_id::MessageId;

use super::Session;
use super::numbers::Place;
use super::update::Update;

/// Names remembered that the user went by: what was said under one may be acknowledged under it later.
const FORMER_NAMES_MAX: usize = 8;

impl Session {
    /// The user goes by this name now.
    pub(super) fn goes_by(&mut self, name: &str) {
        if self.name != name {
            if self.former_names.len() == FORMER_NAMES_MAX {
                self.former_names.pop_front();
            }
            self.former_names.push_back(std::mem::replace(&mut self.name, name.to_owned()));
        }
    }

    pub(super) fn heard_message(&mut self, message: Message, reference: Option<String>) {
        self.heard_of(&message.from);
        // Somebody else may have used the same id (E4).
        let id = message.id.filter(|&id| {
            let was_own = || self.former_names.contains(&message.from) && self.outbox.is_doubtful(id);
            reference.is_some() || message.from == self.name || was_own()
        });
        let place = match (message.seq, self.roster.numbers_mut(&message.room)) {
            (Some(seq), Some(numbers)) => numbers.take(seq),
            _ => Place::Next,
        };
        match (place, message.seq) {
            (Place::Behind(from, to), _) => self.tell_gap(&message.room, from, to),
            (Place::Missed, Some(seq)) => self.missed.found(&message.room, seq),
            _ => {}
        }
        if let Some(request) = id.and_then(|id| self.outbox.acknowledge(id)) {
            // By its `ref` a program knows its own, also where it is one of the messages that it missed.
            let reference = reference.or(request.reference);
            // A program is owed the acknowledgement even of what it was shown as somebody's.
            if place != Place::Shown || self.program.is_some() {
                self.show_answer(Update::Said { event: Event::Message(message), acknowledged: true }, reference);
            }
        } else {
            // One that has a number of its own is no second answer, but stored twice: its id was forgotten meanwhile.
            let is_again = id.is_some_and(|id| self.outbox.is_second_answer(id)) && message.seq.is_none();
            if place != Place::Shown && !is_again {
                self.show_answer(Update::Heard(Event::Message(message)), reference);
            }
        }
        self.tell_of_missed();
    }

    pub(super) fn heard_direct(&mut self, event: Event, reference: Option<String>, id: Option<MessageId>) {
        let update = match id {
            Some(id) if self.outbox.acknowledge(id).is_some() => Update::Said { event, acknowledged: true },
            Some(id) if self.outbox.is_second_answer(id) => return,
            _ => Update::Heard(event),
        };
        self.show_answer(update, reference);
    }

    pub(super) fn heard_gap(&mut self, gap: &Gap) {
        match self.roster.numbers_mut(&gap.room) {
            Some(numbers) => {
                if let Some((from, to)) = numbers.take_gap(gap.from, gap.to) {
                    self.tell_gap(&gap.room, from, to);
                }
            }
            None => self.tell_gap(&gap.room, gap.from, gap.to),
        }
    }

    /// Tells of messages that are missing. Some may be the user's own, as long as it is not known what became of them.
    pub(super) fn tell_gap(&mut self, room: &str, from: u64, to: u64) {
        let gap = Gap { room: room.to_owned(), from, to };
        let told = if self.program.is_none() && self.outbox.has_doubtful() { self.missed.hold(gap) } else { Some(gap) };
        if let Some(gap) = told {
            self.show(Update::Heard(Event::Gap(gap)));
        }
    }

    /// The same of one room, which is left: the acknowledgements that it might have waited for come too late for it.
    pub(super) fn tell_of_missed_in(&mut self, room: &str) {
        for gap in self.missed.take_of(room) {
            self.show(Update::Heard(Event::Gap(gap)));
        }
    }

    /// Tells of the gaps that are gaps, once all of the user's own messages are accounted for.
    pub(super) fn tell_of_missed(&mut self) {
        if !self.outbox.has_doubtful() {
            for gap in self.missed.take() {
                self.show(Update::Heard(Event::Gap(gap)));
            }
        }
    }
}
