//! One direction of a bad link: bytes leave it in the order in which they entered, but later, more
//! slowly or in smaller slices.

use std::collections::VecDeque;

/// Size of slices, and the pause after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Bytes of a slice; at least 1.
    pub slice_bytes: usize,
    /// Time after a whole slice in which nothing leaves, in microseconds; after a shorter one the
    /// part that its bytes are of a slice.
    pub pause_us: u64,
}

impl Pace {
    /// Slices that make up this rate, at most twenty a second.
    pub fn of_rate(bytes_per_s: u64) -> Self {
        let bytes_per_s = bytes_per_s.max(1);
        let slice_bytes = (bytes_per_s / 20).clamp(1, 1 << 20);
        Self { slice_bytes: slice_bytes as usize, pause_us: slice_bytes * 1_000_000 / bytes_per_s }
    }

    /// The slower of two, in the smaller slices.
    #[must_use]
    pub fn slower(self, other: Self) -> Self {
        let slice_bytes = self.slice_bytes.min(other.slice_bytes);
        let pause_us = self.pause_of(slice_bytes).max(other.pause_of(slice_bytes));
        Self { slice_bytes, pause_us }
    }

    fn pause_of(self, bytes: usize) -> u64 {
        let part = u128::from(self.pause_us) * bytes as u128 / self.slice_bytes.max(1) as u128;
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

/// Time and pace at which bytes leave. The default is at once and in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Time before which they do not leave, in microseconds.
    pub due_us: u64,
    /// Slices, if they do not leave in one piece.
    pub pace: Option<Pace>,
}

/// Bytes on their way, each piece with a note that its slices keep. An empty piece leaves at its
/// turn as well, for the sake of its note.
#[derive(Debug)]
pub struct Shaper<Note> {
    pieces: VecDeque<Piece<Note>>,
    held_bytes: usize,
    stalled_until_us: u64,
    /// End of the pause after the last slice.
    paused_until_us: u64,
}

#[derive(Debug)]
struct Piece<Note> {
    bytes: Vec<u8>,
    /// Bytes that have left.
    taken: usize,
    note: Note,
    shape: Shape,
}

impl<Note> Default for Shaper<Note> {
    fn default() -> Self {
        Self { pieces: VecDeque::new(), held_bytes: 0, stalled_until_us: 0, paused_until_us: 0 }
    }
}

impl<Note: Clone> Shaper<Note> {
    /// Takes bytes in, behind those that are there.
    pub fn push(&mut self, bytes: Vec<u8>, note: Note, shape: Shape) {
        self.held_bytes += bytes.len();
        self.pieces.push_back(Piece { bytes, taken: 0, note, shape });
    }

    /// Lets nothing leave before this time.
    pub fn stall(&mut self, until_us: u64) {
        self.stalled_until_us = self.stalled_until_us.max(until_us);
    }

    /// Lets everything that is there leave at once, in one piece each.
    pub fn release(&mut self) {
        (self.stalled_until_us, self.paused_until_us) = (0, 0);
        for piece in &mut self.pieces {
            piece.shape = Shape::default();
        }
    }

    /// Discards everything that is there.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns when the next bytes leave; `None` if there are none.
    pub fn due_us(&self) -> Option<u64> {
        let piece = self.pieces.front()?;
        Some(piece.shape.due_us.max(self.stalled_until_us).max(self.paused_until_us))
    }

    /// Returns the next slice that leaves at `now_us`, and its note.
    pub fn next(&mut self, now_us: u64) -> Option<(Vec<u8>, Note)> {
        self.due_us().filter(|due_us| *due_us <= now_us)?;
        let piece = self.pieces.front_mut()?;
        let pace = piece.shape.pace;
        let slice_bytes = pace.map_or(usize::MAX, |pace| pace.slice_bytes.max(1));
        let from = piece.taken;
        let (bytes, note) = if piece.bytes.len() - from > slice_bytes {
            piece.taken += slice_bytes;
            (piece.bytes[from..from + slice_bytes].to_vec(), piece.note.clone())
        } else {
            let mut piece = self.pieces.pop_front()?;
            piece.bytes.drain(..from);
            (piece.bytes, piece.note)
        };
        self.held_bytes -= bytes.len();
        if let Some(pace) = pace {
            self.paused_until_us = now_us.saturating_add(pace.pause_of(bytes.len()));
        }
        if self.pieces.is_empty() {
            // An idle connection costs no buffer.
            self.pieces = VecDeque::new();
        }
        Some((bytes, note))
    }

