//! Observers of what passes. The loop never waits for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use crate::observation::Observation;

/// Outcome of a report at its observer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Taken,
    /// It was left out: too much waits, or nobody receives any more.
    Omitted,
}

/// Receives the reports of the relay, in their order. It is called in the loop and must not block.
pub trait Observer: Send {
    /// Takes one report. A frame that waits for a decision ([`Observation::Asked`]) and is left out
    /// passes at once, since nobody can decide about it.
    fn observe(&mut self, observation: Observation) -> Delivery;

    /// Returns whether frames are to be reported. If nobody needs frames, the relay does not look
    /// for them, and passes bytes on as they come. Asked when a connection opens.
    fn wants_frames(&self) -> bool {
        true
    }
}

/// Places that reports about frames leave free for those about connections and problems.
const RESERVED_PLACES: usize = 64;

/// Returns an observer that passes reports to another thread, and their receiver. At most
/// `reports_max` reports about frames (arrived, asked, applied) wait, with `bytes_max` bytes of
/// frames; one that is larger waits alone. Reports about connections and problems have further
/// places. What does not fit is left out and counted.
pub fn channel(reports_max: usize, bytes_max: usize) -> (ChannelObserver, Observations) {
    let waiting = Arc::new(Waiting { reports: AtomicUsize::new(0), bytes: AtomicUsize::new(0) });
    let (sender, receiver) = sync_channel(reports_max.saturating_add(RESERVED_PLACES));
    let (waits, omitted) = (Arc::clone(&waiting), Omitted::default());
    let observer = ChannelObserver { sender, waiting: waits, reports_max, bytes_max, omitted };
    (observer, Observations { receiver, waiting })
}

/// Reports about frames that were sent and not received yet.
#[derive(Debug)]
struct Waiting {
    reports: AtomicUsize,
    /// Bytes of their frames.
    bytes: AtomicUsize,
}

/// Reports left out since the last one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Omitted {
    reports: u64,
    /// Those among them that report the arrival of a frame.
    frames: u64,
}

/// Sender of [`channel`].
#[derive(Debug)]
pub struct ChannelObserver {
    sender: SyncSender<Observation>,
    waiting: Arc<Waiting>,
    reports_max: usize,
    bytes_max: usize,
    omitted: Omitted,
}

impl ChannelObserver {
    fn has_place_for(&self, frame_bytes: usize) -> bool {
        let waiting_bytes = self.waiting.bytes.load(Ordering::Relaxed);
        self.waiting.reports.load(Ordering::Relaxed) < self.reports_max
            && (waiting_bytes == 0 || waiting_bytes + frame_bytes <= self.bytes_max)
    }

    fn omit(&mut self, observation: &Observation) -> Delivery {
        self.omitted.reports += 1;
        self.omitted.frames += u64::from(matches!(observation, Observation::Arrived(..)));
        Delivery::Omitted
    }

    /// Reports what was left out, if there is a place for that.
    fn report_omitted(&mut self) {
        let Omitted { reports, frames } = self.omitted;
        if reports > 0 && self.sender.try_send(Observation::Omitted { reports, frames }).is_ok() {
            self.omitted = Omitted::default();
        }
    }
}

