//! Gaps after a reconnect: a message in one may be the user's own, whose acknowledgement is on its
//! way again.

use glassline_wire::event::Gap;

use crate::prelude::*;

/// Pieces of gaps kept; past it gaps are reported as they are.
const PIECES_MAX: usize = 256;

/// Gaps that wait until the user's own messages are known.
#[derive(Debug, Default)]
pub(super) struct PendingGaps {
    pieces: Vec<Gap>,
}

impl PendingGaps {
    /// Keeps a gap; returns it if there is no room for it.
    pub(super) fn hold(&mut self, gap: Gap) -> Option<Gap> {
        if self.pieces.len() == PIECES_MAX {
            return Some(gap);
        }
        self.pieces.push(gap);
        None
    }

    /// Takes out a message that is not missing.
    pub(super) fn fill(&mut self, room: &str, seq: u64) {
        let holds = |gap: &Gap| gap.room == room && (gap.from..=gap.to).contains(&seq);
        let Some(at) = self.pieces.iter().position(holds) else { return };
        let Gap { room, from, to } = self.pieces.remove(at);
        let before = Gap { room: room.clone(), from, to: seq.saturating_sub(1) };
        let after = Gap { room, from: seq.saturating_add(1), to };
        for piece in [after, before] {
            if piece.from <= piece.to && piece.to > 0 && self.pieces.len() < PIECES_MAX {
                self.pieces.insert(at, piece);
            }
        }
    }

    /// Takes the gaps that remain in a room.
    pub(super) fn take_in(&mut self, room: &str) -> Vec<Gap> {
        let (of_it, others) = core::mem::take(&mut self.pieces).into_iter().partition(|gap| gap.room == room);
        self.pieces = others;
        of_it
    }

    pub(super) fn take(&mut self) -> Vec<Gap> {
        core::mem::take(&mut self.pieces)
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
        let told = (0..1_000).filter_map(|number| gaps.hold(gap(number, number))).count();
        assert_eq!((told, gaps.take().len()), (1_000 - PIECES_MAX, PIECES_MAX));
    }
}
