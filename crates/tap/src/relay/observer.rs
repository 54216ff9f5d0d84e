//! Observers of what passes. The loop never waits for one.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use crate::observation::Observation;

/// Outcome of an observation at its observer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObserveOutcome {
    /// It was taken.
    Taken,
    /// It was left out: too much waits, or nobody receives any more.
    Omitted,
}

/// Receives the observations of the relay, in their order. It is called in the loop and must not
/// block.
pub trait Observer: Send {
    /// Takes one observation. A frame that waits for a decision ([`Observation::Asked`]) and is
    /// left out passes at once, since nobody can decide about it.
    fn observe(&mut self, observation: Observation) -> ObserveOutcome;

    /// Returns whether frames are to be reported. If nobody needs frames, the relay does not look
    /// for them, and passes bytes on as they come. Asked when a connection opens.
    fn wants_frames(&self) -> bool {
        true
    }
}

/// Places that observations about frames leave free for those about connections and problems.
const RESERVED_PLACES: usize = 64;

/// Returns an observer that passes observations to another thread, and their receiver. At most
/// `observations_max` observations about frames (arrived, asked, applied) wait, whose frames take
/// `bytes_max` bytes of memory with their content; one that is larger waits alone. Observations
/// about connections and problems have further places. What does not fit is left out and counted.
pub fn channel(observations_max: usize, bytes_max: usize) -> (ChannelObserver, Observations) {
    let waiting = Arc::new(Waiting { observations: AtomicUsize::new(0), bytes: AtomicUsize::new(0) });
    let (sender, receiver) = sync_channel(observations_max.saturating_add(RESERVED_PLACES));
    let (waits, omitted) = (Arc::clone(&waiting), Omitted::default());
    let observer = ChannelObserver { sender, waiting: waits, observations_max, bytes_max, omitted };
    (observer, Observations { receiver, waiting, next: RefCell::default() })
}

/// Observations about frames that were sent and not received yet.
#[derive(Debug)]
struct Waiting {
    observations: AtomicUsize,
    /// Bytes of their frames.
    bytes: AtomicUsize,
}

/// One place of the queue.
#[derive(Debug)]
struct Queued {
    /// Left out before it. A place of their own would be taken from the reserve.
    omitted: Omitted,
    observation: Observation,
    /// Memory of its frame, as [`frame_bytes`] returns it.
    frame_bytes: Option<usize>,
}

/// Observations left out since the last one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Omitted {
    observations: u64,
    /// Those among them that tell the arrival of a frame.
    frames: u64,
}

/// Sender of [`channel`].
#[derive(Debug)]
pub struct ChannelObserver {
    sender: SyncSender<Queued>,
    waiting: Arc<Waiting>,
    observations_max: usize,
    bytes_max: usize,
    omitted: Omitted,
}

impl ChannelObserver {
    fn has_place_for(&self, frame_bytes: usize) -> bool {
        let waiting_bytes = self.waiting.bytes.load(Ordering::Relaxed);
        self.waiting.observations.load(Ordering::Relaxed) < self.observations_max
            && (waiting_bytes == 0 || waiting_bytes + frame_bytes <= self.bytes_max)
    }

    fn omit(&mut self, observation: &Observation) -> ObserveOutcome {
        self.omitted.observations += 1;
        self.omitted.frames += u64::from(matches!(observation, Observation::Arrived(..)));
        ObserveOutcome::Omitted
    }
}