impl Observer for ChannelObserver {
    fn observe(&mut self, observation: Observation) -> Delivery {
        let frame_bytes = frame_bytes(&observation);
        if frame_bytes.is_some_and(|bytes| !self.has_place_for(bytes)) {
            return self.omit(&observation);
        }
        self.report_omitted();
        // Counted first: the other thread may receive it before this one goes on.
        if let Some(bytes) = frame_bytes {
            self.waiting.reports.fetch_add(1, Ordering::Relaxed);
            self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        match self.sender.try_send(observation) {
            Ok(()) => Delivery::Taken,
            Err(TrySendError::Full(refused) | TrySendError::Disconnected(refused)) => {
                self.waiting.release(&refused);
                self.omit(&refused)
            }
        }
    }
}

impl Waiting {
    fn release(&self, observation: &Observation) {
        if let Some(bytes) = frame_bytes(observation) {
            self.reports.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// Returns the bytes of a frame that this report holds; `None` if it is not about a frame, and may
/// use the reserved places.
fn frame_bytes(observation: &Observation) -> Option<usize> {
    match observation {
        Observation::Arrived(frame, _) => Some(frame.bytes.len()),
        Observation::Asked(ask) => Some(ask.frame.bytes.len()),
        Observation::Applied(_) => Some(0),
        Observation::Opened { .. }
        | Observation::Ended { .. }
        | Observation::Closed { .. }
        | Observation::Problem { .. }
        | Observation::Omitted { .. } => None,
    }
}

/// Receiver of [`channel`].
#[derive(Debug)]
pub struct Observations {
    receiver: Receiver<Observation>,
    waiting: Arc<Waiting>,
}

impl Observations {
    /// Waits for a report for at most `limit`.
    ///
    /// # Errors
    /// None came, or the relay has ended and everything was received.
    pub fn receive_within(&self, limit: Duration) -> Result<Observation, RecvTimeoutError> {
        let observation = self.receiver.recv_timeout(limit)?;
        self.waiting.release(&observation);
        Ok(observation)
    }

    /// Returns the next report, if one waits.
    ///
    /// # Errors
    /// None waits, or the relay has ended and everything was received.
    pub fn try_receive(&self) -> Result<Observation, TryRecvError> {
        let observation = self.receiver.try_recv()?;
        self.waiting.release(&observation);
        Ok(observation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applied::Applied;
    use crate::frame::{Dialect, Direction, Frame, FrameKind};
    use crate::line::{Ask, Decider};
    use crate::meaning::Meaning;

    fn bytes(length: usize) -> Frame {
        Frame {
            connection: 1,
            direction: Direction::ToServer,
            number: 1,
            offset: 0,
            at_us: 0,
            dialect: Dialect::Event,
            kind: FrameKind::Payload,
            bytes: vec![0; length],
        }
    }

    fn frame(length: usize) -> Observation {
        Observation::Arrived(bytes(length), Box::default())
    }

    fn asked(length: usize) -> Observation {
        let (frame, meaning) = (bytes(length), Meaning::default());
        let (rule, decider) = ("hold-1".into(), Decider::Hand);
        Observation::Asked(Box::new(Ask { frame, meaning, rule, decider, deadline_us: 0 }))
    }

    fn applied() -> Observation {
        let (rule, direction, effect) = ("drop-1".into(), Direction::ToServer, "dropped".into());
        Observation::Applied(Applied { seed: 7, rule, connection: 1, direction, frame: 1, offset: 0, at_us: 0, effect })
    }

    /// Returns everything that waits.
    fn received(reports: &Observations) -> Vec<Observation> {
        std::iter::from_fn(|| reports.try_receive().ok()).collect()
    }

    const CLOSED: Observation = Observation::Closed { connection: 1, at_us: 0 };

    #[test]
    fn frames_that_do_not_fit_are_counted() {
        let (mut observer, reports) = channel(2, 1_000);
        for _ in 0..5 {
            observer.observe(frame(10));
        }
        // A connection's end has a place that frames cannot take.
        observer.observe(CLOSED);
        let omitted = Observation::Omitted { reports: 3, frames: 3 };
        assert_eq!(received(&reports), [frame(10), frame(10), omitted, CLOSED]);
        observer.observe(frame(10));
        assert_eq!(reports.try_receive(), Ok(frame(10)));
    }

    #[test]
    fn reports_about_frames_leave_the_reserve_free() {
        for report in [asked(10), applied()] {
            let (mut observer, reports) = channel(2, 1_000);
            let delivered: Vec<Delivery> = (0..100).map(|_| observer.observe(report.clone())).collect();
            assert_eq!(delivered[..3], [Delivery::Taken, Delivery::Taken, Delivery::Omitted]);
            assert_eq!(observer.observe(CLOSED), Delivery::Taken);
            let omitted = Observation::Omitted { reports: 98, frames: 0 };
            assert_eq!(received(&reports), [report.clone(), report, omitted, CLOSED]);
        }
    }

    #[test]
    fn a_frame_that_waits_counts_with_its_bytes() {
        let (mut observer, reports) = channel(100, 1_000);
        observer.observe(asked(900));
        assert_eq!(observer.observe(asked(101)), Delivery::Omitted);
        drop(reports);
        assert_eq!(observer.observe(asked(1)), Delivery::Omitted, "nobody receives any more");
    }

    #[test]
    fn waiting_frames_are_bounded_in_bytes() {
        let (mut observer, reports) = channel(100, 1_000);
        // One frame always fits.
        for length in [5_000, 1] {
            observer.observe(frame(length));
        }
        assert_eq!(reports.try_receive(), Ok(frame(5_000)));
        observer.observe(frame(1_000));
        assert_eq!(reports.try_receive(), Ok(Observation::Omitted { reports: 1, frames: 1 }));
        assert_eq!(reports.try_receive(), Ok(frame(1_000)));
    }
}
