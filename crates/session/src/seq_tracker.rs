//! Numbers of the messages of a room that have been shown: each is shown once, and what is missing
//! is reported.

use crate::prelude::*;

/// Ranges of numbers kept that were not shown. Past it old ones are merged: what was shown
/// between them may be shown again, which is better than never showing the user's messages.
const UNSEEN_RANGES_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// It is the next one, or the first.
    Next,
    /// It is new, and those from one number to another before it never came.
    AfterGap(u64, u64),
    /// It was missed, and is here now.
    InGap,
    /// It was shown before.
    Shown,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeqTracker {
    /// Newest message that was shown, reported missing, or there before the client; `None`: not
    /// known.
    newest: Option<u64>,
    /// Numbers up to it that were not shown: first and last of each range, in order.
    unseen: Vec<(u64, u64)>,
    /// Highest number that the server has named on this link: later messages get a higher one.
    newest_named: Option<u64>,
    /// The room was left with the link and is entered again: its numbers may have restarted.
    in_doubt: bool,
}

impl SeqTracker {
    /// Starts with a room whose newest message is this one, and none is shown.
    pub(crate) fn starting(newest: u64) -> Self {
        let mut tracker = Self { newest: Some(newest), newest_named: Some(newest), ..Self::default() };
        tracker.note_unseen(1, newest);
        tracker
    }

    /// Continues in a room that is entered again: on some servers its numbers may have restarted.
    pub(crate) fn into_doubt(self) -> Self {
        Self { in_doubt: true, newest_named: None, ..self }
    }

    /// Continues on the link of a new `welcome`, in which the room's newest message is this one.
    pub(crate) fn on_another_link(self, newest: u64) -> Self {
        Self { newest_named: Some(newest), ..self }
    }

    /// Returns the highest number that the server has named on this link.
    pub(crate) fn newest_named(&self) -> Option<u64> {
        self.newest_named
    }

    /// Returns the number from which a reconnect continues.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Processes a message that is shown now, unless it was before.
    pub(crate) fn take(&mut self, seq: u64) -> Position {
        self.settle_doubt(seq);
        self.newest_named = self.newest_named.max(Some(seq));
        let Some(newest) = self.newest else {
            *self = Self::starting(seq);
            self.mark_seen(seq);
            return Position::Next;
        };
        if seq <= newest {
            return if self.mark_seen(seq) { Position::InGap } else { Position::Shown };
        }
        self.newest = Some(seq);
        if seq == newest + 1 {
            return Position::Next;
        }
        self.note_unseen(newest + 1, seq - 1);
        Position::AfterGap(newest + 1, seq - 1)
    }

    /// Records that the server will not send some; returns the part of them that was not known.
    pub(crate) fn take_gap(&mut self, from: u64, to: u64) -> Option<(u64, u64)> {
        if from > to {
            return None;
        }
        self.settle_doubt(to);
        self.newest_named = self.newest_named.max(Some(to));
        let from = match self.newest {
            None => from,
            Some(newest) if newest >= to => return None,
            Some(newest) => newest + 1,
        };
        self.newest = Some(to);
        self.note_unseen(from, to);
        Some((from, to))
    }

    /// Records that the room's newest message is this one, where all up to it should have come.
    pub(crate) fn take_newest(&mut self, newest: u64) -> Option<(u64, u64)> {
        self.begin(newest);
        self.take_gap(newest, newest)
    }

    /// Records that earlier messages end with this one: a room of which nothing was known begins
    /// there.
    pub(crate) fn begin(&mut self, newest: u64) {
        self.settle_doubt(newest.saturating_add(1));
        self.newest_named = self.newest_named.max(Some(newest));
        if self.newest.is_none() {
            *self = Self::starting(newest);
        }
    }

    /// Returns whether a stored message was not shown yet, which it is now.
    pub(crate) fn take_stored(&mut self, seq: u64) -> bool {
        self.mark_seen(seq)
    }

    /// Starts over where numbers go back, when `next` is to be the next one: the room restarted.
    fn settle_doubt(&mut self, next: u64) {
        if core::mem::take(&mut self.in_doubt) && self.newest.is_some_and(|newest| next <= newest) {
            *self = Self::default();
        }
    }

    fn note_unseen(&mut self, from: u64, to: u64) {
        if from > to {
            return;
        }
        self.unseen.push((from, to));
        self.keep_bound(0);
    }

    /// Merges the range at `at` with the next one if there are too many.
    fn keep_bound(&mut self, at: usize) {
        if self.unseen.len() > UNSEEN_RANGES_MAX {
            let (_, to) = self.unseen.remove(at + 1);
            self.unseen[at].1 = to;
        }
    }