impl Observer for ChannelObserver {
    fn observe(&mut self, observation: Observation) -> ObserveOutcome {
        let frame_bytes = frame_bytes(&observation);
        if frame_bytes.is_some_and(|bytes| !self.has_place_for(bytes)) {
            return self.omit(&observation);
        }
        // Counted first: the other thread may receive it before this one goes on.
        if let Some(bytes) = frame_bytes {
            self.waiting.observations.fetch_add(1, Ordering::Relaxed);
            self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        match self.sender.try_send(Queued { omitted: self.omitted, observation, frame_bytes }) {
            Ok(()) => {
                self.omitted = Omitted::default();
                ObserveOutcome::Taken
            }
            Err(TrySendError::Full(rejected) | TrySendError::Disconnected(rejected)) => {
                self.waiting.release(frame_bytes);
                self.omit(&rejected.observation)
            }
        }
    }
}

impl Waiting {
    fn release(&self, frame_bytes: Option<usize>) {
        if let Some(bytes) = frame_bytes {
            self.observations.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// Returns the memory that a frame of this observation takes, in bytes; `None` if it is not about a frame, and
/// may use the reserved places.
fn frame_bytes(observation: &Observation) -> Option<usize> {
    match observation {
        Observation::Arrived(frame, meaning) => Some(frame.bytes.len() + meaning.held_bytes()),
        Observation::Asked(ask) => Some(ask.frame.bytes.len() + ask.meaning.held_bytes()),
        Observation::Applied(_) => Some(0),
        Observation::Opened { .. }
        | Observation::Intercepted { .. }
        | Observation::Ended { .. }
        | Observation::Closed { .. }
        | Observation::Problem { .. }
        | Observation::Omitted { .. } => None,
    }
}

/// Receiver of [`channel`].
#[derive(Debug)]
pub struct Observations {
    receiver: Receiver<Queued>,
    waiting: Arc<Waiting>,
    /// Taken from the queue, and received after what was left out before it.
    next: RefCell<Option<Observation>>,
}

impl Observations {
    /// Waits for an observation for at most `limit`.
    ///
    /// # Errors
    /// None came, or the relay has ended and everything was received.
    pub fn receive_within(&self, limit: Duration) -> Result<Observation, RecvTimeoutError> {
        match self.next.take() {
            Some(observation) => Ok(observation),
            None => self.receiver.recv_timeout(limit).map(|queued| self.unpack(queued)),
        }
    }

    /// Returns the next observation, if one waits.
    ///
    /// # Errors
    /// None waits, or the relay has ended and everything was received.
    pub fn try_receive(&self) -> Result<Observation, TryRecvError> {
        match self.next.take() {
            Some(observation) => Ok(observation),
            None => self.receiver.try_recv().map(|queued| self.unpack(queued)),
        }
    }

    /// Frees a place, and returns what is received first.
    fn unpack(&self, Queued { omitted, observation, frame_bytes }: Queued) -> Observation {
        self.waiting.release(frame_bytes);
        let Omitted { observations, frames } = omitted;
        if observations == 0 {
            return observation;
        }
        self.next.replace(Some(observation));
        Observation::Omitted { observations, frames }
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
            in_websocket: false,
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
        let (rule, frame, effect) = ("drop-1".into(), bytes(0).id(), "dropped".into());
        Observation::Applied(Applied { seed: 7, rule, frame, offset: 0, at_us: 0, effect, has_effect: true })
    }

    /// Returns everything that waits.
    fn received(observations: &Observations) -> Vec<Observation> {
        std::iter::from_fn(|| observations.try_receive().ok()).collect()
    }

    const CLOSED: Observation = Observation::Closed { connection: 1, at_us: 0 };

    #[test]
    fn waiting_content_counts_too() {
        let (mut observer, observations) = channel(100, 5_000);
        for _ in 0..3 {
            let text = Some("x".repeat(2_000));
            observer.observe(Observation::Arrived(bytes(10), Box::new(Meaning { text, ..Meaning::default() })));
        }
        assert_eq!(std::iter::from_fn(|| observations.try_receive().ok()).count(), 2);
    }

    #[test]
    fn frames_that_do_not_fit_are_counted() {
        let (mut observer, observations) = channel(2, 1_000);
        for _ in 0..5 {
            observer.observe(frame(10));
        }
        // A connection's end has a place that frames cannot take.
        observer.observe(CLOSED);
        let omitted = Observation::Omitted { observations: 3, frames: 3 };
        assert_eq!(received(&observations), [frame(10), frame(10), omitted, CLOSED]);
        observer.observe(frame(10));
        assert_eq!(observations.try_receive(), Ok(frame(10)));
    }

    #[test]
    fn observations_of_frames_leave_the_reserve_free() {
        for observation in [asked(10), applied()] {
            let (mut observer, observations) = channel(2, 1_000);
            let delivered: Vec<ObserveOutcome> = (0..100).map(|_| observer.observe(observation.clone())).collect();
            assert_eq!(delivered[..3], [ObserveOutcome::Taken, ObserveOutcome::Taken, ObserveOutcome::Omitted]);
            assert_eq!(observer.observe(CLOSED), ObserveOutcome::Taken);
            let omitted = Observation::Omitted { observations: 98, frames: 0 };
            assert_eq!(received(&observations), [observation.clone(), observation, omitted, CLOSED]);
        }
    }

    #[test]
    fn what_was_left_out_takes_no_place_of_the_reserve() {
        let (mut observer, observations) = channel(200, 10_000);
        for _ in 0..200 {
            observer.observe(frame(10));
        }
        // Something is left out before each frame that waits.
        for _ in 0..200 {
            assert_eq!(observer.observe(frame(10)), ObserveOutcome::Omitted);
            assert_eq!(observations.try_receive(), Ok(frame(10)));
            assert_eq!(observer.observe(frame(10)), ObserveOutcome::Taken);
        }
        assert_eq!(observer.observe(CLOSED), ObserveOutcome::Taken);
        let received = received(&observations);
        assert_eq!((received.len(), received.last()), (401, Some(&CLOSED)));
    }

    #[test]
    fn a_frame_that_waits_counts_with_its_bytes() {
        let (mut observer, observations) = channel(100, 1_000);
        observer.observe(asked(900));
        assert_eq!(observer.observe(asked(101)), ObserveOutcome::Omitted);
        drop(observations);
        assert_eq!(observer.observe(asked(1)), ObserveOutcome::Omitted, "nobody receives any more");
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
        assert_eq!(observations.try_receive(), Ok(Observation::Omitted { observations: 1, frames: 1 }));
        assert_eq!(observations.try_receive(), Ok(frame(1_000)));
    }
}
