//! Rate at which a client draws: the marks at which its drawings begin, counted where its output is
//! read.

use std::time::{Duration, Instant};

/// A screen of 60 Hz shows no more.
pub const FRAME: Duration = Duration::from_millis(16);
/// A clock of whole milliseconds makes a wait of 16 of them this long at least.
pub const FRAME_ROUNDED: Duration = Duration::from_millis(15);

/// Finds a mark, for any cuts between reads, and keeps the distances in time.
pub struct Redraws {
    /// Its first byte occurs in it only once.
    mark: &'static [u8],
    matched: usize,
    pub count: usize,
    last_at: Option<Instant>,
    distances: Vec<Duration>,
}

impl Redraws {
    pub fn new(mark: &'static [u8]) -> Self {
        Self { mark, matched: 0, count: 0, last_at: None, distances: Vec::new() }
    }

    /// Resets the count.
    pub fn restart(&mut self) {
        *self = Self { matched: self.matched, ..Self::new(self.mark) };
    }

    pub fn take(&mut self, bytes: &[u8], now: Instant) {
        for &byte in bytes {
            if byte != self.mark[self.matched] {
                self.matched = usize::from(byte == self.mark[0]);
                continue;
            }
            self.matched += 1;
            if self.matched == self.mark.len() {
                self.matched = 0;
                self.count += 1;
                self.distances.extend(self.last_at.map(|last_at| now - last_at));
                self.last_at = Some(now);
            }
        }
    }

    pub fn smallest_distance(&self) -> Option<Duration> {
        self.distances.iter().min().copied()
    }

    /// The share of the distances below `least`.
    pub fn closer_than(&self, least: Duration) -> Option<f64> {
        let closer = self.distances.iter().filter(|distance| **distance < least).count();
        (!self.distances.is_empty()).then(|| closer as f64 / self.distances.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &[u8] = b"\x1b[?2026h";

    #[test]
    fn marks_are_found_with_every_cut() {
        let stream = b"\x1b[?2026h\r\x1b[Jx\x1b[?2026l\x1b\x1b[?2026h\x1b[?2026\x1b[?2026h";
        for piece in 1..=stream.len() {
            let mut redraws = Redraws::new(MARK);
            stream.chunks(piece).for_each(|bytes| redraws.take(bytes, Instant::now()));
            assert_eq!(redraws.count, 3, "pieces of {piece} bytes");
        }
    }

    #[test]
    fn distances_are_those_of_neighbours() {
        let start = Instant::now();
        let mut redraws = Redraws::new(MARK);
        assert_eq!((redraws.smallest_distance(), redraws.closer_than(FRAME)), (None, None));
        for at_ms in [0, 17, 33, 41, 100] {
            redraws.take(MARK, start + Duration::from_millis(at_ms));
        }
        assert_eq!(redraws.smallest_distance(), Some(Duration::from_millis(8)));
        assert_eq!(redraws.closer_than(FRAME), Some(0.25), "16 ms are far enough");
        redraws.restart();
        assert_eq!((redraws.count, redraws.smallest_distance()), (0, None));
    }

    #[test]
    fn two_in_one_read_have_no_distance() {
        let mut redraws = Redraws::new(MARK);
        redraws.take(&[MARK, b"x", MARK].concat(), Instant::now());
        assert_eq!(redraws.smallest_distance(), Some(Duration::ZERO));
    }
}
