//! The observer and the recording of a relay, and what becomes of their failures.

use crate::frame::Direction;
use crate::line::{Ask, End};
use crate::observation::Observation;
use crate::recording::{Addresses, Recorder, RecordingError, Side};
use crate::relay::observer::{ObserveOutcome, Observer};

/// Passes on what the loop sees.
pub(crate) struct Sinks {
    observer: Option<Box<dyn Observer>>,
    recorder: Option<Recorder>,
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
    pub(crate) fn new(observer: Option<Box<dyn Observer>>) -> Self {
        Self { observer, recorder: None, connections: 0 }
    }

    /// Adds everything from now on to this recording.
    pub(crate) fn record_to(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
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
        self.record(at_us, |recorder| recorder.opened(connection, addresses, at_us));
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
        self.record(at_us, |recorder| recorder.data(connection, side, direction, bytes, at_us, comment));
    }

    /// Records bytes that arrived, of which the receiver has taken the first `written`.
    pub(crate) fn relayed(&mut self, connection: u64, direction: Direction, bytes: &[u8], written: usize, at_us: u64) {
        let (passed, waiting) = bytes.split_at(written);
        self.record(at_us, |recorder| recorder.relayed(connection, direction, passed, at_us));
        self.data(connection, (Side::of_arrival(direction), direction), waiting, at_us, None);
    }

    /// Records the end of a direction on one side.
    pub(crate) fn ended(&mut self, connection: u64, (side, direction): (Side, Direction), end: End, at_us: u64) {
        self.record(at_us, |recorder| recorder.ended(connection, side, direction, end, at_us));
    }

    pub(crate) fn closed(&mut self, connection: u64, at_us: u64) {
        self.observe(Observation::Closed { connection, at_us });
        if let Some(recorder) = &mut self.recorder {
            recorder.closed(connection);
        }
    }

    /// Returns when [`Self::flush_due`] is to be called.
    pub(crate) fn due_us(&self) -> Option<u64> {
        self.recorder.as_ref().and_then(Recorder::due_us)
    }

    pub(crate) fn flush_due(&mut self, now_us: u64) {
        self.record(now_us, |recorder| recorder.flush_due(now_us));
    }

    /// Completes the recording.
    pub(crate) fn finish(&mut self, at_us: u64) -> Summary {
        let finished = self.recorder.take().map(Recorder::finish).transpose();
        let recorded_packets = finished.unwrap_or_else(|error| {
            self.problem(None, at_us, error.to_string());
            None
        });
        Summary { connections: self.connections, recorded_packets }
    }

    /// Records something. The first error ends the recording, never the line.
    fn record(&mut self, at_us: u64, write: impl FnOnce(&mut Recorder) -> Result<(), RecordingError>) {
        let Some(recorder) = &mut self.recorder else { return };
        if let Err(error) = write(recorder) {
            self.recorder = None;
            self.problem(None, at_us, error.to_string());
        }
    }
}
