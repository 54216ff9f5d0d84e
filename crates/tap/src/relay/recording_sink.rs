//! The recording of a relay: written as it passes, or behind the secrets of a key log.

use crate::recording::{DelayedRecorder, Event, Recorder, RecordingError};

/// Takes what is recorded.
#[derive(Debug)]
pub(crate) enum RecordingSink {
    /// At once.
    Direct(Recorder),
    /// Behind the secrets that another program writes.
    Delayed(Box<DelayedRecorder>),
}

impl RecordingSink {
    pub(crate) fn record(&mut self, connection: u64, event: Event<'_>, at_us: u64) -> Result<(), RecordingError> {
        match self {
            Self::Direct(recorder) => event.record(recorder, connection, at_us),
            Self::Delayed(recorder) => recorder.record(connection, event, at_us),
        }
    }

    /// Records secrets that the tap has itself.
    pub(crate) fn secrets(&mut self, lines: &str, at_us: u64) -> Result<(), RecordingError> {
        match self {
            Self::Direct(recorder) => recorder.secrets(lines, at_us),
            Self::Delayed(recorder) => recorder.secrets(lines, at_us),
        }
    }

    pub(crate) fn due_us(&self) -> Option<u64> {
        match self {
            Self::Direct(recorder) => recorder.due_us(),
            Self::Delayed(recorder) => recorder.due_us(),
        }
    }

    pub(crate) fn flush_due(&mut self, now_us: u64) -> Result<(), RecordingError> {
        match self {
            Self::Direct(recorder) => recorder.flush_due(now_us),
            Self::Delayed(recorder) => recorder.flush_due(now_us),
        }
    }

    /// Returns what the user must know of connections that stay encrypted, once.
    pub(crate) fn take_problems(&mut self) -> Vec<String> {
        match self {
            Self::Direct(_) => Vec::new(),
            Self::Delayed(recorder) => recorder.take_problems(),
        }
    }

    pub(crate) fn finish(self, now_us: u64) -> Result<u64, RecordingError> {
        match self {
            Self::Direct(recorder) => recorder.finish(),
            Self::Delayed(recorder) => recorder.finish(now_us),
        }
    }
}
