//! A request for the loop's metrics, from any thread, and the answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use glassline_hub::HubCounters;
use glassline_journal::Gauges;
use glassline_wire::link::LinkKind;

use crate::metrics::{LoopCounters, Traffic};
use crate::shutdown::Shutdown;

/// Time in which a live loop must answer; its turns take milliseconds.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// A handle to observe one server from any thread; clones observe the same one.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Number of the newest question.
    asked: AtomicU64,
    answer: Mutex<Answer>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Answer {
    /// Number of the newest question that was there when the snapshot was made.
    to: u64,
    snapshot: Snapshot,
}

pub(crate) struct Seen {
    pub(crate) snapshot: Snapshot,
    /// The loop gave it for this request, not an earlier one.
    pub(crate) is_answer: bool,
}

/// A server's numbers at the end of one turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) members: usize,
    pub(crate) connections: usize,
    pub(crate) unregistered: usize,
    pub(crate) http: usize,
    pub(crate) websockets: usize,
    /// Connections of each [`LinkKind`], in its order.
    pub(crate) connections_by_link: [usize; LinkKind::ALL.len()],
    pub(crate) rooms: usize,
    pub(crate) log_bytes: usize,
    pub(crate) hub: HubCounters,
    pub(crate) traffic: Traffic,
    pub(crate) counters: LoopCounters,
    /// Of a server that keeps a history.
    pub(crate) journal: Option<Gauges>,
}

impl Watch {
    /// A handle for one server, to be given to it in its [`Config`](crate::Config).
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether the loop of the server that ends with `shutdown` completes a turn within
    /// `timeout`; it is woken for that.
    pub fn is_alive(&self, shutdown: &Shutdown, timeout: Duration) -> bool {
        self.ask(shutdown, timeout).is_answer
    }

    /// The server's numbers as they are now; the latest that are known if it does not answer within
    /// `timeout`.
    pub(crate) fn ask(&self, shutdown: &Shutdown, timeout: Duration) -> Seen {
        let question = self.inner.asked.fetch_add(1, Ordering::SeqCst) + 1;
        shutdown.wake();
        let answer = self.inner.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.inner.answered.wait_timeout_while(answer, timeout, |answer| answer.to < question);
        let (answer, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Seen { snapshot: answer.snapshot.clone(), is_answer: answer.to >= question }
    }

    /// For the loop, at the end of each turn: the number of the newest request.
    pub(crate) fn asked(&self) -> u64 {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Answers every question up to number `to`.
    pub(crate) fn answer(&self, to: u64, snapshot: Snapshot) {
        // Others hold this lock only to copy the numbers.
        *self.inner.answer.lock().unwrap_or_else(PoisonError::into_inner) = Answer { to, snapshot };
        self.inner.answered.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Instant;

    use super::*;

    fn members(members: usize) -> Snapshot {
        Snapshot { members, ..Snapshot::default() }
    }

    #[test]
    fn a_loop_that_turns_answers_everybody() {
        let (watch, shutdown, ends) = (Watch::new(), Shutdown::new(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !ends.load(Ordering::SeqCst) {
                    watch.answer(watch.asked(), members(7));
                    thread::yield_now();
                }
            });
            let askers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| watch.ask(&shutdown, Duration::from_secs(20)))).collect();
            for asker in askers {
                let seen = asker.join().expect("no panic");
                assert!(seen.is_answer && seen.snapshot.members == 7);
            }
            ends.store(true, Ordering::SeqCst);
        });
    }

    #[test]
    fn a_stuck_loop_is_reported_in_time_despite_old_answers() {
        let (watch, shutdown) = (Watch::new(), Shutdown::new());
        let started = Instant::now();
        assert!(!watch.is_alive(&shutdown, Duration::from_millis(20)));
        // It answers too late; the next question is not answered by that.
        watch.answer(watch.asked(), members(3));
        let seen = watch.ask(&shutdown, Duration::from_millis(20));
        assert!(!seen.is_answer && seen.snapshot.members == 3, "the last known values are returned all the same");
        assert!(started.elapsed() < Duration::from_secs(10), "it took {:?}", started.elapsed());
    }
}
