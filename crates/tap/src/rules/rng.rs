//! Random decisions that depend on a seed and on the place of a frame alone.

use crate::frame::{Direction, Frame, FrameKind};

/// Random numbers for one rule at one frame.
#[derive(Debug)]
pub(crate) struct RuleRng(u64);

impl RuleRng {
    /// Numbers that depend on seed, label of the rule, connection, direction and frame number. The
    /// pieces of raw bytes share a number, so the offset counts there as well.
    pub(crate) fn new(seed: u64, label: &str, frame: &Frame) -> Self {
        let direction = match frame.direction {
            Direction::ToServer => 1,
            Direction::ToClient => 2,
        };
        let piece = if matches!(frame.kind, FrameKind::Raw(_)) { frame.offset } else { 0 };
        // FNV-1a: the label is a few bytes, and nobody chooses it to collide with another.
        let label = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let parts = [label, frame.connection, direction, frame.number, piece];
        Self(parts.into_iter().fold(mixed(seed), |state, part| mixed(state ^ mixed(part.wrapping_add(GOLDEN)))))
    }

    /// Returns the next number.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// Returns a number below `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// Returns true with this probability.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are drawn, which a double holds")]
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        ((self.next_u64() >> 11) as f64) < probability * (1_u64 << 53) as f64
    }
}

/// 2^64 divided by the golden ratio: the step of the generator `SplitMix64`.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of `SplitMix64` (Steele, Lea and Flood, 2014).
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Dialect;

    fn frame(connection: u64, number: u64) -> Frame {
        Frame {
            connection,
            direction: Direction::ToServer,
            number,
            offset: 7 * number,
            at_us: 0,
            dialect: Dialect::Event,
            in_websocket: false,
            kind: FrameKind::Payload,
            bytes: Vec::new(),
        }
    }

    #[test]
    fn the_place_of_a_frame_decides_and_nothing_else() {
        let first = RuleRng::new(1, "a", &frame(1, 1)).next_u64();
        let later = Frame { at_us: 99, offset: 99, bytes: vec![1], ..frame(1, 1) };
        assert_eq!(RuleRng::new(1, "a", &later).next_u64(), first);
        let other_way = Frame { direction: Direction::ToClient, ..frame(1, 1) };
        for other in [
            RuleRng::new(2, "a", &frame(1, 1)),
            RuleRng::new(1, "b", &frame(1, 1)),
            RuleRng::new(1, "a", &frame(2, 1)),
            RuleRng::new(1, "a", &frame(1, 2)),
            RuleRng::new(1, "a", &other_way),
        ] {
            let mut other = other;
            assert_ne!(other.next_u64(), first);
        }
    }

    #[test]
    fn a_probability_is_the_part_of_the_frames_that_is_met() {
        let met = |probability| (1..=4_000).filter(|n| RuleRng::new(5, "r", &frame(1, *n)).chance(probability)).count();
        assert_eq!((met(0.0), met(1.0)), (0, 4_000));
        assert!((1_800..2_200).contains(&met(0.5)), "{}", met(0.5));
        assert!((20..60).contains(&met(0.01)), "{}", met(0.01));
    }
}
