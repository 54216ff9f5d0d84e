//! Senders of direct messages to a member. A reply is for the person, who may have left, and not
//! for whoever has the name by then.

use alloc::collections::VecDeque;

use crate::id::MemberId;

/// Writers kept for each member: the latest.
const KEPT_MAX: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Writer {
    member: MemberId,
    token: u128,
}

/// The latest writers, by place and token, so that nobody else can step into one.
#[derive(Debug, Default)]
pub(crate) struct Writers {
    latest_last: VecDeque<Writer>,
}

impl Writers {
    /// Notes that somebody has written.
    pub(crate) fn note(&mut self, member: MemberId, token: u128) {
        self.latest_last.retain(|writer| writer.token != token);
        if self.latest_last.len() == KEPT_MAX {
            self.latest_last.pop_front();
        }
        self.latest_last.push_back(Writer { member, token });
    }

    /// The place and the token of whoever wrote last.
    pub(crate) fn latest(&self) -> Option<(MemberId, u128)> {
        self.latest_last.back().map(|writer| (writer.member, writer.token))
    }

    /// Returns whether somebody with this token has written, on whatever connection.
    pub(crate) fn holds(&self, token: u128) -> bool {
        self.latest_last.iter().any(|writer| writer.token == token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_writers_are_kept_each_once() {
        let mut writers = Writers::default();
        assert!(writers.latest().is_none() && !writers.holds(0));
        for token in 0..100 {
            writers.note(MemberId(1), token);
            writers.note(MemberId(2), 1_000);
        }
        assert_eq!(writers.latest(), Some((MemberId(2), 1_000)));
        assert!(writers.holds(1_000) && writers.holds(99) && !writers.holds(1));
        assert_eq!(writers.latest_last.len(), KEPT_MAX);
    }
}
