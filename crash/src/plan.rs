//! Moment at which the server is killed, drawn for each of its runs.

use glassline_testkit::Rng;

/// A killed start comes at most so late: longer than a start takes.
const STARTING_US_MAX: u64 = 40_000;

/// A killed recovery comes at most so late after the server listens: while clients come back and pages are read.
const RECOVERING_US_MAX: u64 = 60_000;

/// After the awaited acknowledgement: several commits.
const UNDER_LOAD_US_MAX: u64 = 8_000;

/// Moment at which a server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KillPoint {
    /// So long after the process was made, whether it listens by then or not.
    Starting { after_us: u64 },
    /// So long after it listens, while clients come back and the history is checked.
    Recovering { after_us: u64 },
    /// So long after the n-th acknowledgement of this run.
    UnderLoad {
        /// Number of acknowledgements that are waited for.
        acknowledgements: u64,
        after_us: u64,
    },
    /// Not before everything is acknowledged, read back and seen by everybody.
    Settled,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) kill_point: KillPoint,
    /// `true` if the clients come back only when the check is done; otherwise the check runs beside
    /// them.
    pub(crate) checks_first: bool,
}

impl Plan {
    /// Draws a run in which at most `messages_max` acknowledgements are waited for.
    pub(crate) fn draw(rng: &mut Rng, messages_max: u64) -> Self {
        let kill_point = match rng.below(8) {
            0 => KillPoint::Starting { after_us: rng.magnitude(STARTING_US_MAX) },
            1..3 => KillPoint::Recovering { after_us: rng.magnitude(RECOVERING_US_MAX) },
            _ => KillPoint::UnderLoad {
                acknowledgements: rng.magnitude(messages_max),
                after_us: rng.below(UNDER_LOAD_US_MAX),
            },
        };
        Self { kill_point, checks_first: rng.once_in(2) }
    }

    pub(crate) fn last() -> Self {
        Self { kill_point: KillPoint::Settled, checks_first: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_death_is_drawn() {
        let mut rng = Rng::new(1);
        let plans: Vec<_> = (0..200).map(|_| Plan::draw(&mut rng, 2_000)).collect();
        let count = |is: fn(&KillPoint) -> bool| plans.iter().filter(|plan| is(&plan.kill_point)).count();
        assert!(count(|kill_point| matches!(kill_point, KillPoint::Starting { .. })) > 10);
        assert!(count(|kill_point| matches!(kill_point, KillPoint::Recovering { .. })) > 25);
        assert!(count(|kill_point| matches!(kill_point, KillPoint::UnderLoad { acknowledgements: 100.., .. })) > 20);
        assert!(count(|kill_point| matches!(kill_point, KillPoint::UnderLoad { acknowledgements: ..10, .. })) > 20);
        assert!((50..150).contains(&plans.iter().filter(|plan| plan.checks_first).count()));
    }
}
