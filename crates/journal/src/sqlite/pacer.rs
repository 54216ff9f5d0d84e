//! Sizes of steps, adapted so that each takes about [`STEP_AIM`].

use std::time::Duration;

/// Intended duration of one step: a commit may wait for it.
const STEP_AIM: Duration = Duration::from_millis(4);

const ROWS_FIRST: u64 = 128;
const ROWS_MIN: u64 = 64;
const ROWS_MAX: u64 = 2_048;

/// Size of the next step of one kind, in its own unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pacer {
    size: u64,
    min: u64,
    max: u64,
}

impl Pacer {
    /// Paces steps of `min` to `max` units, the first of which has `size`.
    pub(super) const fn new(size: u64, min: u64, max: u64) -> Self {
        Self { size, min, max }
    }

    pub(super) const fn rows() -> Self {
        Self::new(ROWS_FIRST, ROWS_MIN, ROWS_MAX)
    }

    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// Adapts the size after a step that did `done` units.
    pub(super) fn note(&mut self, done: u64, took: Duration) {
        if took > STEP_AIM {
            self.size = (self.size / 2).max(self.min);
        } else if done >= self.size && took < STEP_AIM / 2 {
            self.size = (self.size * 2).min(self.max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_shrink_when_they_are_slow_and_grow_when_fast_and_full() {
        let next_rows = |planned, done, took| {
            let mut pacer = Pacer { size: planned, ..Pacer::rows() };
            pacer.note(done, took);
            pacer.size()
        };
        assert_eq!(next_rows(256, 256, STEP_AIM * 2), 128);
        assert_eq!(next_rows(ROWS_MIN, ROWS_MIN, STEP_AIM * 2), ROWS_MIN);
        assert_eq!(next_rows(256, 256, STEP_AIM / 4), 512);
        assert_eq!(next_rows(256, 3, STEP_AIM / 4), 256);
        assert_eq!(next_rows(ROWS_MAX, ROWS_MAX, Duration::ZERO), ROWS_MAX);
    }
}
