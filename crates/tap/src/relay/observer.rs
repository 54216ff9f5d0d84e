//! Whoever is told what passes. The loop never waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use crate::observation::Observation;

/// Receives the reports of the relay, in their order. It is called in the loop and must not block.
pub trait Observer: Send {
    /// Takes one report.
    fn observe(&mut self, observation: Observation);

    /// Returns whether frames are to be reported. If nobody needs frames, the relay does not look
    /// for them, and passes bytes on as they come. Asked when a connection opens.
    fn wants_frames(&self) -> bool {
        true
    }
}

/// Places that frames leave free for reports about connections and problems.
const RESERVED_PLACES: usize = 64;

/// Returns an observer that passes reports to another thread, and their receiver. At most
/// `reports_max` frames that take `bytes_max` bytes of memory wait; what does not fit is left out
/// and counted.
pub fn channel(reports_max: usize, bytes_max: usize) -> (ChannelObserver, Observations) {
    let waiting = Arc::new(Waiting { frames: AtomicUsize::new(0), bytes: AtomicUsize::new(0) });
    let (sender, receiver) = sync_channel(reports_max.saturating_add(RESERVED_PLACES));
    let observer = ChannelObserver { sender, waiting: Arc::clone(&waiting), reports_max, bytes_max, left_out: 0 };
    (observer, Observations { receiver, waiting })
}

/// A report, and its memory if it is a frame, in bytes.
type Sent = (Observation, Option<usize>);

/// Frames that were sent and not received yet.
#[derive(Debug)]
struct Waiting {
    frames: AtomicUsize,
    bytes: AtomicUsize,
}

/// Sender of [`channel`].
#[derive(Debug)]
pub struct ChannelObserver {
    sender: SyncSender<Sent>,
    waiting: Arc<Waiting>,
    reports_max: usize,
    bytes_max: usize,
    /// Reports left out since the last one that was sent.
    left_out: u64,
}

impl ChannelObserver {
    fn has_place_for(&self, frame_bytes: usize) -> bool {
        let waiting_bytes = self.waiting.bytes.load(Ordering::Relaxed);
        self.waiting.frames.load(Ordering::Relaxed) < self.reports_max
            && (waiting_bytes == 0 || waiting_bytes + frame_bytes <= self.bytes_max)
    }
}

impl Observer for ChannelObserver {
    fn observe(&mut self, observation: Observation) {
        let frame_bytes = frame_bytes(&observation);
        if frame_bytes.is_some_and(|bytes| !self.has_place_for(bytes)) {
            self.left_out += 1;
            return;
        }
        if self.left_out > 0 && self.sender.try_send((Observation::Omitted(self.left_out), None)).is_ok() {
            self.left_out = 0;
        }
        // Counted first: the other thread may receive it before this one goes on.
        if let Some(bytes) = frame_bytes {
            self.waiting.frames.fetch_add(1, Ordering::Relaxed);
            self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        if let Err(TrySendError::Full((_, bytes)) | TrySendError::Disconnected((_, bytes))) =
            self.sender.try_send((observation, frame_bytes))
        {
            self.left_out += 1;
            self.waiting.release(bytes);
        }
    }
}

impl Waiting {
    fn release(&self, frame_bytes: Option<usize>) {
        if let Some(bytes) = frame_bytes {
            self.frames.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

fn frame_bytes(observation: &Observation) -> Option<usize> {
    match observation {
        Observation::Arrived(frame, meaning) => Some(frame.bytes.len() + meaning.held_bytes()),
        _ => None,
    }
}

/// Receiver of [`channel`].
#[derive(Debug)]
pub struct Observations {
    receiver: Receiver<Sent>,
    waiting: Arc<Waiting>,
}

impl Observations {
    /// Waits for a report for at most `limit`.
    ///
    /// # Errors
    /// None came, or the relay has ended and everything was received.
    pub fn receive_within(&self, limit: Duration) -> Result<Observation, RecvTimeoutError> {
        let (observation, frame_bytes) = self.receiver.recv_timeout(limit)?;
        self.waiting.release(frame_bytes);
        Ok(observation)
    }

    /// Returns the next report, if one waits.
    ///
    /// # Errors
    /// None waits, or the relay has ended and everything was received.
    pub fn try_receive(&self) -> Result<Observation, TryRecvError> {
        let (observation, frame_bytes) = self.receiver.try_recv()?;
        self.waiting.release(frame_bytes);
        Ok(observation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Dialect, Direction, Frame, FrameKind};
    use crate::meaning::Meaning;

    fn frame(length: usize) -> Observation {
        let frame = Frame {
            connection: 1,
            direction: Direction::ToServer,
            number: 1,
            offset: 0,
            at_us: 0,
            dialect: Dialect::Event,
            kind: FrameKind::Payload,
            bytes: vec![0; length],
        };
        Observation::Arrived(frame, Box::default())
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
        let received: Vec<_> = std::iter::from_fn(|| reports.try_receive().ok()).collect();
        assert_eq!(received, [frame(10), frame(10), Observation::Omitted(3), CLOSED]);
        observer.observe(frame(10));
        assert_eq!(reports.try_receive(), Ok(frame(10)));
    }

    #[test]
    fn waiting_content_counts_too() {
        let (mut observer, reports) = channel(100, 5_000);
        for _ in 0..3 {
            let Observation::Arrived(frame, _) = frame(10) else { unreachable!() };
            let text = Some("x".repeat(2_000));
            observer.observe(Observation::Arrived(frame, Box::new(Meaning { text, ..Meaning::default() })));
        }
        assert_eq!(std::iter::from_fn(|| reports.try_receive().ok()).count(), 2);
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
        assert_eq!(reports.try_receive(), Ok(Observation::Omitted(1)));
        assert_eq!(reports.try_receive(), Ok(frame(1_000)));
    }
}
