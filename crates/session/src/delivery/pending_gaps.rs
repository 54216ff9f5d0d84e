//! Gaps after a reconnect: a message in one may be the user's own, whose acknowledgement is on its
//! way again.

use glassline_wire::event::Gap;

use crate::prelude::*;

/// Pieces of gaps kept; past it gaps are reported as they are.
const RANGES_MAX: usize = 256;

/// Gaps that wait until the user's own messages are known.
#[derive(Debug, Default)]
pub(super) struct PendingGaps {
    ranges: Vec<Gap>,
}

impl PendingGaps {
    /// Keeps a gap; returns it if there is no room for it.
    pub(super) fn hold(&mut self, gap: Gap) -> Option<Gap> {
        if self.ranges.len() == RANGES_MAX {
            return Some(gap);
        }
        self.ranges.push(gap);
        None
    }

    /// Takes out a message that is not missing.
    pub(super) fn fill(&mut self, room: &str, seq: u64) {
        let holds = |gap: &Gap| gap.room == room && (gap.from..=gap.to).contains(&seq);
        let Some(at) = self.ranges.iter().position(holds) else { return };
        let Gap { room, from, to } = self.ranges.remove(at);
        let before = Gap { room: room.clone(), from, to: seq.saturating_sub(1) };
        let after = Gap { room, from: seq.saturating_add(1), to };
        for range in [after, before] {
            if range.from <= range.to && range.to > 0 && self.ranges.len() < RANGES_MAX {
                self.ranges.insert(at, range);
            }
        }
    }

    /// Takes the gaps that remain in a room.
    pub(super) fn take_of_room(&mut self, room: &str) -> Vec<Gap> {
        let (of_it, others) = core::mem::take(&mut self.ranges).into_iter().partition(|gap| gap.room == room);
        self.ranges = others;
        of_it
    }

    pub(super) fn take(&mut self) -> Vec<Gap> {
        core::mem::take(&mut self.ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from: u64, to: u64) -> Gap {
        Gap { room: "lobby".into(), from, to }
    }

    #[test]
    fn what_is_found_is_not_missing() {
        let mut gaps = PendingGaps::default();
        assert!(gaps.hold(gap(1, 9)).is_none());
        for seq in [1, 9, 5, 42] {
            gaps.fill("lobby", seq);
        }
        gaps.fill("den", 3);
        assert_eq!(gaps.take(), [gap(2, 4), gap(6, 8)]);
        assert!(gaps.hold(gap(7, 7)).is_none());
        gaps.fill("lobby", 7);
        assert!(gaps.take().is_empty());
    }

    #[test]
    fn gaps_are_bounded() {
        let mut gaps = PendingGaps::default();
        let returned = (0..1_000).filter_map(|number| gaps.hold(gap(number, number))).count();
        assert_eq!((returned, gaps.take().len()), (1_000 - RANGES_MAX, RANGES_MAX));
    }
}
