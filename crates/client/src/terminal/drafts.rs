//! Drafts of rooms other than the one on the screen.

use std::collections::BTreeMap;

/// Drafts by room; at most one for each room that the user is in.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    begun: BTreeMap<String, String>,
}

impl Drafts {
    /// Stores the draft of one room and returns that of the other.
    pub(super) fn change(&mut self, from: Option<&str>, begun: String, to: Option<&str>) -> String {
        if from == to {
            return begun;
        }
        let there = to.and_then(|to| self.begun.remove(to)).unwrap_or_default();
        match from {
            Some(from) if !begun.is_empty() => drop(self.begun.insert(from.to_owned(), begun)),
            // A draft begun in no room moves along.
            None if there.is_empty() => return begun,
            _ => {}
        }
        there
    }

    /// Removes and returns the drafts of rooms other than these.
    pub(super) fn leave_all_but(&mut self, rooms: &[String]) -> Vec<String> {
        self.begun.extract_if(.., |room, _| !rooms.contains(room)).map(|(_, begun)| begun).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_room_has_its_draft_and_none_is_lost() {
        let mut drafts = Drafts::default();
        assert_eq!(drafts.change(Some("lobby"), "for all".into(), Some("den")), "");
        assert_eq!(drafts.change(Some("den"), "for few".into(), Some("lobby")), "for all");
        assert_eq!(drafts.change(Some("lobby"), String::new(), Some("den")), "for few");
        assert_eq!(drafts.change(Some("den"), "for few".into(), Some("den")), "for few");
        assert_eq!(drafts.change(Some("den"), "for few".into(), Some("lobby")), "");
        assert_eq!(drafts.leave_all_but(&["lobby".into()]), ["for few"], "the den is left");
        assert_eq!(drafts.change(None, "homeless".into(), Some("den")), "homeless");
    }
}