    /// Returns whether a number was unseen, and marks it as seen.
    fn mark_seen(&mut self, seq: u64) -> bool {
        let Some(at) = self.unseen.iter().position(|&(from, to)| (from..=to).contains(&seq)) else { return false };
        let (from, to) = self.unseen.remove(at);
        if seq < to {
            self.unseen.insert(at, (seq + 1, to));
        }
        if from < seq {
            self.unseen.insert(at, (from, seq - 1));
        }
        // Not of the two that this number lies between: it is shown now.
        self.keep_bound(usize::from(at == 0));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    #[test]
    fn a_room_is_followed_from_where_it_was_found() {
        let mut tracker = SeqTracker::starting(4);
        assert_eq!(
            [5, 6, 5, 6].map(|seq| tracker.take(seq)),
            [Position::Next, Position::Next, Position::Shown, Position::Shown]
        );
        assert_eq!(tracker.take(9), Position::AfterGap(7, 8));
        assert_eq!([8, 8, 7].map(|seq| tracker.take(seq)), [Position::InGap, Position::Shown, Position::InGap]);
        assert_eq!(tracker.take_gap(8, 12), Some((10, 12)), "9 was shown");
        assert_eq!(tracker.take_gap(10, 12), None);
        assert_eq!(tracker.take_gap(3, 1), None);
        assert_eq!([11, 11, 13].map(|seq| tracker.take(seq)), [Position::InGap, Position::Shown, Position::Next]);
        assert_eq!(tracker.newest(), Some(13));
    }

    #[test]
    fn the_past_is_shown_once_and_is_no_news() {
        let mut tracker = SeqTracker::starting(4);
        assert_eq!([3, 4, 4, 5].map(|seq| tracker.take_stored(seq)), [true, true, false, false]);
        assert_eq!((tracker.take(4), tracker.take(2), tracker.newest()), (Position::Shown, Position::InGap, Some(4)));
    }

    #[test]
    fn who_knows_nothing_of_a_room_learns_it_from_the_first_number() {
        let mut tracker = SeqTracker::default();
        assert_eq!(
            (tracker.take(7), tracker.take(7), tracker.take(8)),
            (Position::Next, Position::Shown, Position::Next)
        );
        let mut tracker = SeqTracker::default();
        tracker.begin(7);
        tracker.begin(9);
        assert_eq!((tracker.newest(), tracker.take(8)), (Some(7), Position::Next), "what is known is not begun again");
        assert_eq!((tracker.take_newest(8), tracker.take_newest(10)), (None, Some((9, 10))));
    }

    #[test]
    fn a_room_entered_again_goes_on_or_begins_anew() {
        let left = || SeqTracker::starting(4).into_doubt();
        let (mut on, mut anew) = (left(), left());
        assert_eq!(
            (on.take(6), on.take(4)),
            (Position::AfterGap(5, 5), Position::InGap),
            "4 was there before, and not shown"
        );
        assert_eq!((anew.take(2), anew.take(3), anew.newest()), (Position::Next, Position::Next, Some(3)));
    }

    #[test]
    fn the_largest_and_the_smallest_numbers_are_numbers() {
        let mut tracker = SeqTracker::starting(0);
        assert_eq!(tracker.take(0), Position::Shown);
        assert_eq!(tracker.take_gap(0, u64::MAX), Some((1, u64::MAX)));
        for seq in [u64::MAX, 1, 7] {
            assert_eq!((tracker.take(seq), tracker.take(seq)), (Position::InGap, Position::Shown));
        }
        for seq in (10..2_000).step_by(2) {
            tracker.take(seq);
        }
        assert!(tracker.unseen.len() <= UNSEEN_RANGES_MAX);
    }

    #[test]
    fn however_much_is_missing_none_of_it_is_taken_for_shown() {
        let mut tracker = SeqTracker::starting(0);
        let received: Vec<u64> = (3..600).step_by(3).collect();
        for &seq in &received {
            assert_eq!(tracker.take(seq), Position::AfterGap(seq - 2, seq - 1));
        }
        for missing in (1..597).filter(|seq| seq % 3 != 0) {
            assert_eq!((tracker.take(missing), tracker.take(missing)), (Position::InGap, Position::Shown), "{missing}");
            assert!(tracker.unseen.len() <= UNSEEN_RANGES_MAX);
        }
        let mut tracker = SeqTracker::starting(0);
        tracker.take_gap(1, 1_000);
        for missing in (500..1_000).step_by(2).chain((1..500).rev().step_by(2)) {
            assert_eq!((tracker.take(missing), tracker.take(missing)), (Position::InGap, Position::Shown), "{missing}");
            assert!(tracker.unseen.len() <= UNSEEN_RANGES_MAX);
        }
    }

    proptest! {
        #[test]
        fn no_number_is_shown_twice_and_every_one_is_accounted_for(
            received in proptest::collection::vec((0_u8..4, 1_u64..40), 0..80),
        ) {
            let mut tracker = SeqTracker::starting(5);
            let (mut shown, mut reported) = (BTreeSet::new(), BTreeSet::new());
            for (kind, seq) in received {
                if kind == 0 {
                    let gap = tracker.take_gap(seq, seq + 3);
                    reported.extend(gap.into_iter().flat_map(|(from, to)| from..=to));
                    continue;
                }
                let place = tracker.take(seq);
                if let Position::AfterGap(from, to) = place {
                    reported.extend(from..=to);
                }
                let is_first = shown.insert(seq);
                prop_assert_eq!(is_first, place != Position::Shown, "{}", seq);
            }
            for seq in 6..=tracker.newest().unwrap_or(0) {
                prop_assert!(shown.contains(&seq) || reported.contains(&seq), "{} is neither shown nor reported", seq);
            }
        }
    }
}
