//! Which of a room's messages have been shown, by their numbers: each is shown once, and what is not is told.

use alloc::vec::Vec;

/// Ranges of numbers kept that were not shown. Past it old ones are taken for one: what was shown between them may be shown
/// once more, which is better than the user's own words never shown.
const UNSEEN_RANGES_MAX: usize = 64;

/// Position of a message among those that were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the next one, or the first.
    Next,
    /// It is new, and those from one number to another before it never came.
    Behind(u64, u64),
    /// It was missed, and is here now.
    Missed,
    /// It was shown before.
    Shown,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Of the newest message that was shown, or told to be missing, or there before the client; `None`: nobody has said.
    newest: Option<u64>,
    /// Those up to it that were not shown: first and last of each range, in their order.
    unseen: Vec<(u64, u64)>,
    /// The highest that the server has named on this link: whatever is sent from now on gets a
    /// higher one.
    newest_named: Option<u64>,
    /// The room was left with the link and is entered again: nobody has said whether its numbers go on.
    in_doubt: bool,
}

impl Numbers {
    /// Those of a room whose newest message is this one, none of them shown.
    pub(super) fn starting(newest: u64) -> Self {
        let mut numbers = Self { newest: Some(newest), newest_named: Some(newest), ..Self::default() };
        numbers.note_unseen(1, newest);
        numbers
    }

    /// The same of a room that is entered again: on some servers it may have begun anew meanwhile.
    pub(super) fn into_doubt(self) -> Self {
        Self { in_doubt: true, newest_named: None, ..self }
    }

    /// The same on the link of a new `welcome`, which says that the room's newest message is this
    /// one.
    pub(super) fn on_another_link(self, newest: u64) -> Self {
        Self { newest_named: Some(newest), ..self }
    }

    /// Highest number that the server has named on this link, if it has named any.
    pub(super) fn newest_named(&self) -> Option<u64> {
        self.newest_named
    }

    /// Returns the number from which a reconnect goes on.
    pub(super) fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Takes in a message that is shown now, unless it was before.
    pub(super) fn take(&mut self, seq: u64) -> Place {
        self.settle_doubt(seq);
        self.newest_named = self.newest_named.max(Some(seq));
        let Some(newest) = self.newest else {
            *self = Self::starting(seq);
            self.find(seq);
            return Place::Next;
        };
        if seq <= newest {
            return if self.find(seq) { Place::Missed } else { Place::Shown };
        }
        self.newest = Some(seq);
        if seq == newest + 1 {
            return Place::Next;
        }
        self.note_unseen(newest + 1, seq - 1);
        Place::Behind(newest + 1, seq - 1)
    }

