//! Limit of the bell to one ring for all messages missed while the link was lost.

use std::collections::BTreeMap;

use glassline_session::Update;
use glassline_wire::event::Event;

#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    /// The newest message of each room when the link came back.
    newest: BTreeMap<String, u64>,
    has_rung: bool,
}

impl CatchUp {
    /// Returns whether an update may ring; false if the bell has rung for missed messages already.
    pub(crate) fn may_ring(&mut self, update: &Update) -> bool {
        !self.is_missed(update) || !std::mem::replace(&mut self.has_rung, true)
    }

    /// Updates the state after any update.
    pub(crate) fn follow(&mut self, update: &Update) {
        if let Update::Received(Event::Welcome(welcome)) = update {
            self.newest = welcome.rooms.iter().map(|state| (state.room.clone(), state.seq)).collect();
            self.has_rung = false;
        }
    }

    fn is_missed(&self, update: &Update) -> bool {
        match update {
            Update::Received(Event::Message(message)) => {
                let newest = self.newest.get(&message.room);
                message.seq.zip(newest).is_some_and(|(seq, &newest)| seq <= newest)
            }
            Update::Received(Event::Gap(gap)) => self.newest.get(&gap.room).is_some_and(|&newest| gap.to <= newest),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(json: &str) -> Update {
        Update::Received(Event::from_json(json.as_bytes()).expect(json))
    }

    #[test]
    fn what_was_missed_is_one_call_and_what_is_said_now_another() {
        let message =
            |seq: u64| received(&format!(r#"{{"type":"message","room":"lobby","seq":{seq},"from":"b","text":"x"}}"#));
        let welcome = received(concat!(
            r#"{"type":"welcome","name":"a","token":"t","server":"s","limits":{"name_chars":1,"name_bytes":1,"#,
            r#""text_bytes":1,"event_bytes":1},"rooms":[{"room":"lobby","seq":5,"count":1}]}"#
        ));
        let mut catch_up = CatchUp::default();
        assert!(catch_up.may_ring(&message(1)) && catch_up.may_ring(&message(2)), "nothing is known to be missed");
        for _ in 0..2 {
            catch_up.follow(&welcome);
            assert_eq!([4, 5, 6, 7].map(|seq| catch_up.may_ring(&message(seq))), [true, false, true, true]);
        }
    }
}
