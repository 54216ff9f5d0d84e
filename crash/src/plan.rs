//! When the server is killed, drawn for each of its lives.

use crate::draws::Draws;

/// A killed start comes at most so late: longer than a start takes.
const STARTING_US_MAX: u64 = 40_000;

/// A killed recovery comes at most so late after the server listens: while clients come back and pages are read.
const RECOVERING_US_MAX: u64 = 60_000;

/// Behind the acknowledgement that was waited for: several commits.
const UNDER_LOAD_US_MAX: u64 = 8_000;

/// When a server dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// So long after the process was made, whether it listens by then or not.
    Starting {
        /// Microseconds.
        after_us: u64,
    },
    /// So long after it listens, while clients come back and the history is checked.
    Recovering {
        /// Microseconds.
        after_us: u64,
    },
    /// So long behind the n-th acknowledgement of this life.
    UnderLoad {
        /// Number of acknowledgements that are waited for.
        acknowledgements: u64,
        /// Microseconds.
        after_us: u64,
    },
    /// Not before everything is acknowledged, read back and seen by everybody.
    Settled,
}

/// One life of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// When it ends.
    pub(crate) death: Death,
    /// `true` if the clients come back only when the check is done; otherwise the check runs beside
    /// them.
    pub(crate) checks_first: bool,
}

impl Plan {
    /// Draws a life in which at most `messages_max` acknowledgements are waited for.
    pub(crate) fn draw(draws: &mut Draws, messages_max: u64) -> Self {
        let death = match draws.below(8) {
            0 => Death::Starting { after_us: draws.magnitude(STARTING_US_MAX) },
            1..3 => Death::Recovering { after_us: draws.magnitude(RECOVERING_US_MAX) },
            _ => Death::UnderLoad {
                acknowledgements: draws.magnitude(messages_max),
                after_us: draws.below(UNDER_LOAD_US_MAX),
            },
        };
        Self { death, checks_first: draws.once_in(2) }
    }

    /// The last life.
    pub(crate) fn last() -> Self {
        Self { death: Death::Settled, checks_first: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_death_is_drawn() {
        let mut draws = Draws::new(1);
        let plans: Vec<_> = (0..200).map(|_| Plan::draw(&mut draws, 2_000)).collect();
        let count = |is: fn(&Death) -> bool| plans.iter().filter(|plan| is(&plan.death)).count();
        assert!(count(|death| matches!(death, Death::Starting { .. })) > 10);
        assert!(count(|death| matches!(death, Death::Recovering { .. })) > 25);
        assert!(count(|death| matches!(death, Death::UnderLoad { acknowledgements: 100.., .. })) > 20);
        assert!(count(|death| matches!(death, Death::UnderLoad { acknowledgements: ..10, .. })) > 20);
        assert!((50..150).contains(&plans.iter().filter(|plan| plan.checks_first).count()));
    }
}
