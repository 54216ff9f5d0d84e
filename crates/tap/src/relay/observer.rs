//! Observers of what passes. The loop never waits for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use crate::observation::Observation;

/// Receives the observations of the relay, in their order. It is called in the loop and must not
/// block.
pub trait Observer: Send {
    /// Takes one observation.
    fn observe(&mut self, observation: Observation);

    /// Returns whether frames are to be reported. If nobody needs frames, the relay does not look
    /// for them, and passes bytes on as they come. Asked when a connection opens.
    fn wants_frames(&self) -> bool {
        true
    }
}

/// Places that frames leave free for observations about connections and problems.
const RESERVED_PLACES: usize = 64;

/// Returns an observer that passes observations to another thread, and their receiver. At most
/// `observations_max` observations with `bytes_max` bytes of frames wait; what does not fit is left
/// out and counted.
pub fn channel(observations_max: usize, bytes_max: usize) -> (ChannelObserver, Observations) {
    let waiting = Arc::new(Waiting { frames: AtomicUsize::new(0), bytes: AtomicUsize::new(0) });
    let (sender, receiver) = sync_channel(observations_max.saturating_add(RESERVED_PLACES));
    let observer = ChannelObserver { sender, waiting: Arc::clone(&waiting), observations_max, bytes_max, omitted: 0 };
    (observer, Observations { receiver, waiting })
}

/// Frames that were sent and not received yet.
#[derive(Debug)]
struct Waiting {
    frames: AtomicUsize,
    bytes: AtomicUsize,
}

/// Sender of [`channel`].
#[derive(Debug)]
pub struct ChannelObserver {
    sender: SyncSender<Observation>,
    waiting: Arc<Waiting>,
    observations_max: usize,
    bytes_max: usize,
    /// Observations left out since the last one that was sent.
    omitted: u64,
}

impl ChannelObserver {
    fn has_place_for(&self, frame_bytes: usize) -> bool {
        let waiting_bytes = self.waiting.bytes.load(Ordering::Relaxed);
        self.waiting.frames.load(Ordering::Relaxed) < self.observations_max
            && (waiting_bytes == 0 || waiting_bytes + frame_bytes <= self.bytes_max)
    }
}

impl Observer for ChannelObserver {
    fn observe(&mut self, observation: Observation) {
        let frame_bytes = frame_bytes(&observation);
        if frame_bytes.is_some_and(|bytes| !self.has_place_for(bytes)) {
            self.omitted += 1;
            return;
        }
        if self.omitted > 0 && self.sender.try_send(Observation::Omitted(self.omitted)).is_ok() {
            self.omitted = 0;
        }
        // Counted first: the other thread may receive it before this one goes on.
        if let Some(bytes) = frame_bytes {
            self.waiting.frames.fetch_add(1, Ordering::Relaxed);
            self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        if let Err(TrySendError::Full(rejected) | TrySendError::Disconnected(rejected)) =
            self.sender.try_send(observation)
        {
            self.omitted += 1;
            self.waiting.release(&rejected);
        }
    }
}

impl Waiting {
    fn release(&self, observation: &Observation) {
        if let Some(bytes) = frame_bytes(observation) {
            self.frames.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

fn frame_bytes(observation: &Observation) -> Option<usize> {
    match observation {
        Observation::Arrived(frame, _) => Some(frame.bytes.len()),
        _ => None,
    }
}

/// Receiver of [`channel`].
#[derive(Debug)]
pub struct Observations {
    receiver: Receiver<Observation>,
    waiting: Arc<Waiting>,
}

impl Observations {
    /// Waits for an observation for at most `limit`.
    ///
    /// # Errors
    /// None came, or the relay has ended and everything was received.
    pub fn receive_within(&self, limit: Duration) -> Result<Observation, RecvTimeoutError> {
        let observation = self.receiver.recv_timeout(limit)?;
        self.waiting.release(&observation);
        Ok(observation)
    }

    /// Returns the next observation, if one waits.
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
    use crate::frame::{Dialect, Direction, Frame, FrameKind};

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
        let (mut observer, observations) = channel(2, 1_000);
        for _ in 0..5 {
            observer.observe(frame(10));
        }
        // A connection's end has a place that frames cannot take.
        observer.observe(CLOSED);
        let received: Vec<_> = std::iter::from_fn(|| observations.try_receive().ok()).collect();
        assert_eq!(received, [frame(10), frame(10), Observation::Omitted(3), CLOSED]);
        observer.observe(frame(10));
        assert_eq!(observations.try_receive(), Ok(frame(10)));
    }

    #[test]
    fn waiting_frames_are_bounded_in_bytes() {
        let (mut observer, observations) = channel(100, 1_000);
        // One frame always fits.
        for length in [5_000, 1] {
            observer.observe(frame(length));
        }
        assert_eq!(observations.try_receive(), Ok(frame(5_000)));
        observer.observe(frame(1_000));
        assert_eq!(observations.try_receive(), Ok(Observation::Omitted(1)));
        assert_eq!(observations.try_receive(), Ok(frame(1_000)));
    }
}