    /// Returns the bytes that are there.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Returns the number of pieces that are there, empty ones included.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Returns whether nothing is there, not even an empty piece.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use glassline_testkit::for_each_seed;

    use super::*;

    /// Lets everything leave; returns time, bytes and note of each slice.
    fn drain(shaper: &mut Shaper<u64>) -> Vec<(u64, Vec<u8>, u64)> {
        let mut slices = Vec::new();
        let mut now_us = 0;
        while let Some(due_us) = shaper.due_us() {
            if due_us > now_us {
                assert_eq!(shaper.next(due_us - 1), None);
                now_us = due_us;
            }
            let (bytes, note) = shaper.next(now_us).expect("it is due");
            slices.push((now_us, bytes, note));
        }
        assert_eq!((shaper.held_bytes(), shaper.len(), shaper.is_empty()), (0, 0, true));
        slices
    }

    #[test]
    fn bytes_leave_in_their_order_whatever_the_shape() {
        for_each_seed(0..200, |mut rng| {
            let mut shaper = Shaper::default();
            let mut entered: Vec<u8> = Vec::new();
            for note in 0..rng.between(1, 30) {
                let bytes: Vec<u8> = (0..rng.below(40)).map(|_| rng.next_u64() as u8).collect();
                entered.extend(&bytes);
                let pace = Pace { slice_bytes: rng.between(1, 9) as usize, pause_us: rng.below(50) };
                let shape = Shape { due_us: rng.below(1_000), pace: rng.per_mille(500).then_some(pace) };
                shaper.push(bytes, note, shape);
                if rng.per_mille(100) {
                    shaper.stall(rng.below(2_000));
                }
            }
            assert_eq!(shaper.held_bytes(), entered.len());
            let slices = drain(&mut shaper);
            let left: Vec<u8> = slices.iter().flat_map(|slice| slice.1.clone()).collect();
            assert_eq!(left, entered);
            assert!(slices.is_sorted_by_key(|slice| slice.2));
        });
    }

    #[test]
    fn a_rate_is_kept_whatever_the_pieces() {
        for (rate, piece) in [(40, 1), (400, 77), (4_000, 1_000), (1_000_000, 3)] {
            let mut shaper = Shaper::default();
            for note in 0..100 {
                let shape = Shape { due_us: 0, pace: Some(Pace::of_rate(rate)) };
                shaper.push(vec![0; piece], note, shape);
            }
            let last_us = drain(&mut shaper).last().expect("slices").0;
            let ideal_us = (100 * piece as u64) * 1_000_000 / rate;
            assert!(last_us <= ideal_us && last_us * 100 >= ideal_us * 90, "{rate}: {last_us} of {ideal_us} us");
        }
    }

    #[test]
    fn a_release_lets_everything_leave_at_once() {
        let mut shaper = Shaper::default();
        let pace = Pace { slice_bytes: 1, pause_us: u64::MAX };
        shaper.push(b"abc".to_vec(), 1, Shape { due_us: 5, pace: Some(pace) });
        shaper.push(b"def".to_vec(), 2, Shape { due_us: u64::MAX, pace: None });
        shaper.stall(u64::MAX - 1);
        assert_eq!(shaper.next(1_000), None);
        shaper.release();
        assert_eq!(drain(&mut shaper), [(0, b"abc".to_vec(), 1), (0, b"def".to_vec(), 2)]);
    }

    #[test]
    fn the_slower_of_two_paces_counts() {
        let (small, slow) = (Pace { slice_bytes: 2, pause_us: 10 }, Pace { slice_bytes: 100, pause_us: 10_000 });
        assert_eq!(small.slower(slow), Pace { slice_bytes: 2, pause_us: 200 });
        assert_eq!(slow.slower(small), small.slower(slow));
    }
}
