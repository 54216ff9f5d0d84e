//! The observer and the recording of a relay, and what becomes of their failures.

use std::borrow::Cow;
use std::sync::Arc;

use crate::frame::Direction;
use crate::line::{Ask, End};
use crate::observation::Observation;
use crate::recording::{Addresses, Event, RecordingError, Side};
use crate::relay::interceptor::Secrets;
use crate::relay::observer::{ObserveOutcome, Observer};
use crate::relay::recording_sink::RecordingSink;

/// Passes on what the loop sees.
pub(crate) struct Sinks {
    observer: Option<Box<dyn Observer>>,
    recording: Option<RecordingSink>,
    /// Secrets of links that the tap intercepts. They are recorded before what they decrypt.
    secrets: Option<Arc<Secrets>>,
    /// Number of connections for which the server was reached.
    connections: u64,
}

/// Counts of a relay from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Number of connections: clients for which the server was reached.
    pub connections: u64,
    /// Number of packets in the complete recording; `None` without one, and if it stopped.
    pub recorded_packets: Option<u64>,
}

impl Sinks {
    pub(crate) fn new(observer: Option<Box<dyn Observer>>, secrets: Option<Arc<Secrets>>) -> Self {
        Self { observer, recording: None, secrets, connections: 0 }
    }

    /// Adds everything from now on to this recording.
    pub(crate) fn record_to(&mut self, recording: RecordingSink) {
        self.recording = Some(recording);
        self.keep_secrets(true);
    }

    fn keep_secrets(&self, is_kept: bool) {
        if let Some(secrets) = &self.secrets {
            secrets.keep(is_kept);
        }
    }

    pub(crate) fn wants_frames(&self) -> bool {
        self.observer.as_ref().is_some_and(|observer| observer.wants_frames())
    }

    pub(crate) fn observe(&mut self, observation: Observation) {
        if let Some(observer) = &mut self.observer {
            observer.observe(observation);
        }
    }

    /// Reports a frame that waits for a decision. Returns whether somebody can decide about it.
    pub(crate) fn ask(&mut self, ask: Box<Ask>) -> ObserveOutcome {
        self.observer.as_mut().map_or(ObserveOutcome::Omitted, |observer| observer.observe(Observation::Asked(ask)))
    }

    pub(crate) fn problem(&mut self, connection: Option<u64>, at_us: u64, text: String) {
        self.observe(Observation::Problem { connection, at_us, text });
    }

    pub(crate) fn opened(&mut self, connection: u64, addresses: &Addresses, at_us: u64) {
        self.connections += 1;
        self.observe(Observation::Opened { connection, at_us, client: addresses.client });
        self.record_event(connection, Event::Opened(*addresses), at_us);
    }

    /// Records bytes that passed on one side.
    pub(crate) fn data(
        &mut self,
        connection: u64,
        (side, direction): (Side, Direction),
        bytes: &[u8],
        at_us: u64,
        comment: Option<&str>,
    ) {
        let (bytes, comment) = (Cow::Borrowed(bytes), comment.map(Cow::Borrowed));
        self.record_event(connection, Event::Data { side, direction, bytes, comment }, at_us);
    }

    /// Records bytes that arrived, of which the receiver has taken the first `written`.
    pub(crate) fn relayed(&mut self, connection: u64, direction: Direction, bytes: &[u8], written: usize, at_us: u64) {
        let (passed, waiting) = bytes.split_at(written);
        if !passed.is_empty() {
            self.record_event(connection, Event::Relayed { direction, bytes: Cow::Borrowed(passed) }, at_us);
        }
        if !waiting.is_empty() {
            self.data(connection, (Side::of_arrival(direction), direction), waiting, at_us, None);
        }
    }

    /// Records the end of a direction on one side.
    pub(crate) fn ended(&mut self, connection: u64, (side, direction): (Side, Direction), end: End, at_us: u64) {
        self.record_event(connection, Event::Ended { side, direction, end }, at_us);
    }

    pub(crate) fn closed(&mut self, connection: u64, at_us: u64) {
        self.observe(Observation::Closed { connection, at_us });
        self.record_event(connection, Event::Closed, at_us);
    }

    /// Returns when [`Self::flush_due`] is to be called.
    pub(crate) fn due_us(&self) -> Option<u64> {
        self.recording.as_ref().and_then(RecordingSink::due_us)
    }

    pub(crate) fn flush_due(&mut self, now_us: u64) {
        self.record(now_us, |recording| recording.flush_due(now_us));
    }

    /// Completes the recording.
    pub(crate) fn finish(&mut self, at_us: u64) -> Summary {
        let finished = self.recording.take().map(|recording| recording.finish(at_us)).transpose();
        let recorded_packets = finished.unwrap_or_else(|error| {
            self.problem(None, at_us, error.to_string());
            None
        });
        Summary { connections: self.connections, recorded_packets }
    }

    fn record_event(&mut self, connection: u64, event: Event<'_>, at_us: u64) {
        self.record(at_us, |recording| recording.record(connection, event, at_us));
    }

    /// Records something, behind the secrets that are known. The first error ends the recording, never
    /// the line.
    fn record(&mut self, at_us: u64, write: impl FnOnce(&mut RecordingSink) -> Result<(), RecordingError>) {
        let Some(recording) = &mut self.recording else { return };
        let secrets = self.secrets.as_ref().and_then(|secrets| secrets.take());
        let written = secrets.map_or(Ok(()), |lines| recording.secrets(&lines, at_us)).and_then(|()| write(recording));
        let problems = recording.take_problems();
        if let Err(error) = written {
            self.recording = None;
            self.keep_secrets(false);
            self.problem(None, at_us, error.to_string());
        }
        for problem in problems {
            self.problem(None, at_us, problem);
        }
    }
}
