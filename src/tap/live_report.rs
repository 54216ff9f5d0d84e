//! Evaluation of frames and rules as they pass, for the end: the report of `--report`, and counts of
//! rules.

use std::sync::{Arc, Mutex, PoisonError};

use glassline_tap::relay::ObserveOutcome;
use glassline_tap::{Evidence, Knowledge, Observation, Observer, Report, Seen};

use super::rule_tally::RuleTally;

/// Knowledge so far. Its memory is bounded by that of [`Knowledge`].
#[derive(Debug, Clone, Default)]
pub(super) struct LiveReport(Arc<Mutex<Knowledge>>);

impl LiveReport {
    fn take_in(&self, observation: &Observation) {
        let mut knowledge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match observation {
            Observation::Arrived(frame, meaning) => {
                knowledge.add(Seen { frame, meaning, evidence: Evidence::of(frame) });
            }
            Observation::Intercepted { connection, link, .. } => knowledge.add_intercepted(*connection, *link),
            _ => {}
        }
    }

    /// Returns the report on everything that has passed, and forgets it.
    pub(super) fn report(&self) -> Report {
        let mut knowledge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Report::new("this session", std::mem::take(&mut *knowledge))
    }
}

/// Results that are printed at the end.
#[derive(Debug, Clone)]
pub(super) struct Evaluation {
    pub(super) rule_tally: RuleTally,
    pub(super) live_report: Option<LiveReport>,
}

/// Passes observations on to another observer. Counts rules that were applied, and evaluates frames
/// if that is asked for.
pub(super) struct Evaluating<O> {
    observer: O,
    rule_tally: RuleTally,
    live_report: Option<LiveReport>,
}

impl<O: Observer> Evaluating<O> {
    pub(super) fn new(observer: O, Evaluation { rule_tally, live_report }: Evaluation) -> Self {
        Self { observer, rule_tally, live_report }
    }
}

impl<O: Observer> Observer for Evaluating<O> {
    fn observe(&mut self, observation: Observation) -> ObserveOutcome {
        self.rule_tally.observe(&observation);
        if let Some(live_report) = &self.live_report {
            live_report.take_in(&observation);
        }
        self.observer.observe(observation)
    }

    fn wants_frames(&self) -> bool {
        self.live_report.is_some() || self.observer.wants_frames()
    }
}
