//! Request to end a running server.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use mio::Waker;

/// A handle that ends a server, from any thread.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    requested: AtomicBool,
    waker: Mutex<Option<Arc<Waker>>>,
}

impl Shutdown {
    /// A handle for one server.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests that the server send goodbyes to all clients, flush their output, and end.
    pub fn request(&self) {
        self.inner.requested.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Has the loop make a turn, from any thread.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.inner.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            // If waking fails, the loop sees the request with its next event.
            let _ = waker.wake();
        }
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.inner.requested.load(Ordering::SeqCst)
    }

    pub(crate) fn wake_with(&self, waker: Arc<Waker>) {
        *self.inner.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
        if self.is_requested() {
            self.request();
        }
    }
}
