//! Times at which the store is maintained: when nothing is to be committed, and now and then under
//! a load that never stops.

use std::time::{Duration, Instant};

use crate::store::StoreError;

/// Idle time before the store is maintained: an immediate reply to a message is not delayed.
const QUIET: Duration = Duration::from_millis(20);

/// Interval of maintenance without new records: for expiry by age.
const IDLE_INTERVAL: Duration = Duration::from_mins(1);

/// Interval of maintenance while the load never stops.
const LOAD_INTERVAL: Duration = Duration::from_millis(100);

/// Pause after a failure whose cause may go (a full disk).
const PAUSE: Duration = Duration::from_secs(1);

/// Longest step of maintenance.
pub(in crate::journal) const SLICE: Duration = Duration::from_millis(4);

pub(in crate::journal) struct Maintenance {
    /// There may be something to do.
    has_work: bool,
    paused_until: Option<Instant>,
    last: Instant,
    /// The present failure was reported.
    is_reported: bool,
}

impl Maintenance {
    pub(in crate::journal) fn new(now: Instant) -> Self {
        Self { has_work: true, paused_until: None, last: now, is_reported: false }
    }

    /// Notes that a group was committed. Returns whether maintenance is due all the same.
    pub(in crate::journal) fn note_commit(&mut self, now: Instant) -> bool {
        self.has_work = true;
        now.saturating_duration_since(self.last) >= LOAD_INTERVAL
    }

    /// Returns whether a step may be done now; false during the pause after a failure.
    pub(in crate::journal) fn may_run(&self, now: Instant) -> bool {
        self.paused_until.is_none_or(|until| now >= until)
    }

    /// Processes the result of a step: whether there is more to do, or an error that is not fatal.
    /// Returns that error once, until a step went well again.
    pub(in crate::journal) fn note_result(
        &mut self,
        result: Result<bool, StoreError>,
        now: Instant,
    ) -> Option<StoreError> {
        self.last = now;
        match result {
            Ok(has_more) => {
                self.has_work = has_more;
                self.is_reported = false;
                None
            }
            Err(error) => {
                self.paused_until = Some(now + PAUSE);
                (!std::mem::replace(&mut self.is_reported, true)).then_some(error)
            }
        }
    }

    /// Returns the wait for records before the next step, after a group was committed or not.
    pub(in crate::journal) fn wait(&self, has_committed: bool, now: Instant) -> Duration {
        let wait = match (has_committed, self.has_work) {
            (true, _) => QUIET,
            (false, true) => Duration::ZERO,
            (false, false) => IDLE_INTERVAL,
        };
        self.paused_until.map_or(wait, |until| wait.max(until.saturating_duration_since(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintenance_waits_for_quiet_and_pauses_after_a_failure() {
        let start = Instant::now();
        let mut maintenance = Maintenance::new(start);
        assert_eq!(maintenance.wait(false, start), Duration::ZERO, "there may be work of an earlier server");
        assert!(!maintenance.note_commit(start) && maintenance.note_commit(start + LOAD_INTERVAL));
        assert_eq!(maintenance.wait(true, start), QUIET);
        assert!(maintenance.note_result(Err(StoreError::Full), start).is_some());
        assert!(!maintenance.may_run(start + PAUSE / 2) && maintenance.wait(true, start) == PAUSE);
        let later = start + PAUSE;
        assert!(maintenance.may_run(later) && maintenance.note_result(Err(StoreError::Full), later).is_none());
        assert!(maintenance.may_run(later + PAUSE) && maintenance.note_result(Ok(false), later + PAUSE).is_none());
        assert_eq!(maintenance.wait(false, later + PAUSE), IDLE_INTERVAL);
        assert!(maintenance.note_result(Err(StoreError::Full), later).is_some(), "it went well in between");
    }
}
