//! `--report`: what passes is evaluated as it passes, for the report at the end.

use std::sync::{Arc, Mutex, PoisonError};

use glassline_tap::relay::ObserveOutcome;
use glassline_tap::{Evidence, Knowledge, Observation, Observer, Report, Seen};

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

/// Passes observations on to another observer, and evaluates them if that is asked for.
pub(super) struct Evaluating<O> {
    observer: O,
    live_report: Option<LiveReport>,
}

impl<O: Observer> Evaluating<O> {
    pub(super) fn new(observer: O, live_report: Option<LiveReport>) -> Self {
        Self { observer, live_report }
    }
}

impl<O: Observer> Observer for Evaluating<O> {
    fn observe(&mut self, observation: Observation) -> ObserveOutcome {
        if let Some(live_report) = &self.live_report {
            live_report.take_in(&observation);
        }
        self.observer.observe(observation)
    }

    fn wants_frames(&self) -> bool {
        self.live_report.is_some() || self.observer.wants_frames()
    }
}