    /// Takes in that the server will not send some; what of it was not known, if anything.
    pub(super) fn take_gap(&mut self, from: u64, to: u64) -> Option<(u64, u64)> {
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

    /// Takes in that the room's newest message is this one, where all up to it should have come.
    pub(super) fn take_newest(&mut self, newest: u64) -> Option<(u64, u64)> {
        self.begin(newest);
        self.take_gap(newest, newest)
    }

    /// Takes in that what was said earlier ends with this one: where a room begins of which nothing was known.
    pub(super) fn begin(&mut self, newest: u64) {
        self.settle_doubt(newest.saturating_add(1));
        self.newest_named = self.newest_named.max(Some(newest));
        if self.newest.is_none() {
            *self = Self::starting(newest);
        }
    }

    /// Returns whether a message of the past is new to the user, as part of the past; its number
    /// counts as shown then.
    pub(super) fn take_earlier(&mut self, seq: u64) -> bool {
        self.find(seq)
    }

    /// Numbers that go back, when `next` is to be the next one, are those of a room that began anew.
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

    /// Makes one range of two if there are too many: of that at `at` and the next.
    fn keep_bound(&mut self, at: usize) {
        if self.unseen.len() > UNSEEN_RANGES_MAX {
            let (_, to) = self.unseen.remove(at + 1);
            self.unseen[at].1 = to;
        }
    }

    /// Returns whether a number was unseen, and marks it as seen.
    fn find(&mut self, seq: u64) -> bool {
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
        let mut numbers = Numbers::starting(4);
        assert_eq!([5, 6, 5, 6].map(|seq| numbers.take(seq)), [Place::Next, Place::Next, Place::Shown, Place::Shown]);
        assert_eq!(numbers.take(9), Place::Behind(7, 8));
        assert_eq!([8, 8, 7].map(|seq| numbers.take(seq)), [Place::Missed, Place::Shown, Place::Missed]);
        assert_eq!(numbers.take_gap(8, 12), Some((10, 12)), "9 was shown");
        assert_eq!(numbers.take_gap(10, 12), None);
        assert_eq!(numbers.take_gap(3, 1), None);
        assert_eq!([11, 11, 13].map(|seq| numbers.take(seq)), [Place::Missed, Place::Shown, Place::Next]);
        assert_eq!(numbers.newest(), Some(13));
    }

    #[test]
    fn the_past_is_shown_once_and_is_no_news() {
        let mut numbers = Numbers::starting(4);
        assert_eq!([3, 4, 4, 5].map(|seq| numbers.take_earlier(seq)), [true, true, false, false]);
        assert_eq!((numbers.take(4), numbers.take(2), numbers.newest()), (Place::Shown, Place::Missed, Some(4)));
    }

    #[test]
    fn who_knows_nothing_of_a_room_learns_it_from_the_first_number() {
        let mut numbers = Numbers::default();
        assert_eq!((numbers.take(7), numbers.take(7), numbers.take(8)), (Place::Next, Place::Shown, Place::Next));
        let mut numbers = Numbers::default();
        numbers.begin(7);
        numbers.begin(9);
        assert_eq!((numbers.newest(), numbers.take(8)), (Some(7), Place::Next), "what is known is not begun again");
        assert_eq!((numbers.take_newest(8), numbers.take_newest(10)), (None, Some((9, 10))));
    }

    #[test]
    fn a_room_entered_again_goes_on_or_begins_anew() {
        let left = || Numbers::starting(4).into_doubt();
        let (mut on, mut anew) = (left(), left());
        assert_eq!((on.take(6), on.take(4)), (Place::Behind(5, 5), Place::Missed), "4 was there before, and not shown");
        assert_eq!((anew.take(2), anew.take(3), anew.newest()), (Place::Next, Place::Next, Some(3)));
    }

    #[test]
    fn the_largest_and_the_smallest_numbers_are_numbers() {
        let mut numbers = Numbers::starting(0);
        assert_eq!(numbers.take(0), Place::Shown);
        assert_eq!(numbers.take_gap(0, u64::MAX), Some((1, u64::MAX)));
        for seq in [u64::MAX, 1, 7] {
            assert_eq!((numbers.take(seq), numbers.take(seq)), (Place::Missed, Place::Shown));
        }
        for seq in (10..2_000).step_by(2) {
            numbers.take(seq);
        }
        assert!(numbers.unseen.len() <= UNSEEN_RANGES_MAX);
    }

    #[test]
    fn however_much_is_missing_none_of_it_is_taken_for_shown() {
        let mut numbers = Numbers::starting(0);
        let heard: Vec<u64> = (3..600).step_by(3).collect();
        for &seq in &heard {
            assert_eq!(numbers.take(seq), Place::Behind(seq - 2, seq - 1));
        }
        for missing in (1..597).filter(|seq| seq % 3 != 0) {
            assert_eq!((numbers.take(missing), numbers.take(missing)), (Place::Missed, Place::Shown), "{missing}");
            assert!(numbers.unseen.len() <= UNSEEN_RANGES_MAX);
        }
        let mut numbers = Numbers::starting(0);
        numbers.take_gap(1, 1_000);
        for missing in (500..1_000).step_by(2).chain((1..500).rev().step_by(2)) {
            assert_eq!((numbers.take(missing), numbers.take(missing)), (Place::Missed, Place::Shown), "{missing}");
            assert!(numbers.unseen.len() <= UNSEEN_RANGES_MAX);
        }
    }

    proptest! {
        #[test]
        fn no_number_is_shown_twice_and_every_one_is_accounted_for(
            heard in proptest::collection::vec((0_u8..4, 1_u64..40), 0..80),
        ) {
            let mut numbers = Numbers::starting(5);
            let (mut shown, mut told) = (BTreeSet::new(), BTreeSet::new());
            for (kind, seq) in heard {
                if kind == 0 {
                    let gap = numbers.take_gap(seq, seq + 3);
                    told.extend(gap.into_iter().flat_map(|(from, to)| from..=to));
                    continue;
                }
                let place = numbers.take(seq);
                if let Place::Behind(from, to) = place {
                    told.extend(from..=to);
                }
                let is_first = shown.insert(seq);
                prop_assert_eq!(is_first, place != Place::Shown, "{}", seq);
            }
            for seq in 6..=numbers.newest().unwrap_or(0) {
                prop_assert!(shown.contains(&seq) || told.contains(&seq), "nobody has heard of {}", seq);
            }
        }
    }
}
