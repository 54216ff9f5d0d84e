//! Control of a running relay from other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::Waker;

/// Controls a relay that runs in another thread.
#[derive(Debug, Clone)]
pub struct RelayHandle {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

impl RelayHandle {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { stop: Arc::default(), waker: Arc::new(waker) }
    }

    /// Ends the relay: it forwards what it holds, ends the connections, completes the recording,
    /// and returns from [`Relay::run`](crate::Relay::run).
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn wake(&self) {
        // A loop that cannot be woken sees it with its next event.
        let _ = self.waker.wake();
    }
}
