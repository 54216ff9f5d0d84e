//! The observer and the recorder of a relay, and what becomes of their failures.

use crate::observation::Observation;
use crate::relay::observer::Observer;
use crate::relay::recorder::{Activity, Recorder};

/// Passes on what the loop sees.
pub(crate) struct Reports {
    observer: Option<Box<dyn Observer>>,
    recorder: Option<Box<dyn Recorder>>,
}

impl Reports {
    pub(crate) fn new(observer: Option<Box<dyn Observer>>, recorder: Option<Box<dyn Recorder>>) -> Self {
        Self { observer, recorder }
    }

    pub(crate) fn wants_frames(&self) -> bool {
        self.observer.as_ref().is_some_and(|observer| observer.wants_frames())
    }

    pub(crate) fn observe(&mut self, observation: Observation) {
        if let Some(observer) = &mut self.observer {
            observer.observe(observation);
        }
    }

    pub(crate) fn problem(&mut self, connection: Option<u64>, at_us: u64, text: String) {
        self.observe(Observation::Problem { connection, at_us, text });
    }

    /// Records something. After the first error nothing more is activity.
    pub(crate) fn record(&mut self, connection: u64, at_us: u64, activity: Activity<'_>) {
        let Some(recorder) = &mut self.recorder else { return };
        if let Err(error) = recorder.record(connection, at_us, activity) {
            self.recorder = None;
            self.problem(None, at_us, format!("the recording has stopped: {error}; the line goes on without it"));
        }
    }

    pub(crate) fn finish(&mut self, at_us: u64) {
        let Some(mut recorder) = self.recorder.take() else { return };
        if let Err(error) = recorder.finish() {
            self.problem(None, at_us, format!("the end of the recording is missing: {error}"));
        }
    }
}
