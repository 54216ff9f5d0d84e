//! Senders of direct messages to a member. A reply is for the person, who may have left, and not
//! for another member that has the name by then.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::id::MemberId;
use crate::name::fold;

/// Senders kept for each member: the latest.
const KEPT_MAX: usize = 32;

/// A person, and a name under which it has written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sender {
    member: MemberId,
    token: u128,
    /// In the form in which case does not count.
    folded: Box<str>,
}

#[derive(Debug, Default)]
pub(crate) struct DirectSenders {
    latest_last: VecDeque<Sender>,
}

impl DirectSenders {
    pub(crate) fn note(&mut self, member: MemberId, token: u128, name: &str) {
        let folded = fold(name).into_boxed_str();
        self.latest_last.retain(|sender| sender.token != token || sender.folded != folded);
        if self.latest_last.len() == KEPT_MAX {
            // A sender with many names does not evict others.
            let oldest = self.latest_last.iter().position(|sender| sender.token == token);
            self.latest_last.remove(oldest.unwrap_or(0));
        }
        self.latest_last.push_back(Sender { member, token, folded });
    }

    pub(crate) fn latest(&self) -> Option<(MemberId, u128)> {
        self.latest_last.back().map(|sender| (sender.member, sender.token))
    }

    /// Returns whether a reply to this name is for the one with this token, on any connection:
    /// it wrote last under the name, or has written and nobody else has under that name.
    pub(crate) fn answers(&self, token: u128, name: &str) -> bool {
        let folded = fold(name);
        match self.latest_last.iter().rfind(|sender| *sender.folded == *folded) {
            Some(sender) => sender.token == token,
            None => self.latest_last.iter().any(|sender| sender.token == token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::member_id;
    use alloc::format;

    #[test]
    fn the_latest_senders_are_kept_each_once() {
        let mut senders = DirectSenders::default();
        assert!(senders.latest().is_none() && !senders.answers(0, "bob"));
        for token in 0..100 {
            senders.note(member_id(1), token, &format!("bob-{token}"));
            senders.note(member_id(2), 1_000, "carl");
        }
        assert_eq!(senders.latest(), Some((member_id(2), 1_000)));
        assert!(senders.answers(1_000, "Carl") && senders.answers(99, "bob-99") && !senders.answers(1, "bob-1"));
        assert_eq!(senders.latest_last.len(), KEPT_MAX);
    }

    #[test]
    fn a_name_that_others_have_written_under_is_theirs() {
        let (bob, carl) = (1, 2);
        let mut senders = DirectSenders::default();
        senders.note(member_id(2), carl, "carl");
        senders.note(member_id(1), bob, "bob");
        assert!(senders.answers(bob, "BOB") && senders.answers(bob, "rob"), "the same person by another name");
        assert!(!senders.answers(carl, "bob"), "it took the name of whom the reply is for");
        senders.note(member_id(1), bob, "rob");
        for n in 0..2 * KEPT_MAX {
            senders.note(member_id(2), carl, &format!("carl-{n}"));
        }
        assert!(!senders.answers(carl, "bob"), "whatever bob and carl have written since");
        senders.note(member_id(2), carl, "bob");
        assert!(senders.answers(carl, "bob") && !senders.answers(bob, "bob"));
    }
}
