//! A log line that many causes may ask for is written once a second at most.

const INTERVAL_MS: u64 = 1_000;

/// One kind of line.
#[derive(Debug, Default)]
pub(crate) struct Pacing {
    due_ms: u64,
    left_out: u64,
}

impl Pacing {
    /// Returns the number of lines left out since the last, if the line may be written now.
    pub(crate) fn line(&mut self, now_ms: u64) -> Option<u64> {
        if now_ms < self.due_ms {
            self.left_out += 1;
            return None;
        }
        self.due_ms = now_ms + INTERVAL_MS;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_says_how_many_were_left_out() {
        let mut pacing = Pacing::default();
        let lines: Vec<_> = [0, 1, 999, 1_000, 1_001, 9_000].map(|now_ms| pacing.line(now_ms)).into();
        assert_eq!(lines, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
