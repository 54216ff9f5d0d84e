//! Senders of direct messages to a member. A reply is for the person, who may have left, and not
//! for whoever has the name by then.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::id::MemberId;
use crate::name::fold;

/// Writers kept for each member: the latest.
const KEPT_MAX: usize = 32;

/// A person, and a name under which it has written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Writer {
    member: MemberId,
    token: u128,
    /// In the form in which case does not count.
    folded: Box<str>,
}

/// The latest writers, by place and token, so that nobody else can step into one.
#[derive(Debug, Default)]
pub(crate) struct Writers {
    latest_last: VecDeque<Writer>,
}

impl Writers {
    /// Notes that somebody has written under this name.
    pub(crate) fn note(&mut self, member: MemberId, token: u128, name: &str) {
        let folded = fold(name).into_boxed_str();
        self.latest_last.retain(|writer| writer.token != token || writer.folded != folded);
        if self.latest_last.len() == KEPT_MAX {
            // Whoever writes under many names does not make others forgotten.
            let oldest = self.latest_last.iter().position(|writer| writer.token == token);
            self.latest_last.remove(oldest.unwrap_or(0));
        }
        self.latest_last.push_back(Writer { member, token, folded });
    }

    /// The place and the token of whoever wrote last.
    pub(crate) fn latest(&self) -> Option<(MemberId, u128)> {
        self.latest_last.back().map(|writer| (writer.member, writer.token))
    }

    /// Returns whether a reply to this name is for the one with this token, on whatever connection:
    /// it wrote last under the name, or has written and nobody else has under that name.
    pub(crate) fn answers(&self, token: u128, name: &str) -> bool {
        let folded = fold(name);
        match self.latest_last.iter().rfind(|writer| *writer.folded == *folded) {
            Some(writer) => writer.token == token,
            None => self.latest_last.iter().any(|writer| writer.token == token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::member_id;
    use alloc::format;

    #[test]
    fn the_latest_writers_are_kept_each_once() {
        let mut writers = Writers::default();
        assert!(writers.latest().is_none() && !writers.answers(0, "bob"));
        for token in 0..100 {
            writers.note(member_id(1), token, &format!("bob-{token}"));
            writers.note(member_id(2), 1_000, "carl");
        }
        assert_eq!(writers.latest(), Some((member_id(2), 1_000)));
        assert!(writers.answers(1_000, "Carl") && writers.answers(99, "bob-99") && !writers.answers(1, "bob-1"));
        assert_eq!(writers.latest_last.len(), KEPT_MAX);
    }

    #[test]
    fn a_name_that_others_have_written_under_is_theirs() {
        let (bob, carl) = (1, 2);
        let mut writers = Writers::default();
        writers.note(member_id(2), carl, "carl");
        writers.note(member_id(1), bob, "bob");
        assert!(writers.answers(bob, "BOB") && writers.answers(bob, "rob"), "the same person by another name");
        assert!(!writers.answers(carl, "bob"), "it took the name of whom the reply is for");
        writers.note(member_id(1), bob, "rob");
        for n in 0..2 * KEPT_MAX {
            writers.note(member_id(2), carl, &format!("carl-{n}"));
        }
        assert!(!writers.answers(carl, "bob"), "whatever bob and carl have written since");
        writers.note(member_id(2), carl, "bob");
        assert!(writers.answers(carl, "bob") && !writers.answers(bob, "bob"));
    }
}
